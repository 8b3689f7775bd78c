//! The formatter keeps a file's meaning and its comments, and formatting twice changes nothing.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot continue should panic with the reason"
)]

mod comparison;
mod files;
mod generated;
mod golden;
mod grammar;
mod speed;
