//! A watched call of this side, from before it leaves to its end.

use std::sync::Arc;

use tokio::time::Instant;
use tracing::Span;

use super::end::CallEnd;
use super::interceptor::{Direction, ObservedCall, Refusal};
use super::trace::{self, TraceContext};
use crate::connection::Link;
use crate::descriptor::MethodDescriptor;
use crate::protocol::metadata::Metadata;

/// Tells who watches how the call ends; if nobody says how, it was given up.
#[derive(Debug)]
pub(crate) struct OutboundObservation {
    call: ObservedCall,
    span: Span,
    ended: bool,
}

impl OutboundObservation {
    /// Whether anybody would watch a call made now over this link.
    #[inline]
    pub(crate) fn is_wanted(link: &Link) -> bool {
        link.configuration.observers.watch(Direction::Outbound)
            || trace::is_traced()
            || tracing::enabled!(target: "kaa_rpc", tracing::Level::DEBUG)
    }

    /// Shows a call to who watches. Its metadata is that which the call is to carry.
    ///
    /// # Errors
    /// If an interceptor refuses it.
    #[cold]
    pub(crate) fn begin(
        link: &Arc<Link>,
        method: &'static MethodDescriptor,
        metadata: Option<Metadata>,
        deadline: Option<Instant>,
    ) -> Result<Box<Self>, Refusal> {
        let mut call = ObservedCall {
            direction: Direction::Outbound,
            method,
            link: Arc::clone(link),
            metadata: metadata.unwrap_or_default(),
            began: Instant::now(),
            deadline,
        };
        let observers = &link.configuration.observers;
        let span = tracing::debug_span!(
            target: "kaa_rpc",
            "call",
            otel.kind = "client",
            rpc.system = "kaa",
            rpc.service = method.service,
            rpc.method = method.name,
            peer = tracing::field::Empty,
            trace_id = tracing::field::Empty,
            span_id = tracing::field::Empty,
            outcome = tracing::field::Empty,
        );
        let context = match observers.propagator() {
            Some(propagator) => propagator.inject(&span),
            None => TraceContext::current()
                .map(|context| context.child())
                .or_else(|| trace::is_recorded(&span).then(TraceContext::root)),
        };
        if !span.is_disabled()
            && let Some(information) = link.information()
        {
            span.record("peer", tracing::field::display(&information.address));
        }
        if let Some(context) = context {
            span.record("trace_id", tracing::field::display(context.display_trace_id()));
            span.record("span_id", tracing::field::display(context.display_span_id()));
            context.put_into(&mut call.metadata);
        }
        if let Err(refusal) = observers.before(&mut call) {
            span.record("outcome", CallEnd::Refused.as_str());
            return Err(refusal);
        }
        Ok(Box::new(Self { call, span, ended: false }))
    }

    /// What the call is to carry.
    pub(crate) fn metadata(&self) -> Option<&Metadata> {
        Some(&self.call.metadata).filter(|metadata| !metadata.is_empty())
    }

    /// The call has ended.
    #[cold]
    pub(crate) fn end(&mut self, end: CallEnd) {
        if !std::mem::replace(&mut self.ended, true) {
            self.span.record("outcome", end.as_str());
            self.call.link.configuration.observers.after(&self.call, end);
        }
    }
}

impl Drop for OutboundObservation {
    fn drop(&mut self) {
        self.end(CallEnd::Cancelled);
    }
}
