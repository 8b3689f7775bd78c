//! Outbound calls as futures and streams.
//!
//! Invariants: a call encodes its arguments, and counts as made, when it is first polled; dropping it cancels
//! it; it resolves exactly once.

mod ending;
mod future;
mod method;
mod pending;
mod results;

pub use future::{Call, OnewayCall};
pub use method::{Method, StreamMethod};
