//! Budgets and settings: calls without a free handler slot or memory are refused with a truthful outcome, and
//! what was used is released.

use std::time::Duration;

use kaa_rpc_runtime::codec::DecodeLimits;
use kaa_rpc_runtime::{CallError, CloseReason, ConnectError, Limits, Resources};

use kaa_rpc_test_support::scripted::frames;
use kaa_rpc_test_support::sockets::SocketDirectory;
use kaa_rpc_test_support::texts::*;
use kaa_rpc_test_support::waiting::*;

const MEGABYTE: u64 = 1024 * 1024;

/// The text of a refusal for a limit.
fn exhausted<T: std::fmt::Debug>(result: Result<T, CallError>) -> String {
    match result {
        Err(CallError::ResourceExhausted(text)) => text,
        other => panic!("expected an exhausted resource, but got {other:?}"),
    }
}

#[tokio::test]
async fn handler_budget_refuses_calls() {
    let resources = Resources::new(1, 100 * MEGABYTE);
    let pair = Pair::with(|server| server.resources(resources.clone()), |client| client).await;
    let mut first = call_method::<WAIT>(&pair.peer, "first");
    start(&mut first).await;
    pair.server_state.until_started(1).await;
    assert_eq!(resources.handlers(), 1);
    // Another connection of the same server, and of the same process.
    let other = client_of(&pair.socket);
    let refused =
        exhausted(within("the reply to RECORD", call_method::<RECORD>(&other.peer(), "second")).await);
    assert!(refused.contains("handlers"), "{refused}");
    within("NOTE to be sent", call_oneway::<NOTE>(&other.peer(), "oneway")).await.unwrap();
    let dropped = || pair.server.statistics().total.oneways_dropped;
    eventually("the oneway call to be dropped", dropped, |count| *count > 0).await;
    pair.server_state.gate.add_permits(1);
    within("the call `first`", first).await.unwrap();
    eventually("the handler to end", || resources.handlers(), |count| *count == 0).await;
    within("the reply to RECORD", call_method::<RECORD>(&other.peer(), "third")).await.unwrap();
    assert_eq!(pair.server_state.records(), ["third"]);
}

#[tokio::test]
async fn handler_budget_admits_nested_calls() {
    let resources = Resources::new(1, 100 * MEGABYTE);
    let pair = Pair::with(
        |server| server.resources(resources.clone()),
        |client| client.resources(resources.clone()),
    )
    .await;
    let mut call = call_method::<CALL_BACK_WAIT>(&pair.peer, "nested");
    start(&mut call).await;
    pair.client_state.until_started(1).await;
    assert_eq!(resources.handlers(), 2, "the handler that calls, and the one that is called");
    pair.client_state.gate.add_permits(1);
    assert_eq!(within("the call", call).await, Ok("nested".to_owned()));
}

#[tokio::test]
async fn memory_budget_skips_large_calls() {
    let resources = Resources::new(100, MEGABYTE);
    let (_server, state, socket) = server_with(|server| server.resources(resources.clone())).await;
    let mut peer = scripted_client(&socket.path()).await;
    peer.send(frames::call(1, RECORD, &"x".repeat(3_000_000))).await;
    peer.send(frames::call(2, RECORD, "small")).await;
    let refused = peer.next(frames::REPLY).await;
    assert_eq!((refused.id, refused.detail), (1, frames::RESOURCE_EXHAUSTED));
    assert!(refused.text().contains("memory"), "{}", refused.text());
    assert_eq!(peer.next(frames::REPLY).await.payload, frames::text("small"), "the next call is served");
    assert_eq!(state.records(), ["small"]);
    assert_eq!(resources.memory(), 0);
}

#[tokio::test]
async fn running_calls_use_memory_budget() {
    let resources = Resources::new(100, MEGABYTE);
    let pair = Pair::with(|server| server.resources(resources.clone()), |client| client).await;
    let mut calls: Vec<_> = (0..4).map(|_| call_method::<WAIT>(&pair.peer, "x".repeat(300_000))).collect();
    for call in &mut calls {
        start(call).await;
    }
    let last = calls.pop().unwrap();
    let refused = exhausted(within("the call `last`", last).await);
    assert!(refused.contains("memory"), "{refused}");
    assert!((900_000..MEGABYTE).contains(&resources.memory()), "{}", resources.memory());
    exhausted(within("the reply to ECHO", call_method::<ECHO>(&pair.peer, "x".repeat(200_000))).await);
    pair.server_state.gate.add_permits(3);
    all(calls).await;
    until_released(&resources).await;
    pair.assert_responds().await;
}

async fn until_released(resources: &Resources) {
    let used = || (resources.memory(), resources.handlers());
    eventually("all resources to be released", used, |used| *used == (0, 0)).await;
}

/// Nothing else happens on the connection that would release the memory.
#[tokio::test]
async fn ended_call_releases_memory() {
    let resources = Resources::new(100, MEGABYTE);
    let pair = Pair::with(
        |server| server.resources(resources.clone()).without_keepalive(),
        |client| client.without_keepalive(),
    )
    .await;
    // The handler is pending once, and its reply is short.
    within("the reply to TRACE", call_method::<TRACE>(&pair.peer, "x".repeat(300_000))).await.unwrap();
    until_released(&resources).await;
    within("NOTE to be sent", call_oneway::<NOTE>(&pair.peer, "x".repeat(300_000))).await.unwrap();
    pair.server_state.until_recorded(1).await;
    until_released(&resources).await;
}

#[tokio::test]
async fn unsent_calls_release_memory() {
    let resources = Resources::new(100, 10 * MEGABYTE);
    let socket = SocketDirectory::new();
    let client = || {
        client_builder(&ServiceState::new())
            .resources(resources.clone())
            .reconnect(kaa_rpc_runtime::Backoff::default())
            .connect(socket.address().as_str())
            .unwrap()
    };
    // The client is dropped, a handle on its peer is not.
    let ended = client();
    let peer = ended.peer();
    let mut call = call_method::<ECHO>(&peer, "x".repeat(300_000));
    start(&mut call).await;
    assert!(resources.memory() > 300_000, "{}", resources.memory());
    drop(ended);
    disconnected(within("the call", call).await);
    until_released(&resources).await;
    // A call that waits for the peer's limit does not wait for another connection.
    let limits = Limits { max_inbound_calls: 1, ..Limits::default() };
    let server =
        server_builder(&ServiceState::new()).limits(limits).listen(socket.address().as_str()).await.unwrap();
    let client = client();
    within("the client to connect or fail", client.ready()).await.unwrap();
    let mut running = call_method::<WAIT>(&client.peer(), "x");
    start(&mut running).await;
    let mut waiting = call_method::<ECHO>(&client.peer().fail_fast(), "x".repeat(300_000));
    start(&mut waiting).await;
    assert!(resources.memory() > 300_000, "{}", resources.memory());
    drop(server);
    disconnected(within("the call `waiting`", waiting).await);
    until_released(&resources).await;
}

#[tokio::test]
async fn lost_connection_releases_memory() {
    let resources = Resources::new(100, 10 * MEGABYTE);
    let (server, state, socket) = server_with(|server| server.resources(resources.clone())).await;
    let mut events = server.events();
    let mut peer = scripted_client(&socket.path()).await;
    peer.send(frames::call(1, WAIT, &"x".repeat(500_000))).await;
    state.until_started(1).await;
    let large = frames::call(2, WAIT, &"x".repeat(2_000_000));
    peer.send(&large[..1_000_000]).await;
    eventually("the memory to be used", || resources.memory(), |memory| *memory >= 2_000_000).await;
    drop(peer);
    close_reason(&mut events).await;
    until_released(&resources).await;
}

#[tokio::test]
async fn cancel_rate_limit_ends_connection() {
    let (server, _state, socket) = server_with(|server| server.cancel_rate(10, 1)).await;
    let mut events = server.events();
    let mut peer = scripted_client(&socket.path()).await;
    for id in 1..=30 {
        if peer.try_send([frames::call(id, WAIT, "x"), frames::cancel(id)].concat()).await.is_err() {
            break;
        }
    }
    let goodbye = peer.next(frames::GOODBYE).await;
    assert_eq!(goodbye.detail, frames::RATE_LIMITED);
    assert!(goodbye.text().contains("cancels"), "{}", goodbye.text());
    let reason = close_reason(&mut events).await;
    assert!(matches!(reason, CloseReason::Protocol(_)), "{reason:?}");
}

#[tokio::test]
async fn cancels_within_rate_are_accepted() {
    let pair = Pair::with(|server| server.cancel_rate(100, 1), |client| client).await;
    for _ in 0..90 {
        let mut call = call_method::<WAIT>(&pair.peer, "x");
        start(&mut call).await;
    }
    pair.assert_responds().await;
}

#[tokio::test]
async fn goodbye_reports_oversized_frame() {
    let (_server, _state, socket) = server_with(|server| server).await;
    let mut peer = scripted_client(&socket.path()).await;
    peer.send(u32::MAX.to_le_bytes()).await;
    assert_eq!(peer.next(frames::GOODBYE).await.detail, frames::FRAME_TOO_LARGE);
}

/// The peer reads a little now and then, so that there is always some progress.
#[tokio::test]
async fn slowly_reading_peer_is_stalled() {
    let stall = Duration::from_millis(300);
    let (server, _state, socket) = server_with(|server| server.stall_timeout(stall)).await;
    let mut events = server.events();
    let mut peer = scripted_client(&socket.path()).await;
    for id in 1..=4 {
        peer.send(frames::call(id, LARGE, "3000000")).await;
    }
    let closed = close_reason(&mut events);
    tokio::pin!(closed);
    let reason = within("the connection to end", async {
        loop {
            tokio::select! {
                reason = &mut closed => break reason,
                _count = peer.discard(100) => tokio::time::sleep(stall / 20).await,
            }
        }
    })
    .await;
    assert_eq!(reason, CloseReason::PeerStalled);
}

#[tokio::test]
async fn queue_limit_setting_applies() {
    let socket = SocketDirectory::new();
    let client = client_builder(&ServiceState::new())
        .queue_limits(2, 1000)
        .reconnect(kaa_rpc_runtime::Backoff::default())
        .connect(socket.address().as_str())
        .unwrap();
    let peer = client.peer();
    let mut calls: Vec<_> = (0..4).map(|_| call_method::<ECHO>(&peer, "x")).collect();
    for call in &mut calls {
        start(call).await;
    }
    assert_eq!(peer.statistics().calls_queued, 2);
    let _server = server_builder(&ServiceState::new()).listen(socket.address().as_str()).await.unwrap();
    let results = all(calls).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
}

#[tokio::test]
async fn decode_limit_setting_applies() {
    let limits = DecodeLimits::new(1000);
    let pair = Pair::with(|server| server.decode_limits(limits), |client| client).await;
    let error =
        within("the reply to ECHO", call_method::<ECHO>(&pair.peer, "x".repeat(2000))).await.unwrap_err();
    assert!(matches!(error, CallError::BadRequest(_)), "{error:?}");
    pair.assert_responds().await;
    let pair = Pair::with(|server| server, |client| client.decode_limits(limits)).await;
    let error = within("the reply to LARGE", call_method::<LARGE>(&pair.peer, "2000")).await.unwrap_err();
    assert!(matches!(error, CallError::BadReply(_)), "{error:?}");
}

#[tokio::test]
async fn nesting_limit_setting_applies() {
    let pair = Pair::with(|server| server.max_nesting(4), |client| client.max_nesting(4)).await;
    assert_eq!(
        within("the reply to DESCEND", call_method::<DESCEND>(&pair.peer, "4")).await,
        Ok("the bottom".to_owned())
    );
    let error = within("the reply to DESCEND", call_method::<DESCEND>(&pair.peer, "5")).await.unwrap_err();
    assert!(error.to_string().contains("nested too deep"), "{error}");
}

/// The clients connect at the same time, so that all are counted before any is accepted.
#[tokio::test]
async fn connection_limit_holds_for_simultaneous_clients() {
    let (server, _state, socket) = server_with(|server| server.max_connections(3)).await;
    let clients: Vec<_> = (0..20).map(|_| client_of(&socket)).collect();
    let mut busy = 0;
    for client in &clients {
        match within("the client to connect or fail", client.ready()).await {
            Ok(()) => {}
            Err(ConnectError::Busy { retry_after: Some(_) }) => busy += 1,
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!((busy, server.connections()), (17, 3));
    drop(clients);
    eventually("all connections to end", || server.connections(), |count| *count == 0).await;
    let late = client_of(&socket);
    within("the client to connect or fail", late.ready()).await.unwrap();
}

#[tokio::test]
async fn strangers_do_not_use_connection_slots() {
    let (_server, _state, socket) =
        server_with(|server| server.max_connections(1).max_unauthenticated(10, 1)).await;
    let mut strangers = Vec::new();
    for _ in 0..9 {
        strangers.push(tokio::net::UnixStream::connect(socket.path()).await.unwrap());
    }
    let client = client_of(&socket);
    within("the client to connect or fail", client.ready()).await.unwrap();
}

#[tokio::test]
async fn hello_timeout_setting_applies() {
    let (server, _state, socket) =
        server_with(|server| server.hello_timeout(Duration::from_millis(30))).await;
    let mut events = server.events();
    let _stranger = tokio::net::UnixStream::connect(socket.path()).await.unwrap();
    let refused = refusal(&mut events).await;
    assert!(refused.reason.contains("sent nothing"), "{}", refused.reason);
}

/// The flood has no end, so the polite client is answered between the calls of the flood, not after them.
#[tokio::test]
async fn call_flood_does_not_starve_other_connections() {
    let limits = Limits { max_inbound_calls: u32::MAX, ..Limits::default() };
    let (_server, state, socket) = server_with(|server| server.limits(limits)).await;
    let polite = client_of(&socket);
    within("the polite client to connect", polite.ready()).await.unwrap();
    let mut flood = scripted_client(&socket.path()).await;
    let flooding = tokio::spawn(async move {
        let mut ids = 1..;
        loop {
            let calls = ids.by_ref().take(1000).flat_map(|id| frames::call(id, RECORD, "flood"));
            flood.send(calls.collect::<Vec<_>>()).await;
            while flood.has_input() {
                flood.receive().await.unwrap();
            }
        }
    });
    state.until_recorded(1).await;
    for _ in 0..3 {
        within("the reply to RECORD", call_method::<RECORD>(&polite.peer(), "polite")).await.unwrap();
    }
    assert!(!flooding.is_finished(), "the flood has ended");
    let before = state.records().len();
    state.until_recorded(before + 1).await;
    flooding.abort();
}

#[tokio::test]
async fn client_of_busy_server_reconnects() {
    let socket = SocketDirectory::new();
    let server = server_builder(&ServiceState::new())
        .max_connections(1)
        .listen(socket.address().as_str())
        .await
        .unwrap();
    let first = client_of(&socket);
    within("the client to connect or fail", first.ready()).await.unwrap();
    let second = client_builder(&ServiceState::new())
        .reconnect(kaa_rpc_runtime::Backoff::default())
        .connect(socket.address().as_str())
        .unwrap();
    let mut events = server.events();
    refusal(&mut events).await;
    drop(first);
    within("the client to connect or fail", second.ready()).await.unwrap();
}
