//! The protocol as pure state machines, without I/O, clock and randomness: the caller passes bytes, times and
//! nonces.
//!
//! The specification is `docs/wire.md`. Code that implements a clause cites it.

pub mod calls;
pub mod error;
pub mod frame;
pub mod handshake;
pub mod limits;
pub mod metadata;
pub mod rate;
pub mod schema;
pub(crate) mod secret;
pub mod streams;
