//! Listening sockets that this process was started with: systemd's socket activation (clause 1.9).
//!
//! The first of them is descriptor 3. `LISTEN_FDS` says how many there are, `LISTEN_PID` for which process, `LISTEN_FDNAMES`
//! what they are called.
//!
//! Invariant: each is taken once.

use std::net::TcpListener;
use std::os::fd::AsFd;
use std::os::unix::net::UnixListener;
use std::sync::{Mutex, PoisonError};

use listenfd::ListenFd;
use rustix::net::sockopt::socket_acceptconn;

use super::error::InheritErrorKind;

/// More than a process has descriptors, as a rule.
const MOST: usize = 1024;

/// What systemd calls a socket that nobody gave a name to.
const NAMELESS: &str = "unknown";

/// What has been inherited, once it was looked at.
static INHERITED: Mutex<Option<Inherited>> = Mutex::new(None);

struct Inherited {
    sockets: ListenFd,
    /// By index; `None` once it is taken.
    names: Vec<Option<String>>,
}

/// A socket that was inherited.
pub(super) enum Taken {
    Unix(UnixListener),
    Tcp(TcpListener),
}

/// Takes the first socket of this name, or the only one.
pub(super) fn take(name: Option<&str>) -> Result<Taken, InheritErrorKind> {
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
        let names = announced(
            variable("LISTEN_FDS").as_deref(),
            variable("LISTEN_PID").as_deref(),
            variable("LISTEN_FDNAMES").as_deref(),
            std::process::id(),
        )?;
        Ok(Self { sockets: ListenFd::from_env(), names: names.into_iter().map(Some).collect() })
    }

    /// Takes it, if it is a stream socket that listens.
    fn socket(&mut self, index: usize) -> Option<Taken> {
        if let Ok(Some(listener)) = self.sockets.take_unix_listener(index) {
            return listens(&listener).then_some(Taken::Unix(listener));
        }
        let listener = self.sockets.take_tcp_listener(index).ok().flatten()?;
        listens(&listener).then_some(Taken::Tcp(listener))
    }
}

fn listens(socket: impl AsFd) -> bool {
    socket_acceptconn(socket) == Ok(true)
}

/// The names of the sockets that the environment tells of.
fn announced(
    count: Option<&str>,
    pid: Option<&str>,
    names: Option<&str>,
    own_pid: u32,
) -> Result<Vec<String>, InheritErrorKind> {
    let count = count.ok_or(InheritErrorKind::Nothing)?;
    let count: usize = count
        .parse()
        .ok()
        .filter(|count| *count <= MOST)
        .ok_or(InheritErrorKind::Malformed { variable: "LISTEN_FDS" })?;
    if let Some(pid) = pid {
        let pid: u32 =
            pid.parse().map_err(|_error| InheritErrorKind::Malformed { variable: "LISTEN_PID" })?;
        if pid != own_pid {
            return Err(InheritErrorKind::ForAnother { pid });
        }
    }
    if count == 0 {
        return Err(InheritErrorKind::Nothing);
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

/// Which of those that are left is meant.
fn choose(names: &[Option<String>], wanted: Option<&str>) -> Result<usize, InheritErrorKind> {
    let left = names.iter().enumerate().filter_map(|(index, name)| Some((index, name.as_ref()?)));
    let listed = || left.clone().map(|(_, name)| name.clone()).collect();
    let mut fitting = left.clone().filter(|(_, name)| wanted.is_none_or(|wanted| wanted == name.as_str()));
    match (fitting.next(), wanted) {
        (Some(_), None) if fitting.next().is_some() => Err(InheritErrorKind::Several { names: listed() }),
        (Some((index, _)), _) => Ok(index),
        (None, Some(name)) => Err(InheritErrorKind::NoSuchName { name: name.to_owned(), names: listed() }),
        (None, None) => Err(InheritErrorKind::NothingLeft),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Vec<Option<String>> {
        names.iter().map(|name| (!name.is_empty()).then(|| (*name).to_owned())).collect()
    }

    #[test]
    fn what_the_environment_tells_of_is_checked() {
        assert_eq!(
            announced(Some("2"), Some("7"), Some("web:admin"), 7),
            Ok(vec!["web".into(), "admin".into()])
        );
        assert_eq!(announced(Some("1"), Some("7"), None, 7), Ok(vec!["unknown".into()]));
        // As those leave it who start a program and become it.
        assert_eq!(announced(Some("1"), None, None, 7), Ok(vec!["unknown".into()]));
        assert_eq!(announced(None, None, None, 7), Err(InheritErrorKind::Nothing));
        assert_eq!(announced(Some("0"), Some("7"), None, 7), Err(InheritErrorKind::Nothing));
        assert_eq!(announced(Some("1"), Some("8"), None, 7), Err(InheritErrorKind::ForAnother { pid: 8 }));
        for count in ["", "-1", "x", "1025", "99999999999999999999"] {
            let malformed = InheritErrorKind::Malformed { variable: "LISTEN_FDS" };
            assert_eq!(announced(Some(count), Some("7"), None, 7), Err(malformed), "{count}");
        }
        let malformed = |variable| Err(InheritErrorKind::Malformed { variable });
        assert_eq!(announced(Some("1"), Some("me"), None, 7), malformed("LISTEN_PID"));
        assert_eq!(announced(Some("1"), Some("7"), Some("a:b"), 7), malformed("LISTEN_FDNAMES"));
    }

    #[test]
    fn a_socket_is_chosen_by_name_or_by_being_the_only_one() {
        let names = named(&["web", "admin", "web"]);
        assert_eq!(choose(&names, Some("web")), Ok(0));
        assert_eq!(choose(&names, Some("admin")), Ok(1));
        assert_eq!(choose(&named(&["", "admin", "web"]), Some("web")), Ok(2));
        assert_eq!(choose(&named(&["", "admin", ""]), None), Ok(1));
        assert_eq!(choose(&named(&["", ""]), None), Err(InheritErrorKind::NothingLeft));
        let all = || vec!["web".to_owned(), "admin".to_owned(), "web".to_owned()];
        assert_eq!(choose(&names, None), Err(InheritErrorKind::Several { names: all() }));
        let unknown = InheritErrorKind::NoSuchName { name: "db".into(), names: all() };
        assert_eq!(choose(&names, Some("db")), Err(unknown));
    }
}
