//! Errors of listening and connecting, before a byte stream exists.

use std::io;
use std::path::PathBuf;

use super::address::Address;
use super::tls::TlsError;

/// Why listening or connecting failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// Another process or server listens at the address.
    #[error("{address} is in use by another process or server")]
    AddressInUse {
        /// The address.
        address: Address,
    },
    /// The name of a unix socket is too long for the operating system.
    #[error("the unix socket {address} has a name of {length} bytes, and the system allows at most {limit}")]
    NameTooLong {
        /// The address.
        address: Address,
        /// The length of its path or name in bytes.
        length: usize,
        /// The maximum length in bytes.
        limit: usize,
    },
    /// The path leads to something that is not a socket. It was not changed.
    #[error("{} exists and is not a socket; it was not changed", path.display())]
    NotASocket {
        /// The path.
        path: PathBuf,
    },
    /// The directory of a unix socket does not exist and cannot be created.
    #[error("cannot create the directory {}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The lock file of a unix socket cannot be locked. It prevents a second listener.
    #[error("cannot lock {}", path.display())]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Plain TCP with another machine is not allowed.
    #[error(
        "{address} is not a loopback address, and plain TCP is not encrypted; \
         use a tls: address (feature \"tls\"), or allow plain TCP with `allow_plaintext()`"
    )]
    PlaintextRefused {
        /// The address.
        address: Address,
    },
    /// The name of the host cannot be resolved.
    #[error("cannot resolve the host of {address}")]
    Resolve {
        /// The address.
        address: Address,
        /// The cause.
        source: io::Error,
    },
    /// The operating system does not support abstract names.
    #[error("{address} is an abstract name, which only Linux supports")]
    AbstractUnsupported {
        /// The address.
        address: Address,
    },
    /// Stdin or stdout is a terminal, a file or a device. This program must be started by a host.
    #[error(
        "{stream} is {what}; this program communicates over stdin and stdout, \
         so it must be started by a host that provides a pipe or a socket for each"
    )]
    NotStartedByHost {
        /// `stdin` or `stdout`.
        stream: &'static str,
        /// What the stream is instead.
        what: &'static str,
    },
    /// Stdin and stdout are or were used by another connection.
    #[error("stdin and stdout are already in use; a process can have only one connection at \"stdio:\"")]
    StdioTaken,
    /// Stdin and stdout cannot be used.
    #[error("cannot use stdin and stdout for a connection")]
    Stdio {
        /// The cause.
        source: io::Error,
    },
    /// A program cannot be started.
    #[error("cannot start {program}")]
    Spawn {
        /// The program, as named in the command.
        program: String,
        /// The cause.
        source: io::Error,
    },
    /// The listening socket was not inherited.
    #[error("cannot listen on an inherited socket: {problem}")]
    Inherit {
        /// The cause.
        problem: InheritErrorKind,
    },
    /// An existing listening socket cannot be used.
    #[error("cannot use the existing socket")]
    ExistingSocket {
        /// The cause.
        source: io::Error,
    },
    /// The address is only for listening.
    #[error("{address} is only for listening, not for connecting")]
    ListenOnly {
        /// The address.
        address: Address,
    },
    /// Listening failed.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: Address,
        /// The cause.
        source: io::Error,
    },
    /// Connecting failed.
    #[error("cannot connect to {address}")]
    Connect {
        /// The address.
        address: Address,
        /// The cause. If the name has several addresses, that of the last one.
        source: io::Error,
    },
    /// The TLS channel cannot be established.
    #[error("cannot use TLS at {address}")]
    Tls {
        /// The address.
        address: Address,
        /// The cause.
        source: TlsError,
    },
}

/// Why an inherited socket cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InheritErrorKind {
    /// Support for systemd is not compiled in.
    #[error("systemd support is not compiled in; enable the feature \"systemd\" of kaa-rpc-runtime")]
    NotCompiledIn,
    /// The process has no inherited sockets.
    #[error(
        "this process has none (LISTEN_FDS is not set); \
         systemd passes them to a service that has a socket unit"
    )]
    NoSockets,
    /// The sockets are for another process, which left the variables in the environment.
    #[error("the sockets in the environment are for process {pid} (LISTEN_PID), which is not this one")]
    OtherProcess {
        /// The process id.
        pid: u32,
    },
    /// A variable of the environment is malformed.
    #[error("the environment variable {variable} is malformed")]
    Malformed {
        /// The variable.
        variable: &'static str,
    },
    /// No unused socket has this name.
    #[error("no unused socket is named \"{name}\"; available: {}", list(names))]
    UnknownName {
        /// The name.
        name: String,
        /// The names of the unused sockets.
        names: Vec<String>,
    },
    /// There are several sockets, and the address names none.
    #[error("there are several, so the address must name one of them: {}", list(names))]
    NameRequired {
        /// The names of the unused sockets.
        names: Vec<String>,
    },
    /// All sockets are in use.
    #[error("all of them are already in use")]
    AllInUse,
    /// The descriptor is not a listening stream socket.
    #[error(
        "\"{name}\" is not a listening unix or TCP stream socket \
         (a socket unit needs ListenStream=, without Accept=yes)"
    )]
    NotAListener {
        /// The name of the socket.
        name: String,
    },
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    quoted.join(", ")
}

impl From<TransportError> for io::Error {
    /// The error of the operating system, if there is one.
    fn from(error: TransportError) -> Self {
        match error {
            TransportError::Directory { source, .. }
            | TransportError::Lock { source, .. }
            | TransportError::Resolve { source, .. }
            | TransportError::Stdio { source }
            | TransportError::ExistingSocket { source }
            | TransportError::Spawn { source, .. }
            | TransportError::Listen { source, .. }
            | TransportError::Connect { source, .. } => source,
            TransportError::Tls { source: TlsError::Io(source), .. } => source,
            TransportError::Tls { .. } => Self::other(error),
            TransportError::AddressInUse { .. } => Self::new(io::ErrorKind::AddrInUse, error),
            TransportError::NotASocket { .. } => Self::new(io::ErrorKind::AlreadyExists, error),
            TransportError::Inherit { .. } => Self::new(io::ErrorKind::NotFound, error),
            TransportError::ListenOnly { .. } => Self::new(io::ErrorKind::InvalidInput, error),
            TransportError::NotStartedByHost { .. } => Self::new(io::ErrorKind::NotConnected, error),
            TransportError::StdioTaken => Self::new(io::ErrorKind::AddrInUse, error),
            TransportError::PlaintextRefused { .. } => Self::new(io::ErrorKind::PermissionDenied, error),
            TransportError::AbstractUnsupported { .. } => Self::new(io::ErrorKind::Unsupported, error),
            TransportError::NameTooLong { .. } => Self::new(io::ErrorKind::InvalidInput, error),
        }
    }
}
