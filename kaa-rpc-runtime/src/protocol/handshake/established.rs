//! What both ends agree on in a handshake.

use super::identity::{InstanceId, SessionId};
use crate::protocol::limits::Limits;
use crate::protocol::secret::KeyId;

/// The protocol versions that this implementation supports, best first (clause 2.4).
pub const VERSIONS: &[u8] = &[1];

/// The feature bits that this implementation supports (clause 2.8).
pub const FEATURES: u64 = 0;

/// The progress of a handshake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Write the output, if there is any, then read more input.
    NeedMore,
    /// The handshake is complete. Write the output, if there is any; frames follow.
    Done(Established),
}

/// The result of a handshake, after each end has verified the other's proof.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Established {
    /// The protocol version.
    pub version: u8,
    /// The id of the session, equal on both ends; for logs.
    pub session_id: SessionId,
    /// The id of the peer's `Server` or `Client` object.
    pub peer_instance: InstanceId,
    /// The limits on what the peer receives.
    pub peer_limits: Limits,
    /// The fingerprint of the peer's schema.
    pub peer_schema: [u8; 32],
    /// The key id with which the client authenticated itself.
    pub key_id: KeyId,
    /// The feature bits that both ends support.
    pub features: u64,
}

/// The highest version that both sides support.
pub(super) fn best_common(ours: &[u8], theirs: &[u8]) -> Option<u8> {
    ours.iter().copied().filter(|version| theirs.contains(version)).max()
}

#[cfg(test)]
mod tests {
    use super::best_common;

    #[test]
    fn highest_common_version_is_chosen() {
        assert_eq!(best_common(&[3, 2, 1], &[4, 2, 1]), Some(2));
        assert_eq!(best_common(&[1, 2, 3], &[1, 3]), Some(3));
        assert_eq!(best_common(&[1], &[2]), None);
        assert_eq!(best_common(&[1], &[]), None);
    }
}
