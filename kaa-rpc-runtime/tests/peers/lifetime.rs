//! The lifetime of connections and services: maximum age, reconnects, registration, shutdown, and the events
//! about them.

use kaa_rpc_test_support::assert_matches;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kaa_rpc_runtime::{
    Backoff, CallError, ClientEvent, ClientStatus, CloseReason, ConnectError, Events, Outcome, Secret,
    ServerEvent, Service,
};

use kaa_rpc_test_support::scripted::{ScriptedPeer, frames};
use kaa_rpc_test_support::sockets::SocketDirectory;
use kaa_rpc_test_support::texts::*;
use kaa_rpc_test_support::waiting::*;

const SHORT: Duration = Duration::from_millis(40);
const LONG: Duration = Duration::from_secs(3600);

async fn next(events: &mut Events<ClientEvent>) -> ClientEvent {
    within("an event", events.next()).await.expect("an event of the client")
}

#[tokio::test]
async fn aged_connection_drains_and_client_reconnects() {
    let pair = Pair::with(
        |server| server.max_connection_age(SHORT, LONG),
        |client| client.reconnect(Backoff::default()),
    )
    .await;
    let mut events = pair.client.events();
    let mut call = call_method::<WAIT>(&pair.peer, "still running");
    start(&mut call).await;
    pair.server_state.until_started(1).await;
    eventually("the client to drain", || pair.client.status(), |status| *status == ClientStatus::Draining)
        .await;
    pair.server_state.gate.add_permits(1);
    assert_eq!(within("the call", call).await, Ok("still running".to_owned()), "running calls are finished");
    let mut connected = 0;
    while connected < 3 {
        if let ClientEvent::Connected(_) = next(&mut events).await {
            connected += 1;
        }
    }
    let connections = pair.peer.statistics().connections;
    assert!(connections >= 3, "{connections}");
}

#[tokio::test(start_paused = true)]
async fn aged_connection_is_aborted_after_grace() {
    let pair = Pair::in_memory(|server| server.max_connection_age(SHORT, SHORT), |client| client).await;
    let call = call_method::<WAIT>(&pair.peer, "runs too long");
    assert_eq!(disconnected(within("the call", call).await), Outcome::Unknown);
    pair.server_state.until_dropped(1).await;
}

#[tokio::test]
async fn client_events_cover_connection_lifetime() {
    let socket = SocketDirectory::new();
    let backoff = Backoff::default().initial(Duration::from_millis(5));
    let client =
        client_builder(&ServiceState::new()).reconnect(backoff).connect(socket.address().as_str()).unwrap();
    let mut events = client.events();
    assert_matches!(next(&mut events).await, ClientEvent::Connecting { attempt: 1 });
    let ClientEvent::Refused { error, retry_in: Some(_) } = next(&mut events).await else {
        panic!("connected without a server")
    };
    assert!(matches!(error, ConnectError::Transport(_)), "{error:?}");
    assert_matches!(next(&mut events).await, ClientEvent::Connecting { attempt: 2 });
    let listener = socket.listener();
    while !matches!(next(&mut events).await, ClientEvent::Connecting { .. }) {}
    let scripted = ScriptedPeer::accept(&listener).await;
    loop {
        match next(&mut events).await {
            ClientEvent::Connected(_) => break,
            ClientEvent::Connecting { .. } | ClientEvent::Refused { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    drop(scripted);
    let ClientEvent::Disconnected { reason, retry_in: Some(_) } = next(&mut events).await else {
        panic!("not disconnected")
    };
    assert!(matches!(reason, CloseReason::ConnectionLost(_)), "{reason:?}");
    assert_matches!(next(&mut events).await, ClientEvent::Connecting { attempt: 1 });
    drop(client);
    while within("an event", events.next()).await.is_some() {}
}

#[tokio::test]
async fn wrong_secret_is_not_retried() {
    let (_server, _state, socket) = server_with(|server| server).await;
    let client = client_builder(&ServiceState::new())
        .secret(Secret::generate().unwrap())
        .reconnect(Backoff::default())
        .connect(socket.address().as_str())
        .unwrap();
    let mut events = client.events();
    next(&mut events).await;
    let ClientEvent::Refused { error, retry_in: None } = next(&mut events).await else {
        panic!("not refused, or retried")
    };
    assert!(matches!(error, ConnectError::Authentication(_)), "{error:?}");
    within("the connection to close", client.closed()).await;
}

#[tokio::test]
async fn deregistered_service_finishes_running_calls() {
    let pair = Pair::new().await;
    let mut call = call_method::<WAIT>(&pair.peer, "running");
    start(&mut call).await;
    pair.server_state.until_started(1).await;
    assert!(pair.server.deregister(DESCRIPTOR.name), "not registered");
    assert!(!pair.server.deregister(DESCRIPTOR.name), "deregistered twice");
    let error = within("the reply to ECHO", call_method::<ECHO>(&pair.peer, "x")).await.unwrap_err();
    assert!(matches!(error, CallError::UnknownMethod { .. }), "{error:?}");
    pair.server_state.gate.add_permits(1);
    assert_eq!(within("the call", call).await, Ok("running".to_owned()), "running calls are finished");
    assert!(
        within("the reply to ECHO", call_method::<ECHO>(&pair.client_peer().await, "x")).await.is_ok(),
        "the other side serves on"
    );
    let state = Arc::clone(&pair.server_state);
    pair.server
        .register(Service::shared(&DESCRIPTOR, state, |state, call| serve::<ClientProxy>(state, call)))
        .unwrap();
    pair.assert_responds().await;
    assert!(pair.client.deregister(DESCRIPTOR.name), "not registered");
    let error =
        within("the reply to ECHO", call_method::<ECHO>(&pair.client_peer().await, "x")).await.unwrap_err();
    assert!(matches!(error, CallError::UnknownMethod { .. }), "{error:?}");
}

/// An idle connection releases the service as well.
#[tokio::test]
async fn deregistered_service_is_dropped() {
    let pair = Pair::new().await;
    let alive = Arc::downgrade(&pair.server_state);
    let Pair { server, server_state, .. } = &pair;
    assert!(Arc::strong_count(server_state) > 1, "the service does not hold its state");
    server.deregister(DESCRIPTOR.name);
    eventually("the service to be dropped", || alive.strong_count(), |count| *count == 1).await;
}

#[tokio::test]
async fn shutdown_reports_unfinished_work() {
    let pair = Pair::new().await;
    let mut outbound = call_method::<WAIT>(&pair.peer, "outbound");
    start(&mut outbound).await;
    let client_peer = pair.client_peer().await;
    let mut inbound = call_method::<WAIT>(&client_peer, "inbound");
    start(&mut inbound).await;
    pair.server_state.until_started(1).await;
    pair.client_state.until_started(1).await;
    let report = within("the client to shut down", pair.client.shutdown(SHORT)).await;
    assert_eq!((report.connections, report.aborted), (1, 1));
    assert_eq!((report.cancelled_handlers, report.unanswered_calls), (1, 1));
    disconnected(within("the outbound call", outbound).await);
    disconnected(within("the inbound call", inbound).await);
}

#[tokio::test]
async fn one_connection_shuts_down_alone() {
    let pair = Pair::new().await;
    let other = client_of(&pair.socket);
    within("the client to connect or fail", other.ready()).await.unwrap();
    let report = within("the connection to shut down", pair.client_peer().await.shutdown(LONG)).await;
    assert_eq!((report.connections, report.aborted), (1, 0));
    within("the connection to close", pair.client.closed()).await;
    assert_responds(&other.peer()).await;
}

#[tokio::test]
async fn first_event_subscriber_receives_earlier_events() {
    let (server, _state, socket) = server_with(|server| server).await;
    let client = client_of(&socket);
    within("the client to connect or fail", client.ready()).await.unwrap();
    within("the server to have a peer", server.peers().next()).await.unwrap();
    let event = within("an event", server.events().next()).await;
    assert!(matches!(event, Some(ServerEvent::Connected(_))), "{event:?}");
}

/// No duration is too long for any setting.
#[tokio::test]
async fn every_duration_may_be_unlimited() {
    const UNLIMITED: Duration = Duration::MAX;
    let (server, state, socket) = server_with(|server| {
        server
            .hello_timeout(UNLIMITED)
            .handshake_timeout(UNLIMITED)
            .max_connection_age(UNLIMITED, UNLIMITED)
            .keepalive(SHORT, UNLIMITED)
            .stall_timeout(UNLIMITED)
            .cancel_grace(UNLIMITED)
    })
    .await;
    let backoff = Backoff::default().initial(UNLIMITED).max(UNLIMITED).reset_after(UNLIMITED);
    let client = client_builder(&ServiceState::new())
        .connect_timeout(UNLIMITED)
        .keepalive(UNLIMITED, UNLIMITED)
        .stall_timeout(UNLIMITED)
        .cancel_grace(UNLIMITED)
        .reconnect(backoff)
        .connect(socket.address().as_str())
        .unwrap();
    within("the client to connect or fail", client.ready()).await.unwrap();
    assert_eq!(
        within("the reply to ECHO", call_method::<ECHO>(&client.peer(), "x").timeout(UNLIMITED)).await,
        Ok("x".to_owned())
    );
    let mut cancelled = call_method::<AWAIT_CANCEL>(&client.peer(), "x");
    start(&mut cancelled).await;
    state.until_started(1).await;
    drop(cancelled);
    state.until_cancelled(1).await;
    // Each frame arrives in two parts, the second together with the first part of the next: one is always
    // incomplete.
    let mut peer = scripted_client(&socket.path()).await;
    peer.next(frames::PING).await;
    let mut rest = Vec::new();
    for id in 1..=4 {
        let next = frames::call(id + 1, ECHO, "x");
        let (head, tail) = next.split_at(10);
        let whole = if rest.is_empty() { frames::call(id, ECHO, "x") } else { rest };
        peer.send([&whole, head].concat()).await;
        assert_eq!(peer.next(frames::REPLY).await.id, id);
        rest = tail.to_vec();
    }
    drop(peer);
    assert_eq!(within("the client to shut down", client.shutdown(UNLIMITED)).await.aborted, 0);
    assert_eq!(within("the server to shut down", server.shutdown(UNLIMITED)).await.aborted, 0);
}

#[tokio::test]
async fn shutdown_before_connecting_reports_no_connection() {
    let socket = SocketDirectory::new();
    let backoff = Backoff::default().initial(LONG);
    let client =
        client_builder(&ServiceState::new()).reconnect(backoff).connect(socket.address().as_str()).unwrap();
    let mut events = client.events();
    while !matches!(next(&mut events).await, ClientEvent::Refused { .. }) {}
    let mut call = call_method::<ECHO>(&client.peer(), "x");
    start(&mut call).await;
    let report = within("the client to shut down", client.shutdown(SHORT)).await;
    assert_eq!((report.connections, report.aborted, report.unanswered_calls), (0, 0, 1));
    assert_eq!(disconnected(within("the call", call).await), Outcome::NotSent);
}

/// Deregisters another service when it is dropped.
struct DeregistersOnDrop {
    server: Arc<OnceLock<kaa_rpc_runtime::Server>>,
}

impl Drop for DeregistersOnDrop {
    fn drop(&mut self) {
        if let Some(server) = self.server.get() {
            server.deregister("test.Unknown");
        }
    }
}

#[tokio::test]
async fn service_destructor_may_use_server() {
    let here = Arc::new(OnceLock::new());
    let service = DeregistersOnDrop { server: Arc::clone(&here) };
    let server = server_builder(&ServiceState::new()).start().unwrap();
    server.deregister(DESCRIPTOR.name);
    server.register(Service::shared(&DESCRIPTOR, service, |_, call| call.unknown_method())).unwrap();
    assert_matches!(here.set(server), Ok(_));
    let (done, is_done) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let was_registered = here.get().unwrap().deregister(DESCRIPTOR.name);
        done.send(was_registered).unwrap();
    });
    assert_eq!(within("the other thread", is_done).await, Ok(true));
}

/// The connection's task is dropped after the peer has read some bytes, and before the task writes more.
#[test]
fn nothing_follows_partially_written_frame() {
    use std::sync::mpsc;
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let serving = runtime();
    let (server, _state, socket) = serving.block_on(server_with(|server| server));
    let (read_order, read_orders) = mpsc::channel::<usize>();
    let (done, is_done) = mpsc::channel::<()>();
    let path = socket.path();
    let peer = std::thread::spawn(move || {
        runtime().block_on(async {
            let mut peer = scripted_client(&path).await;
            peer.send(frames::call(1, LARGE, "3000000")).await;
            let mut remaining = read_orders.recv().unwrap();
            while remaining > 0 {
                remaining -= peer.discard(remaining).await;
            }
            done.send(()).unwrap();
            read_orders.recv().unwrap_err();
            peer.read_to_end().await
        })
    });
    serving.block_on(async {
        let pending = || server.statistics().total.output_pending;
        eventually("the output to be blocked", pending, |pending| *pending > 0).await;
        let written = usize::try_from(server.statistics().total.bytes_written).unwrap();
        assert!((100..2_900_000).contains(&written), "{written}");
        read_order.send(written).unwrap();
        is_done.recv().unwrap();
        // The runtime handles the socket's readiness, but does not poll the woken task.
        tokio::task::yield_now().await;
    });
    drop(serving);
    drop(server);
    drop(read_order);
    let rest = peer.join().unwrap();
    assert!(rest.iter().all(|byte| *byte == b'x'), "{:?}", rest.iter().filter(|byte| **byte != b'x').count());
}

/// A REJECT is not authenticated, so any stranger may ask for any delay.
#[tokio::test]
async fn backoff_bounds_busy_servers_delay() {
    use tokio::io::AsyncWriteExt;
    let socket = SocketDirectory::new();
    let listener = socket.listener();
    let backoff = Backoff::default().initial(Duration::from_millis(1)).max(Duration::from_millis(5));
    let client =
        client_builder(&ServiceState::new()).reconnect(backoff).connect(socket.address().as_str()).unwrap();
    let (mut stranger, _) = within("a client to connect", listener.accept()).await.unwrap();
    // Length, type, code Busy, 49 days, one version, no extensions.
    stranger.write_all(b"\x00\x0a\x05\x03\xff\xff\xff\xff\x01\x01\x00\x00").await.unwrap();
    let scripted = ScriptedPeer::accept(&listener).await;
    within("the client to connect or fail", client.ready()).await.unwrap();
    drop(scripted);
}

/// The server has another schema, and closes the connection before schemas are compared.
#[tokio::test]
async fn loss_before_schema_comparison_is_connect_error() {
    let socket = SocketDirectory::new();
    let listener = socket.listener();
    let client = client_of(&socket);
    let mut events = client.events();
    drop(ScriptedPeer::accept_with_schema(&listener, [9; 32]).await);
    assert_matches!(next(&mut events).await, ClientEvent::Connecting { attempt: 1 });
    assert_matches!(next(&mut events).await, ClientEvent::Refused { error: ConnectError::Io(_), .. });
}
