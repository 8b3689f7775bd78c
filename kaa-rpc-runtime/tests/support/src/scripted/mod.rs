//! A peer that completes the handshake and then sends whatever the test wants, byte by byte.

pub mod frames;
mod peer;
mod random;

pub(crate) use peer::fingerprint;
pub use peer::{ScriptedPeer, client_parameters, read_message, server_parameters};
pub use random::RandomFrames;
