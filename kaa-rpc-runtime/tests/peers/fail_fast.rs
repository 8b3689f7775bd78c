//! Fail-fast calls: they end when the connection is lost, instead of waiting for the next one.

use std::task::Poll;

use kaa_rpc_runtime::{
    Backoff, CallError, Client, ClientStatus, CloseReason, ConnectError, Limits, Outcome, Peer,
};
use tokio::net::UnixListener;

use kaa_rpc_test_support::scripted::{ScriptedPeer, frames};
use kaa_rpc_test_support::sockets::SocketDirectory;
use kaa_rpc_test_support::texts::*;
use kaa_rpc_test_support::waiting::*;

/// A client that reconnects, its peer with fail-fast calls, and its socket.
fn reconnecting() -> (Client, Peer, UnixListener, SocketDirectory) {
    let socket = SocketDirectory::new();
    let listener = socket.listener();
    let client = client_builder(&ServiceState::new()).reconnect(Backoff::default());
    let client = client.connect(socket.address().as_str()).unwrap();
    let fail_fast = client.peer().fail_fast();
    (client, fail_fast, listener, socket)
}

/// Why a call was not sent.
fn not_sent<T: std::fmt::Debug>(result: Result<T, CallError>) -> CloseReason {
    match result {
        Err(CallError::Disconnected { outcome: Outcome::NotSent, reason }) => reason,
        other => panic!("expected a call that was not sent, but got {other:?}"),
    }
}

#[tokio::test]
async fn fail_fast_call_ends_without_connection() {
    let (client, fail_fast, listener, _socket) = reconnecting();
    let mut waiting = call_method::<ECHO>(&client.peer(), "waiting");
    start(&mut waiting).await;
    let reason = not_sent(within("the reply to ECHO", call_method::<ECHO>(&fail_fast, "too early")).await);
    assert_eq!(reason, CloseReason::NotConnected(ConnectError::StillConnecting));
    assert_eq!(
        not_sent(within("NOTE to be sent", call_oneway::<NOTE>(&fail_fast.unbound(), "too early")).await),
        reason,
        "an unbound handle makes fail-fast calls too"
    );
    let mut server = ScriptedPeer::accept(&listener).await;
    let call = server.next(frames::CALL).await;
    assert_eq!(call.payload, frames::text("waiting"), "only this call waited");
    server.reply(&call, "done").await;
    assert_eq!(within("the call `waiting`", waiting).await, Ok("done".to_owned()));
}

#[tokio::test]
async fn fail_fast_call_is_not_resent() {
    let (client, fail_fast, listener, _socket) = reconnecting();
    let mut server = ScriptedPeer::accept(&listener).await;
    within("the client to connect or fail", client.ready()).await.unwrap();
    let mut call = call_method::<IDEMPOTENT>(&fail_fast, "idempotent");
    start(&mut call).await;
    server.next(frames::CALL).await;
    drop(server);
    let mut next = ScriptedPeer::accept(&listener).await;
    let mut waiting = call_method::<ECHO>(&client.peer(), "waiting");
    start(&mut waiting).await;
    let first = next.next(frames::CALL).await;
    assert_eq!(disconnected(within("the call", call).await), Outcome::Unknown, "the call was resent");
    assert_eq!(first.payload, frames::text("waiting"));
    drop((next, listener));
    assert_eq!(disconnected(within("the call `waiting`", waiting).await), Outcome::Unknown);
    let reason = not_sent(within("the reply to ECHO", call_method::<ECHO>(&fail_fast, "afterwards")).await);
    assert!(
        matches!(
            reason,
            CloseReason::ConnectionLost(_) | CloseReason::NotConnected(ConnectError::Transport(_))
        ),
        "{reason:?}"
    );
}

#[tokio::test]
async fn fail_fast_call_at_limit_ends_with_connection() {
    let (client, fail_fast, listener, _socket) = reconnecting();
    let limits = Limits { max_inbound_calls: 1, ..Limits::default() };
    let mut server = ScriptedPeer::accept_with(&listener, limits).await;
    within("the client to connect or fail", client.ready()).await.unwrap();
    let mut calls = [call_method::<ECHO>(&fail_fast, "sent"), call_method::<ECHO>(&fail_fast, "waits")];
    for call in &mut calls {
        assert!(poll_once(call).await.is_pending(), "the call does not wait for the limit");
    }
    let mut waiting = call_method::<ECHO>(&client.peer(), "waiting");
    start(&mut waiting).await;
    server.next(frames::CALL).await;
    drop(server);
    let [sent, waits] = calls;
    assert_eq!(disconnected(within("the call `sent`", sent).await), Outcome::Unknown);
    not_sent(within("the call `waits`", waits).await);
    let mut server = ScriptedPeer::accept(&listener).await;
    assert_eq!(server.next(frames::CALL).await.payload, frames::text("waiting"), "only this call waited");
}

#[tokio::test]
async fn fail_fast_waiter_ends_with_connection() {
    let (client, fail_fast, listener, _socket) = reconnecting();
    let peer = client.peer();
    let limits = Limits { oneway_window: 1, ..Limits::default() };
    let server = ScriptedPeer::accept_with(&listener, limits).await;
    within("the client to connect or fail", client.ready()).await.unwrap();
    for index in 0..=1024 {
        within("NOTE to be sent", call_oneway::<NOTE>(&peer, index.to_string())).await.unwrap();
    }
    let mut first_waiter = call_oneway::<NOTE>(&fail_fast, "first waiter");
    start(&mut first_waiter).await;
    let mut second_waiter = call_oneway::<NOTE>(&peer, "second waiter");
    start(&mut second_waiter).await;
    drop(server);
    not_sent(within("the first waiter", first_waiter).await);
    let second = poll_once(&mut second_waiter).await;
    assert!(second.is_pending(), "the queue is not full: {second:?}");
}

#[tokio::test]
async fn fail_fast_call_to_draining_peer_ends() {
    let (server, state, socket) = server_with(|server| server).await;
    let client = client_builder(&ServiceState::new()).reconnect(Backoff::default());
    let client = client.connect(socket.address().as_str()).unwrap();
    within("the client to connect or fail", client.ready()).await.unwrap();
    let fail_fast = client.peer().fail_fast();
    let mut running = call_method::<WAIT>(&fail_fast, "running");
    start(&mut running).await;
    state.until_started(1).await;
    let mut shutdown = Box::pin(server.shutdown(std::time::Duration::from_secs(3600)));
    start(&mut shutdown).await;
    let draining = |status: &ClientStatus| *status == ClientStatus::Draining;
    eventually("the client to drain", || client.status(), draining).await;
    let Poll::Ready(result) = poll_once(&mut call_method::<ECHO>(&fail_fast, "too late")).await else {
        panic!("the call waits for the next connection")
    };
    let reason = not_sent(result);
    assert!(matches!(reason, CloseReason::ClosedByPeer { .. }), "{reason:?}");
    state.gate.add_permits(1);
    assert_eq!(within("the call `running`", running).await, Ok("running".to_owned()));
    within("the shutdown", shutdown).await;
}
