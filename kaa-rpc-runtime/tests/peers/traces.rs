//! Traces: a call that belongs to one tells its handler, whose own calls belong to it too; where nobody follows traces,
//! calls carry none.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use kaa_rpc_runtime::{Metadata, Propagator, TraceContext};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Span, Subscriber};

use crate::support::*;

fn traced(context: &TraceContext) -> Metadata {
    Metadata::new().with("traceparent", context.traceparent()).unwrap()
}

fn trace_of(traceparent: &str) -> &str {
    traceparent.get(3..35).unwrap_or_default()
}

#[tokio::test]
async fn calls_carry_no_trace_where_nobody_follows_one() {
    let pair = Pair::new().await;
    assert_eq!(within(ask::<TRACE>(&pair.peer, "")).await, Ok("none".to_owned()));
    assert_eq!(within(ask::<METADATA>(&pair.peer, "traceparent")).await, Ok("none".to_owned()));
}

#[tokio::test]
async fn a_trace_goes_through_both_directions() {
    let pair = Pair::new().await;
    let context = TraceContext::root();
    let answer = within(ask::<ASK_TRACE>(&pair.peer, "").metadata(traced(&context))).await.unwrap();
    let (server, client) = answer.split_once(' ').unwrap();
    let given = context.traceparent();
    assert_eq!(trace_of(server), trace_of(&given), "the server's handler is in the caller's trace");
    assert_eq!(trace_of(client), trace_of(&given), "and so is the client's that it has called");
    assert!(server != client && server != given, "each in a span of its own");
}

#[tokio::test]
async fn a_scope_is_told_to_the_calls_made_in_it() {
    let pair = Pair::new().await;
    let context = TraceContext::root();
    let trace = context.traceparent();
    let answer = within(context.scope(ask::<TRACE>(&pair.peer, ""))).await.unwrap();
    assert_eq!(trace_of(&answer), trace_of(&trace));
    assert_eq!(within(ask::<TRACE>(&pair.peer, "")).await, Ok("none".to_owned()), "and to no others");
}

#[tokio::test]
async fn a_malformed_trace_harms_nothing() {
    let pair = Pair::new().await;
    let bad = Metadata::new().with("traceparent", "00-zz").unwrap();
    assert_eq!(within(ask::<TRACE>(&pair.peer, "").metadata(bad)).await, Ok("none".to_owned()));
}

/// Writes down spans with their fields, and events.
#[derive(Default, Clone)]
struct Book {
    spans: Arc<Mutex<Vec<String>>>,
    next: Arc<AtomicU64>,
}

struct Fields<'a>(&'a mut String);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, " {field}={value:?}").unwrap();
    }
}

impl Subscriber for Book {
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

/// Both ends run on this test's thread, and so does the subscriber.
#[tokio::test]
async fn spans_say_method_peer_trace_and_outcome_and_nothing_secret() {
    let book = Book::default();
    let _guard = tracing::subscriber::set_default(book.clone());
    let pair = Pair::new().await;
    let word = Metadata::new().with("password", "hunter2").unwrap();
    within(ask::<FAULT>(&pair.peer, "the argument").metadata(word)).await.unwrap_err();
    let spans = book.spans.lock().unwrap().clone();
    let find = |name: &str| spans.iter().find(|span| span.starts_with(name)).unwrap();
    let (call, handle) = (find("call"), find("handle"));
    for span in [call, handle] {
        for part in ["rpc.service=\"test.World\"", "rpc.method=\"method\"", "peer=unix:", "outcome=\"fault\""]
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

/// Carries one context of the program's own.
#[derive(Clone)]
struct Courier {
    context: TraceContext,
    extracted: Arc<Mutex<Vec<TraceContext>>>,
}

impl Propagator for Courier {
    fn inject(&self, _span: &Span) -> Option<TraceContext> {
        Some(self.context.clone())
    }

    fn extract(&self, _span: &Span, context: &TraceContext) {
        self.extracted.lock().unwrap().push(context.clone());
    }
}

#[tokio::test]
async fn a_programs_own_tracing_may_carry_the_context() {
    let courier = Courier { context: TraceContext::root(), extracted: Arc::default() };
    let pair = Pair::with(
        |server| server.trace_propagator(courier.clone()),
        |client| client.trace_propagator(courier.clone()),
    )
    .await;
    let answer = within(ask::<METADATA>(&pair.peer, "traceparent")).await.unwrap();
    assert_eq!(answer, courier.context.traceparent());
    assert_eq!(courier.extracted.lock().unwrap().as_slice(), std::slice::from_ref(&courier.context));
}
