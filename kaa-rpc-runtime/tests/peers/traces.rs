//! Traces: a call carries its trace to its handler, and the handler's calls continue it. Without a
//! subscriber, calls carry no trace.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use kaa_rpc_runtime::{Metadata, Propagator, TraceContext};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Dispatch, Event, Span, Subscriber};

use kaa_rpc_test_support::processes::is_alone;
use kaa_rpc_test_support::texts::*;
use kaa_rpc_test_support::waiting::*;

fn traced(context: &TraceContext) -> Metadata {
    Metadata::new().with("traceparent", context.traceparent()).unwrap()
}

fn trace_of(traceparent: &str) -> &str {
    traceparent.get(3..35).unwrap_or_default()
}

#[tokio::test]
async fn calls_without_subscriber_carry_no_trace() {
    if !is_alone("traces::calls_without_subscriber_carry_no_trace") {
        return;
    }
    // A subscriber that exists, but not in this thread: it must not matter.
    let _elsewhere = Dispatch::new(RecordingSubscriber::default());
    let pair = Pair::new().await;
    assert_eq!(
        within("the reply to TRACE", call_method::<TRACE>(&pair.peer, "")).await,
        Ok("none".to_owned())
    );
    assert_eq!(
        within("the reply to METADATA", call_method::<METADATA>(&pair.peer, "traceparent")).await,
        Ok("none".to_owned())
    );
}

#[tokio::test]
async fn trace_spans_both_directions() {
    let pair = Pair::new().await;
    let context = TraceContext::root();
    let answer = within(
        "the reply to CALL_BACK_TRACE",
        call_method::<CALL_BACK_TRACE>(&pair.peer, "").metadata(traced(&context)),
    )
    .await
    .unwrap();
    let (server, client) = answer.split_once(' ').unwrap();
    let given = context.traceparent();
    assert_eq!(trace_of(server), trace_of(&given), "the server's handler belongs to the caller's trace");
    assert_eq!(trace_of(client), trace_of(&given), "the client's handler, which it called, does too");
    assert!(server != client && server != given, "both have their own spans: {server}, {client}, {given}");
}

#[tokio::test]
async fn scope_applies_to_calls_made_in_it() {
    let pair = Pair::new().await;
    let context = TraceContext::root();
    let trace = context.traceparent();
    let answer =
        within("the reply to TRACE", context.scope(call_method::<TRACE>(&pair.peer, ""))).await.unwrap();
    assert_eq!(trace_of(&answer), trace_of(&trace));
    assert_eq!(
        within("the reply to TRACE", call_method::<TRACE>(&pair.peer, "")).await,
        Ok("none".to_owned()),
        "a call outside of the scope"
    );
}

#[tokio::test]
async fn malformed_trace_is_ignored() {
    let pair = Pair::new().await;
    let bad = Metadata::new().with("traceparent", "00-zz").unwrap();
    assert_eq!(
        within("the reply to TRACE", call_method::<TRACE>(&pair.peer, "").metadata(bad)).await,
        Ok("none".to_owned())
    );
}

/// Records spans with their fields, and events.
#[derive(Default, Clone)]
struct RecordingSubscriber {
    spans: Arc<Mutex<Vec<String>>>,
    next: Arc<AtomicU64>,
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Subscriber for RecordingSubscriber {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut text = attributes.metadata().name().to_owned();
        attributes.record(&mut Fields(&mut text));
        self.spans.lock().unwrap().push(text);
        Id::from_u64(self.next.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let index = usize::try_from(span.into_u64() - 1).unwrap();
        values.record(&mut Fields(&mut self.spans.lock().unwrap()[index]));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = "event".to_owned();
        event.record(&mut Fields(&mut text));
        self.spans.lock().unwrap().push(text);
        self.next.fetch_add(1, Ordering::Relaxed);
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Both ends run on this test's thread, which has the subscriber. The test needs its own process: tracing
/// decides once per process for which call sites there is a subscriber, and other tests' threads have none.
#[tokio::test]
async fn spans_have_method_peer_trace_and_outcome() {
    if !is_alone("traces::spans_have_method_peer_trace_and_outcome") {
        return;
    }
    let subscriber = RecordingSubscriber::default();
    let _guard = tracing::subscriber::set_default(subscriber.clone());
    let pair = Pair::new().await;
    let password = Metadata::new().with("password", "hunter2").unwrap();
    within("the reply to FAULT", call_method::<FAULT>(&pair.peer, "the argument").metadata(password))
        .await
        .unwrap_err();
    let spans = subscriber.spans.lock().unwrap().clone();
    let find = |name: &str| {
        let span = spans.iter().find(|span| span.starts_with(name));
        span.unwrap_or_else(|| panic!("no span {name} in {spans:?}"))
    };
    let (call, handle) = (find("call"), find("handle"));
    for span in [call, handle] {
        for part in ["rpc.service=\"test.Texts\"", "rpc.method=\"method\"", "peer=unix:", "outcome=\"fault\""]
        {
            assert!(span.contains(part), "{part} is missing in {span}");
        }
    }
    let field = |span: &str, name: &str| {
        span.split(' ').find_map(|part| part.strip_prefix(name)?.strip_prefix('=')).unwrap().to_owned()
    };
    assert_eq!(field(call, "trace_id"), field(handle, "trace_id"));
    assert_eq!(field(call, "span_id"), field(handle, "parent_id"));
    let all = spans.join("\n");
    let secret = String::from_utf8(b"0123456789abcdef0123456789abcdef".to_vec()).unwrap();
    for hidden in ["hunter2", "the argument", secret.as_str()] {
        assert!(!all.contains(hidden), "{hidden} is in {all}");
    }
}

/// Carries the same context with each call.
#[derive(Clone)]
struct FixedContext {
    context: TraceContext,
    extracted: Arc<Mutex<Vec<TraceContext>>>,
}

impl Propagator for FixedContext {
    fn inject(&self, _span: &Span) -> Option<TraceContext> {
        Some(self.context.clone())
    }

    fn extract(&self, _span: &Span, context: &TraceContext) {
        self.extracted.lock().unwrap().push(context.clone());
    }
}

#[tokio::test]
async fn propagator_carries_context() {
    let propagator = FixedContext { context: TraceContext::root(), extracted: Arc::default() };
    let pair = Pair::with(
        |server| server.trace_propagator(propagator.clone()),
        |client| client.trace_propagator(propagator.clone()),
    )
    .await;
    let answer =
        within("the reply to METADATA", call_method::<METADATA>(&pair.peer, "traceparent")).await.unwrap();
    assert_eq!(answer, propagator.context.traceparent());
    assert_eq!(propagator.extracted.lock().unwrap().as_slice(), std::slice::from_ref(&propagator.context));
}
