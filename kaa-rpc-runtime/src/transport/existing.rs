//! Listeners on existing sockets: inherited ones, and those that the program has created.
//!
//! Invariants: plain TCP with other machines needs permission here too (clause 1.5). A socket file that was
//! created elsewhere is not removed.

use std::io;
use std::net::TcpListener as StdTcpListener;
use std::os::unix::net::UnixListener as StdUnixListener;

use socket2::SockRef;
use tokio::net::{TcpListener, UnixListener};
use tokio::runtime::Handle;

use super::address::Address;
#[cfg(feature = "systemd")]
use super::error::InheritErrorKind;
use super::error::TransportError;
#[cfg(feature = "systemd")]
use super::inherited::{self, InheritedSocket};
use super::listener::{Listener, Socket};
use super::options::{ListenOptions, Plaintext};

impl Listener {
    /// Creates a listener from a unix socket that already listens. Dropping the listener does not remove the
    /// socket's file. Of the options only `allowed_uids` applies.
    ///
    /// ```
    /// use std::os::unix::net::UnixListener;
    /// use kaa_rpc_runtime::{Secret, Server, transport::{ListenOptions, Listener}};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let folder = tempfile::tempdir()?;
    /// # let path = folder.path().join("socket");
    /// let socket = UnixListener::bind(&path)?;
    /// let listener = Listener::from_std_unix(socket, &ListenOptions::new())?;
    /// let server = Server::builder().secret(Secret::generate()?).listen_on(listener)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The socket's name cannot be read, the socket cannot be made non-blocking, or there is no tokio
    /// runtime.
    pub fn from_std_unix(listener: StdUnixListener, options: &ListenOptions) -> Result<Self, TransportError> {
        let ready = || {
            let name = SockRef::from(&listener).local_addr()?;
            let address = match name.as_abstract_namespace() {
                Some(name) => Address::UnixAbstract(String::from_utf8_lossy(name).into_owned()),
                None => Address::Unix(name.as_pathname().unwrap_or("".as_ref()).to_owned()),
            };
            require_runtime()?;
            listener.set_nonblocking(true)?;
            Ok((UnixListener::from_std(listener)?, address))
        };
        let (listener, address) = ready().map_err(|source| TransportError::ExistingSocket { source })?;
        let socket = Socket::Unix { listener, _file: None };
        Ok(Self::over(socket, address, options.allowed_uids.clone()))
    }

    /// Creates a listener from a TCP socket that already listens. Of the options only `allow_plaintext`
    /// applies.
    ///
    /// # Errors
    /// [`TransportError::PlaintextRefused`] if other machines can connect and the options do not allow plain
    /// TCP; otherwise those of [`Listener::from_std_unix`].
    pub fn from_std_tcp(listener: StdTcpListener, options: &ListenOptions) -> Result<Self, TransportError> {
        let socket_error = |source| TransportError::ExistingSocket { source };
        let local = listener.local_addr().map_err(socket_error)?;
        let address = Address::from(local);
        if options.plaintext == Plaintext::LoopbackOnly && !local.ip().to_canonical().is_loopback() {
            return Err(TransportError::PlaintextRefused { address });
        }
        let ready = || {
            require_runtime()?;
            listener.set_nonblocking(true)?;
            TcpListener::from_std(listener)
        };
        Ok(Self::over(Socket::Tcp(ready().map_err(socket_error)?), address, None))
    }

    /// Creates a listener from the only listening socket that systemd has passed to this process: `systemd:`.
    ///
    /// The first use removes `LISTEN_PID` and `LISTEN_FDS` from the environment, so that child processes do
    /// not use them. Call it before you start threads that read the environment in C.
    ///
    /// # Errors
    /// [`TransportError::Inherit`]; otherwise those of [`Listener::from_std_unix`] and
    /// [`Listener::from_std_tcp`].
    #[cfg(feature = "systemd")]
    pub fn inherited(options: &ListenOptions) -> Result<Self, TransportError> {
        Self::bind_inherited(None, options)
    }

    /// Creates a listener from the socket with this name in `LISTEN_FDNAMES` (`FileDescriptorName=` in the
    /// unit): `systemd:NAME`. If several sockets have the name, each call takes the next.
    ///
    /// # Errors
    /// Those of [`Listener::inherited`].
    #[cfg(feature = "systemd")]
    pub fn inherited_named(name: &str, options: &ListenOptions) -> Result<Self, TransportError> {
        Self::bind_inherited(Some(name), options)
    }

    #[cfg(feature = "systemd")]
    pub(super) fn bind_inherited(
        name: Option<&str>,
        options: &ListenOptions,
    ) -> Result<Self, TransportError> {
        let inherit_error = |problem: InheritErrorKind| TransportError::Inherit { problem };
        match inherited::take(name).map_err(inherit_error)? {
            InheritedSocket::Unix(listener) => Self::from_std_unix(listener, options),
            InheritedSocket::Tcp(listener) => Self::from_std_tcp(listener, options),
        }
    }

    #[cfg(not(feature = "systemd"))]
    pub(super) fn bind_inherited(_name: Option<&str>, _: &ListenOptions) -> Result<Self, TransportError> {
        Err(TransportError::Inherit { problem: super::error::InheritErrorKind::NotCompiledIn })
    }
}

/// Registering a socket would panic without a runtime.
fn require_runtime() -> io::Result<()> {
    Handle::try_current().map(drop).map_err(io::Error::other)
}
