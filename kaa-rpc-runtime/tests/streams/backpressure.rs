//! A slow reader slows down its producer and nothing else, with constant memory.

use futures_util::stream;
use kaa_rpc_runtime::{Limits, Resources};

use kaa_rpc_test_support::numbers::*;
use kaa_rpc_test_support::scripted::frames;
use kaa_rpc_test_support::waiting::*;

/// The items that may be on their way: the window, the frame that exceeds it, and the frame that is being
/// filled.
const WINDOW: u32 = 64 * 1024;
const AHEAD: u64 = (WINDOW as u64 + 2 * 16 * 1024 + 2 * 1024) / 2;

fn small_windows() -> Limits {
    Limits { stream_window: WINDOW, ..Limits::default() }
}

#[tokio::test]
async fn window_limits_items_ahead_of_slow_reader() {
    const ITEMS: u64 = 1_000_000;
    let pair =
        Pair::with(|server| server.limits(small_windows()), |client| client.limits(small_windows())).await;
    let mut numbers = receive_stream::<COUNT>(&pair.peer, ITEMS);
    for thousand in 0..ITEMS / 1000 {
        let taken = within("a thousand items", async {
            for number in thousand * 1000..(thousand + 1) * 1000 {
                assert_eq!(numbers.next().await, Some(Ok(number)));
            }
            (thousand + 1) * 1000
        });
        let taken = taken.await;
        // The producer may run.
        tokio::task::yield_now().await;
        let ahead = pair.server_state.produced() - taken;
        assert!(ahead <= AHEAD, "{ahead} items ahead at {taken}");
    }
    assert_eq!(within("the next item", numbers.next()).await, None);
}

#[tokio::test]
async fn stalled_handler_stops_only_its_caller() {
    let pair =
        Pair::with(|server| server.limits(small_windows()), |client| client.limits(small_windows())).await;
    let tracked = pair.client_state.track(stream::iter(0..100_000));
    let mut held = Box::pin(send_stream::<GATED_SUM>(&pair.peer, tracked));
    start(&mut held).await;
    pair.server_state.until_started(1).await;
    for _ in 0..50 {
        start(&mut held).await;
        pair.assert_responds().await;
    }
    let produced = pair.client_state.produced();
    assert!((1..=AHEAD).contains(&produced), "{produced} items for a handler that takes none");
    // Other streams run meanwhile.
    assert_eq!(
        within("the result of SUM", send_stream::<SUM>(&pair.peer, stream::iter(0..1000))).await,
        Ok(499_500)
    );
    assert_eq!(receive_all(receive_stream::<COUNT>(&pair.peer, 1000)).await.0.len(), 1000);
    pair.server_state.gate.add_permits(1);
    assert_eq!(within("the call `held`", held).await, Ok(4_999_950_000));
}

#[tokio::test]
async fn stalled_caller_stops_only_its_handler() {
    let pair =
        Pair::with(|server| server.limits(small_windows()), |client| client.limits(small_windows())).await;
    let mut stalled = receive_stream::<COUNT>(&pair.peer, 100_000);
    assert_eq!(within("the next item", stalled.next()).await, Some(Ok(0)));
    for _ in 0..50 {
        pair.assert_responds().await;
    }
    let produced = pair.server_state.produced();
    assert!(produced <= AHEAD, "{produced} items for a caller that takes none");
    let (rest, error) = receive_all(stalled).await;
    assert_eq!((rest.len(), error), (99_999, None));
}

#[tokio::test]
async fn busy_streams_do_not_block_calls() {
    let pair = Pair::new().await;
    let streams: Vec<_> = (0..2)
        .map(|_| {
            let mut texts = receive_endless_texts(&pair.peer, 1000);
            tokio::spawn(async move { while let Some(Ok(_)) = texts.next().await {} })
        })
        .collect();
    // Many times what all buffers hold.
    let produced = || pair.server_state.produced();
    eventually("the streams to run", produced, |produced| *produced >= 10_000).await;
    for _ in 0..10 {
        pair.assert_responds().await;
    }
    for stream in streams {
        stream.abort();
    }
    pair.server_state.until_dropped(2).await;
}

/// If streams filled the output, there would be no room for replies.
#[tokio::test]
async fn blocked_streams_leave_room_for_replies() {
    let pair = Pair::new().await;
    let wide_window = Limits { stream_window: 1 << 30, ..Limits::default() };
    let mut scripted = scripted_client_with(&pair.socket.path(), wide_window).await;
    for id in 1..=40 {
        // More numbers than can be sent.
        scripted
            .send(frames::frame_with(frames::CALL, (id, 7, COUNT), (0, b""), &[253, 0, 0, 0, 0, 1, 0, 0, 0]))
            .await;
    }
    // Each of these calls gives every stream a turn.
    for _ in 0..10 {
        pair.assert_responds().await;
    }
    let produced = pair.server_state.produced();
    assert!(produced > 10_000, "{produced}");
    scripted.send(frames::frame(frames::CALL, 41, 7, ECHO, &[5])).await;
    loop {
        let reply = scripted.next(frames::REPLY).await;
        assert_eq!(reply.detail, frames::OK, "{}", reply.text());
        if reply.id == 41 {
            break;
        }
    }
}

async fn until_released(resources: &Resources) {
    eventually("the memory to be released", || resources.memory(), |memory| *memory == 0).await;
}

/// Waits until the call has ended and its items are in memory.
async fn until_received(pair: &Pair, resources: &Resources) {
    let state = || (resources.memory(), pair.peer.statistics().calls_in_flight);
    eventually("the items to be in memory", state, |(memory, calls)| *memory >= 100_000 && *calls == 0).await;
}

/// Nothing follows the last items that would release their memory.
#[tokio::test]
async fn taken_items_release_memory() {
    let resources = Resources::new(100, 10_000_000);
    let pair = Pair::with(
        |server| server.without_keepalive(),
        |client| client.resources(resources.clone()).without_keepalive(),
    )
    .await;
    let mut items = receive_stream::<COUNT>(&pair.peer, 40_000);
    assert_eq!(within("the next item", items.next()).await, Some(Ok(0)));
    until_received(&pair, &resources).await;
    assert_eq!(receive_all(items).await.0.len(), 39_999);
    until_released(&resources).await;
}

#[tokio::test]
async fn dropped_items_release_memory() {
    let resources = Resources::new(100, 10_000_000);
    let pair = Pair::with(
        |server| server.without_keepalive(),
        |client| client.resources(resources.clone()).without_keepalive(),
    )
    .await;
    let mut items = receive_stream::<COUNT>(&pair.peer, 40_000);
    assert_eq!(within("the next item", items.next()).await, Some(Ok(0)));
    until_received(&pair, &resources).await;
    let Pair { server, client, .. } = pair;
    drop(server);
    within("the connection to close", client.closed()).await;
    assert!(resources.memory() >= 100_000, "received items can still be taken");
    drop(items);
    until_released(&resources).await;
}
