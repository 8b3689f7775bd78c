//! `tls:` addresses: the secret vouches for a channel that anybody could have made, and nobody stands in between.
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

mod attacks;
mod certificates;
mod foreign;
mod mismatch;
#[cfg(not(feature = "tls-ring"))]
mod processor;
#[path = "../streams/support/mod.rs"]
#[allow(
    dead_code,
    unused_imports,
    reason = "the service is that of the tests of streams, which use more of it"
)]
mod streams;
mod support;
#[path = "../transport_sockets/talk.rs"]
#[allow(dead_code, reason = "these are the words of the tests of sockets, which use more of them")]
mod talk;
mod using;
