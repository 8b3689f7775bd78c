//! Either side stops a stream by dropping it. Then the other side stops producing items.

use futures_util::{StreamExt, stream};
use kaa_rpc_runtime::Resources;

use kaa_rpc_test_support::numbers::*;
use kaa_rpc_test_support::scripted::frames;
use kaa_rpc_test_support::waiting::*;

#[tokio::test]
async fn dropping_results_stops_handlers_stream() {
    let pair = Pair::new().await;
    let mut numbers = receive_stream::<COUNT>(&pair.peer, u64::MAX);
    assert_eq!(within("the next item", numbers.next()).await, Some(Ok(0)));
    drop(numbers);
    pair.server_state.until_dropped(1).await;
    pair.assert_responds().await;
}

#[tokio::test]
async fn cancelled_stream_may_end_within_grace() {
    let pair = Pair::with(|server| server.cancel_grace(LIMIT), |client| client).await;
    let mut numbers = receive_stream::<COUNT_UNTIL_CANCELLED>(&pair.peer, 0);
    assert_eq!(within("the next item", numbers.next()).await, Some(Ok(0)));
    // The handler may wait for credit or produce items: in both cases it sees that it is cancelled.
    drop(numbers);
    pair.assert_responds().await;
    assert_eq!(pair.server_state.counts().dropped, 0);
    pair.server_state.gate.add_permits(1);
    pair.server_state.until_dropped(1).await;
    assert_eq!(pair.server_state.sums.lock().unwrap().len(), 1, "the stream was dropped before it ended");
}

#[tokio::test]
async fn cancelled_stream_is_dropped_after_grace() {
    let grace = std::time::Duration::from_millis(50);
    let pair = Pair::with(|server| server.cancel_grace(grace), |client| client).await;
    let mut numbers = receive_stream::<COUNT_UNTIL_CANCELLED>(&pair.peer, 0);
    assert_eq!(within("the next item", numbers.next()).await, Some(Ok(0)));
    drop(numbers);
    pair.server_state.until_dropped(1).await;
    pair.server_state.assert_no_sums();
    pair.assert_responds().await;
}

#[tokio::test]
async fn dropping_parameter_stops_stream_but_not_call() {
    let pair = Pair::new().await;
    let endless = pair.client_state.track(stream::iter(7..));
    let mut call = Box::pin(send_stream::<DROP_STREAM>(&pair.peer, endless));
    let stopped = async {
        pair.client_state.until_dropped(1).await;
        pair.server_state.gate.add_permits(1);
    };
    let (result, ()) = tokio::join!(within("the call", &mut call), stopped);
    assert_eq!(result, Ok(7), "the call continues without its stream");
    pair.assert_responds().await;
}

#[tokio::test]
async fn dropping_parameter_stops_idle_producer() {
    let pair = Pair::new().await;
    let waiting = pair.client_state.track(stream::iter([7]).chain(stream::pending()));
    let mut call = Box::pin(send_stream::<DROP_STREAM>(&pair.peer, waiting));
    let stopped = async {
        pair.client_state.until_dropped(1).await;
        pair.server_state.gate.add_permits(1);
    };
    let (result, ()) = tokio::join!(within("the call", &mut call), stopped);
    assert_eq!(result, Ok(7), "the call continues without its stream");
}

#[tokio::test]
async fn early_reply_stops_callers_stream() {
    let pair = Pair::new().await;
    let endless = pair.client_state.track(stream::iter(9..));
    assert_eq!(within("the result of FIRST", send_stream::<FIRST>(&pair.peer, endless)).await, Ok(9));
    assert_eq!(pair.client_state.counts().dropped, 1);
    // Items that arrive after the end of their call are ignored.
    pair.assert_responds().await;
}

#[tokio::test]
async fn ended_call_drops_its_producer() {
    let pair = Pair::new().await;
    let mut answered = Box::pin(send_stream::<FIRST>(&pair.peer, pair.client_state.track(stream::iter(9..))));
    assert_eq!(within("the call `answered`", &mut answered).await, Ok(9));
    assert_eq!(pair.client_state.counts().dropped, 1);
    let time = std::time::Duration::from_millis(20);
    let mut late = Box::pin(
        send_stream::<GATED_SUM>(&pair.peer, pair.client_state.track(stream::pending())).timeout(time),
    );
    let result = within("the call to expire", &mut late).await;
    assert!(result.is_err(), "{result:?}");
    assert_eq!(pair.client_state.counts().dropped, 2);
    let mut late =
        exchange_streams::<DOUBLE>(&pair.peer, pair.client_state.track(stream::pending())).timeout(time);
    let end = within("the call to expire", late.next()).await;
    assert!(matches!(end, Some(Err(_))), "{end:?}");
    assert_eq!(pair.client_state.counts().dropped, 3);
}

#[tokio::test]
async fn dropping_call_breaks_handlers_stream() {
    let pair = Pair::new().await;
    let waiting = pair.client_state.track(stream::iter([1]).chain(stream::pending()));
    let mut call = Box::pin(send_stream::<SUM>(&pair.peer, waiting));
    start(&mut call).await;
    pair.server_state.until_started(1).await;
    drop(call);
    assert_eq!(pair.client_state.counts().dropped, 1);
    pair.assert_responds().await;
    pair.server_state.assert_no_sums();
}

#[tokio::test]
async fn unpolled_stream_makes_no_call() {
    let pair = Pair::new().await;
    drop(receive_stream::<COUNT>(&pair.peer, 5));
    drop(send_stream::<SUM>(&pair.peer, pair.client_state.track(stream::iter(0..))));
    pair.assert_responds().await;
    assert_eq!(pair.server_state.produced(), 0);
    assert_eq!(pair.client_state.produced(), 0);
}

#[tokio::test]
async fn ended_streams_free_their_slots() {
    let limits = kaa_rpc_runtime::Limits { max_inbound_calls: 1, ..Default::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client.limits(limits)).await;
    for _ in 0..10 {
        let mut numbers = receive_stream::<COUNT>(&pair.peer, u64::MAX);
        assert_eq!(within("the next item", numbers.next()).await, Some(Ok(0)));
        drop(numbers);
        assert_eq!(
            within("the result of FIRST", send_stream::<FIRST>(&pair.peer, stream::iter(0..))).await,
            Ok(0)
        );
        let mut doubled = exchange_streams::<DOUBLE>(&pair.peer, stream::iter(1..));
        assert_eq!(within("the next item", doubled.next()).await, Some(Ok(2)));
    }
    pair.assert_responds().await;
}

/// The items arrive directly after their call: there is no memory for them before the call has started.
#[tokio::test]
async fn stream_without_memory_is_stopped() {
    let resources = Resources::new(100, 100_000);
    let pair = Pair::with(|server| server.resources(resources.clone()), |client| client).await;
    let mut scripted = scripted_client(&pair.socket.path()).await;
    scripted.send([frames::stream_call(1, GATED_SUM), frames::items(1, &[1; 150_000])].concat()).await;
    let stop = scripted.next(frames::STREAM_END).await;
    assert_eq!((stop.id, stop.token, stop.detail), (1, 7, frames::RECEIVERS_CALL | frames::STOP_SENDING));
    scripted
        .send([frames::items(1, &[1, 8]), frames::end_of_arguments(1, frames::FINISHED, b"")].concat())
        .await;
    pair.server_state.gate.add_permits(1);
    let reply = scripted.next(frames::REPLY).await;
    assert_eq!((reply.id, reply.detail), (1, frames::FAULT));
    assert!(reply.text().contains("memory"), "{}", reply.text());
    assert_eq!(resources.memory(), 0);
}
