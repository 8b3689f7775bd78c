//! Listening sockets that systemd passes to this process: socket activation (clause 1.9).
//!
//! Their descriptors begin at 3. `LISTEN_FDS` is their number, `LISTEN_PID` the process for which they are,
//! and `LISTEN_FDNAMES` has their names.
//!
//! Invariant: each socket is taken once.

use std::net::TcpListener;
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::sync::{Mutex, PoisonError};

use listenfd::ListenFd;
use rustix::net::sockopt::socket_acceptconn;

use super::error::InheritErrorKind;

/// The maximum number of sockets: the usual limit on descriptors of a process.
const MAX_SOCKETS: usize = 1024;

/// The name that systemd gives to a socket without a name.
const NAMELESS: &str = "unknown";

/// The inherited sockets, once the environment was read.
static INHERITED: Mutex<Option<Inherited>> = Mutex::new(None);

struct Inherited {
    sockets: ListenFd,
    /// By index; `None` for a socket that was taken.
    names: Vec<Option<String>>,
}

/// An inherited socket.
pub(super) enum InheritedSocket {
    Unix(UnixListener),
    Tcp(TcpListener),
}

/// Takes the first socket with this name, or the only socket.
pub(super) fn take(name: Option<&str>) -> Result<InheritedSocket, InheritErrorKind> {
    let mut inherited = INHERITED.lock().unwrap_or_else(PoisonError::into_inner);
    let inherited = match &mut *inherited {
        Some(inherited) => inherited,
        none => none.insert(Inherited::from_environment()?),
    };
    let index = choose(&inherited.names, name)?;
    let taken = inherited.socket(index).ok_or_else(|| InheritErrorKind::NotAListener {
        name: inherited.names.get(index).cloned().flatten().unwrap_or_default(),
    })?;
    if let Some(name) = inherited.names.get_mut(index) {
        *name = None;
    }
    Ok(taken)
}

impl Inherited {
    fn from_environment() -> Result<Self, InheritErrorKind> {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let names = socket_names(
            variable("LISTEN_FDS").as_deref(),
            variable("LISTEN_PID").as_deref(),
            variable("LISTEN_FDNAMES").as_deref(),
            std::process::id(),
        )?;
        Ok(Self { sockets: ListenFd::from_env(), names: names.into_iter().map(Some).collect() })
    }

    /// Takes a socket, if it is a listening stream socket.
    fn socket(&mut self, index: usize) -> Option<InheritedSocket> {
        if let Ok(Some(listener)) = self.sockets.take_unix_listener(index) {
            return listens(&listener).then_some(InheritedSocket::Unix(listener));
        }
        let listener = self.sockets.take_tcp_listener(index).ok().flatten()?;
        listens(&listener).then_some(InheritedSocket::Tcp(listener))
    }
}

fn listens(socket: impl AsFd) -> bool {
    socket_acceptconn(socket) == Ok(true)
}

/// The names of the sockets in the environment.
fn socket_names(
    count: Option<&str>,
    pid: Option<&str>,
    names: Option<&str>,
    own_pid: u32,
) -> Result<Vec<String>, InheritErrorKind> {
    let count = count.ok_or(InheritErrorKind::NoSockets)?;
    let count: usize = count
        .parse()
        .ok()
        .filter(|count| *count <= MAX_SOCKETS)
        .ok_or(InheritErrorKind::Malformed { variable: "LISTEN_FDS" })?;
    if let Some(pid) = pid {
        let pid: u32 =
            pid.parse().map_err(|_error| InheritErrorKind::Malformed { variable: "LISTEN_PID" })?;
        if pid != own_pid {
            return Err(InheritErrorKind::OtherProcess { pid });
        }
    }
    if count == 0 {
        return Err(InheritErrorKind::NoSockets);
    }
    let names: Vec<String> = match names {
        Some(names) => names.split(':').map(str::to_owned).collect(),
        None => vec![NAMELESS.to_owned(); count],
    };
    if names.len() == count {
        Ok(names)
    } else {
        Err(InheritErrorKind::Malformed { variable: "LISTEN_FDNAMES" })
    }
}

/// The index of the selected socket among those that are left.
fn choose(names: &[Option<String>], wanted: Option<&str>) -> Result<usize, InheritErrorKind> {
    let left = names.iter().enumerate().filter_map(|(index, name)| Some((index, name.as_ref()?)));
    let listed = || left.clone().map(|(_, name)| name.clone()).collect();
    let mut matching = left.clone().filter(|(_, name)| wanted.is_none_or(|wanted| wanted == name.as_str()));
    match (matching.next(), wanted) {
        (Some(_), None) if matching.next().is_some() => {
            Err(InheritErrorKind::NameRequired { names: listed() })
        }
        (Some((index, _)), _) => Ok(index),
        (None, Some(name)) => Err(InheritErrorKind::UnknownName { name: name.to_owned(), names: listed() }),
        (None, None) => Err(InheritErrorKind::AllInUse),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Vec<Option<String>> {
        names.iter().map(|name| (!name.is_empty()).then(|| (*name).to_owned())).collect()
    }

    #[test]
    fn environment_is_checked() {
        assert_eq!(
            socket_names(Some("2"), Some("7"), Some("web:admin"), 7),
            Ok(vec!["web".into(), "admin".into()])
        );
        assert_eq!(socket_names(Some("1"), Some("7"), None, 7), Ok(vec!["unknown".into()]));
        // A program that replaces itself with another one leaves the environment like this.
        assert_eq!(socket_names(Some("1"), None, None, 7), Ok(vec!["unknown".into()]));
        assert_eq!(socket_names(None, None, None, 7), Err(InheritErrorKind::NoSockets));
        assert_eq!(socket_names(Some("0"), Some("7"), None, 7), Err(InheritErrorKind::NoSockets));
        assert_eq!(
            socket_names(Some("1"), Some("8"), None, 7),
            Err(InheritErrorKind::OtherProcess { pid: 8 })
        );
        for count in ["", "-1", "x", "1025", "99999999999999999999"] {
            let malformed = InheritErrorKind::Malformed { variable: "LISTEN_FDS" };
            assert_eq!(socket_names(Some(count), Some("7"), None, 7), Err(malformed), "{count}");
        }
        let malformed = |variable| Err(InheritErrorKind::Malformed { variable });
        assert_eq!(socket_names(Some("1"), Some("me"), None, 7), malformed("LISTEN_PID"));
        assert_eq!(socket_names(Some("1"), Some("7"), Some("a:b"), 7), malformed("LISTEN_FDNAMES"));
    }

    #[test]
    fn socket_is_chosen_by_name_or_as_the_only_one() {
        let names = named(&["web", "admin", "web"]);
        assert_eq!(choose(&names, Some("web")), Ok(0));
        assert_eq!(choose(&names, Some("admin")), Ok(1));
        assert_eq!(choose(&named(&["", "admin", "web"]), Some("web")), Ok(2));
        assert_eq!(choose(&named(&["", "admin", ""]), None), Ok(1));
        assert_eq!(choose(&named(&["", ""]), None), Err(InheritErrorKind::AllInUse));
        let all = || vec!["web".to_owned(), "admin".to_owned(), "web".to_owned()];
        assert_eq!(choose(&names, None), Err(InheritErrorKind::NameRequired { names: all() }));
        let unknown = InheritErrorKind::UnknownName { name: "db".into(), names: all() };
        assert_eq!(choose(&names, Some("db")), Err(unknown));
    }
}
