//! A watched call of the peer, from before its arguments are decoded to its end.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::Instant;
use tracing::Span;

use super::end::CallEnd;
use super::interceptor::{Direction, ObservedCall, Refusal};
use super::trace::{self, TraceContext};
use crate::connection::Link;
use crate::descriptor::MethodDescriptor;
use crate::protocol::metadata::Metadata;

/// Tells who watches how the call ends, once.
#[derive(Debug)]
pub(crate) struct InboundObservation {
    call: ObservedCall,
    span: Span,
    context: Option<Arc<TraceContext>>,
    ended: AtomicBool,
}

/// While it lives, the call's span and trace are those of this thread.
pub(crate) struct InboundScope<'a> {
    _span: tracing::span::Entered<'a>,
    _trace: trace::Entered,
}

impl InboundObservation {
    /// Whether anybody watches a call of the peer with this metadata.
    #[inline]
    pub(crate) fn is_wanted(link: &Link, metadata: Option<&Metadata>) -> bool {
        link.configuration.observers.watch(Direction::Inbound)
            || tracing::enabled!(target: "kaa_rpc", tracing::Level::DEBUG)
            || TraceContext::is_in(metadata)
    }

    /// Shows a call to who watches.
    ///
    /// # Errors
    /// If an interceptor refuses it.
    #[cold]
    pub(crate) fn begin(
        link: &Arc<Link>,
        method: &'static MethodDescriptor,
        metadata: Option<&Metadata>,
        deadline: Option<Instant>,
    ) -> Result<Box<Self>, Refusal> {
        let mut call = ObservedCall {
            direction: Direction::Inbound,
            method,
            link: Arc::clone(link),
            metadata: metadata.cloned().unwrap_or_default(),
            began: Instant::now(),
            deadline,
        };
        let observers = &link.configuration.observers;
        let span = tracing::debug_span!(
            target: "kaa_rpc",
            parent: None,
            "handle",
            otel.kind = "server",
            rpc.system = "kaa",
            rpc.service = method.service,
            rpc.method = method.name,
            peer = tracing::field::Empty,
            trace_id = tracing::field::Empty,
            parent_id = tracing::field::Empty,
            span_id = tracing::field::Empty,
            outcome = tracing::field::Empty,
        );
        if !span.is_disabled()
            && let Some(information) = link.information()
        {
            span.record("peer", tracing::field::display(&information.address));
        }
        let caller = TraceContext::of_metadata(&call.metadata);
        let context = match observers.propagator() {
            Some(propagator) => {
                if let Some(caller) = &caller {
                    propagator.extract(&span, caller);
                }
                propagator.inject(&span)
            }
            None => match &caller {
                Some(caller) => Some(caller.child()),
                None => trace::is_recorded(&span).then(TraceContext::root),
            },
        };
        if let Some(caller) = &caller {
            span.record("parent_id", tracing::field::display(caller.display_span_id()));
        }
        if let Some(context) = &context {
            span.record("trace_id", tracing::field::display(context.display_trace_id()));
            span.record("span_id", tracing::field::display(context.display_span_id()));
        }
        if let Err(refusal) = observers.before(&mut call) {
            span.record("outcome", CallEnd::Refused.as_str());
            return Err(refusal);
        }
        Ok(Box::new(Self { call, span, context: context.map(Arc::new), ended: AtomicBool::new(false) }))
    }

    /// Enters the call's span and trace for one poll of its handler.
    pub(crate) fn enter(&self) -> InboundScope<'_> {
        InboundScope { _span: self.span.enter(), _trace: trace::enter(self.context.clone()) }
    }

    /// What the handler is to see.
    pub(crate) fn metadata(&self) -> &Metadata {
        &self.call.metadata
    }

    /// The handler's place in its trace.
    pub(crate) fn trace(&self) -> Option<&TraceContext> {
        self.context.as_deref()
    }

    /// The call has ended. Only the first end counts.
    #[cold]
    pub(crate) fn end(&self, end: CallEnd) {
        if !self.ended.swap(true, Ordering::AcqRel) {
            self.span.record("outcome", end.as_str());
            self.call.link.configuration.observers.after(&self.call, end);
        }
    }
}

impl Drop for InboundObservation {
    fn drop(&mut self) {
        self.end(CallEnd::Cancelled);
    }
}

impl fmt::Debug for InboundScope<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("InboundScope").finish_non_exhaustive()
    }
}
