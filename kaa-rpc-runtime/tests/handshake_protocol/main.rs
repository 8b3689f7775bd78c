//! The handshake: golden bytes, attacks, tampering, and what each end says when it fails.
//!
//! Invariants
//! - The vectors in `tests/golden/handshake.txt` are the promise; they change only with the protocol's version.

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
