//! Calls that wait to be sent: their queue is limited and ordered, and they may expire in it. Oneway calls
//! wait for credit.

use std::time::Duration;

use kaa_rpc_runtime::{CallError, Client, CloseReason, Limits, Outcome};
use tokio::net::UnixListener;

use kaa_rpc_test_support::scripted::{ScriptedPeer, frames};
use kaa_rpc_test_support::sockets::SocketDirectory;
use kaa_rpc_test_support::texts::*;
use kaa_rpc_test_support::waiting::*;

/// A client of a server that does not answer yet.
fn connecting() -> (Client, UnixListener, SocketDirectory) {
    let socket = SocketDirectory::new();
    let listener = socket.listener();
    let client = client_of(&socket);
    (client, listener, socket)
}

#[tokio::test]
async fn queue_full_blocks_callers() {
    let (client, listener, _socket) = connecting();
    let peer = client.peer();
    for index in 0..1024 {
        within("NOTE to be sent", call_oneway::<NOTE>(&peer, index.to_string())).await.unwrap();
    }
    let mut waiters: Vec<_> =
        (1024..1034).map(|index| call_oneway::<NOTE>(&peer, index.to_string())).collect();
    for waiter in &mut waiters {
        start(waiter).await;
    }
    // The first waiter is dropped, the others move up.
    drop(waiters.remove(0));
    let mut late = call_oneway::<NOTE>(&peer, "too late").timeout(Duration::from_millis(20));
    start(&mut late).await;
    let error = within("the call `late`", late).await.unwrap_err();
    assert_eq!(error, CallError::DeadlineExceeded { outcome: Outcome::NotSent });
    let waiting = tokio::spawn(all(waiters));
    let limits = Limits { oneway_window: 2048, ..Limits::default() };
    let mut scripted = ScriptedPeer::accept_with(&listener, limits).await;
    for index in (0..1024).chain(1025..1034) {
        assert_eq!(scripted.next(frames::ONEWAY).await.payload, frames::text(&index.to_string()));
    }
    let results = within("the waiters", waiting).await.unwrap();
    assert!(results.iter().all(Result::is_ok), "{results:?}");
}

#[tokio::test]
async fn queue_is_limited_in_bytes() {
    let (client, _listener, _socket) = connecting();
    let peer = client.peer();
    for _ in 0..3 {
        within("NOTE to be sent", call_oneway::<NOTE>(&peer, "x".repeat(1 << 20))).await.unwrap();
    }
    let mut fourth = call_oneway::<NOTE>(&peer, "x".repeat(1 << 20));
    start(&mut fourth).await;
    // Small calls do not overtake others.
    let mut small = call_oneway::<NOTE>(&peer, "");
    start(&mut small).await;
}

#[tokio::test]
async fn call_expiring_in_queue_is_not_sent() {
    let (client, listener, _socket) = connecting();
    let peer = client.peer();
    let error =
        within("the reply to ECHO", call_method::<ECHO>(&peer, "").timeout(Duration::from_millis(30)))
            .await
            .unwrap_err();
    assert_eq!(error, CallError::DeadlineExceeded { outcome: Outcome::NotSent });
    let mut next = call_method::<ECHO>(&peer, "next");
    start(&mut next).await;
    let mut scripted = ScriptedPeer::accept(&listener).await;
    assert_eq!(scripted.next(frames::CALL).await.payload, frames::text("next"), "the expired call was sent");
}

#[tokio::test]
async fn call_at_peers_limit_waits_and_can_be_dropped() {
    let limits = Limits { max_inbound_calls: 1, ..Limits::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client).await;
    let mut first = call_method::<WAIT>(&pair.peer, "first");
    start(&mut first).await;
    let mut dropped = call_method::<RECORD>(&pair.peer, "dropped");
    let mut second = call_method::<RECORD>(&pair.peer, "second");
    start(&mut dropped).await;
    start(&mut second).await;
    drop(dropped);
    pair.server_state.gate.add_permits(1);
    assert_eq!(within("the call `second`", second).await, Ok("second".to_owned()));
    assert_eq!(within("the call `first`", first).await, Ok("first".to_owned()));
    assert_eq!(pair.server_state.records(), ["second"]);
}

/// There are far more callers than the limit allows: they wait, and none is refused.
#[tokio::test(flavor = "multi_thread")]
async fn callers_over_limit_wait_without_refusal() {
    let limits = Limits { max_inbound_calls: 3, ..Limits::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client).await;
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..3000 {
        let call = call_method::<ECHO>(&pair.peer, caller.to_string());
        callers.spawn(async move { assert_eq!(call.await, Ok(caller.to_string())) });
    }
    within("all callers", callers.join_all()).await;
}

#[tokio::test]
async fn oneway_call_waits_for_credit() {
    let (client, listener, _socket) = connecting();
    let peer = client.peer();
    let limits = Limits { oneway_window: 4, ..Limits::default() };
    let mut scripted = ScriptedPeer::accept_with(&listener, limits).await;
    within("the client to connect or fail", client.ready()).await.unwrap();
    for index in 0..4 + 1024 {
        within("NOTE to be sent", call_oneway::<NOTE>(&peer, index.to_string())).await.unwrap();
    }
    let mut waiting = call_oneway::<NOTE>(&peer, "waiting");
    start(&mut waiting).await;
    for index in 0..4 {
        assert_eq!(scripted.next(frames::ONEWAY).await.payload, frames::text(&index.to_string()));
    }
    scripted
        .send(
            [frames::frame(frames::PING, 0, 0, 1, b""), frames::frame(frames::ONEWAY_CREDIT, 0, 0, 1, b"")]
                .concat(),
        )
        .await;
    let pong = scripted.receive().await.unwrap();
    assert_eq!(pong.kind, frames::PONG, "a oneway call was sent without credit");
    assert_eq!(scripted.next(frames::ONEWAY).await.payload, frames::text("4"));
    within("the call `waiting`", waiting).await.unwrap();
}

/// Credit is returned once for each call, also if its handler is slow.
#[tokio::test(flavor = "multi_thread")]
async fn oneway_handlers_return_credit_once() {
    let limits = Limits { oneway_window: 8, ..Limits::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client).await;
    pair.server_state.gate.add_permits(1);
    let state = std::sync::Arc::clone(&pair.server_state);
    let keep_open = tokio::spawn(async move {
        loop {
            state.until("a started handler", |counts| counts.started > 0).await;
            state.gate.add_permits(1);
            tokio::task::yield_now().await;
        }
    });
    for index in 0..500 {
        let sent = if index % 2 == 0 {
            within("GATED_NOTE to be sent", call_oneway::<GATED_NOTE>(&pair.peer, index.to_string())).await
        } else {
            within("PANIC_NOTE to be sent", call_oneway::<PANIC_NOTE>(&pair.peer, "")).await
        };
        sent.unwrap();
    }
    pair.server_state.until_recorded(250).await;
    keep_open.abort();
    pair.assert_responds().await;
}

#[tokio::test]
async fn queued_calls_survive_reconnect() {
    use kaa_rpc_runtime::Backoff;

    let socket = SocketDirectory::new();
    let listener = socket.listener();
    let client = client_builder(&ServiceState::new())
        .reconnect(Backoff::default())
        .connect(socket.address().as_str())
        .unwrap();
    let limits = Limits { max_inbound_calls: 1, ..Limits::default() };
    let mut scripted = ScriptedPeer::accept_with(&listener, limits).await;
    let peer = client.peer();
    let (mut sent, mut queued) = (call_method::<ECHO>(&peer, "sent"), call_method::<ECHO>(&peer, "queued"));
    start(&mut sent).await;
    start(&mut queued).await;
    assert_eq!(scripted.next(frames::CALL).await.payload, frames::text("sent"));
    // An orderly shutdown of the server loses the connection, too.
    scripted.send([frames::goodbye(), frames::last_goodbye(1)].concat()).await;
    drop(scripted);
    assert_eq!(disconnected(within("the call `sent`", sent).await), Outcome::Unknown);
    let mut scripted = ScriptedPeer::accept(&listener).await;
    let made = scripted.next(frames::CALL).await;
    assert_eq!(made.payload, frames::text("queued"), "a call was sent twice");
    scripted.reply(&made, "queued").await;
    assert_eq!(within("the call `queued`", queued).await, Ok("queued".to_owned()));
}

#[tokio::test]
async fn dropping_client_ends_all_waiters() {
    let (client, _listener, _socket) = connecting();
    let peer = client.peer();
    let mut callers = tokio::task::JoinSet::new();
    for index in 0..3000 {
        let mut call = call_method::<ECHO>(&peer, index.to_string());
        start(&mut call).await;
        callers.spawn(call);
    }
    drop(client);
    for result in within("all callers", callers.join_all()).await {
        let expected =
            CallError::Disconnected { outcome: Outcome::NotSent, reason: CloseReason::ClosedLocally };
        assert_eq!(result, Err(expected));
    }
}
