//! An observed call, from its start to its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing::Span;
use tracing::field::{Empty, display};

use super::interceptor::ObservedCall;
use super::observers::Observers;
use crate::connection::{CallStart, Direction, Link, Observation, Observer, Refusal};
use crate::descriptor::MethodDescriptor;
use crate::error::CallEnd;
use crate::protocol::metadata::Metadata;
use crate::trace::{TraceContext, is_recorded};

impl Observers {
    /// The observer for links.
    pub(crate) fn into_observer(self) -> Arc<dyn Observer<Link>> {
        Arc::new(LinkObserver(Arc::new(self)))
    }
}

/// The observers as links use them.
#[derive(Debug)]
struct LinkObserver(Arc<Observers>);

impl Observer<Link> for LinkObserver {
    fn observes(&self, direction: Direction) -> bool {
        self.0.observes(direction)
    }

    #[cold]
    fn on_start(&self, link: &Arc<Link>, call: CallStart) -> Result<Box<dyn Observation>, Refusal> {
        Ok(Box::new(CallObservation::start(&self.0, link, call)?))
    }
}

/// Reports the end of a call to its observers, once.
#[derive(Debug)]
struct CallObservation {
    call: ObservedCall,
    observers: Arc<Observers>,
    span: Span,
    trace: Option<Arc<TraceContext>>,
    has_ended: AtomicBool,
}

impl CallObservation {
    /// Opens the call's span and reports its start to the interceptors.
    ///
    /// # Errors
    /// If an interceptor refuses the call.
    fn start(observers: &Arc<Observers>, link: &Arc<Link>, call: CallStart) -> Result<Self, Refusal> {
        let mut call = ObservedCall::new(Arc::clone(link), call);
        let span = open_span(call.direction, call.method);
        if !span.is_disabled()
            && let Some(information) = link.information()
        {
            span.record("peer", display(&information.address));
        }
        let trace = match call.direction {
            Direction::Outbound => outbound_trace(observers, &span, &mut call.metadata),
            Direction::Inbound => inbound_trace(observers, &span, &call.metadata),
        };
        if let Some(trace) = &trace {
            span.record("trace_id", display(trace.display_trace_id()));
            span.record("span_id", display(trace.display_span_id()));
        }
        if let Err(refusal) = observers.before(&mut call) {
            span.record("outcome", CallEnd::Refused.as_str());
            return Err(refusal);
        }
        let observers = Arc::clone(observers);
        Ok(Self { call, observers, span, trace: trace.map(Arc::new), has_ended: AtomicBool::new(false) })
    }
}

impl Observation for CallObservation {
    fn metadata(&self) -> &Metadata {
        &self.call.metadata
    }

    fn span(&self) -> &Span {
        &self.span
    }

    fn trace(&self) -> Option<&Arc<TraceContext>> {
        self.trace.as_ref()
    }

    #[cold]
    fn on_end(&self, end: CallEnd) {
        if !self.has_ended.swap(true, Ordering::AcqRel) {
            self.span.record("outcome", end.as_str());
            self.observers.after(&self.call, end);
        }
    }
}

impl Drop for CallObservation {
    fn drop(&mut self) {
        self.on_end(CallEnd::Cancelled);
    }
}

/// An outbound call's span is a child of the current span. An inbound call's span has no parent in this
/// program.
fn open_span(direction: Direction, method: &'static MethodDescriptor) -> Span {
    macro_rules! span {
        ($name:literal, $kind:literal $(, $parent:ident: $value:expr)?) => {
            tracing::debug_span!(
                target: "kaa_rpc",
                $($parent: $value,)?
                $name,
                otel.kind = $kind,
                rpc.system = "kaa",
                rpc.service = method.service,
                rpc.method = method.name,
                peer = Empty,
                trace_id = Empty,
                parent_id = Empty,
                span_id = Empty,
                outcome = Empty,
            )
        };
    }
    match direction {
        Direction::Outbound => span!("call", "client"),
        Direction::Inbound => span!("handle", "server", parent: None),
    }
}

/// The context that an outbound call carries: the propagator's, or a new span of the current trace, or, for a
/// recorded span, a new trace.
fn outbound_trace(observers: &Observers, span: &Span, metadata: &mut Metadata) -> Option<TraceContext> {
    let trace = match observers.propagator() {
        Some(propagator) => propagator.inject(span),
        None => TraceContext::current()
            .map(|current| current.child())
            .or_else(|| is_recorded(span).then(TraceContext::root)),
    };
    if let Some(trace) = &trace {
        trace.add_to(metadata);
    }
    trace
}

/// The context of an inbound call's handler: the propagator's, or a new span of the caller's trace, or, for a
/// recorded span, a new trace.
fn inbound_trace(observers: &Observers, span: &Span, metadata: &Metadata) -> Option<TraceContext> {
    let caller = TraceContext::of_metadata(metadata);
    if let Some(caller) = &caller {
        span.record("parent_id", display(caller.display_span_id()));
    }
    match (observers.propagator(), &caller) {
        (Some(propagator), caller) => {
            if let Some(caller) = caller {
                propagator.extract(span, caller);
            }
            propagator.inject(span)
        }
        (None, Some(caller)) => Some(caller.child()),
        (None, None) => is_recorded(span).then(TraceContext::root),
    }
}
