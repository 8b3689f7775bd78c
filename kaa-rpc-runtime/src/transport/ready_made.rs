//! Listeners over sockets that listen already: inherited ones, and those that the program made by itself.
//!
//! Invariants: plain TCP beyond this machine needs permission here too (clause 1.5); a socket file that was made elsewhere
//! is not removed.

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
use super::inherited::{self, Taken};
use super::listener::{Listener, Socket};
use super::options::{ListenOptions, Plaintext};

impl Listener {
    /// Over a unix socket that listens already. Its file, if it has one, stays when the listener goes; of the options,
    /// `allowed_uids` is heeded.
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
    /// The system refuses to say its name or to make it non-blocking, or there is no tokio runtime.
    pub fn from_std_unix(listener: StdUnixListener, options: &ListenOptions) -> Result<Self, TransportError> {
        let ready = || {
            let name = SockRef::from(&listener).local_addr()?;
            let address = match name.as_abstract_namespace() {
                Some(name) => Address::UnixAbstract(String::from_utf8_lossy(name).into_owned()),
                None => Address::Unix(name.as_pathname().unwrap_or("".as_ref()).to_owned()),
            };
            need_runtime()?;
            listener.set_nonblocking(true)?;
            Ok((UnixListener::from_std(listener)?, address))
        };
        let (listener, address) = ready().map_err(|source| TransportError::Adopt { source })?;
        let socket = Socket::Unix { listener, _file: None };
        Ok(Self::over(socket, address, options.allowed_uids.clone()))
    }

    /// Over a TCP socket that listens already. Of the options, permission for plain TCP is heeded.
    ///
    /// # Errors
    /// [`TransportError::PlaintextRefused`] where others than this machine can connect and the options do not permit it;
    /// else as [`Listener::from_std_unix`].
    pub fn from_std_tcp(listener: StdTcpListener, options: &ListenOptions) -> Result<Self, TransportError> {
        let adopt_error = |source| TransportError::Adopt { source };
        let local = listener.local_addr().map_err(adopt_error)?;
        let address = Address::from(local);
        if options.plaintext == Plaintext::LoopbackOnly && !local.ip().to_canonical().is_loopback() {
            return Err(TransportError::PlaintextRefused { address });
        }
        let ready = || {
            need_runtime()?;
            listener.set_nonblocking(true)?;
            TcpListener::from_std(listener)
        };
        Ok(Self::over(Socket::Tcp(ready().map_err(adopt_error)?), address, None))
    }

    /// Over the one listening socket with which systemd started this process: `systemd:`.
    ///
    /// The first use of it takes `LISTEN_PID` and `LISTEN_FDS` out of the environment, so that no child takes them for its
    /// own; call it before threads are started that read the environment in C.
    ///
    /// # Errors
    /// [`TransportError::Inherit`]; otherwise as [`Listener::from_std_unix`] and [`Listener::from_std_tcp`].
    #[cfg(feature = "systemd")]
    pub fn inherited(options: &ListenOptions) -> Result<Self, TransportError> {
        Self::bind_inherited(None, options)
    }

    /// Over the socket that has this name in `LISTEN_FDNAMES` (`FileDescriptorName=` in the unit): `systemd:NAME`. Where
    /// several have it, each use takes the next.
    ///
    /// # Errors
    /// As [`Listener::inherited`].
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
            Taken::Unix(listener) => Self::from_std_unix(listener, options),
            Taken::Tcp(listener) => Self::from_std_tcp(listener, options),
        }
    }

    #[cfg(not(feature = "systemd"))]
    pub(super) fn bind_inherited(_name: Option<&str>, _: &ListenOptions) -> Result<Self, TransportError> {
        Err(TransportError::Inherit { problem: super::error::InheritErrorKind::NotCompiledIn })
    }
}

/// Without one, to register a socket would be a panic.
fn need_runtime() -> io::Result<()> {
    Handle::try_current().map(drop).map_err(io::Error::other)
}
