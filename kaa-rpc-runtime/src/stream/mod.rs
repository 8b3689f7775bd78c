//! Streams of a call: what is sent along with the arguments, and what a method returns item by item.
//!
//! Invariants: items are encoded and decoded in the task that makes or takes them, never under the connection's lock; a
//! producer is polled only while its items have somewhere to go; no stream ends by itself: its end, its failure and
//! the loss of the connection are told apart.

mod forwarding;
mod incoming;
mod never;
mod outgoing;
mod producer;
mod sink;

/// Bytes that one stream sends or takes in one go before other tasks get their turn.
const TURN: usize = 64 * 1024;

pub use incoming::Incoming;
pub(crate) use incoming::{Batch, Source};
pub use never::Never;
pub use outgoing::{IntoOutgoing, Outgoing};
pub(crate) use producer::{Produce, Produced, Producer};
pub(crate) use sink::StreamFailure;
pub use sink::{StreamSink, Streamed};
