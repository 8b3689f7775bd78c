//! How a link reports calls to observers, which are defined above connections because they see peers.
//!
//! Invariant: every observed call has exactly one end.

use std::fmt;
use std::sync::Arc;

use tokio::time::Instant;
use tracing::Span;

use crate::descriptor::MethodDescriptor;
use crate::error::CallEnd;
use crate::protocol::metadata::Metadata;
use crate::trace::{self, TraceContext};

/// Whose call it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// A call of this side.
    Outbound,
    /// A call of the peer.
    Inbound,
}

impl Direction {
    /// Its name in lower case, as logs and metrics show it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Outbound => "outbound",
            Self::Inbound => "inbound",
        }
    }
}

/// Why an interceptor refuses a call: a message for the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    message: String,
}

impl Refusal {
    /// A refusal with this message for the caller.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }

    /// The message for the caller.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

/// A call that starts.
#[derive(Debug)]
pub(crate) struct CallStart {
    pub(crate) direction: Direction,
    pub(crate) method: &'static MethodDescriptor,
    pub(crate) metadata: Metadata,
    pub(crate) deadline: Option<Instant>,
}

/// Observes the calls on links of type `L`.
pub(crate) trait Observer<L>: fmt::Debug + Send + Sync {
    /// Whether calls of this direction are observed even if no log or trace needs it.
    fn observes(&self, direction: Direction) -> bool;

    /// A call starts.
    ///
    /// # Errors
    /// If an interceptor refuses the call.
    fn on_start(&self, link: &Arc<L>, call: CallStart) -> Result<Box<dyn Observation>, Refusal>;
}

/// One observed call. If it is dropped without an end, the call was cancelled.
pub(crate) trait Observation: fmt::Debug + Send + Sync {
    /// The metadata that the peer or the handler receives.
    fn metadata(&self) -> &Metadata;

    fn span(&self) -> &Span;

    /// The call's place in its trace.
    fn trace(&self) -> Option<&Arc<TraceContext>>;

    /// The call has ended. Only the first end counts.
    fn on_end(&self, end: CallEnd);
}

/// A guard. Until it is dropped, a call's span and trace are this thread's current ones.
pub(crate) struct ObservedScope<'a> {
    _span: tracing::span::Entered<'a>,
    _trace: trace::Entered,
}

impl<'a> ObservedScope<'a> {
    /// Enters the span and trace of a call, for one poll of its handler.
    pub(crate) fn enter(observation: &'a dyn Observation) -> Self {
        Self { _span: observation.span().enter(), _trace: trace::enter(observation.trace().cloned()) }
    }
}

impl fmt::Debug for ObservedScope<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ObservedScope").finish_non_exhaustive()
    }
}
