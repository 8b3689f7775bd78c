//! Unix sockets, in the file system and with abstract names (clauses 1.2 to 1.4).
//!
//! Invariant: no client can connect before the socket file has its final mode.

use std::fs::Permissions;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener as StdListener;
use std::path::Path;
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};
use tokio::net::{UnixListener, UnixStream};

use super::address::Address;
use super::error::TransportError;
use super::options::ListenOptions;
use super::socket_file::{ClaimedPath, SocketFile};

/// The maximum length of a path in bytes. It also applies to abstract names, which have a zero byte before
/// them instead of after them.
const MAX_NAME: usize = if cfg!(target_os = "linux") { 107 } else { 103 };
const BACKLOG: i32 = 1024;

/// How often a client tries to connect to a server whose backlog is full.
const MAX_ATTEMPTS: u32 = 100;
const RETRY_DELAY: Duration = Duration::from_millis(20);

/// A listening socket, and its file if it has one.
pub(super) type Bound = (UnixListener, Option<SocketFile>);

pub(super) fn bind_path(path: &Path, options: &ListenOptions) -> Result<Bound, TransportError> {
    let address = Address::Unix(path.to_owned());
    let name = socket_name(&address, path.as_os_str().as_bytes(), path)?;
    let claimed = ClaimedPath::claim(path)?;
    let bound = || {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.bind(&name)?;
        let file = claimed.bound()?;
        // No client can connect until the socket listens, so the initial mode never takes effect.
        std::fs::set_permissions(file.path(), Permissions::from_mode(options.socket_mode))?;
        listen(socket).map(|listener| (listener, Some(file)))
    };
    bound().map_err(|source| TransportError::Listen { address, source })
}

pub(super) fn bind_abstract(name: &str) -> Result<Bound, TransportError> {
    let address = Address::UnixAbstract(name.to_owned());
    let socket_address = abstract_name(&address, name)?;
    let bound = || {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.bind(&socket_address)?;
        listen(socket).map(|listener| (listener, None))
    };
    bound().map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => TransportError::AddressInUse { address },
        _ => TransportError::Listen { address, source },
    })
}

pub(super) async fn connect(address: &Address, name: &SockAddr) -> Result<UnixStream, TransportError> {
    let error = |source| TransportError::Connect { address: address.clone(), source };
    for _ in 1..MAX_ATTEMPTS {
        match try_connect(name) {
            Err(source) if source.kind() == io::ErrorKind::WouldBlock => {
                tokio::time::sleep(RETRY_DELAY).await
            }
            result => return result.map_err(error),
        }
    }
    try_connect(name).map_err(error)
}

/// The socket address of a path.
pub(super) fn path_name(path: &Path) -> Result<SockAddr, TransportError> {
    socket_name(&Address::Unix(path.to_owned()), path.as_os_str().as_bytes(), path)
}

/// The socket address of an abstract name.
pub(super) fn abstract_name(address: &Address, name: &str) -> Result<SockAddr, TransportError> {
    if !cfg!(target_os = "linux") {
        return Err(TransportError::AbstractUnsupported { address: address.clone() });
    }
    socket_name(address, name.as_bytes(), format!("\0{name}").as_ref())
}

fn socket_name(address: &Address, counted: &[u8], path: &Path) -> Result<SockAddr, TransportError> {
    let length = counted.len();
    if length > MAX_NAME {
        return Err(TransportError::NameTooLong { address: address.clone(), length, limit: MAX_NAME });
    }
    SockAddr::unix(path).map_err(|source| TransportError::Connect { address: address.clone(), source })
}

fn listen(socket: Socket) -> io::Result<UnixListener> {
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    UnixListener::from_std(StdListener::from(socket))
}

/// Connecting to a unix socket succeeds or fails at once.
fn try_connect(name: &SockAddr) -> io::Result<UnixStream> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.connect(name)?;
    UnixStream::from_std(socket.into())
}
