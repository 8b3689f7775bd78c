//! What is found before schemas are given out, by `kaa_idl::compatibility`, and what peers find when they connect, by
//! the runtime, which knows nothing of `kaa_idl`, is the same.
//!
//! Rules that the peers' tables cannot tell are known: [`ConnectOutcome`](kaa_idl::compatibility::ConnectOutcome) says of each
//! rule what peers do.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a failed test says so by panicking"
)]

mod generations;
mod pairs;
mod random;
mod vectors;
