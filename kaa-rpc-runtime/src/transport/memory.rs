//! Two streams that are each other's peer, in memory: for tests, and for parts of one program.

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};

use super::stream::{PeerAddress, Stream};

/// A connected pair; each direction holds up to `capacity` bytes.
#[must_use]
pub fn pair(capacity: usize) -> (Stream, Stream) {
    pair_of(capacity, |io| io)
}

/// The same, with the first of both in something else.
pub(crate) fn pair_of<T>(capacity: usize, wrap: impl FnOnce(DuplexStream) -> T) -> (Stream, Stream)
where
    T: AsyncRead + AsyncWrite + Send + 'static,
{
    let (one, other) = tokio::io::duplex(capacity);
    (Stream::other(wrap(one), PeerAddress::Memory), Stream::other(other, PeerAddress::Memory))
}
