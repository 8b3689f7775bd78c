//! Either side stops a stream by dropping its end of it, and the other stops producing.

use futures_util::{StreamExt, stream};
use kaa_rpc_runtime::Resources;

use crate::support::raw::{self, Raw};
use crate::support::*;

#[tokio::test]
async fn a_caller_that_drops_its_results_stops_the_handlers_stream() {
    let pair = Pair::new().await;
    let mut numbers = listen::<COUNT>(&pair.peer, u64::MAX);
    assert_eq!(within(numbers.next()).await, Some(Ok(0)));
    drop(numbers);
    pair.at_server.until(|counts| counts.dropped == 1).await;
    pair.lives().await;
}

#[tokio::test]
async fn a_stream_that_watches_for_its_caller_has_time_to_end_by_itself() {
    let pair = Pair::new().await;
    let mut numbers = listen::<WATCHFUL>(&pair.peer, 0);
    assert_eq!(within(numbers.next()).await, Some(Ok(0)));
    // Whether it waits for credit or is at work, there is somebody to tell.
    drop(numbers);
    pair.lives().await;
    assert_eq!(pair.at_server.counts().dropped, 0);
    pair.at_server.gate.add_permits(1);
    pair.at_server.until(|counts| counts.dropped == 1).await;
    assert_eq!(pair.at_server.sums.lock().unwrap().len(), 1, "it was dropped before it had ended");
}

#[tokio::test]
async fn a_stream_that_watches_and_goes_on_is_dropped_after_the_grace() {
    let grace = std::time::Duration::from_millis(50);
    let pair = Pair::with(|server| server.cancel_grace(grace), |client| client).await;
    let mut numbers = listen::<WATCHFUL>(&pair.peer, 0);
    assert_eq!(within(numbers.next()).await, Some(Ok(0)));
    drop(numbers);
    pair.at_server.until(|counts| counts.dropped == 1).await;
    assert!(pair.at_server.sums.lock().unwrap().is_empty());
    pair.lives().await;
}

#[tokio::test]
async fn a_handler_that_drops_its_parameter_stops_the_caller_and_not_the_call() {
    let pair = Pair::new().await;
    let endless = pair.at_client.watched(stream::iter(7..));
    let mut call = Box::pin(send::<STOP>(&pair.peer, endless));
    let stopped = async {
        pair.at_client.until(|counts| counts.dropped == 1).await;
        pair.at_server.gate.add_permits(1);
    };
    let (result, ()) = tokio::join!(within(&mut call), stopped);
    assert_eq!(result, Ok(7), "the call goes on without its stream");
    pair.lives().await;
}

#[tokio::test]
async fn a_handler_that_drops_its_parameter_stops_a_caller_that_waits_for_its_next_item() {
    let pair = Pair::new().await;
    let waiting = pair.at_client.watched(stream::iter([7]).chain(stream::pending()));
    let mut call = Box::pin(send::<STOP>(&pair.peer, waiting));
    let stopped = async {
        pair.at_client.until(|counts| counts.dropped == 1).await;
        pair.at_server.gate.add_permits(1);
    };
    let (result, ()) = tokio::join!(within(&mut call), stopped);
    assert_eq!(result, Ok(7), "the call goes on without its stream");
}

#[tokio::test]
async fn a_reply_before_the_end_stops_the_caller() {
    let pair = Pair::new().await;
    let endless = pair.at_client.watched(stream::iter(9..));
    assert_eq!(within(send::<FIRST>(&pair.peer, endless)).await, Ok(9));
    assert_eq!(pair.at_client.counts().dropped, 1);
    // What was on its way for the call that is over harms nobody.
    pair.lives().await;
}

#[tokio::test]
async fn a_call_that_has_ended_holds_no_producer() {
    let pair = Pair::new().await;
    let mut answered = Box::pin(send::<FIRST>(&pair.peer, pair.at_client.watched(stream::iter(9..))));
    assert_eq!(within(&mut answered).await, Ok(9));
    assert_eq!(pair.at_client.counts().dropped, 1);
    let time = std::time::Duration::from_millis(20);
    let mut late =
        Box::pin(send::<HOLD>(&pair.peer, pair.at_client.watched(stream::pending())).timeout(time));
    assert!(within(&mut late).await.is_err());
    assert_eq!(pair.at_client.counts().dropped, 2);
    let mut late = exchange::<DOUBLE>(&pair.peer, pair.at_client.watched(stream::pending())).timeout(time);
    assert!(within(late.next()).await.is_some_and(|end| end.is_err()));
    assert_eq!(pair.at_client.counts().dropped, 3);
}

#[tokio::test]
async fn a_caller_that_drops_the_call_breaks_the_handlers_stream() {
    let pair = Pair::new().await;
    let waiting = pair.at_client.watched(stream::iter([1]).chain(stream::pending()));
    let mut call = Box::pin(send::<SUM>(&pair.peer, waiting));
    assert!(futures_util::poll!(&mut call).is_pending());
    pair.at_server.until(|counts| counts.started == 1).await;
    drop(call);
    assert_eq!(pair.at_client.counts().dropped, 1);
    pair.lives().await;
    assert!(pair.at_server.sums.lock().unwrap().is_empty(), "it took the break for an end");
}

#[tokio::test]
async fn a_stream_that_was_never_polled_was_never_called() {
    let pair = Pair::new().await;
    drop(listen::<COUNT>(&pair.peer, 5));
    drop(send::<SUM>(&pair.peer, pair.at_client.watched(stream::iter(0..))));
    pair.lives().await;
    assert_eq!(pair.at_server.made(), 0);
    assert_eq!(pair.at_client.made(), 0);
}

#[tokio::test]
async fn places_are_free_again_whatever_became_of_the_streams() {
    let limits = kaa_rpc_runtime::Limits { max_inbound_calls: 1, ..Default::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client.limits(limits)).await;
    for _ in 0..10 {
        let mut numbers = listen::<COUNT>(&pair.peer, u64::MAX);
        assert_eq!(within(numbers.next()).await, Some(Ok(0)));
        drop(numbers);
        assert_eq!(within(send::<FIRST>(&pair.peer, stream::iter(0..))).await, Ok(0));
        let mut doubled = exchange::<DOUBLE>(&pair.peer, stream::iter(1..));
        assert_eq!(within(doubled.next()).await, Some(Ok(2)));
    }
    pair.lives().await;
}

/// The items stand right behind their call, which has not begun when there is no memory for them.
#[tokio::test]
async fn a_stream_that_finds_no_memory_is_stopped_at_once() {
    let resources = Resources::new(100, 100_000);
    let pair = Pair::with(|server| server.resources(resources.clone()), |client| client).await;
    let mut raw = Raw::connect(&pair.path()).await;
    raw.send([frames::stream_call(1, HOLD), frames::items(1, &[1; 150_000])].concat()).await;
    let stop = raw.next(frames::STREAM_END).await;
    assert_eq!((stop.id, stop.token, stop.detail), (1, 7, frames::YOURS | frames::STOP_SENDING));
    raw.send([frames::items(1, &[1, 8]), frames::end_of_arguments(1, frames::FINISHED, b"")].concat()).await;
    pair.at_server.gate.add_permits(1);
    let reply = raw.next(raw::REPLY).await;
    assert_eq!((reply.id, reply.detail), (1, raw::FAULTY));
    assert!(reply.text().contains("memory"), "{}", reply.text());
    assert_eq!(resources.memory(), 0);
}
