//! How a stream ended is told truthfully, and an end is never made up.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use kaa_rpc_runtime::{
    CallEnd, CallError, Fault, Interceptor, Limits, MessageKind, ObservedCall, Outcome, Outgoing,
};
use tokio::net::UnixListener;

use crate::support::frames;
use crate::support::raw::{self, Raw};
use crate::support::*;

const MANY: u64 = 100_000;

#[tokio::test]
async fn a_declared_error_comes_behind_all_items() {
    let pair = Pair::new().await;
    let (items, error) = drain(listen::<FAIL_AFTER>(&pair.peer, MANY)).await;
    assert_eq!(items.len() as u64, MANY);
    assert_eq!(error, Some(CallError::Declared(Declared(MANY))));
    let (items, error) = drain(listen::<REFUSE>(&pair.peer, 3)).await;
    assert_eq!((items, error), (vec![], Some(CallError::Declared(Declared(3)))));
    pair.lives().await;
}

#[tokio::test]
async fn a_fault_comes_behind_all_items() {
    let pair = Pair::new().await;
    let (items, error) = drain(listen::<FAULT_AFTER>(&pair.peer, MANY)).await;
    assert_eq!(items.len() as u64, MANY);
    assert_eq!(error, Some(CallError::Fault("no more paper".to_owned())));
}

#[tokio::test]
async fn a_panic_of_the_producer_is_a_fault() {
    let pair = Pair::new().await;
    let (_, error) = drain(listen::<PANIC_AFTER>(&pair.peer, MANY)).await;
    assert_eq!(error, Some(CallError::Fault("the handler panicked".to_owned())));
    pair.lives().await;
}

#[tokio::test]
async fn an_unknown_method_is_told() {
    let pair = Pair::new().await;
    let (items, error) = drain(exchange::<NOBODYS>(&pair.peer, stream::iter(0..MANY))).await;
    assert!(items.is_empty() && matches!(error, Some(CallError::UnknownMethod { .. })), "{error:?}");
    pair.lives().await;
}

#[tokio::test]
async fn a_producer_that_fails_breaks_the_stream() {
    let pair = Pair::new().await;
    let items = stream::iter(0..10).map(Ok).chain(stream::iter([Err(Fault::new("the tape is torn"))]));
    let error = within(send::<SUM>(&pair.peer, Outgoing::fallible(items))).await.unwrap_err();
    // The handler passes on what it met.
    assert_eq!(error, CallError::Fault("the stream broke off: the tape is torn".to_owned()));
    assert!(pair.at_server.sums.lock().unwrap().is_empty(), "it took the break for an end");
    pair.lives().await;
}

#[tokio::test]
async fn an_item_over_the_frame_limit_fails_its_stream_with_size_and_limit() {
    let limits = Limits { max_frame: 64 * 1024, ..Limits::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client.limits(limits)).await;
    let (items, error) = drain(texts(&pair.peer, 70_000)).await;
    assert_eq!(items, ["first"], "what came before it arrives");
    let too_large = CallError::TooLarge { what: MessageKind::Item, size: 70_006, limit: 64 * 1024 - 24 };
    assert_eq!(error, Some(too_large.clone()));

    let items = stream::iter(["x".repeat(70_000)]);
    let call = kaa_rpc_runtime::Call::with_stream(&pair.peer, TakeTexts, items);
    assert_eq!(within(call).await, Err(too_large));
    pair.lives().await;
}

#[tokio::test]
async fn the_end_behind_an_item_larger_than_all_budgets_is_told() {
    let limits = Limits { max_frame: 64 * 1024 * 1024, ..Limits::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client.limits(limits)).await;
    let mut items = Vec::new();
    for letters in [9_000_000, 20_000_000] {
        let (texts, error) = drain(texts(&pair.peer, letters)).await;
        assert_eq!(error, None);
        items.extend(texts.iter().map(String::len));
    }
    assert_eq!(items, [5, 9_000_000, 4, 5, 20_000_000, 4]);
}

#[tokio::test]
async fn an_item_that_cannot_be_decoded_fails_its_stream_only() {
    let pair = Pair::new().await;
    let mut others = listen::<TRICKLE>(&pair.peer, 0);
    let (_, error) = drain(listen::<GIBBERISH>(&pair.peer, 0)).await;
    assert!(matches!(error, Some(CallError::BadItem(_))), "{error:?}");
    pair.at_server.gate.add_permits(1);
    assert_eq!(within(others.next()).await, Some(Ok(0)));
    pair.lives().await;
}

/// Writes down how calls end.
#[derive(Clone, Default)]
struct Ends(Arc<Mutex<Vec<CallEnd>>>);

impl Interceptor for Ends {
    fn after(&self, _: &ObservedCall, end: CallEnd, _: Duration) {
        self.0.lock().unwrap().push(end);
    }
}

#[tokio::test]
async fn interceptors_are_told_the_end_that_the_reader_is_told() {
    let ends = Ends::default();
    let pair = Pair::with(|server| server, |client| client.intercept_outbound(ends.clone())).await;
    drain(listen::<COUNT>(&pair.peer, 3)).await;
    drain(listen::<FAIL_AFTER>(&pair.peer, 3)).await;
    drain(listen::<GIBBERISH>(&pair.peer, 0)).await;
    drop(listen::<COUNT>(&pair.peer, 3));
    let mut dropped = listen::<COUNT>(&pair.peer, 3);
    assert_eq!(within(dropped.next()).await, Some(Ok(0)));
    drop(dropped);
    let expected = [CallEnd::Ok, CallEnd::Declared, CallEnd::BadReply, CallEnd::Cancelled];
    assert_eq!(*ends.0.lock().unwrap(), expected);
}

#[tokio::test]
async fn arguments_that_cannot_be_decoded_break_the_handlers_stream_only() {
    let pair = Pair::new().await;
    let mut raw = Raw::connect(&pair.path()).await;
    raw.send(frames::stream_call(1, SUM)).await;
    // An item of three bytes whose number says that it has eight.
    raw.send(frames::items(1, &[3, 253, 1, 1])).await;
    let reply = raw.next(raw::REPLY).await;
    assert_eq!(reply.detail, raw::FAULTY);
    assert!(reply.text().contains("an item of the stream could not be decoded"), "{}", reply.text());
    raw.send(raw::call(2, ECHO, "")).await;
    assert_eq!(raw.next(raw::REPLY).await.id, 2, "the connection lives");
}

#[tokio::test]
async fn a_cut_connection_is_no_end_at_the_caller() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let client = client_builder(&World::new()).connect(format!("unix:{}", path.display()).as_str()).unwrap();
    let mut numbers = listen::<COUNT>(&client.peer(), 3);
    let peer = async {
        let mut raw = Raw::accept(&listener).await;
        let call = raw.next(raw::CALL).await;
        raw.send(frames::results(&call, &[1, 0, 1, 1])).await;
        raw
    };
    let (raw, first) = tokio::join!(peer, within(numbers.next()));
    assert_eq!(first, Some(Ok(0)));
    drop(raw);
    assert_eq!(within(numbers.next()).await, Some(Ok(1)), "what had come is not lost");
    let error = within(numbers.next()).await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::Disconnected { outcome: Outcome::Unknown, .. }), "{error:?}");
    assert_eq!(within(numbers.next()).await, None);
}

#[tokio::test]
async fn results_that_came_whole_outlive_their_connection() {
    let pair = Pair::new().await;
    let mut numbers = listen::<COUNT>(&pair.peer, 1000);
    assert_eq!(within(numbers.next()).await, Some(Ok(0)));
    // The reply of a later call comes behind all of them.
    pair.lives().await;
    drop(pair);
    let (rest, error) = drain(numbers).await;
    assert_eq!((rest.len(), error), (999, None));
}

#[tokio::test]
async fn a_cut_connection_is_no_end_at_the_handler() {
    let pair = Pair::new().await;
    let mut raw = Raw::connect(&pair.path()).await;
    raw.send(frames::stream_call(1, SUM)).await;
    raw.send(frames::items(1, &[1, 7])).await;
    pair.at_server.until(|counts| counts.started == 1).await;
    drop(raw);
    // Another connection's call is served behind the loss of this one.
    let back = within(async {
        loop {
            if pair.server.connections() == 1 {
                break;
            }
            tokio::task::yield_now().await;
        }
    });
    back.await;
    pair.lives().await;
    assert!(pair.at_server.sums.lock().unwrap().is_empty(), "it took the cut for an end");
}

#[tokio::test]
async fn a_deadline_holds_for_the_whole_stream() {
    let pair = Pair::new().await;
    let mut numbers = listen::<TRICKLE>(&pair.peer, 0).timeout(Duration::from_millis(50));
    pair.at_server.gate.add_permits(1);
    assert_eq!(within(numbers.next()).await, Some(Ok(0)));
    let error = within(numbers.next()).await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::DeadlineExceeded { .. }), "{error:?}");
    pair.at_server.until(|counts| counts.dropped == 1).await;

    let endless = exchange::<DOUBLE>(&pair.peer, stream::iter(0..)).timeout(Duration::from_millis(50));
    let (_, error) = drain(endless).await;
    assert!(matches!(error, Some(CallError::DeadlineExceeded { .. })), "{error:?}");
    let sum = within(
        send::<SUM>(&pair.peer, stream::iter(std::iter::repeat(0))).timeout(Duration::from_millis(50)),
    );
    assert!(matches!(sum.await, Err(CallError::DeadlineExceeded { .. })));
    pair.lives().await;
}

#[tokio::test]
async fn a_running_stream_is_a_running_call_for_a_drain() {
    let pair = Pair::new().await;
    let mut numbers = listen::<TRICKLE>(&pair.peer, 0);
    pair.at_server.gate.add_permits(1);
    assert_eq!(within(numbers.next()).await, Some(Ok(0)));
    let mut summing = Box::pin(send::<HOLD>(&pair.peer, stream::iter(0..MANY)));
    assert!(futures_util::poll!(&mut summing).is_pending());
    pair.at_server.until(|counts| counts.started == 1).await;

    let client = pair.client;
    let shutdown = tokio::spawn(async move { client.shutdown(LONGEST).await });
    pair.at_server.gate.add_permits(1);
    let world = Arc::clone(&pair.at_server);
    // One permit wakes the one or the other, so both are let through.
    world.gate.add_permits(2);
    assert_eq!(within(summing).await, Ok(MANY * (MANY - 1) / 2));
    assert!(matches!(within(numbers.next()).await, Some(Ok(1))));
    assert!(!shutdown.is_finished(), "the stream is running");
    drop(numbers);
    within(shutdown).await.unwrap();
}
