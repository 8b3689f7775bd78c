//! Peers that have the secret and break the protocol, and handlers that break: each ends what it must and no more.

use std::time::Duration;

use kaa_rpc_runtime::codegen::Service;
use kaa_rpc_runtime::{CallError, CloseReason, Outcome};
use tokio::net::UnixListener;

use crate::limits::why_closed;
use crate::support::raw::{self, Raw};
use crate::support::*;

#[tokio::test]
async fn a_handlers_panic_is_a_fault_without_its_payload() {
    let pair = Pair::new().await;
    let error = within(ask::<PANIC>(&pair.peer, "where the money is")).await.unwrap_err();
    assert_eq!(error, CallError::Fault("the handler panicked".to_owned()));
    within(tell::<PANIC_NOTE>(&pair.peer, "")).await.unwrap();
    pair.lives().await;
}

#[tokio::test]
async fn a_reply_whose_encoder_panics_is_a_fault() {
    let pair = Pair::new().await;
    let error = within(ask::<EXPLODE>(&pair.peer, "")).await.unwrap_err();
    assert_eq!(error, CallError::Fault("the handler panicked".to_owned()));
    pair.lives().await;
}

#[tokio::test]
async fn a_factory_that_panics_costs_its_service_only() {
    let place = Place::new();
    let world = World::new();
    let server = kaa_rpc_runtime::Server::builder()
        .secret(secret())
        .register(Service::per_connection::<ClientProxy, _>(
            &DESCRIPTOR,
            |_| -> std::sync::Arc<World> { panic!("a factory's panic, as the test wants it") },
            |_, call| call.unknown_method(),
        ))
        .listen(place.address().as_str())
        .await
        .unwrap();
    let client = client_builder(&world).connect(place.address().as_str()).unwrap();
    let error = within(ask::<ECHO>(&client.peer(), "")).await.unwrap_err();
    assert!(matches!(error, CallError::UnknownMethod { .. }), "{error:?}");
    let back = within(server.peers().next()).await.unwrap();
    lives(&back).await;
}

/// What ends a connection, and what is said about it in the Goodbye and at this side.
#[tokio::test]
async fn violations_end_the_connection_and_say_why() {
    let unissued = raw::frame(raw::REPLY, 9, 0, raw::OK, b"");
    let cases: Vec<(Vec<u8>, &str)> = vec![
        ([raw::call(5, ECHO, ""), raw::call(5, ECHO, "")].concat(), "reused call id 5"),
        ([raw::call(5, ECHO, ""), raw::call(4, ECHO, "")].concat(), "reused call id 4"),
        (unissued, "answered call 9, which was never made"),
        (raw::frame(raw::REPLY, 1, 0, 77, b""), "Reply"),
        (raw::cancel(1), "Cancel"),
        (raw::frame(99, 1, 0, 0, b""), "unknown kind 99"),
        (raw::frame_with(raw::CALL, (1, 0, ECHO), (0x80, b""), b""), "unknown flags 0x80"),
        (raw::frame_with(raw::CALL, (1, 0, ECHO), (1, b"1234567"), b""), "malformed options"),
        (raw::nested_call(1, ECHO, "", (1, 1), 0), "malformed options"),
        (vec![23, 0, 0, 0], "23 bytes, smaller than its header"),
        ((5_u32 << 20).to_le_bytes().to_vec(), "over the limit of 4194304"),
        (raw::frame(raw::ONEWAY_CREDIT, 0, 0, 1, b""), "OnewayCredit"),
        (raw::frame(raw::ONEWAY_CREDIT, 0, 0, u32::MAX, b""), "OnewayCredit"),
        (raw::frame(5, 1, 0, 0, b""), "stream"),
        (raw::frame(raw::GOODBYE, 0, 0, 0, &[b'x'; 2000]), "Goodbye"),
        (raw::goodbye().repeat(9), "Goodbye"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(), "over the limit of 4194304"),
    ];
    let (server, _world, place) = server_with(|server| server).await;
    let mut events = server.events();
    let honest = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    for (bytes, expected) in cases {
        let mut peer = Raw::connect(&place.path()).await;
        peer.send(&bytes).await;
        let said = peer.last_word().await;
        assert!(said.contains(expected), "{expected:?} is not in {said:?}");
        let reason = why_closed(&mut events).await;
        assert!(matches!(&reason, CloseReason::Protocol(error) if error.to_string() == said), "{reason:?}");
        lives(&honest.peer()).await;
    }
}

/// What came before the violation was answered, and the answer is not lost.
#[tokio::test]
async fn calls_before_a_violation_are_answered() {
    let (_server, _world, place) = server_with(|server| server).await;
    let mut peer = Raw::connect(&place.path()).await;
    peer.send([raw::call(1, ECHO, "before"), raw::frame(99, 2, 0, 0, b"")].concat()).await;
    assert_eq!(peer.next(raw::REPLY).await.payload, raw::text("before"));
    assert!(peer.last_word().await.contains("unknown kind 99"));
}

/// The client of a server that violates the protocol is told, and told why.
#[tokio::test]
async fn a_violating_server_is_told_of_at_the_client() {
    let place = Place::new();
    let listener = UnixListener::bind(place.path()).unwrap();
    let client = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    let mut raw = Raw::accept(&listener).await;
    let mut call = ask::<ECHO>(&client.peer(), "");
    assert!(poll_once(&mut call).await.is_pending());
    raw.next(raw::CALL).await;
    raw.send(raw::frame(99, 1, 0, 0, b"")).await;
    assert_eq!(lost(within(call).await), Outcome::Unknown);
    assert!(matches!(within(client.closed()).await, CloseReason::Protocol(_)));
}

/// The reason in a Goodbye is not lost to a write that fails before it is read.
#[tokio::test]
async fn the_peers_last_word_is_heard_amid_a_large_write() {
    let place = Place::new();
    let listener = UnixListener::bind(place.path()).unwrap();
    let client = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    let mut raw = Raw::accept(&listener).await;
    let peer = client.peer();
    let mut calls: Vec<_> = (0..4).map(|_| ask::<ECHO>(&peer, "x".repeat(1 << 20))).collect();
    for call in &mut calls {
        assert!(poll_once(call).await.is_pending());
    }
    // The driver runs and meets a full socket while this side reads the beginning.
    raw.next(raw::CALL).await;
    // A flood of frames stands before the reason, more than one read takes.
    let chatter = raw::frame(raw::PONG, 0, 0, 0, b"").repeat(4_000);
    raw.send([chatter, raw::frame(raw::GOODBYE, 0, 1, 1, b"enough of you")].concat()).await;
    drop(raw);
    let reason = within(client.closed()).await;
    assert_eq!(reason, CloseReason::ClosedByPeer { message: "enough of you".to_owned() });
}

#[tokio::test]
async fn a_reply_for_a_call_given_up_is_ignored() {
    let place = Place::new();
    let listener = UnixListener::bind(place.path()).unwrap();
    let client = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    let mut raw = Raw::accept(&listener).await;
    let peer = client.peer();
    let given_up =
        tokio::spawn(async move { ask::<ECHO>(&peer, "").timeout(Duration::from_millis(50)).await });
    let made = raw.next(raw::CALL).await;
    let error = within(given_up).await.unwrap().unwrap_err();
    assert_eq!(error, CallError::DeadlineExceeded { outcome: Outcome::Unknown });
    assert_eq!(raw.next(raw::CANCEL).await.id, made.id);
    raw.reply(&made, "too late").await;
    let peer = client.peer();
    let next = tokio::spawn(async move { ask::<ECHO>(&peer, "next").await });
    let made = raw.next(raw::CALL).await;
    raw.reply(&made, "next").await;
    assert_eq!(within(next).await.unwrap(), Ok("next".to_owned()));
}

/// After a Goodbye the peer may close its sending half: what it asked for is finished and answered.
#[tokio::test]
async fn replies_are_flushed_to_a_peer_that_has_closed_its_sending_half() {
    let (server, world, place) = server_with(|server| server).await;
    let mut events = server.events();
    let mut peer = Raw::connect(&place.path()).await;
    peer.send(
        [raw::call(1, WAIT, "finished"), raw::call(2, WAIT, "finished"), raw::last_goodbye(0)].concat(),
    )
    .await;
    peer.end().await;
    world.until(|counts| counts.started == 2).await;
    world.gate.add_permits(2);
    for _ in 0..2 {
        assert_eq!(peer.next(raw::REPLY).await.payload, raw::text("finished"));
    }
    assert!(matches!(why_closed(&mut events).await, CloseReason::ClosedByPeer { .. }));
    assert!(peer.receive().await.is_none());
}

/// A oneway handler has no reply that would wake anybody.
#[tokio::test]
async fn a_connection_ends_with_the_last_oneway_handler() {
    let (server, world, place) = server_with(|server| server).await;
    let mut events = server.events();
    let mut peer = Raw::connect(&place.path()).await;
    peer.send([raw::frame(raw::ONEWAY, 1, 0, SLOW_NOTE, &raw::text("noted")), raw::last_goodbye(0)].concat())
        .await;
    peer.end().await;
    world.until(|counts| counts.started == 1).await;
    world.gate.add_permits(1);
    assert!(matches!(why_closed(&mut events).await, CloseReason::ClosedByPeer { .. }));
    assert_eq!(world.ledger(), ["noted"]);
}

/// A handler that waits for the peer does not wait for one that can answer no more.
#[tokio::test]
async fn a_handler_does_not_wait_for_a_peer_that_has_closed_its_sending_half() {
    let (server, world, place) = server_with(|server| server).await;
    let mut events = server.events();
    let mut peer = Raw::connect(&place.path()).await;
    peer.send(raw::call(1, ASK_WAIT, "")).await;
    peer.next(raw::CALL).await;
    peer.send(raw::last_goodbye(1)).await;
    peer.end().await;
    assert_eq!(peer.next(raw::REPLY).await.detail, raw::FAULTY);
    world.until(|counts| counts.finished == 1).await;
    assert!(matches!(why_closed(&mut events).await, CloseReason::ClosedByPeer { .. }));
}

#[tokio::test]
async fn an_end_without_a_goodbye_cancels_handlers_and_ends_own_calls() {
    let (server, world, place) = server_with(|server| server).await;
    let mut events = server.events();
    let mut peer = Raw::connect(&place.path()).await;
    peer.send([raw::call(1, WAIT, ""), raw::frame(raw::ONEWAY, 2, 0, SLOW_NOTE, &raw::text(""))].concat())
        .await;
    world.until(|counts| counts.started == 2).await;
    let to = within(server.peers().next()).await.unwrap();
    let mut call = ask::<ECHO>(&to, "");
    assert!(poll_once(&mut call).await.is_pending());
    peer.next(raw::CALL).await;
    drop(peer);
    assert_eq!(lost(within(call).await), Outcome::Unknown);
    world.until(|counts| counts.dropped == 2).await;
    assert!(matches!(why_closed(&mut events).await, CloseReason::ConnectionLost(_)));
}

/// A handler that closes its own connection is still one of it when it pauses.
#[tokio::test]
async fn a_handler_that_closes_its_connection_is_dropped() {
    let pair = Pair::new().await;
    assert_eq!(lost(within(ask::<CLOSE>(&pair.peer, "")).await), Outcome::Unknown);
    pair.at_server.until(|counts| counts.dropped == 1).await;
}

/// A parent that nobody made gives no rights, and its depth cannot overflow.
#[tokio::test]
async fn a_made_up_parent_gives_no_rights() {
    let (_server, world, place) = server_with(|server| {
        server.limits(kaa_rpc_runtime::Limits { max_inbound_calls: 1, ..Default::default() })
    })
    .await;
    let mut peer = Raw::connect(&place.path()).await;
    peer.send(raw::nested(raw::ONEWAY, 1, NOTE, "noted", (1, 0), u32::MAX)).await;
    world.until_recorded(1).await;
    peer.send(raw::nested_call(2, ECHO, "", (1, 0), u32::MAX)).await;
    assert_eq!(peer.next(raw::REPLY).await.detail, raw::EXHAUSTED);
    peer.send(raw::call(3, WAIT, "")).await;
    world.until(|counts| counts.started == 1).await;
    peer.send(raw::nested_call(4, ECHO, "", (1, 0), 1)).await;
    let reply = peer.next(raw::REPLY).await;
    assert_eq!((reply.id, reply.detail), (4, raw::EXHAUSTED));
}

/// Options mean something with calls only.
#[tokio::test]
async fn a_ping_with_options_is_answered_without() {
    let (_server, _world, place) = server_with(|server| server).await;
    let mut peer = Raw::connect(&place.path()).await;
    let metadata = [&10_u32.to_le_bytes()[..], b"\x04tier\x03\x00red"].concat();
    peer.send(raw::frame_with(raw::PING, (5, 6, 7), (4, &metadata), b"")).await;
    let pong = peer.next(raw::PONG).await;
    assert_eq!((pong.id, pong.token, pong.detail, pong.payload), (5, 6, 7, vec![]));
    peer.send(raw::call(1, ECHO, "alive")).await;
    assert_eq!(peer.next(raw::REPLY).await.payload, raw::text("alive"));
}
