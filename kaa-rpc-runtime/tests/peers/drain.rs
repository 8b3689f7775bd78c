//! Shutdown: running calls are finished, calls that were not sent are reported as such, and every wait is
//! limited.

use kaa_rpc_test_support::assert_matches;
use std::time::Duration;

use kaa_rpc_runtime::{Backoff, CallError, Client, ClientStatus, CloseReason, Outcome};
use tokio::time::Instant;

use kaa_rpc_test_support::scripted::{ScriptedPeer, frames};
use kaa_rpc_test_support::sockets::SocketDirectory;
use kaa_rpc_test_support::texts::*;
use kaa_rpc_test_support::waiting::*;

/// Longer than any test takes.
const LONG: Duration = Duration::from_secs(3600);

/// Many callers call while the server shuts down: each call is answered, or reported as not sent.
/// Waits until the client knows that its server shuts down.
async fn until_draining(client: &Client) {
    eventually("the client to drain", || client.status(), |status| *status == ClientStatus::Draining).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shutdown_loses_no_call() {
    let pair = Pair::new().await;
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..64 {
        let peer = pair.peer.clone();
        callers.spawn(async move {
            let mut answered = 0;
            loop {
                match call_method::<RECORD>(&peer, format!("{caller}/{answered}")).await {
                    Ok(_) => answered += 1,
                    Err(error) => {
                        assert_eq!(error.outcome(), Outcome::NotSent, "{error:?}");
                        return answered;
                    }
                }
            }
        });
    }
    pair.server_state.until_recorded(1000).await;
    let report = within("the server to shut down", pair.server.shutdown(LONG)).await;
    assert_eq!((report.connections, report.aborted), (1, 0));
    let answered: usize = within("all callers", callers.join_all()).await.into_iter().sum();
    assert_eq!(pair.server_state.records().len(), answered);
}

/// The drain waits only for the last handler's reply.
#[tokio::test]
async fn shutdown_ends_with_last_handler() {
    let pair = Pair::new().await;
    let mut call = call_method::<WAIT>(&pair.peer, "finished");
    start(&mut call).await;
    pair.server_state.until_started(1).await;
    let shutdown = async {
        let report = within("the server to shut down", pair.server.shutdown(LONG)).await;
        assert_eq!((report.aborted, report.cancelled_handlers), (0, 0));
    };
    let finish = async {
        until_draining(&pair.client).await;
        // No new calls are sent meanwhile.
        let new = within("the reply to ECHO", call_method::<ECHO>(&pair.peer, "")).await;
        assert_eq!(disconnected(new), Outcome::NotSent);
        pair.server_state.gate.add_permits(1);
        assert_eq!(within("the call", call).await, Ok("finished".to_owned()));
    };
    tokio::join!(shutdown, finish);
    let reason = within("the connection to close", pair.client.closed()).await;
    assert!(matches!(reason, CloseReason::ClosedByPeer { .. }), "{reason:?}");
}

#[tokio::test]
async fn shutdown_waits_for_oneway_handlers() {
    let pair = Pair::new().await;
    within("GATED_NOTE to be sent", call_oneway::<GATED_NOTE>(&pair.peer, "noted")).await.unwrap();
    pair.server_state.until_started(1).await;
    let finish = async {
        until_draining(&pair.client).await;
        pair.server_state.gate.add_permits(1);
    };
    let (report, ()) = tokio::join!(within("the server to shut down", pair.server.shutdown(LONG)), finish);
    assert_eq!(report.aborted, 0);
    assert_eq!(pair.server_state.records(), ["noted"]);
}

#[tokio::test]
async fn shutdown_timeout_aborts_calls() {
    let pair = Pair::new().await;
    let mut call = call_method::<WAIT>(&pair.peer, "");
    start(&mut call).await;
    pair.server_state.until_started(1).await;
    let report = within("the server to shut down", pair.server.shutdown(Duration::from_millis(100))).await;
    assert_eq!((report.aborted, report.cancelled_handlers), (1, 1));
    assert_eq!(disconnected(within("the call", call).await), Outcome::Unknown);
    pair.server_state.until_dropped(1).await;
}

/// The handlers of a side that shuts down may call and be called until they end.
#[tokio::test]
async fn drain_admits_nested_calls() {
    let pair = Pair::new().await;
    // The server's handler calls the client, whose handler waits for the gate.
    let mut call = call_method::<CALL_BACK_WAIT>(&pair.peer, "nested");
    start(&mut call).await;
    pair.client_state.until_started(1).await;
    let finish = async {
        until_draining(&pair.client).await;
        pair.client_state.gate.add_permits(1);
        assert_eq!(within("the call", call).await, Ok("nested".to_owned()));
    };
    let (report, ()) = tokio::join!(within("the server to shut down", pair.server.shutdown(LONG)), finish);
    assert_eq!(report.aborted, 0);
}

/// A nested call crosses the Goodbye that names the last call. It is run, so it must not be reported as not
/// sent.
#[tokio::test]
async fn nested_call_crossing_last_goodbye_is_answered() {
    let (server, _state, socket) = server_with(|server| server).await;
    let mut peer = scripted_client(&socket.path()).await;
    peer.send(frames::goodbye()).await;
    // A call of the draining peer, whose handler calls back.
    peer.send(frames::call(1, CALL_BACK, "hello?")).await;
    let nested = peer.next(frames::CALL).await;
    assert!(nested.id > 0, "{nested:?}");
    peer.send(frames::last_goodbye(0)).await;
    peer.reply(&nested, "hello").await;
    let reply = peer.next(frames::REPLY).await;
    assert_eq!((reply.id, reply.payload), (1, frames::text("hello from the caller")));
    assert_eq!(server.connections(), 1);
}

/// Both sides shut down while each has a running call. Returns how long it took.
async fn shut_down_both_sides(pair: Pair) -> Duration {
    let client_peer = pair.client_peer().await;
    let mut calls = vec![
        call_method::<WAIT>(&pair.peer, "to the server"),
        call_method::<WAIT>(&client_peer, "to the client"),
    ];
    for call in &mut calls {
        start(call).await;
    }
    pair.server_state.until_started(1).await;
    pair.client_state.until_started(1).await;
    pair.server_state.gate.add_permits(1);
    pair.client_state.gate.add_permits(1);
    let started = Instant::now();
    let (report, _, answers) = tokio::join!(
        within("the server to shut down", pair.server.shutdown(LONG)),
        within("the client to shut down", pair.client.shutdown(LONG)),
        all(calls)
    );
    assert_eq!(report.aborted, 0, "{report:?}");
    assert_eq!(answers, [Ok("to the server".to_owned()), Ok("to the client".to_owned())]);
    started.elapsed()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_shut_down_at_once() {
    let mut times = Vec::new();
    for _ in 0..20 {
        times.push(shut_down_both_sides(Pair::new().await).await);
    }
    // The timer of the last Goodbye takes two seconds. On a busy machine a few rounds may take as long
    // without it.
    times.sort_unstable();
    assert!(times[10] < Duration::from_secs(2), "most rounds waited for a timer: {times:?}");
}

/// The clock stands still unless every task waits for a timer.
#[tokio::test(start_paused = true)]
async fn simultaneous_shutdown_waits_for_no_timer() {
    let pair = Pair::in_memory(|server| server, |client| client).await;
    assert_eq!(shut_down_both_sides(pair).await, Duration::ZERO);
}

/// Calls made before the shutdown are finished, also those that wait for the peer's limit.
#[tokio::test]
async fn client_shutdown_sends_queued_calls() {
    let limits = kaa_rpc_runtime::Limits { max_inbound_calls: 1, oneway_window: 1, ..Default::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client).await;
    let mut calls: Vec<_> =
        (0..10).map(|index| call_method::<RECORD>(&pair.peer, index.to_string())).collect();
    for call in &mut calls {
        start(call).await;
    }
    for index in 10..20 {
        within("NOTE to be sent", call_oneway::<NOTE>(&pair.peer, index.to_string())).await.unwrap();
    }
    let (answers, _) =
        tokio::join!(all(calls), within("the client to shut down", pair.client.shutdown(LONG)));
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let expected: Vec<String> = (0..20).map(|index| index.to_string()).collect();
    assert_eq!(pair.server_state.records(), expected);
}

/// A program makes one call and shuts down: the call is sent, although there was no connection yet.
#[tokio::test]
async fn connecting_client_shutdown_sends_queued_calls() {
    let (_server, state, socket) = server_with(|server| server).await;
    let client = client_of(&socket);
    within("NOTE to be sent", call_oneway::<NOTE>(&client.peer(), "queued")).await.unwrap();
    let mut shutdown = Box::pin(client.shutdown(LONG));
    start(&mut shutdown).await;
    assert_eq!(
        disconnected(within("the reply to ECHO", call_method::<ECHO>(&client.peer(), "")).await),
        Outcome::NotSent
    );
    within("the shutdown", shutdown).await;
    assert_eq!(state.records(), ["queued"]);
}

#[tokio::test]
async fn client_shutdown_without_server_ends_at_once() {
    let socket = SocketDirectory::new();
    let client = client_builder(&ServiceState::new())
        .reconnect(Backoff::default())
        .connect(socket.address().as_str())
        .unwrap();
    let mut call = call_method::<ECHO>(&client.peer(), "");
    start(&mut call).await;
    within("the client to shut down", client.shutdown(LONG)).await;
    assert_eq!(disconnected(within("the call", call).await), Outcome::NotSent);
}

#[tokio::test]
async fn client_shutdown_stops_reconnecting() {
    let socket = SocketDirectory::new();
    let listener = socket.listener();
    let client = client_builder(&ServiceState::new())
        .reconnect(Backoff::default())
        .connect(socket.address().as_str())
        .unwrap();
    let mut scripted = ScriptedPeer::accept(&listener).await;
    let mut call = call_method::<ECHO>(&client.peer(), "");
    start(&mut call).await;
    scripted.next(frames::CALL).await;
    let mut shutdown = Box::pin(client.shutdown(LONG));
    start(&mut shutdown).await;
    scripted.next(frames::GOODBYE).await;
    drop(scripted);
    within("the shutdown", shutdown).await;
    assert_eq!(disconnected(within("the call", call).await), Outcome::Unknown);
    let status = client.status();
    assert!(matches!(status, ClientStatus::Closed(_)), "{status:?}");
}

/// The peer's calls after the last one that the Goodbye names are not run.
#[tokio::test]
async fn calls_after_last_goodbye_are_not_run() {
    let (server, state, socket) = server_with(|server| server).await;
    let mut peer = scripted_client(&socket.path()).await;
    peer.send(frames::call(1, WAIT, "before")).await;
    state.until_started(1).await;
    let shutdown =
        tokio::spawn(async move { within("the server to shut down", server.shutdown(LONG)).await });
    assert_eq!(peer.next(frames::GOODBYE).await.token, 0);
    // The peer has not received it yet.
    peer.send(frames::call(2, RECORD, "between")).await;
    assert_eq!(peer.next(frames::PING).await.kind, frames::PING);
    peer.send(frames::frame(frames::PONG, 0, 0, 0, b"")).await;
    let mut both = [peer.receive().await.unwrap(), peer.receive().await.unwrap()];
    both.sort_by_key(|received| received.kind);
    assert_eq!((both[0].kind, both[0].id), (frames::REPLY, 2));
    assert_eq!((both[1].kind, both[1].id, both[1].token), (frames::GOODBYE, 2, 1));
    peer.send(frames::call(3, RECORD, "too late")).await;
    peer.send(frames::frame(frames::ONEWAY, 4, 0, NOTE, &frames::text("too late"))).await;
    state.gate.add_permits(1);
    let reply = peer.next(frames::REPLY).await;
    assert_eq!((reply.id, reply.payload), (1, frames::text("before")));
    assert!(peer.receive().await.is_none(), "the server did not close its sending half");
    drop(peer);
    assert_eq!(within("the shutdown", shutdown).await.unwrap().aborted, 0);
    assert_eq!(state.records(), ["between"]);
}

/// A call after the last one that the peer answers counts as not sent, although its bytes were sent.
#[tokio::test]
async fn call_after_peers_last_goodbye_is_not_sent() {
    let socket = SocketDirectory::new();
    let listener = socket.listener();
    let client = client_of(&socket);
    let mut scripted = ScriptedPeer::accept(&listener).await;
    let peer = client.peer();
    let (mut first, mut second) = (call_method::<ECHO>(&peer, "first"), call_method::<ECHO>(&peer, "second"));
    start(&mut first).await;
    start(&mut second).await;
    let made = scripted.next(frames::CALL).await;
    scripted.next(frames::CALL).await;
    scripted.send([frames::goodbye(), frames::last_goodbye(made.id)].concat()).await;
    assert_eq!(disconnected(within("the call `second`", second).await), Outcome::NotSent);
    scripted.reply(&made, "first").await;
    assert_eq!(within("the call `first`", first).await, Ok("first".to_owned()));
}

/// A Goodbye ends only the calls to its sender, not the calls of its sender.
#[tokio::test]
async fn draining_peer_is_still_served() {
    let (_server, _state, socket) = server_with(|server| server).await;
    let mut peer = scripted_client(&socket.path()).await;
    peer.send(frames::goodbye()).await;
    for id in 1..=3 {
        peer.send(frames::call(id, ECHO, "more")).await;
        assert_eq!(peer.next(frames::REPLY).await.payload, frames::text("more"));
    }
}

#[tokio::test]
async fn drained_peer_is_closed() {
    let (server, _state, socket) = server_with(|server| server).await;
    let mut events = server.events();
    let mut peer = scripted_client(&socket.path()).await;
    peer.send([frames::call(1, ECHO, "done"), frames::goodbye(), frames::last_goodbye(0)].concat()).await;
    assert_eq!(peer.next(frames::REPLY).await.id, 1);
    let reason = close_reason(&mut events).await;
    assert!(matches!(reason, CloseReason::ClosedByPeer { .. }), "{reason:?}");
    assert_matches!(peer.receive().await, None);
}

#[tokio::test]
async fn silent_draining_peer_is_stalled() {
    let (server, _state, socket) =
        server_with(|server| server.stall_timeout(Duration::from_millis(200))).await;
    let mut events = server.events();
    let mut peer = scripted_client(&socket.path()).await;
    peer.send(frames::goodbye()).await;
    assert_eq!(close_reason(&mut events).await, CloseReason::PeerStalled);
}

/// A close, a drain and the peer's Goodbye happen at the same moment: in any order, the connection stays
/// closed.
#[tokio::test(flavor = "multi_thread")]
async fn closed_connection_stays_closed() {
    for round in 0..60 {
        let pair = Pair::new().await;
        let client_peer = pair.client_peer().await;
        let close = tokio::spawn(async move {
            for _ in 0..round * 10 {
                std::hint::spin_loop();
            }
            client_peer.close();
            client_peer.closed().await
        });
        let peer = pair.peer.clone();
        let shutdown = tokio::spawn(async move { pair.client.shutdown(LONG).await });
        within("the task `close`", close).await.unwrap();
        within("the shutdown", shutdown).await.unwrap();
        within("the connection to close", peer.closed()).await;
        let result = within("the reply to ECHO", call_method::<ECHO>(&peer, "")).await;
        assert!(matches!(result, Err(CallError::Disconnected { .. })), "{result:?}");
    }
}
