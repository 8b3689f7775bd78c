//! Limits: what is too large, too many, too slow or too much at once is refused where it is, and costs a bounded amount.

use std::ops::RangeInclusive;
use std::time::Duration;

use kaa_rpc_runtime::{CallError, CloseReason, Limits, MessageKind, Outcome, ServerBuilder, ServerEvent};
use tokio::net::UnixListener;

use crate::support::raw::{self, Raw};
use crate::support::*;

fn small_frames() -> Limits {
    Limits { max_frame: 64 * 1024, ..Limits::default() }
}

fn calls_at_once(max_inbound_calls: u32) -> Limits {
    Limits { max_inbound_calls, ..Limits::default() }
}

/// Why the server's next connection to end has ended.
pub(crate) async fn why_closed(events: &mut kaa_rpc_runtime::Events<ServerEvent>) -> CloseReason {
    loop {
        if let ServerEvent::Disconnected { reason, .. } = within(events.next()).await.unwrap() {
            return reason;
        }
    }
}

#[tokio::test]
async fn an_outgoing_call_too_large_fails_here_with_size_and_limit() {
    let pair = Pair::with(|server| server.limits(small_frames()), |client| client).await;
    let error = within(ask::<ECHO>(&pair.peer, "x".repeat(100_000))).await.unwrap_err();
    assert!(
        matches!(
            error,
            CallError::TooLarge { what: MessageKind::Call, size: 65_000.., limit: 60_000..=65_536 }
        ),
        "{error:?}"
    );
    assert_eq!(error.outcome(), Outcome::NotSent);
    pair.lives().await;
}

/// Before the peer's limit is known a call is taken; it fails all the same, and nobody else with it.
#[tokio::test]
async fn a_queued_call_too_large_for_the_peer_fails_here() {
    let place = Place::new();
    let listener = UnixListener::bind(place.path()).unwrap();
    let client = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    let peer = client.peer();
    let mut large = ask::<ECHO>(&peer, "x".repeat(100_000)).timeout(Duration::from_secs(60));
    let mut small = ask::<ECHO>(&peer, "small");
    assert!(poll_once(&mut large).await.is_pending());
    let mut note = tell::<NOTE>(&peer, "x".repeat(100_000));
    assert!(poll_once(&mut note).await.is_ready());
    assert!(poll_once(&mut small).await.is_pending());
    let mut raw = Raw::accept_with(&listener, small_frames()).await;
    let error = within(large).await.unwrap_err();
    assert!(
        matches!(error, CallError::TooLarge { what: MessageKind::Call, size: 100_000.., limit: 65_536 }),
        "{error:?}"
    );
    let made = raw.receive().await.unwrap();
    assert_eq!((made.kind, made.payload.clone()), (raw::CALL, raw::text("small")));
    raw.reply(&made, "small").await;
    assert_eq!(within(small).await, Ok("small".to_owned()));
}

#[tokio::test]
async fn a_reply_too_large_is_an_error_for_its_caller() {
    let pair = Pair::with(|server| server, |client| client.limits(small_frames())).await;
    let error = within(ask::<BIG>(&pair.peer, "100000")).await.unwrap_err();
    assert!(
        matches!(
            error,
            CallError::TooLarge { what: MessageKind::Reply, size: 65_000.., limit: 60_000..=65_536 }
        ),
        "{error:?}"
    );
    pair.lives().await;
}

#[tokio::test]
async fn calls_over_the_limit_are_answered_and_not_run() {
    let (_server, world, place) = server_with(|server| server.limits(calls_at_once(4))).await;
    let mut peer = Raw::connect(&place.path()).await;
    for id in 1..=6 {
        peer.send(raw::call(id, WAIT, "")).await;
    }
    for id in 5..=6 {
        let reply = peer.next(raw::REPLY).await;
        assert_eq!((reply.id, reply.detail), (id, raw::EXHAUSTED));
    }
    assert_eq!(world.counts().started, 4);
    world.gate.add_permits(4);
    for _ in 1..=4 {
        assert_eq!(peer.next(raw::REPLY).await.detail, raw::OK);
    }
    peer.send(raw::call(7, ECHO, "")).await;
    assert_eq!(peer.next(raw::REPLY).await.detail, raw::OK);
}

#[tokio::test]
async fn a_flood_of_calls_ends_the_connection() {
    let (_server, world, place) = server_with(|server| server.limits(calls_at_once(4))).await;
    let mut peer = Raw::connect(&place.path()).await;
    let flood: Vec<u8> = (1..=200).flat_map(|id| raw::call(id, WAIT, "")).collect();
    peer.send(flood).await;
    assert!(peer.last_word().await.contains("ignores the limit on calls in flight"));
    world.until(|counts| counts.dropped == 4).await;
    assert_eq!(world.counts().started, 4);
}

#[tokio::test]
async fn a_flood_of_oneway_calls_ends_the_connection() {
    let limits = Limits { oneway_window: 4, ..Limits::default() };
    let (_server, world, place) = server_with(|server| server.limits(limits)).await;
    let mut peer = Raw::connect(&place.path()).await;
    for id in 1..=5 {
        peer.send(raw::frame(raw::ONEWAY, id, 0, SLOW_NOTE, &raw::text(""))).await;
    }
    assert!(peer.last_word().await.contains("ignores the limit on oneway calls"));
    world.until(|counts| counts.dropped == 4).await;
}

/// Nested calls pass the limit on calls, but not without end.
#[tokio::test]
async fn a_flood_of_nested_calls_is_refused() {
    let (server, world, place) = server_with(|server| server.limits(calls_at_once(1))).await;
    let mut peer = Raw::connect(&place.path()).await;
    let to = within(server.peers().next()).await.unwrap();
    let mut parent = ask::<ECHO>(&to, "");
    assert!(poll_once(&mut parent).await.is_pending());
    let parent_call = peer.next(raw::CALL).await;
    let flood: Vec<u8> = (1..=1100)
        .flat_map(|id| raw::nested_call(id, WAIT, "", (parent_call.id, parent_call.token), 1))
        .collect();
    // It may be cut off before it has said it all.
    let _cut = peer.try_send(flood).await;
    assert!(peer.last_word().await.contains("ignores the limit on calls in flight"));
    assert!(world.counts().started <= 1025, "{:?}", world.counts());
    world.until(|counts| counts.dropped == counts.started).await;
}

/// A peer that does not read gets refusals in the place of replies, once so much waits for it.
#[tokio::test(flavor = "multi_thread")]
async fn replies_do_not_pile_up() {
    // The budget of 8 MiB, the reply that exceeds it, and what the sockets hold.
    check_replies_pile_up_to(|server| server, 8..=10).await;
    check_replies_pile_up_to(|server| server.output_budget(2 << 20), 2..=4).await;
    check_replies_pile_up_to(|server| server.output_budget(0), 1..=2).await;
}

async fn check_replies_pile_up_to(
    settings: impl FnOnce(ServerBuilder) -> ServerBuilder,
    expected: RangeInclusive<i32>,
) {
    let (_server, world, place) = server_with(settings).await;
    let mut peer = Raw::connect(&place.path()).await;
    for id in 1..=100 {
        peer.send(raw::call(id, BIG, &(1 << 20).to_string())).await;
    }
    // Everything is answered before anything is read.
    peer.send(raw::call(101, RECORD, "answered")).await;
    world.until_recorded(1).await;
    let mut taken = 0;
    let mut refused = 0;
    for _ in 1..=101 {
        let reply = peer.next(raw::REPLY).await;
        match reply.detail {
            raw::OK => taken += 1,
            raw::EXHAUSTED => refused += 1,
            other => panic!("status {other}"),
        }
    }
    assert!(expected.contains(&taken), "{taken} replies, {refused} refusals");
    peer.send(raw::call(102, ECHO, "and on")).await;
    assert_eq!(peer.next(raw::REPLY).await.detail, raw::OK);
}

/// The place of a cancelled call is free when its handler has ended, not before.
#[tokio::test]
async fn a_cancelled_handler_keeps_its_place_until_it_ends() {
    let (_server, world, place) = server_with(|server| server.limits(calls_at_once(1))).await;
    let mut peer = Raw::connect(&place.path()).await;
    peer.send(raw::call(1, STUBBORN, "")).await;
    world.until(|counts| counts.started == 1).await;
    peer.send([raw::cancel(1), raw::call(2, ECHO, "")].concat()).await;
    let reply = peer.next(raw::REPLY).await;
    assert_eq!((reply.id, reply.detail), (2, raw::EXHAUSTED));
}

#[tokio::test]
async fn a_flood_of_cancels_ends_the_connection() {
    let (_server, world, place) = server_with(|server| server).await;
    let mut peer = Raw::connect(&place.path()).await;
    // A gap in the ids is no allowance.
    peer.send(raw::call(1 << 40, WAIT, "")).await;
    world.until(|counts| counts.started == 1).await;
    peer.send([raw::cancel(1 << 40), raw::cancel(1 << 40)].concat()).await;
    assert!(peer.last_word().await.contains("ignores the limit on cancels"));
}

#[tokio::test]
async fn pings_are_answered_and_those_of_a_peer_that_does_not_read_end_its_connection() {
    let (_server, _world, place) = server_with(|server| server).await;
    let mut peer = Raw::connect(&place.path()).await;
    let pings: Vec<u8> = (0..1000).flat_map(|number| raw::frame(raw::PING, 0, 0, number, b"")).collect();
    peer.send(pings).await;
    for number in 0..1000 {
        assert_eq!(peer.next(raw::PONG).await.detail, number);
    }
    let mut sent = 0_usize;
    let flood = raw::frame(raw::PING, 0, 0, 0, b"").repeat(10_000);
    while peer.try_send(&flood).await.is_ok() {
        sent += flood.len();
        assert!(sent < 64 << 20, "{sent} bytes of pings were taken");
    }
}

#[tokio::test]
async fn a_slow_sender_is_cut_off() {
    let (server, _world, place) =
        server_with(|server| server.stall_timeout(Duration::from_millis(200))).await;
    let mut events = server.events();
    let mut peer = Raw::connect(&place.path()).await;
    peer.send(&raw::call(1, ECHO, "half of it")[..30]).await;
    assert_eq!(why_closed(&mut events).await, CloseReason::PeerStalled);
    assert!(peer.receive().await.is_none());
}

/// What this side sends meanwhile is no progress of the frame.
#[tokio::test]
async fn reading_buys_no_time_for_a_frame_left_unfinished() {
    let (server, _world, place) =
        server_with(|server| server.stall_timeout(Duration::from_millis(200))).await;
    let mut events = server.events();
    let mut peer = Raw::connect(&place.path()).await;
    let to = within(server.peers().next()).await.unwrap();
    peer.send(&raw::call(1, ECHO, "half of it")[..30]).await;
    let talk = tokio::spawn(async move {
        // Never answered, until there is no connection.
        while let Err(CallError::DeadlineExceeded { .. }) =
            ask::<ECHO>(&to, "news").timeout(Duration::from_millis(20)).await
        {}
    });
    let read = tokio::spawn(async move { while peer.receive().await.is_some() {} });
    assert_eq!(why_closed(&mut events).await, CloseReason::PeerStalled);
    within(read).await.unwrap();
    within(talk).await.unwrap();
}

/// What the peer sends meanwhile is no progress of the output that it does not read.
#[tokio::test]
async fn sending_buys_no_time_for_output_left_unread() {
    let (server, _world, place) =
        server_with(|server| server.stall_timeout(Duration::from_millis(300))).await;
    let mut events = server.events();
    let mut peer = Raw::connect(&place.path()).await;
    for id in 1..=3 {
        peer.send(raw::call(id, BIG, &(2 << 20).to_string())).await;
    }
    let ping = tokio::spawn(async move {
        while peer.try_send(raw::frame(raw::PONG, 0, 0, 0, b"")).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert_eq!(why_closed(&mut events).await, CloseReason::PeerStalled);
    within(ping).await.unwrap();
}

/// A frame that comes slowly but comes is taken.
#[tokio::test]
async fn a_frame_in_single_bytes_arrives() {
    let (_server, _world, place) = server_with(|server| server).await;
    let mut peer = Raw::connect(&place.path()).await;
    for byte in raw::call(1, ECHO, "byte by byte") {
        peer.send([byte]).await;
    }
    assert_eq!(peer.next(raw::REPLY).await.payload, raw::text("byte by byte"));
}

#[tokio::test]
async fn a_deadline_absurdly_far_is_clamped() {
    let (_server, world, place) = server_with(|server| server).await;
    let mut peer = Raw::connect(&place.path()).await;
    peer.send(raw::call_within(1, REMAINING, "", u64::MAX)).await;
    assert_eq!(peer.next(raw::REPLY).await.payload, raw::text(&(30 * 24 * 3600 - 1).to_string()));
    peer.send(raw::call_within(2, WAIT, "waited", u64::MAX)).await;
    world.until(|counts| counts.started == 1).await;
    world.gate.add_permits(1);
    assert_eq!(peer.next(raw::REPLY).await.payload, raw::text("waited"));
}

#[tokio::test]
async fn a_timeout_absurdly_long_is_none() {
    let pair = Pair::new().await;
    let answer = within(ask::<ECHO>(&pair.peer, "patient").timeout(Duration::MAX)).await;
    assert_eq!(answer, Ok("patient".to_owned()));
}

#[tokio::test]
async fn further_clients_are_told_that_the_server_is_busy() {
    let pair = Pair::with(|server| server.max_connections(1), |client| client).await;
    let second = client_builder(&World::new()).connect(pair.place.address().as_str()).unwrap();
    let error = within(second.ready()).await.unwrap_err();
    assert!(matches!(error, kaa_rpc_runtime::ConnectError::Busy { retry_after: Some(_) }), "{error:?}");
    pair.lives().await;
}
