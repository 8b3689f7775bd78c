//! The streams of calls: stream parameters and streams of results.
//!
//! Invariants: items are encoded and decoded in the task that produces or reads them, never under the
//! connection's lock; a producer is polled only while its items can be sent; the end of a stream, its failure
//! and the loss of the connection are distinguished.

mod forwarding;
mod incoming;
mod outgoing;
mod producer;
mod sink;

/// How many bytes one stream sends or reads before other tasks can run.
const MAX_TURN: usize = 64 * 1024;

pub(crate) use forwarding::StreamFailure;
pub use incoming::Incoming;
pub(crate) use incoming::Source;
pub use outgoing::Never;
pub use outgoing::{IntoOutgoing, Outgoing};
pub(crate) use producer::{Produce, Producer};
pub use sink::{StreamSink, Streamed};
