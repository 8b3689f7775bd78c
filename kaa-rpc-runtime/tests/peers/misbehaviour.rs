//! Peers that know the secret and violate the protocol, and handlers that fail: both end only what they must.

use kaa_rpc_test_support::assert_matches;
use std::time::Duration;

use kaa_rpc_runtime::codegen::Service;
use kaa_rpc_runtime::{CallError, CloseReason, Outcome};

use kaa_rpc_test_support::scripted::{ScriptedPeer, frames};
use kaa_rpc_test_support::secret;
use kaa_rpc_test_support::sockets::SocketDirectory;
use kaa_rpc_test_support::texts::*;
use kaa_rpc_test_support::waiting::*;

#[tokio::test]
async fn handler_panic_is_fault_without_message() {
    let pair = Pair::new().await;
    let error =
        within("the reply to PANIC", call_method::<PANIC>(&pair.peer, "confidential")).await.unwrap_err();
    assert_eq!(error, CallError::Fault("the handler panicked".to_owned()));
    within("PANIC_NOTE to be sent", call_oneway::<PANIC_NOTE>(&pair.peer, "")).await.unwrap();
    pair.assert_responds().await;
}

#[tokio::test]
async fn reply_encoder_panic_is_fault() {
    let pair = Pair::new().await;
    let error =
        within("the reply to PANIC_WHILE_ENCODING", call_method::<PANIC_WHILE_ENCODING>(&pair.peer, ""))
            .await
            .unwrap_err();
    assert_eq!(error, CallError::Fault("the handler panicked".to_owned()));
    pair.assert_responds().await;
}

#[tokio::test]
async fn factory_panic_disables_only_its_service() {
    let socket = SocketDirectory::new();
    let state = ServiceState::new();
    let server = kaa_rpc_runtime::Server::builder()
        .secret(secret())
        .register(Service::per_connection::<ClientProxy, _>(
            &DESCRIPTOR,
            |_| -> std::sync::Arc<ServiceState> { panic!("a panic that the test expects") },
            |_, call| call.unknown_method(),
        ))
        .listen(socket.address().as_str())
        .await
        .unwrap();
    let client = client_builder(&state).connect(socket.address().as_str()).unwrap();
    let error = within("the reply to ECHO", call_method::<ECHO>(&client.peer(), "")).await.unwrap_err();
    assert!(matches!(error, CallError::UnknownMethod { .. }), "{error:?}");
    let client_peer = within("the server to have a peer", server.peers().next()).await.unwrap();
    assert_responds(&client_peer).await;
}

/// Violations, and a part of the reason, which the Goodbye and this side report.
#[tokio::test]
async fn violations_end_connection_with_reason() {
    let unissued = frames::frame(frames::REPLY, 9, 0, frames::OK, b"");
    let cases: Vec<(Vec<u8>, &str)> = vec![
        ([frames::call(5, ECHO, ""), frames::call(5, ECHO, "")].concat(), "reused call id 5"),
        ([frames::call(5, ECHO, ""), frames::call(4, ECHO, "")].concat(), "reused call id 4"),
        (unissued, "answered call 9, which was never made"),
        (frames::frame(frames::REPLY, 1, 0, 77, b""), "Reply"),
        (frames::cancel(1), "Cancel"),
        (frames::frame(99, 1, 0, 0, b""), "unknown kind 99"),
        (frames::frame_with(frames::CALL, (1, 0, ECHO), (0x80, b""), b""), "unknown flags 0x80"),
        (frames::frame_with(frames::CALL, (1, 0, ECHO), (1, b"1234567"), b""), "malformed options"),
        (frames::nested_call(1, ECHO, "", (1, 1), 0), "malformed options"),
        (vec![23, 0, 0, 0], "23 bytes, smaller than its header"),
        ((5_u32 << 20).to_le_bytes().to_vec(), "over the limit of 4194304"),
        (frames::frame(frames::ONEWAY_CREDIT, 0, 0, 1, b""), "OnewayCredit"),
        (frames::frame(frames::ONEWAY_CREDIT, 0, 0, u32::MAX, b""), "OnewayCredit"),
        (frames::frame(5, 1, 0, 0, b""), "stream"),
        (frames::frame(frames::GOODBYE, 0, 0, 0, &[b'x'; 2000]), "Goodbye"),
        (frames::goodbye().repeat(9), "Goodbye"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(), "over the limit of 4194304"),
    ];
    let (server, _state, socket) = server_with(|server| server).await;
    let mut events = server.events();
    let honest = client_of(&socket);
    for (bytes, expected) in cases {
        let mut peer = scripted_client(&socket.path()).await;
        peer.send(&bytes).await;
        let message = peer.closing_message().await;
        assert!(message.contains(expected), "{expected:?} is not in {message:?}");
        let reason = close_reason(&mut events).await;
        assert!(
            matches!(&reason, CloseReason::Protocol(error) if error.to_string() == message),
            "{reason:?}"
        );
        assert_responds(&honest.peer()).await;
    }
}

/// Calls before the violation are answered, and the replies are not lost.
#[tokio::test]
async fn calls_before_violation_are_answered() {
    let (_server, _state, socket) = server_with(|server| server).await;
    let mut peer = scripted_client(&socket.path()).await;
    peer.send([frames::call(1, ECHO, "before"), frames::frame(99, 2, 0, 0, b"")].concat()).await;
    assert_eq!(peer.next(frames::REPLY).await.payload, frames::text("before"));
    let message = peer.closing_message().await;
    assert!(message.contains("unknown kind 99"), "{message}");
}

/// The client of a server that violates the protocol reports the reason.
#[tokio::test]
async fn client_reports_violating_server() {
    let socket = SocketDirectory::new();
    let listener = socket.listener();
    let client = client_of(&socket);
    let mut scripted = ScriptedPeer::accept(&listener).await;
    let mut call = call_method::<ECHO>(&client.peer(), "");
    start(&mut call).await;
    scripted.next(frames::CALL).await;
    scripted.send(frames::frame(99, 1, 0, 0, b"")).await;
    assert_eq!(disconnected(within("the call", call).await), Outcome::Unknown);
    let reason = within("the connection to close", client.closed()).await;
    assert!(matches!(reason, CloseReason::Protocol(_)), "{reason:?}");
}

/// The reason in a Goodbye is not lost if a write fails before the Goodbye is read.
#[tokio::test]
async fn goodbye_is_read_during_large_write() {
    let socket = SocketDirectory::new();
    let listener = socket.listener();
    let client = client_of(&socket);
    let mut scripted = ScriptedPeer::accept(&listener).await;
    let peer = client.peer();
    let mut calls: Vec<_> = (0..4).map(|_| call_method::<ECHO>(&peer, "x".repeat(1 << 20))).collect();
    for call in &mut calls {
        start(call).await;
    }
    // The driver fills the socket while this side reads the beginning.
    scripted.next(frames::CALL).await;
    // More frames than one read takes are before the Goodbye.
    let pongs = frames::frame(frames::PONG, 0, 0, 0, b"").repeat(4_000);
    scripted.send([pongs, frames::frame(frames::GOODBYE, 0, 1, 1, b"the reason")].concat()).await;
    drop(scripted);
    let reason = within("the connection to close", client.closed()).await;
    assert_eq!(reason, CloseReason::ClosedByPeer { message: "the reason".to_owned() });
}

#[tokio::test]
async fn reply_to_abandoned_call_is_ignored() {
    let socket = SocketDirectory::new();
    let listener = socket.listener();
    let client = client_of(&socket);
    let mut scripted = ScriptedPeer::accept(&listener).await;
    within("the client to connect", client.ready()).await.unwrap();
    let peer = client.peer();
    let abandoned =
        tokio::spawn(async move { call_method::<ECHO>(&peer, "").timeout(Duration::from_millis(50)).await });
    let made = scripted.next(frames::CALL).await;
    let error = within("the abandoned call", abandoned).await.unwrap().unwrap_err();
    assert_eq!(error, CallError::DeadlineExceeded { outcome: Outcome::Unknown });
    assert_eq!(scripted.next(frames::CANCEL).await.id, made.id);
    scripted.reply(&made, "too late").await;
    let peer = client.peer();
    let next = tokio::spawn(async move { call_method::<ECHO>(&peer, "next").await });
    let made = scripted.next(frames::CALL).await;
    scripted.reply(&made, "next").await;
    assert_eq!(within("the call `next`", next).await.unwrap(), Ok("next".to_owned()));
}

/// After a Goodbye the peer may close its sending half: its calls are finished and answered.
#[tokio::test]
async fn half_closed_peer_receives_replies() {
    let (server, state, socket) = server_with(|server| server).await;
    let mut events = server.events();
    let mut peer = scripted_client(&socket.path()).await;
    peer.send(
        [frames::call(1, WAIT, "finished"), frames::call(2, WAIT, "finished"), frames::last_goodbye(0)]
            .concat(),
    )
    .await;
    peer.close_write().await;
    state.until_started(2).await;
    state.gate.add_permits(2);
    for _ in 0..2 {
        assert_eq!(peer.next(frames::REPLY).await.payload, frames::text("finished"));
    }
    let reason = close_reason(&mut events).await;
    assert!(matches!(reason, CloseReason::ClosedByPeer { .. }), "{reason:?}");
    assert_matches!(peer.receive().await, None);
}

/// A oneway handler has no reply that would wake the connection.
#[tokio::test]
async fn half_closed_connection_ends_with_last_oneway_handler() {
    let (server, state, socket) = server_with(|server| server).await;
    let mut events = server.events();
    let mut peer = scripted_client(&socket.path()).await;
    peer.send(
        [frames::frame(frames::ONEWAY, 1, 0, GATED_NOTE, &frames::text("noted")), frames::last_goodbye(0)]
            .concat(),
    )
    .await;
    peer.close_write().await;
    state.until_started(1).await;
    state.gate.add_permits(1);
    let reason = close_reason(&mut events).await;
    assert!(matches!(reason, CloseReason::ClosedByPeer { .. }), "{reason:?}");
    assert_eq!(state.records(), ["noted"]);
}

/// A handler does not wait for a reply of a peer that cannot reply any more.
#[tokio::test]
async fn calls_to_half_closed_peer_end() {
    let (server, state, socket) = server_with(|server| server).await;
    let mut events = server.events();
    let mut peer = scripted_client(&socket.path()).await;
    peer.send(frames::call(1, CALL_BACK_WAIT, "")).await;
    peer.next(frames::CALL).await;
    peer.send(frames::last_goodbye(1)).await;
    peer.close_write().await;
    assert_eq!(peer.next(frames::REPLY).await.detail, frames::FAULT);
    state.until_finished(1).await;
    let reason = close_reason(&mut events).await;
    assert!(matches!(reason, CloseReason::ClosedByPeer { .. }), "{reason:?}");
}

#[tokio::test]
async fn end_without_goodbye_cancels_handlers_and_calls() {
    let (server, state, socket) = server_with(|server| server).await;
    let mut events = server.events();
    let mut peer = scripted_client(&socket.path()).await;
    peer.send(
        [frames::call(1, WAIT, ""), frames::frame(frames::ONEWAY, 2, 0, GATED_NOTE, &frames::text(""))]
            .concat(),
    )
    .await;
    state.until_started(2).await;
    let server_side = within("the server to have a peer", server.peers().next()).await.unwrap();
    let mut call = call_method::<ECHO>(&server_side, "");
    start(&mut call).await;
    peer.next(frames::CALL).await;
    drop(peer);
    assert_eq!(disconnected(within("the call", call).await), Outcome::Unknown);
    state.until_dropped(2).await;
    let reason = close_reason(&mut events).await;
    assert!(matches!(reason, CloseReason::ConnectionLost(_)), "{reason:?}");
}

/// A handler that closes its own connection still belongs to it when it waits.
#[tokio::test]
async fn handler_that_closes_its_connection_is_dropped() {
    let pair = Pair::new().await;
    assert_eq!(
        disconnected(
            within("the reply to CLOSE_CONNECTION", call_method::<CLOSE_CONNECTION>(&pair.peer, "")).await
        ),
        Outcome::Unknown
    );
    pair.server_state.until_dropped(1).await;
}

/// A parent that does not exist grants nothing, and its depth cannot overflow.
#[tokio::test]
async fn unknown_parent_grants_nothing() {
    let (_server, state, socket) = server_with(|server| {
        server.limits(kaa_rpc_runtime::Limits { max_inbound_calls: 1, ..Default::default() })
    })
    .await;
    let mut peer = scripted_client(&socket.path()).await;
    peer.send(frames::nested(frames::ONEWAY, 1, NOTE, "noted", (1, 0), u32::MAX)).await;
    state.until_recorded(1).await;
    peer.send(frames::nested_call(2, ECHO, "", (1, 0), u32::MAX)).await;
    assert_eq!(peer.next(frames::REPLY).await.detail, frames::RESOURCE_EXHAUSTED);
    peer.send(frames::call(3, WAIT, "")).await;
    state.until_started(1).await;
    peer.send(frames::nested_call(4, ECHO, "", (1, 0), 1)).await;
    let reply = peer.next(frames::REPLY).await;
    assert_eq!((reply.id, reply.detail), (4, frames::RESOURCE_EXHAUSTED));
}

/// Options have a meaning only in calls.
#[tokio::test]
async fn ping_options_are_not_repeated() {
    let (_server, _state, socket) = server_with(|server| server).await;
    let mut peer = scripted_client(&socket.path()).await;
    let metadata = [&10_u32.to_le_bytes()[..], b"\x04tier\x03\x00red"].concat();
    peer.send(frames::frame_with(frames::PING, (5, 6, 7), (4, &metadata), b"")).await;
    let pong = peer.next(frames::PONG).await;
    assert_eq!((pong.id, pong.token, pong.detail, pong.payload), (5, 6, 7, vec![]));
    peer.send(frames::call(1, ECHO, "alive")).await;
    assert_eq!(peer.next(frames::REPLY).await.payload, frames::text("alive"));
}
