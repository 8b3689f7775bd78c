//! Streams over real sockets: what they promise to either side, and what a peer can do wrong with them.
//!
//! Every wait has a limit, so that a hang is a failure.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test that cannot go on has failed"
)]

mod backpressure;
mod delivery;
mod disorder;
mod ends;
mod half_closed;
mod model;
mod random_frames;
mod retry;
mod starvation;
mod stopping;
mod violations;
