//! A slow reader slows its producer down, in flat memory, and nothing else.

use futures_util::stream;
use kaa_rpc_runtime::{Limits, Resources};

use crate::support::raw::{self, Raw, frame_with};
use crate::support::*;

/// What may be on its way at most: the window, the frame that is over it, and the one that is being packed.
const WINDOW: u32 = 64 * 1024;
const AHEAD: u64 = (WINDOW as u64 + 2 * 16 * 1024 + 2 * 1024) / 2;

fn small_windows() -> Limits {
    Limits { stream_window: WINDOW, ..Limits::default() }
}

#[tokio::test]
async fn a_million_items_never_run_far_ahead_of_a_slow_reader() {
    const ITEMS: u64 = 1_000_000;
    let pair =
        Pair::with(|server| server.limits(small_windows()), |client| client.limits(small_windows())).await;
    let mut numbers = listen::<COUNT>(&pair.peer, ITEMS);
    for thousand in 0..ITEMS / 1000 {
        let taken = within(async {
            for number in thousand * 1000..(thousand + 1) * 1000 {
                assert_eq!(numbers.next().await, Some(Ok(number)));
            }
            (thousand + 1) * 1000
        });
        let taken = taken.await;
        // The producer has all the time it wants.
        tokio::task::yield_now().await;
        let ahead = pair.at_server.made() - taken;
        assert!(ahead <= AHEAD, "{ahead} items ahead at {taken}");
    }
    assert_eq!(within(numbers.next()).await, None);
}

#[tokio::test]
async fn a_stalled_handler_stops_its_caller_and_nothing_else() {
    let pair =
        Pair::with(|server| server.limits(small_windows()), |client| client.limits(small_windows())).await;
    let watched = pair.at_client.watched(stream::iter(0..100_000));
    let mut held = Box::pin(send::<HOLD>(&pair.peer, watched));
    assert!(futures_util::poll!(&mut held).is_pending());
    pair.at_server.until(|counts| counts.started == 1).await;
    for _ in 0..50 {
        assert!(futures_util::poll!(&mut held).is_pending());
        pair.lives().await;
    }
    let made = pair.at_client.made();
    assert!((1..=AHEAD).contains(&made), "{made} items were made for a handler that takes none");
    // Other streams go on meanwhile.
    assert_eq!(within(send::<SUM>(&pair.peer, stream::iter(0..1000))).await, Ok(499_500));
    assert_eq!(drain(listen::<COUNT>(&pair.peer, 1000)).await.0.len(), 1000);
    pair.at_server.gate.add_permits(1);
    assert_eq!(within(held).await, Ok(4_999_950_000));
}

#[tokio::test]
async fn a_stalled_caller_stops_its_handler_and_nothing_else() {
    let pair =
        Pair::with(|server| server.limits(small_windows()), |client| client.limits(small_windows())).await;
    let mut stalled = listen::<COUNT>(&pair.peer, 100_000);
    assert_eq!(within(stalled.next()).await, Some(Ok(0)));
    for _ in 0..50 {
        pair.lives().await;
    }
    let made = pair.at_server.made();
    assert!(made <= AHEAD, "{made} items were made for a caller that takes none");
    let (rest, error) = drain(stalled).await;
    assert_eq!((rest.len(), error), (99_999, None));
}

#[tokio::test]
async fn calls_are_answered_beside_streams_that_never_rest() {
    let pair = Pair::new().await;
    let streams: Vec<_> = (0..2)
        .map(|_| {
            let mut texts = endless_texts(&pair.peer, 1000);
            tokio::spawn(async move { while let Some(Ok(_)) = texts.next().await {} })
        })
        .collect();
    // Many times what may wait anywhere.
    while pair.at_server.made() < 10_000 {
        tokio::task::yield_now().await;
    }
    for _ in 0..10 {
        pair.lives().await;
    }
    for stream in streams {
        stream.abort();
    }
    pair.at_server.until(|counts| counts.dropped == 2).await;
}

/// Were streams to fill the output, replies would find no room in it.
#[tokio::test]
async fn streams_to_a_peer_that_does_not_read_leave_room_for_replies() {
    let pair = Pair::new().await;
    let all_it_wants = Limits { stream_window: 1 << 30, ..Limits::default() };
    let mut raw = Raw::connect_with(&pair.path(), all_it_wants).await;
    for id in 1..=40 {
        // More numbers than anybody could send.
        raw.send(frame_with(raw::CALL, (id, 7, COUNT), (0, b""), &[253, 0, 0, 0, 0, 1, 0, 0, 0])).await;
    }
    // Each of these gives every stream a turn.
    for _ in 0..10 {
        pair.lives().await;
    }
    assert!(pair.at_server.made() > 10_000);
    raw.send(raw::frame(raw::CALL, 41, 7, ECHO, &[5])).await;
    loop {
        let reply = raw.next(raw::REPLY).await;
        assert_eq!(reply.detail, raw::OK, "{}", reply.text());
        if reply.id == 41 {
            break;
        }
    }
}

async fn until_free(resources: &Resources) {
    within(async {
        while resources.memory() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// The last items, behind which nothing comes by which it could be noticed.
#[tokio::test]
async fn memory_of_items_is_given_back_when_they_are_taken() {
    let resources = Resources::new(100, 10_000_000);
    let pair = Pair::with(
        |server| server.without_keepalive(),
        |client| client.resources(resources.clone()).without_keepalive(),
    )
    .await;
    let mut items = listen::<COUNT>(&pair.peer, 40_000);
    assert_eq!(within(items.next()).await, Some(Ok(0)));
    within(async {
        while resources.memory() < 100_000 || pair.peer.statistics().calls_in_flight > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(drain(items).await.0.len(), 39_999);
    until_free(&resources).await;
}

#[tokio::test]
async fn memory_of_items_that_nobody_wants_is_given_back() {
    let resources = Resources::new(100, 10_000_000);
    let pair = Pair::with(
        |server| server.without_keepalive(),
        |client| client.resources(resources.clone()).without_keepalive(),
    )
    .await;
    let mut items = listen::<COUNT>(&pair.peer, 40_000);
    assert_eq!(within(items.next()).await, Some(Ok(0)));
    within(async {
        while resources.memory() < 100_000 || pair.peer.statistics().calls_in_flight > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let Pair { server, client, .. } = pair;
    drop(server);
    within(client.closed()).await;
    assert!(resources.memory() >= 100_000, "they can still be taken");
    drop(items);
    until_free(&resources).await;
}
