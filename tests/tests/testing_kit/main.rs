//! The module `testing` of the runtime with generated code, as users have it: fakes, contexts, faults and paused time.
//!
//! Every test that needs no socket runs on paused time, where a wait that hangs fails at once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test that cannot go on has failed"
)]

mod contexts;
mod cuts;
mod fakes;
mod faults;
mod pairs;
mod paused_time;
