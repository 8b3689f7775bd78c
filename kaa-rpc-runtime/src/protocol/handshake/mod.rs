//! The handshake: both ends prove that they have the shared secret, and tell each other what they can do.
//!
//! A pure state machine on each end. Bytes go in through `handle_input`, bytes to write come out of `output`; nonces
//! and instance ids are arguments. `docs/wire.md`, section 2, is the specification.
//!
//! Invariants: nothing is established before the peer's proof has been verified; input is never read beyond the
//! handshake's last byte, so what follows is left for the frame decoder; an end that has failed stays failed.
//!
//! ```
//! use std::sync::Arc;
//! use bytes::BytesMut;
//! use kaa_rpc_runtime::protocol::handshake::*;
//! use kaa_rpc_runtime::protocol::limits::Limits;
//! use kaa_rpc_runtime::secret::{KeyId, Keys, Secret};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let secret = Secret::generate()?;
//! let mut client = ClientHandshake::new(ClientParameters {
//!     nonce: [1; 32], // random in earnest
//!     instance: InstanceId::new([2; 16]),
//!     key_id: KeyId::default(),
//!     secret: secret.clone(),
//!     audience: Audience::new("epg")?,
//!     binding: None,
//!     limits: Limits::default(),
//!     schema: [0; 32],
//! });
//! let mut server = ServerHandshake::new(ServerParameters {
//!     nonce: [3; 32],
//!     decoy: Secret::generate()?,
//!     instance: InstanceId::new([4; 16]),
//!     keys: Arc::new(Keys::from(secret)),
//!     audience: Audience::new("epg")?,
//!     binding: None,
//!     limits: Limits::default(),
//!     schema: [0; 32],
//! });
//! let mut to_server = BytesMut::from(&client.output()[..]); // HELLO
//! server.handle_input(&mut to_server)?;
//! let mut to_client = BytesMut::from(&server.output()[..]); // CHALLENGE
//! client.handle_input(&mut to_client)?;
//! let mut to_server = BytesMut::from(&client.output()[..]); // PROOF
//! let Progress::Done(at_server) = server.handle_input(&mut to_server)? else { panic!() };
//! let mut to_client = BytesMut::from(&server.output()[..]); // ACCEPT
//! let Progress::Done(at_client) = client.handle_input(&mut to_client)? else { panic!() };
//! assert_eq!(at_client.session_id, at_server.session_id);
//! # Ok(())
//! # }
//! ```

mod client;
mod envelope;
mod error;
mod identity;
pub mod message;
mod server;
mod transcript;

pub use client::{ClientHandshake, ClientParameters};
pub use error::{HandshakeError, Refusal};
pub use identity::{Audience, AudienceError, ChannelBinding, InstanceId, SessionId};
pub use server::{ServerHandshake, ServerParameters};

use super::limits::Limits;
use crate::secret::KeyId;

/// The protocol versions that this implementation speaks, best first (clause 2.4).
pub const VERSIONS: &[u8] = &[1];

/// The feature bits that this implementation offers (clause 2.8).
pub const FEATURES: u64 = 0;

/// Most bytes of a handshake message behind its length (clause 2.2).
pub const MAX_MESSAGE: usize = 1024;

/// How far a handshake has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Write the output, if there is any, then read more.
    NeedMore,
    /// Write the output, if there is any; then frames follow.
    Done(Established),
}

/// What both ends have agreed on, after each has verified the other's proof.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Established {
    /// The protocol version.
    pub version: u8,
    /// The same on both ends; for logs.
    pub session_id: SessionId,
    /// Who the peer is, as long as it runs.
    pub peer_instance: InstanceId,
    /// What the peer is ready to receive.
    pub peer_limits: Limits,
    /// The fingerprint of the peer's schema.
    pub peer_schema: [u8; 32],
    /// The key id under which the client authenticated itself.
    pub key_id: KeyId,
    /// Feature bits that both ends have.
    pub features: u64,
}

/// The first version in common, best first.
fn best_common(ours: &[u8], theirs: &[u8]) -> Option<u8> {
    ours.iter().copied().filter(|version| theirs.contains(version)).max()
}

#[cfg(test)]
mod tests {
    use super::best_common;

    #[test]
    fn the_highest_common_version_is_chosen_whatever_the_order() {
        assert_eq!(best_common(&[3, 2, 1], &[4, 2, 1]), Some(2));
        assert_eq!(best_common(&[1, 2, 3], &[1, 3]), Some(3));
        assert_eq!(best_common(&[1], &[2]), None);
        assert_eq!(best_common(&[1], &[]), None);
    }
}
