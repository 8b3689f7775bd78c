//! The handshake: golden bytes, attacks, tampering, and the errors of both ends.
//!
//! Invariants
//! - The vectors in `tests/golden/handshake.txt` change only with the version of the protocol.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod attacks;
mod ends;
mod failures;
mod golden;
mod messages;
mod tampering;
