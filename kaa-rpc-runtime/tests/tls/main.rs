//! `tls:` addresses: the secret authenticates a channel that any peer could have opened, so that no attacker
//! can stand between the two ends.
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

mod attacks;
mod certificates;
mod fixture;
mod foreign;
mod mismatch;
#[cfg(not(feature = "tls-ring"))]
mod processor;
mod using;
