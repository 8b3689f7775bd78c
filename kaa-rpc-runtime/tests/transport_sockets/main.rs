//! Addresses, sockets and streams, with real sockets wherever the operating system takes part.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod address;
mod streams;
mod tcp;
mod unix;
mod unix_processes;
