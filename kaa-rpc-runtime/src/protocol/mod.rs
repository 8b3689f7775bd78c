//! The protocol as pure state machines: no input or output, no clock, no randomness; those are arguments.
//!
//! `docs/wire.md` is the specification; code that implements a clause cites it.

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
