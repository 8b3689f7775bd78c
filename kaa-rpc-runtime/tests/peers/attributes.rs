//! The attributes of methods: `#[timeout]`, `#[detached]`, `#[idempotent]`.

use std::ops::RangeInclusive;
use std::time::Duration;

use kaa_rpc_runtime::{Backoff, Call, CallError, CloseReason, Method, Outcome};
use tokio::net::UnixListener;

use kaa_rpc_test_support::scripted::{ScriptedPeer, frames};
use kaa_rpc_test_support::sockets::SocketDirectory;
use kaa_rpc_test_support::texts::*;
use kaa_rpc_test_support::waiting::*;

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(3600);

/// How many seconds a call's handler has. `None` without a deadline.
async fn seconds<M>(call: Call<M>) -> Option<u64>
where
    M: Method<Returns = Text, Throws = std::convert::Infallible>,
{
    within("the call", call).await.unwrap().parse().ok()
}

const ABOUT_1000: RangeInclusive<u64> = 900..=1000;
const ABOUT_500: RangeInclusive<u64> = 400..=500;

#[tokio::test]
async fn method_timeout_applies_without_call_timeout() {
    let pair = Pair::new().await;
    let left = seconds(call_method::<LONG_TIMEOUT>(&pair.peer, "")).await.unwrap();
    assert!(ABOUT_1000.contains(&left), "{left}");
}

#[tokio::test(start_paused = true)]
async fn method_timeout_ends_call_and_handler() {
    let pair = Pair::in_memory(|server| server, |client| client).await;
    let error = within("the reply to SHORT_TIMEOUT", call_method::<SHORT_TIMEOUT>(&pair.peer, "")).await;
    assert_eq!(error, Err(CallError::DeadlineExceeded { outcome: Outcome::Unknown }));
    pair.server_state.until_dropped(1).await;
}

#[tokio::test]
async fn call_timeout_replaces_method_timeout() {
    let pair = Pair::new().await;
    let left =
        seconds(call_method::<LONG_TIMEOUT>(&pair.peer, "").timeout(Duration::from_secs(500))).await.unwrap();
    assert!(ABOUT_500.contains(&left), "{left}");
    assert_eq!(seconds(call_method::<LONG_TIMEOUT>(&pair.peer, "").no_timeout()).await, None);
}

#[tokio::test]
async fn nested_call_inherits_remaining_time() {
    let pair = Pair::new().await;
    let left = seconds(call_method::<CALL_BACK_REMAINING>(&pair.peer, "").timeout(Duration::from_secs(500)))
        .await
        .unwrap();
    assert!(ABOUT_500.contains(&left), "{left}");
    assert_eq!(seconds(call_method::<CALL_BACK_REMAINING>(&pair.peer, "")).await, None);
}

#[tokio::test]
async fn detached_handler_outlives_cancel_and_timeout() {
    let pair = Pair::new().await;
    let mut call = call_method::<DETACHED>(&pair.peer, "dropped");
    start(&mut call).await;
    pair.server_state.until_started(1).await;
    drop(call);
    let late = call_method::<DETACHED>(&pair.peer, "late").timeout(Duration::from_millis(50));
    assert_eq!(
        within("the call `late`", late).await,
        Err(CallError::DeadlineExceeded { outcome: Outcome::Unknown }),
        "the caller does not wait for the detached handler"
    );
    pair.assert_responds().await;
    pair.server_state.gate.add_permits(2);
    pair.server_state.until_finished(2).await;
    assert_eq!(pair.server_state.records(), ["dropped", "late"]);
    assert_eq!(pair.server_state.counts().dropped, 0);
}

/// A cancelled call keeps its slot until its handler has ended, and its result is not sent.
#[tokio::test]
async fn detached_handler_keeps_slot_after_cancel() {
    let (_server, state, socket) = server_with(|server| server).await;
    let mut peer = scripted_client(&socket.path()).await;
    peer.send(frames::call(1, DETACHED, "first")).await;
    state.until_started(1).await;
    peer.send(frames::cancel(1)).await;
    // It must not matter whether the handler has started when the Cancel arrives.
    peer.send([frames::call(2, DETACHED, "second"), frames::cancel(2)].concat()).await;
    state.until_started(2).await;
    peer.send(frames::call(3, ECHO, "between")).await;
    assert_eq!(peer.next(frames::REPLY).await.id, 3);
    state.gate.add_permits(2);
    for id in 1..=2 {
        let reply = peer.next(frames::REPLY).await;
        assert_eq!((reply.id, reply.detail, reply.payload), (id, frames::CANCELLED, Vec::new()));
    }
    assert_eq!(state.records(), ["first", "second"]);
}

/// A server whose only client has disconnected while two detached handlers run.
async fn orphaned_handlers() -> Pair {
    let mut pair = Pair::new().await;
    let mut events = pair.server.events();
    let mut call = call_method::<DETACHED>(&pair.peer, "call");
    start(&mut call).await;
    within("DETACHED_NOTE to be sent", call_oneway::<DETACHED_NOTE>(&pair.peer, "note")).await.unwrap();
    pair.server_state.until_started(2).await;
    pair.client = client_builder(&pair.client_state).connect(pair.socket.address().as_str()).unwrap();
    assert_eq!(disconnected(within("the call", call).await), Outcome::Unknown);
    close_reason(&mut events).await;
    within("the client to shut down", pair.client.shutdown(LONG)).await;
    pair
}

#[tokio::test]
async fn shutdown_waits_for_detached_handlers() {
    let pair = orphaned_handlers().await;
    let mut shutdown = Box::pin(pair.server.shutdown(LONG));
    start(&mut shutdown).await;
    pair.server_state.gate.add_permits(2);
    let report = within("the shutdown", shutdown).await;
    assert_eq!((report.aborted, report.cancelled_handlers), (0, 0));
    let mut records = pair.server_state.records();
    records.sort();
    assert_eq!(records, ["call", "note"]);
}

#[tokio::test]
async fn shutdown_timeout_drops_detached_handlers() {
    let pair = orphaned_handlers().await;
    let report = within("the server to shut down", pair.server.shutdown(Duration::from_millis(50))).await;
    assert_eq!((report.aborted, report.cancelled_handlers), (0, 2));
    pair.server_state.until_dropped(2).await;
}

#[tokio::test]
async fn dropping_server_drops_detached_handlers() {
    let pair = orphaned_handlers().await;
    drop(pair.server);
    pair.server_state.until_dropped(2).await;
}

#[tokio::test]
async fn client_owns_its_detached_handlers() {
    for opens_gate in [true, false] {
        let pair = Pair::new().await;
        let mut call = call_method::<DETACHED>(&pair.client_peer().await, "call");
        start(&mut call).await;
        pair.client_state.until_started(1).await;
        drop(pair.server);
        within("the connection to close", pair.client.closed()).await;
        let mut shutdown = Box::pin(pair.client.shutdown(LONG));
        start(&mut shutdown).await;
        if opens_gate {
            pair.client_state.gate.add_permits(1);
            within("the shutdown", shutdown).await;
            assert_eq!(pair.client_state.records(), ["call"]);
        } else {
            drop(shutdown);
            drop(pair.client);
            pair.client_state.until_dropped(1).await;
        }
    }
}

/// A client that reconnects at once, and the socket for scripted servers.
fn reconnecting() -> (kaa_rpc_runtime::Client, UnixListener, SocketDirectory) {
    let socket = SocketDirectory::new();
    let listener = socket.listener();
    let client = client_builder(&ServiceState::new())
        .reconnect(Backoff::default().initial(Duration::from_millis(1)))
        .connect(socket.address().as_str())
        .unwrap();
    (client, listener, socket)
}

#[tokio::test]
async fn reconnect_resends_idempotent_calls_only() {
    let (client, listener, _socket) = reconnecting();
    let (mut idempotent, mut other) = (
        call_method::<IDEMPOTENT>(&client.peer(), "idempotent"),
        call_method::<RECORD>(&client.peer(), "other"),
    );
    start(&mut idempotent).await;
    start(&mut other).await;
    let mut first = ScriptedPeer::accept(&listener).await;
    let before = [first.next(frames::CALL).await, first.next(frames::CALL).await];
    assert_eq!(before.map(|call| call.detail), [IDEMPOTENT, RECORD]);
    drop(first);
    assert_eq!(disconnected(within("the call `other`", other).await), Outcome::Unknown);
    start(&mut idempotent).await;
    let mut second = ScriptedPeer::accept(&listener).await;
    let call = second.next(frames::CALL).await;
    assert_eq!((call.detail, &call.payload), (IDEMPOTENT, &frames::text("idempotent")));
    second.reply(&call, "done").await;
    assert_eq!(within("the call `idempotent`", idempotent).await, Ok("done".to_owned()));
}

#[tokio::test]
async fn idempotent_call_is_resent_at_most_twice() {
    let (client, listener, _socket) = reconnecting();
    let peer = client.peer();
    let call = tokio::spawn(async move { call_method::<IDEMPOTENT>(&peer, "").await });
    for _ in 0..3 {
        ScriptedPeer::accept(&listener).await.next(frames::CALL).await;
    }
    assert_eq!(disconnected(within("the call", call).await.unwrap()), Outcome::Unknown);
    // On the next connection only new calls arrive.
    let mut fourth = ScriptedPeer::accept(&listener).await;
    let mut call = call_method::<ECHO>(&client.peer(), "next");
    start(&mut call).await;
    assert_eq!(fourth.next(frames::CALL).await.detail, ECHO);
}

#[tokio::test]
async fn resend_respects_deadline_and_close() {
    let (client, listener, _socket) = reconnecting();
    let mut server = ScriptedPeer::accept(&listener).await;
    within("the client to connect", client.ready()).await.unwrap();
    let mut in_time = call_method::<IDEMPOTENT>(&client.peer(), "").timeout(Duration::from_millis(200));
    let mut closed = call_method::<IDEMPOTENT>(&client.peer(), "");
    start(&mut in_time).await;
    start(&mut closed).await;
    server.next(frames::CALL).await;
    server.next(frames::CALL).await;
    drop((server, listener));
    assert_eq!(
        within("the call `in_time`", in_time).await,
        Err(CallError::DeadlineExceeded { outcome: Outcome::Unknown }),
        "the call waits to be resent, but it was sent before"
    );
    start(&mut closed).await;
    drop(client);
    let expected = CallError::Disconnected { outcome: Outcome::Unknown, reason: CloseReason::ClosedLocally };
    assert_eq!(within("the call `closed`", closed).await, Err(expected));
}

#[tokio::test]
async fn client_without_reconnect_resends_nothing() {
    let socket = SocketDirectory::new();
    let listener = socket.listener();
    let client = client_of(&socket);
    let mut call = call_method::<IDEMPOTENT>(&client.peer(), "");
    start(&mut call).await;
    ScriptedPeer::accept(&listener).await.next(frames::CALL).await;
    assert_eq!(disconnected(within("the call", call).await), Outcome::Unknown);
}
