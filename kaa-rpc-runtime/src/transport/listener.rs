//! Listens at an address.
//!
//! Invariants: a connection that was taken from the system is returned or closed, also if the future that accepts is
//! dropped; dropping the listener stops listening and removes its socket file.

use std::future::pending;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::net::{TcpListener, UnixListener};

use super::accepted::Accepted;
use super::address::Address;
use super::error::TransportError;
use super::options::ListenOptions;
use super::socket_file::SocketFile;
use super::stream::Stream;
#[cfg(feature = "_tls")]
use super::{options::Plaintext, tls};
use super::{stdio, tcp, unix};

/// A listening socket.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
    address: Address,
    allowed_uids: Option<Vec<u32>>,
}

#[derive(Debug)]
pub(super) enum Socket {
    Unix {
        listener: UnixListener,
        /// Removes the file when it goes.
        _file: Option<SocketFile>,
    },
    Tcp(TcpListener),
    #[cfg(feature = "_tls")]
    Tls(TcpListener, tls::Acceptor),
    /// The one connection there is, until it is accepted.
    Stdio(Mutex<Option<Stream>>),
}

impl Listener {
    /// Listens at an address.
    ///
    /// # Errors
    /// Why that is not possible.
    pub async fn bind(address: &Address, options: &ListenOptions) -> Result<Self, TransportError> {
        let allowed_uids = options.allowed_uids.clone();
        let unix = |(listener, file), address: &Address| Self {
            socket: Socket::Unix { listener, _file: file },
            address: address.clone(),
            allowed_uids,
        };
        match address {
            Address::Unix(path) => Ok(unix(unix::bind_path(path, options)?, address)),
            Address::UnixAbstract(name) => Ok(unix(unix::bind_abstract(name)?, address)),
            Address::Tcp { host, port } => {
                let listener = tcp::bind(address, host, *port, options.plaintext).await?;
                let local = listener
                    .local_addr()
                    .map_err(|source| TransportError::Listen { address: address.clone(), source })?;
                Ok(Self { socket: Socket::Tcp(listener), address: local.into(), allowed_uids: None })
            }
            #[cfg(feature = "_tls")]
            Address::Tls { host, port } => {
                let acceptor = tls::Acceptor::new(options.tls_certificate.as_ref())
                    .map_err(|source| TransportError::Tls { address: address.clone(), source })?;
                let listener = tcp::bind(address, host, *port, Plaintext::Anywhere).await?;
                let local = listener
                    .local_addr()
                    .map_err(|source| TransportError::Listen { address: address.clone(), source })?;
                let address = Address::Tls { host: local.ip().to_string(), port: local.port() };
                Ok(Self { socket: Socket::Tls(listener, acceptor), address, allowed_uids: None })
            }
            Address::Stdio => {
                let socket = Socket::Stdio(Mutex::new(Some(stdio::take()?)));
                Ok(Self { socket, address: Address::Stdio, allowed_uids: None })
            }
            Address::Inherited { name } => Self::bind_inherited(name.as_deref(), options),
        }
    }

    pub(super) fn over(socket: Socket, address: Address, allowed_uids: Option<Vec<u32>>) -> Self {
        Self { socket, address, allowed_uids }
    }

    /// Heeds one more list of allowed user ids, where there is one: who is not on all is not let in.
    pub(crate) fn restrict(&mut self, options: &ListenOptions) {
        let Some(further) = &options.allowed_uids else { return };
        match (&self.socket, &mut self.allowed_uids) {
            (Socket::Unix { .. }, Some(allowed)) => allowed.retain(|uid| further.contains(uid)),
            (Socket::Unix { .. }, none) => *none = Some(further.clone()),
            (_, _) => {}
        }
    }

    /// Where it listens; for TCP the address and port that the system gave.
    #[must_use]
    pub fn local_address(&self) -> &Address {
        &self.address
    }

    /// The next connection. Dropping the future loses none. On [`Address::Stdio`] there is one, and never another.
    ///
    /// # Errors
    /// See [`AcceptFailure`](super::AcceptFailure) for what to do about them; the listener goes on.
    pub async fn accept(&self) -> io::Result<Accepted> {
        loop {
            // No await behind this one: what is accepted is returned.
            let accepted = match &self.socket {
                Socket::Unix { listener, .. } => {
                    Stream::unix(listener.accept().await?.0, self.address.clone()).into()
                }
                Socket::Tcp(listener) => {
                    let (stream, peer) = listener.accept().await?;
                    // It fails where the peer has gone already, which the first read will say.
                    let _ = stream.set_nodelay(true);
                    Stream::tcp(stream, peer).into()
                }
                #[cfg(feature = "_tls")]
                Socket::Tls(listener, acceptor) => {
                    let (stream, peer) = listener.accept().await?;
                    let _ = stream.set_nodelay(true);
                    Accepted::tls(acceptor.take(stream, peer), peer)
                }
                Socket::Stdio(stream) => {
                    let stream = lock(stream).take();
                    match stream {
                        Some(stream) => stream.into(),
                        None => pending().await,
                    }
                }
            };
            if self.admits(&accepted) {
                return Ok(accepted);
            }
        }
    }

    /// Whether there will be no more connections.
    pub(crate) fn is_exhausted(&self) -> bool {
        matches!(&self.socket, Socket::Stdio(stream) if lock(stream).is_none())
    }

    fn admits(&self, accepted: &Accepted) -> bool {
        let Some(allowed) = &self.allowed_uids else { return true };
        let uid = accepted.peer_credentials().map(|credentials| credentials.uid);
        let admitted = uid.is_some_and(|uid| allowed.contains(&uid));
        if !admitted {
            tracing::warn!(address = %self.address, uid, "refused a connection of a user who is not allowed");
        }
        admitted
    }
}

fn lock(stream: &Mutex<Option<Stream>>) -> MutexGuard<'_, Option<Stream>> {
    stream.lock().unwrap_or_else(PoisonError::into_inner)
}
