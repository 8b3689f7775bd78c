//! Limits: messages that are too large, too many or too slow are refused early, and cost a bounded amount.

use kaa_rpc_test_support::assert_matches;
use std::ops::RangeInclusive;
use std::time::Duration;

use kaa_rpc_runtime::{CallError, CloseReason, Limits, MessageKind, Outcome, ServerBuilder};

use kaa_rpc_test_support::scripted::{ScriptedPeer, frames};
use kaa_rpc_test_support::sockets::SocketDirectory;
use kaa_rpc_test_support::texts::*;
use kaa_rpc_test_support::waiting::*;

fn small_frames() -> Limits {
    Limits { max_frame: 64 * 1024, ..Limits::default() }
}

fn calls_at_once(max_inbound_calls: u32) -> Limits {
    Limits { max_inbound_calls, ..Limits::default() }
}

#[tokio::test]
async fn oversized_call_fails_with_size_and_limit() {
    let pair = Pair::with(|server| server.limits(small_frames()), |client| client).await;
    let error =
        within("the reply to ECHO", call_method::<ECHO>(&pair.peer, "x".repeat(100_000))).await.unwrap_err();
    assert!(
        matches!(
            error,
            CallError::TooLarge { what: MessageKind::Call, size: 65_000.., limit: 60_000..=65_536 }
        ),
        "{error:?}"
    );
    assert_eq!(error.outcome(), Outcome::NotSent);
    pair.assert_responds().await;
}

/// Before the peer's limit is known, the queue accepts the call. It fails later, and no other call fails with
/// it.
#[tokio::test]
async fn oversized_queued_call_fails_alone() {
    let socket = SocketDirectory::new();
    let listener = socket.listener();
    let client = client_of(&socket);
    let peer = client.peer();
    let mut large = call_method::<ECHO>(&peer, "x".repeat(100_000)).timeout(Duration::from_secs(60));
    let mut small = call_method::<ECHO>(&peer, "small");
    start(&mut large).await;
    let mut note = call_oneway::<NOTE>(&peer, "x".repeat(100_000));
    assert!(poll_once(&mut note).await.is_ready(), "the queue does not accept the oneway call");
    start(&mut small).await;
    let mut scripted = ScriptedPeer::accept_with(&listener, small_frames()).await;
    let error = within("the call `large`", large).await.unwrap_err();
    assert!(
        matches!(error, CallError::TooLarge { what: MessageKind::Call, size: 100_000.., limit: 65_536 }),
        "{error:?}"
    );
    let made = scripted.receive().await.unwrap();
    assert_eq!((made.kind, made.payload.clone()), (frames::CALL, frames::text("small")));
    scripted.reply(&made, "small").await;
    assert_eq!(within("the call `small`", small).await, Ok("small".to_owned()));
}

#[tokio::test]
async fn oversized_reply_fails_its_call() {
    let pair = Pair::with(|server| server, |client| client.limits(small_frames())).await;
    let error = within("the reply to LARGE", call_method::<LARGE>(&pair.peer, "100000")).await.unwrap_err();
    assert!(
        matches!(
            error,
            CallError::TooLarge { what: MessageKind::Reply, size: 65_000.., limit: 60_000..=65_536 }
        ),
        "{error:?}"
    );
    pair.assert_responds().await;
}

#[tokio::test]
async fn calls_over_limit_are_not_run() {
    let (_server, state, socket) = server_with(|server| server.limits(calls_at_once(4))).await;
    let mut peer = scripted_client(&socket.path()).await;
    for id in 1..=6 {
        peer.send(frames::call(id, WAIT, "")).await;
    }
    for id in 5..=6 {
        let reply = peer.next(frames::REPLY).await;
        assert_eq!((reply.id, reply.detail), (id, frames::RESOURCE_EXHAUSTED));
    }
    assert_eq!(state.counts().started, 4);
    state.gate.add_permits(4);
    for _ in 1..=4 {
        assert_eq!(peer.next(frames::REPLY).await.detail, frames::OK);
    }
    peer.send(frames::call(7, ECHO, "")).await;
    assert_eq!(peer.next(frames::REPLY).await.detail, frames::OK);
}

#[tokio::test]
async fn call_flood_ends_connection() {
    let (_server, state, socket) = server_with(|server| server.limits(calls_at_once(4))).await;
    let mut peer = scripted_client(&socket.path()).await;
    let flood: Vec<u8> = (1..=200).flat_map(|id| frames::call(id, WAIT, "")).collect();
    peer.send(flood).await;
    let message = peer.closing_message().await;
    assert!(message.contains("ignores the limit on calls in flight"), "{message}");
    state.until_dropped(4).await;
    assert_eq!(state.counts().started, 4);
}

#[tokio::test]
async fn oneway_flood_ends_connection() {
    let limits = Limits { oneway_window: 4, ..Limits::default() };
    let (_server, state, socket) = server_with(|server| server.limits(limits)).await;
    let mut peer = scripted_client(&socket.path()).await;
    for id in 1..=5 {
        peer.send(frames::frame(frames::ONEWAY, id, 0, GATED_NOTE, &frames::text(""))).await;
    }
    let message = peer.closing_message().await;
    assert!(message.contains("ignores the limit on oneway calls"), "{message}");
    state.until_dropped(4).await;
}

/// Nested calls bypass the limit on calls, but they have their own limit.
#[tokio::test]
async fn nested_call_flood_ends_connection() {
    let (server, state, socket) = server_with(|server| server.limits(calls_at_once(1))).await;
    let mut peer = scripted_client(&socket.path()).await;
    let server_side = within("the server to have a peer", server.peers().next()).await.unwrap();
    let mut parent = call_method::<ECHO>(&server_side, "");
    start(&mut parent).await;
    let parent_call = peer.next(frames::CALL).await;
    let flood: Vec<u8> = (1..=1100)
        .flat_map(|id| frames::nested_call(id, WAIT, "", (parent_call.id, parent_call.token), 1))
        .collect();
    // The server may close the connection before it has read everything.
    let _sent = peer.try_send(flood).await;
    let message = peer.closing_message().await;
    assert!(message.contains("ignores the limit on calls in flight"), "{message}");
    assert!(state.counts().started <= 1025, "{:?}", state.counts());
    let started = state.counts().started;
    state.until_dropped(started).await;
}

/// A peer that does not read receives refusals instead of replies once the output is full.
#[tokio::test(flavor = "multi_thread")]
async fn output_budget_bounds_replies() {
    // The budget of 8 MiB, the reply that exceeds it, and the buffers of the sockets.
    check_replies_are_bounded(|server| server, 8..=10).await;
    check_replies_are_bounded(|server| server.output_budget(2 << 20), 2..=4).await;
    check_replies_are_bounded(|server| server.output_budget(0), 1..=2).await;
}

async fn check_replies_are_bounded(
    settings: impl FnOnce(ServerBuilder) -> ServerBuilder,
    expected: RangeInclusive<i32>,
) {
    let (_server, state, socket) = server_with(settings).await;
    let mut peer = scripted_client(&socket.path()).await;
    for id in 1..=100 {
        peer.send(frames::call(id, LARGE, &(1 << 20).to_string())).await;
    }
    // All calls are answered before the peer reads.
    peer.send(frames::call(101, RECORD, "answered")).await;
    state.until_recorded(1).await;
    let mut accepted = 0;
    let mut refused = 0;
    for _ in 1..=101 {
        let reply = peer.next(frames::REPLY).await;
        match reply.detail {
            frames::OK => accepted += 1,
            frames::RESOURCE_EXHAUSTED => refused += 1,
            other => panic!("status {other}"),
        }
    }
    assert!(expected.contains(&accepted), "{accepted} replies, {refused} refusals");
    peer.send(frames::call(102, ECHO, "next")).await;
    assert_eq!(peer.next(frames::REPLY).await.detail, frames::OK);
}

/// The slot of a cancelled call is free when its handler has ended, not before.
#[tokio::test]
async fn cancelled_handler_keeps_slot_until_it_ends() {
    let (_server, state, socket) = server_with(|server| server.limits(calls_at_once(1))).await;
    let mut peer = scripted_client(&socket.path()).await;
    peer.send(frames::call(1, IGNORE_CANCEL, "")).await;
    state.until_started(1).await;
    peer.send([frames::cancel(1), frames::call(2, ECHO, "")].concat()).await;
    let reply = peer.next(frames::REPLY).await;
    assert_eq!((reply.id, reply.detail), (2, frames::RESOURCE_EXHAUSTED));
}

#[tokio::test]
async fn cancel_flood_ends_connection() {
    let (_server, state, socket) = server_with(|server| server).await;
    let mut peer = scripted_client(&socket.path()).await;
    // A gap in the ids allows no additional cancels.
    peer.send(frames::call(1 << 40, WAIT, "")).await;
    state.until_started(1).await;
    peer.send([frames::cancel(1 << 40), frames::cancel(1 << 40)].concat()).await;
    let message = peer.closing_message().await;
    assert!(message.contains("ignores the limit on cancels"), "{message}");
}

#[tokio::test]
async fn ping_flood_ends_connection_of_peer_that_does_not_read() {
    let (_server, _state, socket) = server_with(|server| server).await;
    let mut peer = scripted_client(&socket.path()).await;
    let pings: Vec<u8> =
        (0..1000).flat_map(|number| frames::frame(frames::PING, 0, 0, number, b"")).collect();
    peer.send(pings).await;
    for number in 0..1000 {
        assert_eq!(peer.next(frames::PONG).await.detail, number);
    }
    let mut sent = 0_usize;
    let flood = frames::frame(frames::PING, 0, 0, 0, b"").repeat(10_000);
    while peer.try_send(&flood).await.is_ok() {
        sent += flood.len();
        assert!(sent < 64 << 20, "{sent} bytes of pings were accepted");
    }
}

#[tokio::test]
async fn incomplete_frame_stalls_peer() {
    let (server, _state, socket) =
        server_with(|server| server.stall_timeout(Duration::from_millis(200))).await;
    let mut events = server.events();
    let mut peer = scripted_client(&socket.path()).await;
    peer.send(&frames::call(1, ECHO, "incomplete")[..30]).await;
    assert_eq!(close_reason(&mut events).await, CloseReason::PeerStalled);
    assert_matches!(peer.receive().await, None);
}

/// Frames that this side sends meanwhile do not count as progress of the incomplete frame.
#[tokio::test]
async fn output_does_not_extend_incomplete_frame() {
    let (server, _state, socket) =
        server_with(|server| server.stall_timeout(Duration::from_millis(200))).await;
    let mut events = server.events();
    let mut peer = scripted_client(&socket.path()).await;
    let server_side = within("the server to have a peer", server.peers().next()).await.unwrap();
    peer.send(&frames::call(1, ECHO, "incomplete")[..30]).await;
    let calling = tokio::spawn(async move {
        // The calls are never answered. They end with the connection.
        while let Err(CallError::DeadlineExceeded { .. }) =
            call_method::<ECHO>(&server_side, "while the frame is incomplete")
                .timeout(Duration::from_millis(20))
                .await
        {}
    });
    let reading = tokio::spawn(async move { while peer.receive().await.is_some() {} });
    assert_eq!(close_reason(&mut events).await, CloseReason::PeerStalled);
    within("the reader to end", reading).await.unwrap();
    within("the caller to end", calling).await.unwrap();
}

/// Frames that the peer sends meanwhile do not count as progress of the output that it does not read.
#[tokio::test]
async fn input_does_not_extend_unread_output() {
    let (server, _state, socket) =
        server_with(|server| server.stall_timeout(Duration::from_millis(300))).await;
    let mut events = server.events();
    let mut peer = scripted_client(&socket.path()).await;
    for id in 1..=3 {
        peer.send(frames::call(id, LARGE, &(2 << 20).to_string())).await;
    }
    let sending = tokio::spawn(async move {
        while peer.try_send(frames::frame(frames::PONG, 0, 0, 0, b"")).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert_eq!(close_reason(&mut events).await, CloseReason::PeerStalled);
    within("the sender to end", sending).await.unwrap();
}

/// A frame that arrives slowly is accepted.
#[tokio::test]
async fn frame_in_single_bytes_arrives() {
    let (_server, _state, socket) = server_with(|server| server).await;
    let mut peer = scripted_client(&socket.path()).await;
    for byte in frames::call(1, ECHO, "byte by byte") {
        peer.send([byte]).await;
    }
    assert_eq!(peer.next(frames::REPLY).await.payload, frames::text("byte by byte"));
}

#[tokio::test]
async fn remaining_time_is_clamped_to_30_days() {
    let (_server, state, socket) = server_with(|server| server).await;
    let mut peer = scripted_client(&socket.path()).await;
    peer.send(frames::call_within(1, REMAINING, "", u64::MAX)).await;
    assert_eq!(peer.next(frames::REPLY).await.payload, frames::text(&(30 * 24 * 3600 - 1).to_string()));
    peer.send(frames::call_within(2, WAIT, "waited", u64::MAX)).await;
    state.until_started(1).await;
    state.gate.add_permits(1);
    assert_eq!(peer.next(frames::REPLY).await.payload, frames::text("waited"));
}

#[tokio::test]
async fn maximal_timeout_is_no_timeout() {
    let pair = Pair::new().await;
    let answer =
        within("the reply to ECHO", call_method::<ECHO>(&pair.peer, "patient").timeout(Duration::MAX)).await;
    assert_eq!(answer, Ok("patient".to_owned()));
}

#[tokio::test]
async fn connection_limit_rejects_clients_as_busy() {
    let pair = Pair::with(|server| server.max_connections(1), |client| client).await;
    let second = client_of(&pair.socket);
    let error = within("the client to connect or fail", second.ready()).await.unwrap_err();
    assert!(matches!(error, kaa_rpc_runtime::ConnectError::Busy { retry_after: Some(_) }), "{error:?}");
    pair.assert_responds().await;
}
