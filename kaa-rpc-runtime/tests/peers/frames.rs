//! What frames may hold, and what whoever reads them makes of it: what is ignored, what is repeated, what is given back.

use kaa_rpc_runtime::{CallError, CloseReason};
use tokio::net::UnixListener;

use crate::limits::why_closed;
use crate::support::raw::{self, Raw};
use crate::support::*;

/// A client, and the scripted server that it is connected to.
async fn scripted_server() -> (kaa_rpc_runtime::Client, Raw, Place) {
    let place = Place::new();
    let listener = UnixListener::bind(place.path()).unwrap();
    let client = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    let raw = Raw::accept(&listener).await;
    (client, raw, place)
}

#[tokio::test]
async fn bytes_between_header_and_payload_are_passed_over() {
    let (_server, _world, place) = server_with(|server| server).await;
    let mut peer = Raw::connect(&place.path()).await;
    peer.send(raw::frame_with(raw::CALL, (1, 7, ECHO), (0, &[0xaa; 72]), &raw::text("behind"))).await;
    assert_eq!(peer.next(raw::REPLY).await.payload, raw::text("behind"));
    let most = raw::frame_with(raw::CALL, (2, 7, ECHO), (0, &[0xaa; 4096 - 24]), &raw::text("far behind"));
    peer.send(most).await;
    assert_eq!(peer.next(raw::REPLY).await.payload, raw::text("far behind"));
    let more =
        raw::frame_with(raw::CALL, (3, 7, ECHO), (0, &[0xaa; 4097 - 24]), &raw::text("too far behind"));
    peer.send(more).await;
    assert!(peer.last_word().await.contains("4097"));
}

#[tokio::test]
async fn what_values_leave_of_a_payload_is_ignored() {
    let (_server, _world, place) = server_with(|server| server).await;
    let mut peer = Raw::connect(&place.path()).await;
    let arguments = [raw::text("old"), raw::text("what a newer caller adds")].concat();
    peer.send(raw::frame(raw::CALL, 1, 7, ECHO, &arguments)).await;
    assert_eq!(peer.next(raw::REPLY).await.payload, raw::text("old"));

    let (client, mut server, _place) = scripted_server().await;
    let mut call = ask::<ECHO>(&client.peer(), "");
    assert!(poll_once(&mut call).await.is_pending());
    let made = server.next(raw::CALL).await;
    server.send(raw::frame(raw::REPLY, made.id, made.token, raw::OK, &arguments)).await;
    assert_eq!(within(call).await, Ok("old".to_owned()));
}

#[tokio::test]
async fn a_pong_repeats_id_token_and_detail() {
    let (_server, _world, place) = server_with(|server| server).await;
    let mut peer = Raw::connect(&place.path()).await;
    peer.send(raw::frame(raw::PING, 0x0123_4567_89ab_cdef, 0x0bad_cafe, 0x5eed_5eed, b"")).await;
    let pong = peer.next(raw::PONG).await;
    assert_eq!((pong.id, pong.token, pong.detail), (0x0123_4567_89ab_cdef, 0x0bad_cafe, 0x5eed_5eed));
}

#[tokio::test]
async fn a_message_has_64_kib_at_most_and_is_cut_between_characters() {
    let (_server, _world, place) = server_with(|server| server).await;
    let mut peer = Raw::connect(&place.path()).await;
    peer.send(raw::call(1, FAULT, &format!("x{}", "ä".repeat(100_000)))).await;
    let reply = peer.next(raw::REPLY).await;
    assert_eq!(reply.detail, raw::FAULTY);
    assert!((60_000..=64 * 1024).contains(&reply.payload.len()), "{} bytes", reply.payload.len());
    assert!(String::from_utf8(reply.payload).unwrap().ends_with('ä'));
}

#[tokio::test]
async fn a_message_that_is_not_utf8_is_read_all_the_same() {
    let (client, mut server, _place) = scripted_server().await;
    let mut call = ask::<ECHO>(&client.peer(), "");
    assert!(poll_once(&mut call).await.is_pending());
    let made = server.next(raw::CALL).await;
    server.send(raw::frame(raw::REPLY, made.id, made.token, raw::FAULTY, b"\xff is no letter")).await;
    assert_eq!(within(call).await, Err(CallError::Fault("\u{fffd} is no letter".to_owned())));
}

#[tokio::test]
async fn a_second_reply_is_ignored() {
    let (client, mut server, _place) = scripted_server().await;
    let mut call = ask::<ECHO>(&client.peer(), "");
    assert!(poll_once(&mut call).await.is_pending());
    let made = server.next(raw::CALL).await;
    server.reply(&made, "first").await;
    server.reply(&made, "second").await;
    assert_eq!(within(call).await, Ok("first".to_owned()));
    let mut next = ask::<ECHO>(&client.peer(), "");
    assert!(poll_once(&mut next).await.is_pending());
    let made_next = server.next(raw::CALL).await;
    // A third, while its slot is in use again.
    server.reply(&made, "third").await;
    server.reply(&made_next, "next").await;
    assert_eq!(within(next).await, Ok("next".to_owned()));
}

#[tokio::test]
async fn calls_of_both_kinds_are_numbered_together_and_oneway_ones_have_no_token() {
    let (client, mut server, _place) = scripted_server().await;
    let peer = client.peer();
    let (mut first, mut third) = (ask::<ECHO>(&peer, ""), ask::<ECHO>(&peer, ""));
    assert!(poll_once(&mut first).await.is_pending());
    within(tell::<NOTE>(&peer, "")).await.unwrap();
    assert!(poll_once(&mut third).await.is_pending());
    for expected in 1..=3 {
        let made = server.receive().await.unwrap();
        assert_eq!((made.id, made.kind), (expected, if expected == 2 { raw::ONEWAY } else { raw::CALL }));
        assert!(made.kind == raw::CALL || made.token == 0);
    }
}

#[tokio::test]
async fn credit_comes_back_for_oneway_calls_that_are_dropped() {
    let limits = kaa_rpc_runtime::Limits { oneway_window: 4, ..Default::default() };
    let (_server, _world, place) = server_with(|server| server.limits(limits)).await;
    let mut peer = Raw::connect(&place.path()).await;
    let mut credit = 4;
    for id in 1..=50 {
        while credit == 0 {
            credit += peer.next(raw::ONEWAY_CREDIT).await.detail;
        }
        credit -= 1;
        // Nobody serves the one, and a text of 9 bytes that are not there cannot be read.
        let (method, arguments): (u32, &[u8]) = if id % 2 == 0 { (NOBODYS, b"") } else { (NOTE, b"\x09") };
        peer.send(raw::frame(raw::ONEWAY, id, 0, method, arguments)).await;
    }
}

#[tokio::test]
async fn the_receivers_own_timeout_of_a_method_does_not_count() {
    let (_server, _world, place) = server_with(|server| server).await;
    let mut peer = Raw::connect(&place.path()).await;
    peer.send(raw::call(1, TIMED, "")).await;
    assert_eq!(peer.next(raw::REPLY).await.payload, raw::text("for ever"));
}

#[tokio::test]
async fn a_goodbye_for_an_unknown_reason_is_a_shutdown() {
    let (_server, world, place) = server_with(|server| server).await;
    let mut peer = Raw::connect(&place.path()).await;
    peer.send([raw::call(1, WAIT, "finished"), raw::frame(raw::GOODBYE, 0, 1, 99, b"tired")].concat()).await;
    peer.end().await;
    world.until(|counts| counts.started == 1).await;
    world.gate.add_permits(1);
    assert_eq!(peer.next(raw::REPLY).await.payload, raw::text("finished"));
}

/// Who closes without waiting takes no answers: what it has called is not finished for its sake.
#[tokio::test]
async fn calls_of_a_peer_that_closes_at_once_are_cancelled() {
    for reason in 1..=5 {
        let (server, world, place) = server_with(|server| server).await;
        let mut events = server.events();
        let mut peer = Raw::connect(&place.path()).await;
        peer.send(raw::call(1, WAIT, "")).await;
        world.until(|counts| counts.started == 1).await;
        peer.send(raw::frame(raw::GOODBYE, 0, 1, reason, b"")).await;
        peer.end().await;
        world.until(|counts| counts.dropped == 1).await;
        let closed = why_closed(&mut events).await;
        assert!(
            matches!(closed, CloseReason::ClosedByPeer { .. } | CloseReason::NotConnected(_)),
            "{closed:?}"
        );
    }
}

#[tokio::test]
async fn a_call_before_its_senders_summary_ends_the_connection() {
    let (_server, world, place) = server_with(|server| server).await;
    let mut peer = Raw::connect_knowing(&place.path(), [9; 32]).await;
    peer.send(raw::call(1, RECORD, "hasty")).await;
    assert!(peer.last_word().await.contains("Call"));
    assert!(world.ledger().is_empty());
}
