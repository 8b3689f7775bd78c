//! Payload bytes: golden vectors, round trips, evolution, and hostile input.
//!
//! Invariants
//! - The vectors in `tests/golden` change only with the version of the protocol.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot go on has failed"
)]

mod evolution;
mod extern_types;
mod golden_leaf;
mod golden_structure;
mod hostile;
mod model;
mod random;
mod rejected;
mod round_trip;
mod vectors;
