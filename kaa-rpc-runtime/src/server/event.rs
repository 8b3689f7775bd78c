//! What happens at a server, for logs and alarms.

use std::sync::Arc;

use crate::connection::PeerInformation;
use crate::error::CloseReason;
use crate::peer::Peer;
use crate::protocol::handshake::HandshakeError;
use crate::secret::KeyId;
use crate::transport::PeerAddress;

/// Something that happened to a connection.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ServerEvent {
    /// A client has proved the secret.
    Connected(Peer),
    /// Somebody was not let in.
    Refused(Refused),
    /// A client's connection is over.
    Disconnected {
        /// Who it was.
        peer: Option<Arc<PeerInformation>>,
        /// Why.
        reason: CloseReason,
    },
}

/// Somebody who was not let in, with what the wire does not say.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Refused {
    /// Where it came from.
    pub address: PeerAddress,
    /// The key id it claimed, if it came so far.
    pub key_id: Option<KeyId>,
    /// Why, in words.
    pub reason: String,
    /// Whether it failed to prove the secret (and did not merely break off or speak something else).
    pub authentication_failed: bool,
}

impl Refused {
    pub(super) fn by_handshake(address: PeerAddress, error: &HandshakeError) -> Self {
        let key_id = match error {
            HandshakeError::Refused { key_id, .. } => Some(key_id.clone()),
            _ => None,
        };
        Self { address, authentication_failed: key_id.is_some(), key_id, reason: error.to_string() }
    }

    pub(super) fn otherwise(address: PeerAddress, reason: impl Into<String>) -> Self {
        Self { address, key_id: None, reason: reason.into(), authentication_failed: false }
    }
}
