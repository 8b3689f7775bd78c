//! The runtime over real sockets: what it promises to callers, and what honest, unlucky and hostile peers can
//! do to it.
//!
//! Every wait has a limit, so that a hang is a failure.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::print_stdout,
    reason = "a test that cannot go on has failed; a child process reports to its parent"
)]

mod attributes;
mod blocking;
mod call_semantics;
mod connecting;
mod drain;
mod fail_fast;
mod failures;
mod frames;
mod interceptors;
mod keepalive;
mod known_faults;
mod lifetime;
mod limits;
mod metadata;
mod misbehaviour;
mod placement;
mod queueing;
mod random_frames;
mod registry;
mod resources;
mod statistics;
#[cfg(feature = "tower")]
mod tower;
mod traces;
mod two_way;
