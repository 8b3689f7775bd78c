//! Distributed traces: the W3C Trace Context (<https://www.w3.org/TR/trace-context/>) in the metadata
//! `traceparent` and `tracestate`.
//!
//! Invariants: while a handler is polled, its trace is the thread's current one, and calls made by it to any
//! peer belong to that trace; malformed metadata starts a new trace and causes no error.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use tracing::Span;
use tracing::subscriber::NoSubscriber;

use crate::protocol::metadata::Metadata;

const PARENT: &str = "traceparent";
const STATE: &str = "tracestate";
/// Longer values of `tracestate` are dropped.
const MAX_STATE_LENGTH: usize = 512;
/// Length of a `traceparent` in bytes.
const PARENT_LENGTH: usize = 55;

thread_local! {
    static CURRENT: RefCell<Option<Arc<TraceContext>>> = const { RefCell::new(None) };
    /// Whether `CURRENT` has a context. This is cheaper to read.
    static IS_TRACED: Cell<bool> = const { Cell::new(false) };
}

/// A span of a trace.
///
/// A handler's context returns the span of its call. Calls that the handler makes, to any peer, carry it on.
/// For a task that the handler spawns, use [`TraceContext::scope`].
///
/// ```
/// use kaa_rpc_runtime::TraceContext;
///
/// let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
/// let context = TraceContext::parse(text, None).ok_or("malformed")?;
/// assert_eq!(context.traceparent(), text);
/// assert_eq!(context.child().trace_id(), context.trace_id());
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TraceContext {
    trace_id: [u8; 16],
    span_id: [u8; 8],
    flags: u8,
    state: Option<Arc<str>>,
}

/// Connects calls with the program's tracing system, for example OpenTelemetry. Without a propagator the
/// runtime creates trace contexts itself.
pub trait Propagator: Send + Sync + 'static {
    /// The context that a call made within this span carries.
    fn inject(&self, span: &Span) -> Option<TraceContext>;
    /// Links a handler's new span to the context of its caller.
    fn extract(&self, span: &Span, context: &TraceContext);
}

impl TraceContext {
    /// Starts a new, sampled trace.
    #[must_use]
    pub fn root() -> Self {
        Self {
            trace_id: crate::random::identifier(),
            span_id: crate::random::identifier(),
            flags: 1,
            state: None,
        }
    }

    /// A new span of the same trace.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { span_id: crate::random::identifier(), ..self.clone() }
    }

    /// Parses a `traceparent` and its `tracestate`; `None` if the `traceparent` is malformed.
    #[must_use]
    pub fn parse(traceparent: &str, tracestate: Option<&str>) -> Option<Self> {
        let version = byte(traceparent.get(..2)?)?;
        let next = traceparent.as_bytes().get(PARENT_LENGTH);
        let is_end_valid = if version == 0 { next.is_none() } else { next.is_none_or(|byte| *byte == b'-') };
        let mut parts = traceparent.get(3..PARENT_LENGTH)?.split('-');
        let trace_id = bytes::<16>(parts.next()?)?;
        let span_id = bytes::<8>(parts.next()?)?;
        let flags = byte(parts.next()?)?;
        let is_well_formed = version != 0xff
            && is_end_valid
            && traceparent.as_bytes().get(2) == Some(&b'-')
            && parts.next().is_none()
            && trace_id != [0; 16]
            && span_id != [0; 8];
        let state = tracestate.filter(|state| !state.is_empty() && state.len() <= MAX_STATE_LENGTH);
        is_well_formed.then(|| Self { trace_id, span_id, flags, state: state.map(Arc::from) })
    }

    /// The context as a `traceparent` of version 00.
    #[must_use]
    pub fn traceparent(&self) -> String {
        format!("00-{}-{}-{:02x}", Hexadecimal(&self.trace_id), Hexadecimal(&self.span_id), self.flags)
    }

    /// The vendors' part of the context, unchanged.
    #[must_use]
    pub fn tracestate(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// The trace's id.
    #[must_use]
    pub fn trace_id(&self) -> [u8; 16] {
        self.trace_id
    }

    /// The span's id.
    #[must_use]
    pub fn span_id(&self) -> [u8; 8] {
        self.span_id
    }

    /// Whether the trace is recorded.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.flags & 1 != 0
    }

    /// The context of the handler or scope that this thread polls.
    #[must_use]
    pub fn current() -> Option<Self> {
        if !is_traced() {
            return None;
        }
        CURRENT.with_borrow(|current| current.as_deref().cloned())
    }

    /// Runs a future in this context: the calls that it makes belong to the trace.
    pub async fn scope<F: Future>(self, future: F) -> F::Output {
        let mut future = pin!(future);
        let context = Arc::new(self);
        std::future::poll_fn(move |task| {
            let _entered = enter(Some(Arc::clone(&context)));
            future.as_mut().poll(task)
        })
        .await
    }

    pub(crate) fn of_metadata(metadata: &Metadata) -> Option<Self> {
        Self::parse(metadata.text(PARENT)?, metadata.text(STATE))
    }

    /// Whether the metadata may contain a context.
    pub(crate) fn is_in(metadata: Option<&Metadata>) -> bool {
        metadata.is_some_and(|metadata| metadata.value(PARENT).is_some())
    }

    /// Adds the context to a call's metadata, unless the program's own entries fill it.
    pub(crate) fn add_to(&self, metadata: &mut Metadata) {
        let put = metadata.insert(PARENT, self.traceparent()).and_then(|()| match &self.state {
            Some(state) => metadata.insert(STATE, state.as_bytes()),
            None => Ok(()),
        });
        if let Err(error) = put {
            tracing::debug!(%error, "no room for the trace context in the metadata of a call");
        }
    }

    pub(crate) fn display_trace_id(&self) -> impl fmt::Display {
        Hexadecimal(&self.trace_id)
    }

    pub(crate) fn display_span_id(&self) -> impl fmt::Display {
        Hexadecimal(&self.span_id)
    }
}

impl fmt::Debug for TraceContext {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("TraceContext").field(&self.traceparent()).finish()
    }
}

/// Whether a subscriber records this span.
///
/// A span is not disabled merely because its thread has no subscriber: if another thread has one, tracing may
/// enable the call site for the whole process, and then gives such a span to [`NoSubscriber`].
pub(crate) fn is_recorded(span: &Span) -> bool {
    span.with_subscriber(|(_, subscriber)| !subscriber.is::<NoSubscriber>()).unwrap_or(false)
}

/// Whether the code that this thread polls belongs to a trace.
#[inline]
pub(crate) fn is_traced() -> bool {
    IS_TRACED.get()
}

/// A guard. Until it is dropped, a context is this thread's current one.
pub(crate) struct Entered {
    previous: Option<Arc<TraceContext>>,
}

/// Sets this thread's current context.
pub(crate) fn enter(context: Option<Arc<TraceContext>>) -> Entered {
    IS_TRACED.set(context.is_some());
    Entered { previous: CURRENT.replace(context) }
}

impl Drop for Entered {
    fn drop(&mut self) {
        let previous = self.previous.take();
        IS_TRACED.set(previous.is_some());
        CURRENT.set(previous);
    }
}

struct Hexadecimal<'a>(&'a [u8]);

impl fmt::Display for Hexadecimal<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

/// Parses two lowercase hexadecimal digits.
fn byte(text: &str) -> Option<u8> {
    let is_lowercase = text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    (text.len() == 2 && is_lowercase).then(|| u8::from_str_radix(text, 16).ok()).flatten()
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (index, place) in bytes.iter_mut().enumerate() {
        *place = byte(text.get(2 * index..2 * index + 2)?)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn parse_accepts_valid_contexts() {
        let context = TraceContext::parse(GOOD, Some("vendor=1")).unwrap();
        assert_eq!(context.traceparent(), GOOD);
        assert_eq!(context.tracestate(), Some("vendor=1"));
        assert!(context.is_sampled());
        let later = GOOD.replacen("00", "cc", 1) + "-what-the-future-will-be-like";
        assert_eq!(TraceContext::parse(&later, None).unwrap().traceparent(), GOOD);
    }

    #[test]
    fn parse_refuses_invalid_contexts() {
        let bad = [
            "",
            "00",
            &GOOD.replacen("00", "ff", 1),
            &GOOD.to_uppercase(),
            &(GOOD.to_owned() + "-"),
            &GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &GOOD.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &GOOD.replacen('-', "_", 1),
            &GOOD.replace("-01", "-0g"),
            &(GOOD.replacen("00", "cc", 1) + "x"),
            &"é".repeat(40),
        ];
        for text in bad {
            assert_eq!(TraceContext::parse(text, None), None, "{text}");
        }
    }

    #[test]
    fn enter_restores_the_previous_context() {
        let context = TraceContext::root();
        assert_eq!(TraceContext::current(), None);
        {
            let _entered = enter(Some(Arc::new(context.clone())));
            assert_eq!(TraceContext::current(), Some(context.clone()));
            {
                let _none = enter(None);
                assert_eq!(TraceContext::current(), None);
            }
            assert_eq!(TraceContext::current(), Some(context));
        }
        assert_eq!(TraceContext::current(), None);
    }
}
