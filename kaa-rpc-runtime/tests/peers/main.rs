//! The runtime over real sockets: what it promises to callers, and what honest, unlucky and hostile peers can do to it.
//!
//! Every test is bounded in time, so that a hang is a failure.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed; a child process tells its parent how far it is"
)]

mod attributes;
mod blocking;
mod chaos;
mod connecting;
mod drain;
mod fail_fast;
mod failures;
mod frames;
mod interceptors;
mod life;
mod limits;
mod metadata;
mod misbehaviour;
mod original_faults;
mod placement;
mod promises;
mod queueing;
mod registry;
mod resources;
mod statistics;
mod support;
#[cfg(feature = "tower")]
mod tower;
mod traces;
mod two_way;
