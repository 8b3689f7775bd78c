//! The contents of frames: which parts are ignored, repeated or answered with credit.

use kaa_rpc_runtime::{CallError, CloseReason, Limits};

use kaa_rpc_test_support::scripted::{ScriptedPeer, frames};
use kaa_rpc_test_support::texts::*;
use kaa_rpc_test_support::waiting::*;

#[tokio::test]
async fn padding_is_skipped_up_to_4096_bytes() {
    let (_server, _state, socket) = server_with(|server| server).await;
    let mut peer = scripted_client(&socket.path()).await;
    peer.send(frames::frame_with(
        frames::CALL,
        (1, 7, ECHO),
        (0, &[0xaa; 72]),
        &frames::text("after padding"),
    ))
    .await;
    assert_eq!(peer.next(frames::REPLY).await.payload, frames::text("after padding"));
    let max_padding = frames::frame_with(
        frames::CALL,
        (2, 7, ECHO),
        (0, &[0xaa; 4096 - 24]),
        &frames::text("after much padding"),
    );
    peer.send(max_padding).await;
    assert_eq!(peer.next(frames::REPLY).await.payload, frames::text("after much padding"));
    let too_long = frames::frame_with(
        frames::CALL,
        (3, 7, ECHO),
        (0, &[0xaa; 4097 - 24]),
        &frames::text("after too much padding"),
    );
    peer.send(too_long).await;
    let message = peer.closing_message().await;
    assert!(message.contains("4097"), "{message}");
}

#[tokio::test]
async fn trailing_payload_bytes_are_ignored() {
    let (_server, _state, socket) = server_with(|server| server).await;
    let mut peer = scripted_client(&socket.path()).await;
    let arguments = [frames::text("old"), frames::text("added by a newer caller")].concat();
    peer.send(frames::frame(frames::CALL, 1, 7, ECHO, &arguments)).await;
    assert_eq!(peer.next(frames::REPLY).await.payload, frames::text("old"));

    let (client, mut server, _socket) = scripted_server().await;
    let mut call = call_method::<ECHO>(&client.peer(), "");
    start(&mut call).await;
    let made = server.next(frames::CALL).await;
    server.send(frames::frame(frames::REPLY, made.id, made.token, frames::OK, &arguments)).await;
    assert_eq!(within("the call", call).await, Ok("old".to_owned()));
}

#[tokio::test]
async fn pong_repeats_id_token_and_detail() {
    let (_server, _state, socket) = server_with(|server| server).await;
    let mut peer = scripted_client(&socket.path()).await;
    peer.send(frames::frame(frames::PING, 0x0123_4567_89ab_cdef, 0x0bad_cafe, 0x5eed_5eed, b"")).await;
    let pong = peer.next(frames::PONG).await;
    assert_eq!((pong.id, pong.token, pong.detail), (0x0123_4567_89ab_cdef, 0x0bad_cafe, 0x5eed_5eed));
}

#[tokio::test]
async fn message_is_truncated_at_64_kib() {
    let (_server, _state, socket) = server_with(|server| server).await;
    let mut peer = scripted_client(&socket.path()).await;
    peer.send(frames::call(1, FAULT, &format!("x{}", "ä".repeat(100_000)))).await;
    let reply = peer.next(frames::REPLY).await;
    assert_eq!(reply.detail, frames::FAULT);
    assert!((60_000..=64 * 1024).contains(&reply.payload.len()), "{} bytes", reply.payload.len());
    let message = String::from_utf8(reply.payload).unwrap();
    assert_eq!(message.chars().last(), Some('ä'));
}

#[tokio::test]
async fn message_need_not_be_utf8() {
    let (client, mut server, _socket) = scripted_server().await;
    let mut call = call_method::<ECHO>(&client.peer(), "");
    start(&mut call).await;
    let made = server.next(frames::CALL).await;
    server.send(frames::frame(frames::REPLY, made.id, made.token, frames::FAULT, b"\xff is not UTF-8")).await;
    assert_eq!(within("the call", call).await, Err(CallError::Fault("\u{fffd} is not UTF-8".to_owned())));
}

#[tokio::test]
async fn second_reply_is_ignored() {
    let (client, mut server, _socket) = scripted_server().await;
    let mut call = call_method::<ECHO>(&client.peer(), "");
    start(&mut call).await;
    let made = server.next(frames::CALL).await;
    server.reply(&made, "first").await;
    server.reply(&made, "second").await;
    assert_eq!(within("the call", call).await, Ok("first".to_owned()));
    let mut next = call_method::<ECHO>(&client.peer(), "");
    start(&mut next).await;
    let made_next = server.next(frames::CALL).await;
    // A third reply arrives while the slot is in use again.
    server.reply(&made, "third").await;
    server.reply(&made_next, "next").await;
    assert_eq!(within("the call `next`", next).await, Ok("next".to_owned()));
}

#[tokio::test]
async fn calls_share_ids_and_oneway_has_no_token() {
    let (client, mut server, _socket) = scripted_server().await;
    let peer = client.peer();
    let (mut first, mut third) = (call_method::<ECHO>(&peer, ""), call_method::<ECHO>(&peer, ""));
    start(&mut first).await;
    within("NOTE to be sent", call_oneway::<NOTE>(&peer, "")).await.unwrap();
    start(&mut third).await;
    for expected in 1..=3 {
        let made = server.receive().await.unwrap();
        assert_eq!(
            (made.id, made.kind),
            (expected, if expected == 2 { frames::ONEWAY } else { frames::CALL })
        );
        assert!(made.kind == frames::CALL || made.token == 0, "{made:?}");
    }
}

#[tokio::test]
async fn dropped_oneway_calls_return_credit() {
    let limits = Limits { oneway_window: 4, ..Limits::default() };
    let (_server, _state, socket) = server_with(|server| server.limits(limits)).await;
    let mut peer = scripted_client(&socket.path()).await;
    let mut credit = 4;
    for id in 1..=50 {
        while credit == 0 {
            credit += peer.next(frames::ONEWAY_CREDIT).await.detail;
        }
        credit -= 1;
        // One method is unknown. The arguments of the other announce a text of 9 bytes, which are missing.
        let (method, arguments): (u32, &[u8]) = if id % 2 == 0 { (UNKNOWN, b"") } else { (NOTE, b"\x09") };
        peer.send(frames::frame(frames::ONEWAY, id, 0, method, arguments)).await;
    }
}

#[tokio::test]
async fn receivers_method_timeout_is_ignored() {
    let (_server, _state, socket) = server_with(|server| server).await;
    let mut peer = scripted_client(&socket.path()).await;
    peer.send(frames::call(1, LONG_TIMEOUT, "")).await;
    assert_eq!(peer.next(frames::REPLY).await.payload, frames::text("unlimited"));
}

#[tokio::test]
async fn unknown_goodbye_reason_is_shutdown() {
    let (_server, state, socket) = server_with(|server| server).await;
    let mut peer = scripted_client(&socket.path()).await;
    peer.send(
        [frames::call(1, WAIT, "finished"), frames::frame(frames::GOODBYE, 0, 1, 99, b"unknown reason")]
            .concat(),
    )
    .await;
    peer.close_write().await;
    state.until_started(1).await;
    state.gate.add_permits(1);
    assert_eq!(peer.next(frames::REPLY).await.payload, frames::text("finished"));
}

/// A peer that closes without a drain receives no replies, so its calls are cancelled.
#[tokio::test]
async fn abrupt_goodbye_cancels_calls() {
    for reason in 1..=5 {
        let (server, state, socket) = server_with(|server| server).await;
        let mut events = server.events();
        let mut peer = scripted_client(&socket.path()).await;
        peer.send(frames::call(1, WAIT, "")).await;
        state.until_started(1).await;
        peer.send(frames::frame(frames::GOODBYE, 0, 1, reason, b"")).await;
        peer.close_write().await;
        state.until_dropped(1).await;
        let closed = close_reason(&mut events).await;
        assert!(
            matches!(closed, CloseReason::ClosedByPeer { .. } | CloseReason::NotConnected(_)),
            "{closed:?}"
        );
    }
}

#[tokio::test]
async fn call_before_schema_summary_ends_connection() {
    let (_server, state, socket) = server_with(|server| server).await;
    let mut peer = ScriptedPeer::connect(&socket.path(), Limits::default(), [9; 32]).await;
    peer.send(frames::call(1, RECORD, "early")).await;
    let message = peer.closing_message().await;
    assert!(message.contains("Call"), "{message}");
    assert_eq!(state.records(), [""; 0]);
}
