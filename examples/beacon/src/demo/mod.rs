//! `beacon-demo`: a server and its clients as real processes, and what they say to each other.
//!
//! Invariants: it ends by itself; it ends with 0 only if everything was said that should be; no process and no file of
//! it is left.

mod paper;
mod stage;
mod story;

pub(crate) use story::{explain, run};
