//! The runtime over real sockets: what it promises to callers, and what honest, unlucky and hostile peers can do to it.
//!
//! Every test is bounded in time, so that a hang is a failure.

mod connecting;
mod drain;
mod failures;
mod limits;
mod misbehaviour;
mod original_faults;
mod promises;
mod queueing;
mod support;
mod two_way;
