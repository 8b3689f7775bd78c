//! The formatter keeps what a file says, keeps its comments, and changes nothing twice.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should say so"
)]

mod comparison;
mod files;
mod generated;
mod golden;
mod grammar;
mod speed;
