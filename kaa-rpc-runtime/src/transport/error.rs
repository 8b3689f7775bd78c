//! What can go wrong before there is a byte stream.

use std::io;
use std::path::PathBuf;

use super::address::Address;
use super::tls::TlsError;

/// Why listening or connecting failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// Somebody else listens there.
    #[error("{address} is in use by another process or server")]
    AddressInUse {
        /// Where.
        address: Address,
    },
    /// The system has no room for so long a name of a unix socket.
    #[error("the unix socket {address} has a name of {length} bytes, and the system allows at most {limit}")]
    NameTooLong {
        /// Where.
        address: Address,
        /// Bytes of its path or name.
        length: usize,
        /// Most bytes allowed.
        limit: usize,
    },
    /// There is something else at the path, which was left as it is.
    #[error("{} exists and is not a socket; it was left as it is", path.display())]
    NotASocket {
        /// The path.
        path: PathBuf,
    },
    /// The directory of a unix socket does not exist and cannot be made.
    #[error("cannot make the directory {}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file that guards a unix socket against a second listener cannot be used.
    #[error("cannot lock {}", path.display())]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Plain TCP to another machine, without permission.
    #[error(
        "{address} is not a loopback address, and plain TCP can be read and changed on its way; \
         a tls: address is for that (feature \"tls\"), or `allow_plaintext()` permits it"
    )]
    PlaintextRefused {
        /// Where.
        address: Address,
    },
    /// The host's name is unknown.
    #[error("cannot resolve the host of {address}")]
    Resolve {
        /// Where.
        address: Address,
        /// Why.
        source: io::Error,
    },
    /// This system has no abstract names.
    #[error("{address} is an abstract name, which only Linux has")]
    AbstractUnsupported {
        /// Where.
        address: Address,
    },
    /// A terminal, a file or a device is no peer: this program is to be started by another one.
    #[error(
        "{stream} is {what}, and this program talks through stdin and stdout to the program that starts it; it is to \
         be started by its host, which gives it a pipe or a socket for each"
    )]
    NotStartedByHost {
        /// `stdin` or `stdout`.
        stream: &'static str,
        /// What it is instead.
        what: &'static str,
    },
    /// Stdin and stdout carry a connection already, or have carried one.
    #[error("stdin and stdout are taken: a process has only one connection at \"stdio:\"")]
    StdioTaken,
    /// Stdin and stdout cannot be used.
    #[error("cannot take stdin and stdout for a connection")]
    Stdio {
        /// Why.
        source: io::Error,
    },
    /// A program cannot be started.
    #[error("cannot start {program}")]
    Spawn {
        /// The program as it was named.
        program: String,
        /// Why.
        source: io::Error,
    },
    /// No listening socket was inherited, or not that one.
    #[error("cannot listen on an inherited socket: {problem}")]
    Inherit {
        /// Why.
        problem: InheritErrorKind,
    },
    /// A socket that listens already cannot be used.
    #[error("cannot use a socket that was made elsewhere")]
    Adopt {
        /// Why.
        source: io::Error,
    },
    /// One listens there, and does not connect.
    #[error("{address} is an address to listen at, and nothing to connect to")]
    OnlyToListen {
        /// Where.
        address: Address,
    },
    /// Listening failed.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: Address,
        /// Why.
        source: io::Error,
    },
    /// Connecting failed.
    #[error("cannot connect to {address}")]
    Connect {
        /// Where to.
        address: Address,
        /// Why; of the last one, where a name has several addresses.
        source: io::Error,
    },
    /// There is no TLS channel.
    #[error("cannot use TLS at {address}")]
    Tls {
        /// Where, or where to.
        address: Address,
        /// Why.
        source: TlsError,
    },
}

/// What is wrong with the sockets that a process was started with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InheritErrorKind {
    /// This program cannot.
    #[error("systemd support is not compiled in; it is the feature \"systemd\" of kaa-rpc-runtime")]
    NotCompiledIn,
    /// There are none.
    #[error(
        "this process was started without any (LISTEN_FDS is not set); systemd does it for a service with a socket unit"
    )]
    Nothing,
    /// They are for another process, which did not take them out of the environment.
    #[error("those that the environment tells of are for process {pid} (LISTEN_PID), which is not this one")]
    ForAnother {
        /// Which.
        pid: u32,
    },
    /// The environment is wrong.
    #[error("the environment variable {variable} is malformed")]
    Malformed {
        /// The variable.
        variable: &'static str,
    },
    /// None that is left has this name.
    #[error("none is called \"{name}\"; there are {}", list(names))]
    NoSuchName {
        /// The name.
        name: String,
        /// Those that are left.
        names: Vec<String>,
    },
    /// There are several, and none was named.
    #[error("there are several, and one of them must be named: {}", list(names))]
    Several {
        /// Those that are left.
        names: Vec<String>,
    },
    /// They are all in use.
    #[error("each is in use already")]
    NothingLeft,
    /// It is something else.
    #[error(
        "\"{name}\" is no unix or TCP stream socket that listens (a socket unit must say ListenStream= and not Accept=yes)"
    )]
    NotAListener {
        /// Its name.
        name: String,
    },
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "none left".to_owned();
    }
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    quoted.join(", ")
}

impl From<TransportError> for io::Error {
    /// The system's own error where there is one.
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Directory { source, .. }
            | TransportError::Lock { source, .. }
            | TransportError::Resolve { source, .. }
            | TransportError::Stdio { source }
            | TransportError::Adopt { source }
            | TransportError::Spawn { source, .. }
            | TransportError::Listen { source, .. }
            | TransportError::Connect { source, .. } => source,
            TransportError::Tls { source: TlsError::Io(source), .. } => source,
            TransportError::Tls { .. } => Self::other(error),
            TransportError::AddressInUse { .. } => Self::new(io::ErrorKind::AddrInUse, error),
            TransportError::NotASocket { .. } => Self::new(io::ErrorKind::AlreadyExists, error),
            TransportError::Inherit { .. } => Self::new(io::ErrorKind::NotFound, error),
            TransportError::OnlyToListen { .. } => Self::new(io::ErrorKind::InvalidInput, error),
            TransportError::NotStartedByHost { .. } => Self::new(io::ErrorKind::NotConnected, error),
            TransportError::StdioTaken => Self::new(io::ErrorKind::AddrInUse, error),
            TransportError::PlaintextRefused { .. } => Self::new(io::ErrorKind::PermissionDenied, error),
            TransportError::AbstractUnsupported { .. } => Self::new(io::ErrorKind::Unsupported, error),
            TransportError::NameTooLong { .. } => Self::new(io::ErrorKind::InvalidInput, error),
        }
    }
}
