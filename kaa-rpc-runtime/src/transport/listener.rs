//! Listening sockets, and the connections that they accept.
//!
//! Invariants:
//! - An accepted connection is returned or closed, even if the future of [`Listener::accept`] is dropped.
//! - Dropping the listener stops listening and removes its socket file.
//! - Everything that may wait for the peer waits in [`Accepted::secure`], so no peer can block an accept
//!   loop.

use std::future::pending;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::net::{TcpListener, UnixListener};

use super::address::Address;
use super::error::TransportError;
use super::options::ListenOptions;
use super::socket_file::SocketFile;
use super::stream::{Credentials, PeerAddress, Stream};
use super::tls::TlsError;
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
        /// Removes the file when it is dropped.
        _file: Option<SocketFile>,
    },
    Tcp(TcpListener),
    #[cfg(feature = "_tls")]
    Tls(TcpListener, tls::Acceptor),
    /// The only connection, until it is accepted.
    Stdio(Mutex<Option<Stream>>),
}

impl Listener {
    /// Starts to listen at an address.
    ///
    /// # Errors
    /// The listener cannot be created.
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

    /// Applies one more list of allowed user ids, if there is one. A client must be on all lists.
    pub(crate) fn restrict(&mut self, options: &ListenOptions) {
        let Some(additional) = &options.allowed_uids else { return };
        match (&self.socket, &mut self.allowed_uids) {
            (Socket::Unix { .. }, Some(allowed)) => allowed.retain(|uid| additional.contains(uid)),
            (Socket::Unix { .. }, none) => *none = Some(additional.clone()),
            (_, _) => {}
        }
    }

    /// The address of the listener. For TCP it has the actual IP address and port.
    #[must_use]
    pub fn local_address(&self) -> &Address {
        &self.address
    }

    /// Accepts the next connection. Dropping the future loses no connection. At [`Address::Stdio`] there is
    /// only one.
    ///
    /// # Errors
    /// Accepting failed. See [`AcceptFailure`](super::AcceptFailure) for how to continue; the listener still
    /// works.
    pub async fn accept(&self) -> io::Result<Accepted> {
        loop {
            // No await may follow the accept: an accepted connection must be returned.
            let accepted = match &self.socket {
                Socket::Unix { listener, .. } => {
                    Stream::unix(listener.accept().await?.0, self.address.clone()).into()
                }
                Socket::Tcp(listener) => {
                    let (stream, peer) = listener.accept().await?;
                    // This fails if the peer has already disconnected. The first read reports that.
                    let _ = stream.set_nodelay(true);
                    Stream::tcp(stream, peer).into()
                }
                #[cfg(feature = "_tls")]
                Socket::Tls(listener, acceptor) => {
                    let (stream, peer) = listener.accept().await?;
                    let _ = stream.set_nodelay(true);
                    Accepted::tls(acceptor.start(stream, peer), peer)
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

    /// Whether no more connections will be accepted.
    pub(crate) fn is_exhausted(&self) -> bool {
        matches!(&self.socket, Socket::Stdio(stream) if lock(stream).is_none())
    }

    fn admits(&self, accepted: &Accepted) -> bool {
        let Some(allowed) = &self.allowed_uids else { return true };
        let uid = accepted.peer_credentials().map(|credentials| credentials.uid);
        let admitted = uid.is_some_and(|uid| allowed.contains(&uid));
        if !admitted {
            tracing::warn!(address = %self.address, uid, "refused a connection: the user is not allowed");
        }
        admitted
    }
}

fn lock(stream: &Mutex<Option<Stream>>) -> MutexGuard<'_, Option<Stream>> {
    stream.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An accepted connection. At a `tls:` address its TLS handshake has not begun yet.
#[derive(Debug)]
pub struct Accepted {
    state: State,
    peer: PeerAddress,
}

#[derive(Debug)]
enum State {
    Ready(Stream),
    #[cfg(feature = "_tls")]
    Tls(tls::Handshake),
}

impl Accepted {
    #[cfg(feature = "_tls")]
    pub(super) fn tls(handshake: tls::Handshake, peer: std::net::SocketAddr) -> Self {
        Self { state: State::Tls(handshake), peer: PeerAddress::Tls(peer) }
    }

    /// The address of the peer.
    #[must_use]
    pub fn peer_address(&self) -> &PeerAddress {
        &self.peer
    }

    pub(super) fn peer_credentials(&self) -> Option<Credentials> {
        match &self.state {
            State::Ready(stream) => stream.peer_credentials(),
            #[cfg(feature = "_tls")]
            State::Tls(_) => None,
        }
    }

    /// Returns the byte stream. At a `tls:` address it performs the TLS handshake, whose duration depends on
    /// the peer: run it in its own task with a timeout. At other addresses it returns at once. Dropping the
    /// future closes the connection.
    ///
    /// # Errors
    /// The TLS handshake failed.
    pub async fn secure(self) -> Result<Stream, TlsError> {
        match self.state {
            State::Ready(stream) => Ok(stream),
            #[cfg(feature = "_tls")]
            State::Tls(handshake) => handshake.run().await,
        }
    }
}

impl From<Stream> for Accepted {
    /// A stream that needs no TLS handshake.
    fn from(stream: Stream) -> Self {
        Self { peer: stream.peer_address().clone(), state: State::Ready(stream) }
    }
}
