//! Two streams that are each other's peer, in memory: for tests.

use super::stream::{PeerAddress, Stream};

/// A connected pair; each direction holds up to `capacity` bytes.
#[must_use]
pub fn pair(capacity: usize) -> (Stream, Stream) {
    let (one, other) = tokio::io::duplex(capacity);
    (Stream::other(one, PeerAddress::Memory), Stream::other(other, PeerAddress::Memory))
}
