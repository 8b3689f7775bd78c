//! A connection as it was accepted, before anybody has said anything.
//!
//! Invariant: what may wait for the peer waits in [`Accepted::secure`], so a loop that accepts is held up by nobody.

use super::stream::{Credentials, PeerAddress, Stream};
use super::tls::TlsError;

/// An accepted connection. Where it is to be secure, that is still to be done.
#[derive(Debug)]
pub struct Accepted {
    state: State,
    peer: PeerAddress,
}

#[derive(Debug)]
enum State {
    Ready(Stream),
    #[cfg(feature = "_tls")]
    Tls(super::tls::Handshake),
}

impl Accepted {
    #[cfg(feature = "_tls")]
    pub(super) fn tls(handshake: super::tls::Handshake, peer: std::net::SocketAddr) -> Self {
        Self { state: State::Tls(handshake), peer: PeerAddress::Tls(peer) }
    }

    /// Where the peer is.
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

    /// The byte stream. At a `tls:` address this is the TLS handshake, which lasts as long as the peer pleases, so give
    /// it a time and a task of its own; anywhere else there is nothing to wait for. Dropping the future closes the
    /// connection.
    ///
    /// # Errors
    /// There is no TLS channel.
    pub async fn secure(self) -> Result<Stream, TlsError> {
        match self.state {
            State::Ready(stream) => Ok(stream),
            #[cfg(feature = "_tls")]
            State::Tls(handshake) => handshake.run().await,
        }
    }
}

impl From<Stream> for Accepted {
    /// A stream that is ready.
    fn from(stream: Stream) -> Self {
        Self { peer: stream.peer_address().clone(), state: State::Ready(stream) }
    }
}
