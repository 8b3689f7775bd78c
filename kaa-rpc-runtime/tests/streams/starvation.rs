//! Fairness: other tasks run beside streams that wait, streams that are always ready, and slow items.

use std::task::Poll;
use std::time::Duration;

use futures_util::{Stream, StreamExt, stream};
use kaa_rpc_runtime::{CallError, Limits};

use kaa_rpc_test_support::numbers::*;
use kaa_rpc_test_support::scripted::{ScriptedPeer, frames};
use kaa_rpc_test_support::sockets::SocketDirectory;
use kaa_rpc_test_support::waiting::*;

/// More than any test sends.
fn wide_window() -> Limits {
    Limits { stream_window: 1 << 30, ..Limits::default() }
}

#[tokio::test]
async fn idle_streams_do_not_hold_output_room() {
    const IDLE: u64 = 500;
    let limits = Limits { max_inbound_calls: 1000, ..Limits::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client).await;
    let mut scripted = scripted_client_with(&pair.socket.path(), wide_window()).await;
    // A text of a million letters that is not read: the streams after it find no room.
    scripted.send(frames::frame(frames::CALL, 1, 7, TEXTS, &[252, 64, 66, 15, 0])).await;
    for _ in 0..3 {
        pair.assert_responds().await;
    }
    for id in 2..2 + IDLE {
        scripted.send(frames::frame(frames::CALL, id, 7, GATED_COUNT, &[0])).await;
    }
    scripted.send(frames::frame(frames::CALL, 2 + IDLE, 7, COUNT, &[5])).await;
    pair.assert_responds().await;
    loop {
        let reply = scripted.next(frames::REPLY).await;
        assert_eq!(reply.detail, frames::OK, "{}", reply.text());
        if reply.id == 2 + IDLE {
            break;
        }
    }
}

/// Endless numbers, which use all of the budget that the runtime gives a task for one poll.
fn busy() -> impl Stream<Item = u64> + Send + 'static {
    stream::unfold(0, async |number| {
        tokio::task::consume_budget().await;
        Some((number, number + 1))
    })
}

#[tokio::test]
async fn busy_producer_does_not_delay_its_deadline() {
    let socket = SocketDirectory::new();
    let listener = socket.listener();
    let client = client_of(&socket);
    let mut scripted = ScriptedPeer::accept_with(&listener, wide_window()).await;
    // The call must not expire before it is sent.
    within("the client to connect", client.ready()).await.unwrap();
    // The peer does not enforce the deadline.
    let cancelled = scripted.next(frames::CANCEL);
    let call = send_stream::<SUM>(&client.peer(), busy()).timeout(Duration::from_millis(20));
    let (_cancel, sum) = tokio::join!(cancelled, within("the result of SUM", call));
    assert!(matches!(sum, Err(CallError::DeadlineExceeded { .. })), "{sum:?}");
}

#[tokio::test]
async fn busy_handler_ends_at_deadline() {
    let pair = Pair::new().await;
    pair.server_state.gate.add_permits(1 << 40);
    let mut scripted = scripted_client_with(&pair.socket.path(), wide_window()).await;
    let time = 20_000_u64.to_le_bytes();
    scripted.send(frames::frame_with(frames::CALL, (1, 7, GATED_COUNT), (1, &time), &[0])).await;
    let reply = scripted.next(frames::REPLY).await;
    assert_eq!(reply.detail, frames::DEADLINE_EXCEEDED);
}

#[tokio::test]
async fn slow_items_are_sent_before_frame_is_full() {
    let pair = Pair::new().await;
    // The sleep stands for work: the task is busy with it.
    let slow = stream::iter(0..).inspect(|_| std::thread::sleep(Duration::from_millis(1)));
    assert_eq!(
        within("the result of FIRST", send_stream::<FIRST>(&pair.peer, pair.client_state.track(slow))).await,
        Ok(0)
    );
    let produced = pair.client_state.produced();
    assert!(produced < 1000, "{produced} items were produced before the first was taken");
}

#[tokio::test]
async fn reader_of_small_items_yields() {
    let pair = Pair::new().await;
    let mut numbers = receive_stream::<COUNT>(&pair.peer, 20_000);
    let (mut taken, mut most) = (0, 0);
    let reading = std::future::poll_fn(|context| {
        let before = taken;
        let progress = loop {
            match numbers.poll_next_unpin(context) {
                Poll::Ready(Some(Ok(_))) => taken += 1,
                Poll::Ready(end) => break Poll::Ready(end),
                Poll::Pending => break Poll::Pending,
            }
        };
        most = most.max(taken - before);
        progress
    });
    let end = within("the end of the stream", reading).await;
    assert!(end.is_none(), "{end:?}");
    assert_eq!(taken, 20_000);
    assert!(most < 2000, "{most} items in one poll");
}
