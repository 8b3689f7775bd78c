//! `kaa_idl::compatibility` compares two generations of a schema by rules; peers compare their tables when they connect.
//! The runtime does not use `kaa_idl`, and both must agree.
//!
//! Tables contain less than schemas, so peers do not notice every broken rule:
//! [`ConnectOutcome`](kaa_idl::compatibility::ConnectOutcome) states for each rule what peers do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod generations;
mod pairs;
mod random;
mod vectors;
