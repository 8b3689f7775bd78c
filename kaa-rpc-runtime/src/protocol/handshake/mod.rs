//! The handshake: both ends prove that they have the shared secret, and announce their limits and schemas.
//!
//! Each end is a pure state machine. `handle_input` takes received bytes, `output` returns bytes to write.
//! Nonces and instance ids are arguments. The specification is section 2 of `docs/wire.md`.
//!
//! Invariants:
//! - Nothing is established before the peer's proof has been verified.
//! - Bytes after the handshake's last message stay in the input, for the frame decoder.
//! - After an error every further call fails.
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
//!     nonce: [1; 32], // must be random
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
mod established;
mod identity;
pub mod message;
mod server;
mod transcript;

pub use client::{ClientHandshake, ClientParameters};
pub use envelope::MAX_MESSAGE;
pub use error::{HandshakeError, RefusalReason};
pub use established::{Established, FEATURES, Progress, VERSIONS};
pub use identity::{Audience, AudienceError, ChannelBinding, InstanceId, SessionId};
pub use server::{ServerHandshake, ServerParameters};
