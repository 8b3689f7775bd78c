//! The end of a stream is reported truthfully, and a stream that breaks never looks like one that ended.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use kaa_rpc_runtime::{
    CallEnd, CallError, Fault, Interceptor, Limits, MessageKind, ObservedCall, Outcome, Outgoing,
};

use kaa_rpc_test_support::numbers::*;
use kaa_rpc_test_support::scripted::{ScriptedPeer, frames};
use kaa_rpc_test_support::sockets::SocketDirectory;
use kaa_rpc_test_support::waiting::*;

const MANY: u64 = 100_000;

#[tokio::test]
async fn declared_error_follows_all_items() {
    let pair = Pair::new().await;
    let (items, error) = receive_all(receive_stream::<FAIL_AFTER>(&pair.peer, MANY)).await;
    assert_eq!(items.len() as u64, MANY);
    assert_eq!(error, Some(CallError::Declared(Declared(MANY))));
    let (items, error) = receive_all(receive_stream::<FAIL_AT_ONCE>(&pair.peer, 3)).await;
    assert_eq!((items, error), (vec![], Some(CallError::Declared(Declared(3)))));
    pair.assert_responds().await;
}

#[tokio::test]
async fn fault_follows_all_items() {
    let pair = Pair::new().await;
    let (items, error) = receive_all(receive_stream::<FAULT_AFTER>(&pair.peer, MANY)).await;
    assert_eq!(items.len() as u64, MANY);
    assert_eq!(error, Some(CallError::Fault("out of paper".to_owned())));
}

#[tokio::test]
async fn producer_panic_is_fault() {
    let pair = Pair::new().await;
    let (_, error) = receive_all(receive_stream::<PANIC_AFTER>(&pair.peer, MANY)).await;
    assert_eq!(error, Some(CallError::Fault("the handler panicked".to_owned())));
    pair.assert_responds().await;
}

#[tokio::test]
async fn unknown_method_ends_stream() {
    let pair = Pair::new().await;
    let (items, error) = receive_all(exchange_streams::<UNKNOWN>(&pair.peer, stream::iter(0..MANY))).await;
    assert!(items.is_empty() && matches!(error, Some(CallError::UnknownMethod { .. })), "{error:?}");
    pair.assert_responds().await;
}

#[tokio::test]
async fn failing_producer_breaks_stream() {
    let pair = Pair::new().await;
    let items = stream::iter(0..10).map(Ok).chain(stream::iter([Err(Fault::new("the disk is full"))]));
    let error = within("the result of SUM", send_stream::<SUM>(&pair.peer, Outgoing::fallible(items)))
        .await
        .unwrap_err();
    // The handler returns the error that it received.
    assert_eq!(error, CallError::Fault("the stream broke off: the disk is full".to_owned()));
    pair.server_state.assert_no_sums();
    pair.assert_responds().await;
}

#[tokio::test]
async fn oversized_item_fails_stream_with_size_and_limit() {
    let limits = Limits { max_frame: 64 * 1024, ..Limits::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client.limits(limits)).await;
    let (items, error) = receive_all(receive_texts(&pair.peer, 70_000)).await;
    assert_eq!(items, ["first"], "earlier items arrive");
    let too_large = CallError::TooLarge { what: MessageKind::Item, size: 70_006, limit: 64 * 1024 - 24 };
    assert_eq!(error, Some(too_large.clone()));

    let items = stream::iter(["x".repeat(70_000)]);
    let call = kaa_rpc_runtime::Call::with_stream(&pair.peer, CountTextsCall, items);
    assert_eq!(within("the call", call).await, Err(too_large));
    pair.assert_responds().await;
}

#[tokio::test]
async fn stream_ends_after_item_over_all_budgets() {
    let limits = Limits { max_frame: 64 * 1024 * 1024, ..Limits::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client.limits(limits)).await;
    let mut items = Vec::new();
    for letters in [9_000_000, 20_000_000] {
        let (texts, error) = receive_all(receive_texts(&pair.peer, letters)).await;
        assert_eq!(error, None);
        items.extend(texts.iter().map(String::len));
    }
    assert_eq!(items, [5, 9_000_000, 4, 5, 20_000_000, 4]);
}

#[tokio::test]
async fn undecodable_item_fails_only_its_stream() {
    let pair = Pair::new().await;
    let mut others = receive_stream::<GATED_COUNT>(&pair.peer, 0);
    let (_, error) = receive_all(receive_stream::<INVALID_ITEM>(&pair.peer, 0)).await;
    assert!(matches!(error, Some(CallError::BadItem(_))), "{error:?}");
    pair.server_state.gate.add_permits(1);
    assert_eq!(within("the next item", others.next()).await, Some(Ok(0)));
    pair.assert_responds().await;
}

/// Records how calls end.
#[derive(Clone, Default)]
struct Ends(Arc<Mutex<Vec<CallEnd>>>);

impl Interceptor for Ends {
    fn after(&self, _: &ObservedCall, end: CallEnd, _: Duration) {
        self.0.lock().unwrap().push(end);
    }
}

#[tokio::test]
async fn interceptors_and_readers_see_same_end() {
    let ends = Ends::default();
    let pair = Pair::with(|server| server, |client| client.intercept_outbound(ends.clone())).await;
    receive_all(receive_stream::<COUNT>(&pair.peer, 3)).await;
    receive_all(receive_stream::<FAIL_AFTER>(&pair.peer, 3)).await;
    receive_all(receive_stream::<INVALID_ITEM>(&pair.peer, 0)).await;
    drop(receive_stream::<COUNT>(&pair.peer, 3));
    let mut dropped = receive_stream::<COUNT>(&pair.peer, 3);
    assert_eq!(within("the next item", dropped.next()).await, Some(Ok(0)));
    drop(dropped);
    let expected = [CallEnd::Ok, CallEnd::Declared, CallEnd::BadReply, CallEnd::Cancelled];
    assert_eq!(*ends.0.lock().unwrap(), expected);
}

#[tokio::test]
async fn undecodable_argument_breaks_only_its_stream() {
    let pair = Pair::new().await;
    let mut scripted = scripted_client(&pair.socket.path()).await;
    scripted.send(frames::stream_call(1, SUM)).await;
    // An item of three bytes that starts like a number of eight.
    scripted.send(frames::items(1, &[3, 253, 1, 1])).await;
    let reply = scripted.next(frames::REPLY).await;
    assert_eq!(reply.detail, frames::FAULT);
    assert!(reply.text().contains("an item of the stream could not be decoded"), "{}", reply.text());
    scripted.send(frames::call(2, ECHO, "")).await;
    assert_eq!(scripted.next(frames::REPLY).await.id, 2, "the connection works");
}

#[tokio::test]
async fn lost_connection_breaks_callers_stream() {
    let socket = SocketDirectory::new();
    let listener = socket.listener();
    let client = client_of(&socket);
    let mut numbers = receive_stream::<COUNT>(&client.peer(), 3);
    let peer = async {
        let mut scripted = ScriptedPeer::accept(&listener).await;
        let call = scripted.next(frames::CALL).await;
        scripted.send(frames::results(&call, &[1, 0, 1, 1])).await;
        scripted
    };
    let (scripted, first) = tokio::join!(peer, within("the next item", numbers.next()));
    assert_eq!(first, Some(Ok(0)));
    drop(scripted);
    assert_eq!(within("the next item", numbers.next()).await, Some(Ok(1)), "received items are not lost");
    let error = within("the next item", numbers.next()).await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::Disconnected { outcome: Outcome::Unknown, .. }), "{error:?}");
    assert_eq!(within("the next item", numbers.next()).await, None);
}

#[tokio::test]
async fn received_results_outlive_connection() {
    let pair = Pair::new().await;
    let mut numbers = receive_stream::<COUNT>(&pair.peer, 1000);
    assert_eq!(within("the next item", numbers.next()).await, Some(Ok(0)));
    // The reply to a later call comes after all items.
    pair.assert_responds().await;
    drop(pair);
    let (rest, error) = receive_all(numbers).await;
    assert_eq!((rest.len(), error), (999, None));
}

#[tokio::test]
async fn lost_connection_breaks_handlers_stream() {
    let pair = Pair::new().await;
    let mut scripted = scripted_client(&pair.socket.path()).await;
    scripted.send(frames::stream_call(1, SUM)).await;
    scripted.send(frames::items(1, &[1, 7])).await;
    pair.server_state.until_started(1).await;
    drop(scripted);
    eventually("the connection to be lost", || pair.server.connections(), |count| *count == 1).await;
    pair.assert_responds().await;
    pair.server_state.assert_no_sums();
}

#[tokio::test(start_paused = true)]
async fn deadline_applies_to_whole_stream() {
    let pair = Pair::in_memory(|server| server, |client| client).await;
    let mut numbers = receive_stream::<GATED_COUNT>(&pair.peer, 0).timeout(Duration::from_millis(50));
    pair.server_state.gate.add_permits(1);
    assert_eq!(within("the next item", numbers.next()).await, Some(Ok(0)));
    let error = within("the next item", numbers.next()).await.unwrap().unwrap_err();
    assert!(matches!(error, CallError::DeadlineExceeded { .. }), "{error:?}");
    pair.server_state.until_dropped(1).await;
}

#[tokio::test]
async fn deadline_applies_to_busy_streams() {
    let pair = Pair::new().await;
    let endless =
        exchange_streams::<DOUBLE>(&pair.peer, stream::iter(0..)).timeout(Duration::from_millis(50));
    let (_, error) = receive_all(endless).await;
    assert!(matches!(error, Some(CallError::DeadlineExceeded { .. })), "{error:?}");
    let zeros = stream::iter(std::iter::repeat(0));
    let sum = send_stream::<SUM>(&pair.peer, zeros).timeout(Duration::from_millis(50));
    let sum = within("the result of SUM", sum).await;
    assert!(matches!(sum, Err(CallError::DeadlineExceeded { .. })), "{sum:?}");
    pair.assert_responds().await;
}

#[tokio::test]
async fn drain_waits_for_running_streams() {
    let pair = Pair::new().await;
    let mut numbers = receive_stream::<GATED_COUNT>(&pair.peer, 0);
    pair.server_state.gate.add_permits(1);
    assert_eq!(within("the next item", numbers.next()).await, Some(Ok(0)));
    let mut summing = Box::pin(send_stream::<GATED_SUM>(&pair.peer, stream::iter(0..MANY)));
    start(&mut summing).await;
    pair.server_state.until_started(1).await;

    let client = pair.client;
    let shutdown = tokio::spawn(async move { client.shutdown(LIMIT).await });
    pair.server_state.gate.add_permits(1);
    // A permit may wake either of the two, so there are enough for both.
    pair.server_state.gate.add_permits(2);
    assert_eq!(within("the call `summing`", summing).await, Ok(MANY * (MANY - 1) / 2));
    assert_eq!(within("the next item", numbers.next()).await, Some(Ok(1)));
    assert!(!shutdown.is_finished(), "the shutdown does not wait for the running stream");
    drop(numbers);
    within("the shutdown", shutdown).await.unwrap();
}
