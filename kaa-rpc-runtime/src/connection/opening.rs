//! What a handshake establishes: who the peer is, and what a connection starts with.

use std::sync::Arc;

use crate::descriptor::ServiceDescriptor;
use crate::protocol::handshake::{Established, SessionId};
use crate::protocol::limits::Limits;
use crate::secret::KeyId;
use crate::transport::{Credentials, PeerAddress, Stream};

/// Who the peer is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PeerInformation {
    /// Its address.
    pub address: PeerAddress,
    /// Its process, user and group, if the transport knows them (unix sockets).
    pub credentials: Option<Credentials>,
    /// The session's id, for logs. Both sides have the same.
    pub session: SessionId,
    /// Which of the server's keys authenticated the connection.
    pub key_id: KeyId,
    /// Whether both sides have the same schemas.
    pub same_schema: bool,
}

impl PeerInformation {
    pub(crate) fn new(stream: &Stream, established: &Established, our_schema: [u8; 32]) -> Self {
        Self {
            address: stream.peer_address().clone(),
            credentials: stream.peer_credentials(),
            session: established.session_id,
            key_id: established.key_id.clone(),
            same_schema: established.peer_schema == our_schema,
        }
    }
}

/// An authenticated connection.
pub(crate) struct Opening<'a> {
    pub(crate) stream: Arc<Stream>,
    pub(crate) information: Arc<PeerInformation>,
    pub(crate) peer_limits: Limits,
    /// The services in the schema fingerprint that this side sent.
    pub(crate) described: &'a [&'static ServiceDescriptor],
}
