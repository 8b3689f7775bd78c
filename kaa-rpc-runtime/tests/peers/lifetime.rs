//! A connection's life: who is silent is pinged, who is old is let go, services come and go, and all of it is told.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kaa_rpc_runtime::{
    Backoff, CallError, ClientEvent, CloseReason, ConnectError, Events, Outcome, Secret, ServerEvent, Service,
};
use tokio::net::UnixListener;

use crate::limits::why_closed;
use crate::support::raw::{self, Raw};
use crate::support::*;

const SHORT: Duration = Duration::from_millis(40);
const LONG: Duration = Duration::from_secs(3600);

async fn next(events: &mut Events<ClientEvent>) -> ClientEvent {
    within(events.next()).await.expect("the client is there")
}

#[tokio::test]
async fn a_silent_peer_is_pinged_and_an_answer_is_life() {
    let (server, _world, place) = server_with(|server| server.keepalive(SHORT, LONG)).await;
    let mut peer = Raw::connect(&place.path()).await;
    for _ in 0..3 {
        let ping = peer.next(raw::PING).await;
        peer.send(raw::frame(raw::PONG, ping.id, ping.token, ping.detail, b"")).await;
    }
    peer.next(raw::PING).await;
    let statistics = within(server.peers().next()).await.unwrap().statistics();
    assert!(statistics.round_trip.is_some(), "the ping's time is measured");
}

#[tokio::test]
async fn a_peer_that_does_not_answer_is_gone() {
    let (server, world, place) = server_with(|server| server.keepalive(SHORT, SHORT)).await;
    let mut events = server.events();
    let mut peer = Raw::connect(&place.path()).await;
    peer.send(raw::call(1, WAIT, "x")).await;
    world.until(|counts| counts.started == 1).await;
    assert_eq!(why_closed(&mut events).await, CloseReason::PeerStalled);
    world.until(|counts| counts.dropped == 1).await;
}

#[tokio::test]
async fn anything_that_comes_is_a_sign_of_life() {
    let (_server, _world, place) = server_with(|server| server.keepalive(4 * SHORT, LONG)).await;
    let mut peer = Raw::connect(&place.path()).await;
    // More often than the server looks, for longer than it is patient.
    for id in 1..=40 {
        peer.send(raw::call(id, ECHO, "x")).await;
        let received = peer.receive().await.unwrap();
        assert_eq!(received.kind, raw::REPLY, "no ping while there are calls");
        tokio::time::sleep(SHORT / 2).await;
    }
}

#[tokio::test]
async fn who_wants_no_pings_gets_none() {
    let (_server, _world, place) =
        server_with(|server| server.keepalive(SHORT, LONG).without_keepalive()).await;
    let mut peer = Raw::connect(&place.path()).await;
    tokio::time::sleep(4 * SHORT).await;
    peer.send(raw::call(1, ECHO, "x")).await;
    assert_eq!(peer.receive().await.unwrap().kind, raw::REPLY);
}

/// A ping for life may be on its way when a farewell begins: its answer says nothing of the farewell.
#[tokio::test]
async fn a_pong_of_life_does_not_end_a_farewell() {
    let (server, _world, place) = server_with(|server| server.keepalive(SHORT, LONG)).await;
    let mut peer = Raw::connect(&place.path()).await;
    let ping = peer.next(raw::PING).await;
    let shutdown = tokio::spawn(async move { server.shutdown(LONG).await });
    peer.next(raw::GOODBYE).await;
    peer.send(raw::frame(raw::PONG, ping.id, ping.token, ping.detail, b"")).await;
    peer.send(raw::call(1, ECHO, "made before the goodbye was seen")).await;
    let farewell_ping = peer.next(raw::PING).await;
    assert_eq!(farewell_ping.detail, 0);
    assert_eq!(peer.receive().await.unwrap().kind, raw::REPLY, "the call is still taken");
    peer.send(raw::frame(raw::PONG, farewell_ping.id, farewell_ping.token, 0, b"")).await;
    let last = peer.next(raw::GOODBYE).await;
    assert_eq!((last.id, last.token), (1, 1));
    peer.end().await;
    assert_eq!(within(shutdown).await.unwrap().cut, 0);
}

#[tokio::test]
async fn an_old_connection_takes_leave_and_its_client_comes_anew() {
    let pair = Pair::with(
        |server| server.max_connection_age(SHORT, LONG),
        |client| client.reconnect(Backoff::default()),
    )
    .await;
    let mut events = pair.client.events();
    let mut call = ask::<WAIT>(&pair.peer, "it takes its time");
    assert!(poll_once(&mut call).await.is_pending());
    pair.at_server.until(|counts| counts.started == 1).await;
    loop {
        if pair.client.status() == kaa_rpc_runtime::ClientStatus::Draining {
            break;
        }
        tokio::task::yield_now().await;
    }
    pair.at_server.gate.add_permits(1);
    assert_eq!(within(call).await, Ok("it takes its time".to_owned()), "what runs is finished");
    let mut connected = 0;
    while connected < 3 {
        if let ClientEvent::Connected(_) = next(&mut events).await {
            connected += 1;
        }
    }
    assert!(pair.peer.statistics().connections >= 3);
}

#[tokio::test]
async fn an_old_connection_is_cut_behind_its_grace() {
    let pair = Pair::with(|server| server.max_connection_age(SHORT, SHORT), |client| client).await;
    let call = ask::<WAIT>(&pair.peer, "it takes too long");
    assert_eq!(lost(within(call).await), Outcome::Unknown);
    pair.at_server.until(|counts| counts.dropped == 1).await;
}

#[tokio::test]
async fn a_client_tells_every_turn_of_its_connection() {
    let place = Place::new();
    let backoff = Backoff::default().initial(Duration::from_millis(5));
    let client = client_builder(&World::new()).reconnect(backoff).connect(place.address().as_str()).unwrap();
    let mut events = client.events();
    assert!(matches!(next(&mut events).await, ClientEvent::Connecting { attempt: 1 }));
    let ClientEvent::Refused { error, retry_in: Some(_) } = next(&mut events).await else {
        panic!("nobody listens yet")
    };
    assert!(matches!(error, ConnectError::Transport(_)));
    assert!(matches!(next(&mut events).await, ClientEvent::Connecting { attempt: 2 }));
    let listener = UnixListener::bind(place.path()).unwrap();
    while !matches!(next(&mut events).await, ClientEvent::Connecting { .. }) {}
    let raw = Raw::accept(&listener).await;
    loop {
        match next(&mut events).await {
            ClientEvent::Connected(_) => break,
            ClientEvent::Connecting { .. } | ClientEvent::Refused { .. } => {}
            other => panic!("{other:?}"),
        }
    }
    drop(raw);
    let ClientEvent::Disconnected { reason, retry_in: Some(_) } = next(&mut events).await else {
        panic!("the connection is lost")
    };
    assert!(matches!(reason, CloseReason::ConnectionLost(_)));
    assert!(matches!(next(&mut events).await, ClientEvent::Connecting { attempt: 1 }));
    drop(client);
    while within(events.next()).await.is_some() {}
}

#[tokio::test]
async fn a_wrong_secret_is_refused_and_not_tried_again() {
    let (_server, _world, place) = server_with(|server| server).await;
    let client = client_builder(&World::new())
        .secret(Secret::generate().unwrap())
        .reconnect(Backoff::default())
        .connect(place.address().as_str())
        .unwrap();
    let mut events = client.events();
    next(&mut events).await;
    let ClientEvent::Refused { error, retry_in: None } = next(&mut events).await else {
        panic!("it is refused for good")
    };
    assert!(matches!(error, ConnectError::Authentication(_)));
    within(client.closed()).await;
}

#[tokio::test]
async fn a_service_taken_out_serves_no_new_calls_on_living_connections() {
    let pair = Pair::new().await;
    let mut call = ask::<WAIT>(&pair.peer, "it runs");
    assert!(poll_once(&mut call).await.is_pending());
    pair.at_server.until(|counts| counts.started == 1).await;
    assert!(pair.server.deregister(DESCRIPTOR.name));
    assert!(!pair.server.deregister(DESCRIPTOR.name), "it is out already");
    let error = within(ask::<ECHO>(&pair.peer, "x")).await.unwrap_err();
    assert!(matches!(error, CallError::UnknownMethod { .. }));
    pair.at_server.gate.add_permits(1);
    assert_eq!(within(call).await, Ok("it runs".to_owned()), "what runs is finished");
    assert!(within(ask::<ECHO>(&pair.back().await, "x")).await.is_ok(), "the other side serves on");
    let world = Arc::clone(&pair.at_server);
    pair.server
        .register(Service::shared(&DESCRIPTOR, world, |world, call| serve::<ClientProxy>(world, call)))
        .unwrap();
    pair.lives().await;
    assert!(pair.client.deregister(DESCRIPTOR.name));
    let error = within(ask::<ECHO>(&pair.back().await, "x")).await.unwrap_err();
    assert!(matches!(error, CallError::UnknownMethod { .. }));
}

/// An idle connection lets go of the service as well.
#[tokio::test]
async fn a_service_taken_out_is_dropped() {
    let pair = Pair::new().await;
    let alive = Arc::downgrade(&pair.at_server);
    let Pair { server, at_server, .. } = &pair;
    assert!(Arc::strong_count(at_server) > 1, "the service holds it");
    server.deregister(DESCRIPTOR.name);
    within(async {
        while alive.strong_count() > 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn a_shutdown_reports_what_it_left_undone() {
    let pair = Pair::new().await;
    let mut mine = ask::<WAIT>(&pair.peer, "mine");
    assert!(poll_once(&mut mine).await.is_pending());
    let back = pair.back().await;
    let mut theirs = ask::<WAIT>(&back, "theirs");
    assert!(poll_once(&mut theirs).await.is_pending());
    pair.at_server.until(|counts| counts.started == 1).await;
    pair.at_client.until(|counts| counts.started == 1).await;
    let report = within(pair.client.shutdown(SHORT)).await;
    assert_eq!((report.connections, report.cut), (1, 1));
    assert_eq!((report.cancelled_handlers, report.unanswered_calls), (1, 1));
    lost(within(mine).await);
    lost(within(theirs).await);
}

#[tokio::test]
async fn one_connection_of_a_server_is_shut_down_alone() {
    let pair = Pair::new().await;
    let other = client_builder(&World::new()).connect(pair.place.address().as_str()).unwrap();
    within(other.ready()).await.unwrap();
    let report = within(pair.back().await.shutdown(LONG)).await;
    assert_eq!((report.connections, report.cut), (1, 0));
    within(pair.client.closed()).await;
    lives(&other.peer()).await;
}

#[tokio::test]
async fn the_first_who_asks_a_server_for_events_is_told_those_before() {
    let (server, _world, place) = server_with(|server| server).await;
    let client = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    within(client.ready()).await.unwrap();
    within(server.peers().next()).await.unwrap();
    assert!(matches!(within(server.events().next()).await, Some(ServerEvent::Connected(_))));
}

/// No time that can be set is too long.
#[tokio::test]
async fn for_ever_may_be_said_of_every_time() {
    const EVER: Duration = Duration::MAX;
    let (server, world, place) = server_with(|server| {
        server
            .hello_timeout(EVER)
            .handshake_timeout(EVER)
            .max_connection_age(EVER, EVER)
            .keepalive(SHORT, EVER)
            .stall_timeout(EVER)
            .cancel_grace(EVER)
    })
    .await;
    let backoff = Backoff::default().initial(EVER).max(EVER).reset_after(EVER);
    let client = client_builder(&World::new())
        .connect_timeout(EVER)
        .keepalive(EVER, EVER)
        .stall_timeout(EVER)
        .cancel_grace(EVER)
        .reconnect(backoff)
        .connect(place.address().as_str())
        .unwrap();
    within(client.ready()).await.unwrap();
    assert_eq!(within(ask::<ECHO>(&client.peer(), "x").timeout(EVER)).await, Ok("x".to_owned()));
    let mut watched = ask::<NOTICE>(&client.peer(), "x");
    assert!(poll_once(&mut watched).await.is_pending());
    world.until(|counts| counts.started == 1).await;
    drop(watched);
    world.until(|counts| counts.noticed == 1).await;
    // Frames that come in halves, one after the other: there is always one that is half here.
    let mut peer = Raw::connect(&place.path()).await;
    peer.next(raw::PING).await;
    let mut rest = Vec::new();
    for id in 1..=4 {
        let next = raw::call(id + 1, ECHO, "x");
        let (head, tail) = next.split_at(10);
        let whole = if rest.is_empty() { raw::call(id, ECHO, "x") } else { rest };
        peer.send([&whole, head].concat()).await;
        assert_eq!(peer.next(raw::REPLY).await.id, id);
        rest = tail.to_vec();
    }
    drop(peer);
    assert_eq!(within(client.shutdown(EVER)).await.cut, 0);
    assert_eq!(within(server.shutdown(EVER)).await.cut, 0);
}

#[tokio::test]
async fn a_connection_that_never_was_is_not_reported_as_cut() {
    let place = Place::new();
    let backoff = Backoff::default().initial(LONG);
    let client = client_builder(&World::new()).reconnect(backoff).connect(place.address().as_str()).unwrap();
    let mut events = client.events();
    while !matches!(next(&mut events).await, ClientEvent::Refused { .. }) {}
    let mut call = ask::<ECHO>(&client.peer(), "x");
    assert!(poll_once(&mut call).await.is_pending());
    let report = within(client.shutdown(SHORT)).await;
    assert_eq!((report.connections, report.cut, report.unanswered_calls), (0, 0, 1));
    assert_eq!(lost(within(call).await), Outcome::NotSent);
}

/// Takes another service out when it is dropped.
struct Last {
    server: Arc<OnceLock<kaa_rpc_runtime::Server>>,
}

impl Drop for Last {
    fn drop(&mut self) {
        if let Some(server) = self.server.get() {
            server.deregister("nobody's");
        }
    }
}

#[tokio::test]
async fn a_service_that_is_dropped_may_use_its_server() {
    let here = Arc::new(OnceLock::new());
    let last = Last { server: Arc::clone(&here) };
    let server = server_builder(&World::new()).start().unwrap();
    server.deregister(DESCRIPTOR.name);
    server.register(Service::shared(&DESCRIPTOR, last, |_, call| call.unknown_method())).unwrap();
    assert!(here.set(server).is_ok());
    let (done, is_done) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let was_there = here.get().unwrap().deregister(DESCRIPTOR.name);
        done.send(was_there).unwrap();
    });
    assert_eq!(within(is_done).await, Ok(true));
}

/// The connection's task is dropped when the peer takes bytes again and before it has gone on with them.
#[test]
fn nothing_is_written_behind_half_a_frame() {
    use std::sync::mpsc;
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let serving = runtime();
    let (server, _world, place) = serving.block_on(server_with(|server| server));
    let (order, orders) = mpsc::channel::<usize>();
    let (done, is_done) = mpsc::channel::<()>();
    let path = place.path();
    let peer = std::thread::spawn(move || {
        runtime().block_on(async {
            let mut peer = Raw::connect(&path).await;
            peer.send(raw::call(1, BIG, "3000000")).await;
            let mut left = orders.recv().unwrap();
            while left > 0 {
                left -= peer.take(left).await;
            }
            done.send(()).unwrap();
            orders.recv().unwrap_err();
            peer.rest().await
        })
    });
    serving.block_on(async {
        while server.statistics().total.output_pending == 0 {
            tokio::task::yield_now().await;
        }
        let written = usize::try_from(server.statistics().total.bytes_written).unwrap();
        assert!((100..2_900_000).contains(&written), "{written}");
        order.send(written).unwrap();
        is_done.recv().unwrap();
        // The system's news are taken, the tasks they wake are not polled.
        tokio::task::yield_now().await;
    });
    drop(serving);
    drop(server);
    drop(order);
    let rest = peer.join().unwrap();
    assert!(rest.iter().all(|byte| *byte == b'x'), "{:?}", rest.iter().filter(|byte| **byte != b'x').count());
}

/// A REJECT is not authenticated, so anybody may ask for any wait.
#[tokio::test]
async fn a_busy_server_makes_nobody_wait_longer_than_the_backoff() {
    use tokio::io::AsyncWriteExt;
    let place = Place::new();
    let listener = UnixListener::bind(place.path()).unwrap();
    let backoff = Backoff::default().initial(Duration::from_millis(1)).max(Duration::from_millis(5));
    let client = client_builder(&World::new()).reconnect(backoff).connect(place.address().as_str()).unwrap();
    let (mut stranger, _) = within(listener.accept()).await.unwrap();
    // Length, type, code Busy, 49 days, one version, no extensions.
    stranger.write_all(b"\x00\x0a\x05\x03\xff\xff\xff\xff\x01\x01\x00\x00").await.unwrap();
    let raw = within(Raw::accept(&listener)).await;
    within(client.ready()).await.unwrap();
    drop(raw);
}

/// The server's schema is another, and it goes before it says more.
#[tokio::test]
async fn a_loss_before_schemas_are_compared_is_no_end_of_a_connection() {
    let place = Place::new();
    let listener = UnixListener::bind(place.path()).unwrap();
    let client = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    let mut events = client.events();
    let (stream, _) = within(listener.accept()).await.unwrap();
    drop(Raw::serve_with_schema(stream, [9; 32]).await);
    assert!(matches!(next(&mut events).await, ClientEvent::Connecting { attempt: 1 }));
    assert!(matches!(next(&mut events).await, ClientEvent::Refused { error: ConnectError::Io(_), .. }));
}
