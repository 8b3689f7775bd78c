//! The events of a server, for logs and alarms.

use std::sync::Arc;

use crate::connection::PeerInformation;
use crate::error::CloseReason;
use crate::peer::Peer;
use crate::protocol::handshake::HandshakeError;
use crate::secret::KeyId;
use crate::transport::PeerAddress;

/// An event of one of the server's connections.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ServerEvent {
    /// A client has connected: it has proved the secret, and its schemas are compatible.
    Connected(Peer),
    /// The server has refused a connection.
    Refused(Refused),
    /// A client's connection has ended.
    Disconnected {
        /// The client.
        peer: Option<Arc<PeerInformation>>,
        /// The reason.
        reason: CloseReason,
    },
}

/// A refused connection, with details that the client does not receive.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Refused {
    /// The address of the client.
    pub address: PeerAddress,
    /// The key id that the client claimed, if its message was received.
    pub key_id: Option<KeyId>,
    /// The reason as text.
    pub reason: String,
    /// Whether the client failed to prove the secret. It is `false` if the connection was lost, or if the
    /// client uses another protocol.
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

    pub(super) fn without_proof(address: PeerAddress, reason: impl Into<String>) -> Self {
        Self { address, key_id: None, reason: reason.into(), authentication_failed: false }
    }
}
