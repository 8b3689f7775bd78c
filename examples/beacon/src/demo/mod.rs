//! `beacon-demo`: a server and its clients as real processes, and the calls between them.
//!
//! Invariants: the demo ends on its own; it exits with 0 only if every step succeeded; it leaves no processes and no
//! files.

mod output;
mod processes;
mod steps;

pub(crate) use steps::{print_usage, run};
