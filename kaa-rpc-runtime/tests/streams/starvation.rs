//! Nobody is kept from their turn: not by streams that wait, by streams that never rest, or by items that take long.

use std::task::Poll;
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use kaa_rpc_runtime::{CallError, Limits};
use tokio::net::UnixListener;

use crate::support::raw::{self, Raw};
use crate::support::*;

/// More than any test sends.
fn wide_window() -> Limits {
    Limits { stream_window: 1 << 30, ..Limits::default() }
}

#[tokio::test]
async fn streams_with_nothing_to_send_do_not_keep_room_from_those_behind_them() {
    const IDLE: u64 = 500;
    let limits = Limits { max_inbound_calls: 1000, ..Limits::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client).await;
    let mut raw = Raw::connect_with(&pair.path(), wide_window()).await;
    // A text of a million letters, which nobody reads: whoever comes behind it finds no room.
    raw.send(raw::frame(raw::CALL, 1, 7, TEXTS, &[252, 64, 66, 15, 0])).await;
    for _ in 0..3 {
        pair.lives().await;
    }
    for id in 2..2 + IDLE {
        raw.send(raw::frame(raw::CALL, id, 7, TRICKLE, &[0])).await;
    }
    raw.send(raw::frame(raw::CALL, 2 + IDLE, 7, COUNT, &[5])).await;
    pair.lives().await;
    loop {
        let reply = raw.next(raw::REPLY).await;
        assert_eq!(reply.detail, raw::OK, "{}", reply.text());
        if reply.id == 2 + IDLE {
            break;
        }
    }
}

/// Numbers for ever, at the cost of all the time that the runtime gives a task in one go.
fn greedy() -> impl Stream<Item = u64> + Send + 'static {
    stream::unfold(0, async |number| {
        tokio::task::consume_budget().await;
        Some((number, number + 1))
    })
}

#[tokio::test]
async fn a_producer_that_never_rests_leaves_its_calls_timer_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let client = client_builder(&World::new()).connect(format!("unix:{}", path.display()).as_str()).unwrap();
    let peer = async {
        let mut raw = Raw::accept_with(&listener, wide_window()).await;
        // It does not look at the time that the call has.
        raw.next(raw::CANCEL).await;
        raw
    };
    let call = send::<SUM>(&client.peer(), greedy()).timeout(Duration::from_millis(20));
    let (_raw, sum) = tokio::join!(peer, within(call));
    assert!(matches!(sum, Err(CallError::DeadlineExceeded { .. })), "{sum:?}");
}

#[tokio::test]
async fn a_handler_that_never_rests_ends_in_time() {
    let pair = Pair::new().await;
    pair.at_server.gate.add_permits(1 << 40);
    let mut raw = Raw::connect_with(&pair.path(), wide_window()).await;
    let time = 20_000_u64.to_le_bytes();
    raw.send(raw::frame_with(raw::CALL, (1, 7, TRICKLE), (1, &time), &[0])).await;
    let reply = within(raw.next(raw::REPLY)).await;
    assert_eq!(reply.detail, raw::DEADLINE_EXCEEDED);
}

#[tokio::test]
async fn items_that_take_long_do_not_wait_for_others_to_fill_a_frame() {
    let pair = Pair::new().await;
    // Work, not waiting: the task is busy with it.
    let slow = stream::iter(0..).inspect(|_| std::thread::sleep(Duration::from_millis(1)));
    assert_eq!(within(send::<FIRST>(&pair.peer, pair.at_client.watched(slow))).await, Ok(0));
    let made = pair.at_client.made();
    assert!(made < 1000, "{made} items were made before the first was taken");
}

#[tokio::test]
async fn a_reader_of_small_items_gives_others_their_turn() {
    let pair = Pair::new().await;
    let mut numbers = listen::<COUNT>(&pair.peer, 20_000);
    let (mut taken, mut most) = (0, 0);
    within(std::future::poll_fn(|context| {
        let before = taken;
        let over = loop {
            match numbers.poll_next_unpin(context) {
                Poll::Ready(Some(Ok(_))) => taken += 1,
                Poll::Ready(end) => break Poll::Ready(end),
                Poll::Pending => break Poll::Pending,
            }
        };
        most = most.max(taken - before);
        over
    }))
    .await;
    assert_eq!(taken, 20_000);
    assert!(most < 2000, "{most} items in one turn");
}
