//! What watches calls: interceptors, traces, metrics and statistics.
//!
//! Invariants: a call that nobody watches costs a few comparisons; whoever watches a call is told its end exactly once;
//! nothing of arguments, results, metadata's values or secrets is logged.

mod end;
mod inbound;
mod interceptor;
mod meter;
mod observers;
mod outbound;
mod statistics;
mod trace;

pub use end::CallEnd;
pub use interceptor::{Direction, Interceptor, ObservedCall, Refusal};
pub use statistics::{ConnectionStatistics, ServerStatistics};
pub use trace::{Propagator, TraceContext};

pub(crate) use inbound::{InboundObservation, InboundScope};
pub(crate) use meter::{connection_closed, connection_opened, connection_refused};
pub(crate) use observers::Observers;
pub(crate) use outbound::OutboundObservation;
pub(crate) use statistics::Counts;
