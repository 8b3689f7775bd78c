//! Budgets: what finds no handler's place, no memory, no room or no patience is refused where it is, truthfully, and what
//! was used is given back.

use std::time::Duration;

use kaa_rpc_runtime::codec::DecodeLimits;
use kaa_rpc_runtime::{CallError, CloseReason, ConnectError, Limits, Resources};

use crate::limits::why_closed;
use crate::support::raw::{self, Raw};
use crate::support::*;

const MEGABYTE: u64 = 1024 * 1024;

/// The text of a refusal for a limit.
fn exhausted<T: std::fmt::Debug>(result: Result<T, CallError>) -> String {
    match result {
        Err(CallError::ResourceExhausted(text)) => text,
        other => panic!("not exhausted but {other:?}"),
    }
}

#[tokio::test]
async fn a_call_beyond_the_handlers_of_the_process_is_not_run() {
    let resources = Resources::new(1, 100 * MEGABYTE);
    let pair = Pair::with(|server| server.resources(resources.clone()), |client| client).await;
    let mut first = ask::<WAIT>(&pair.peer, "first");
    assert!(poll_once(&mut first).await.is_pending());
    pair.at_server.until(|counts| counts.started == 1).await;
    assert_eq!(resources.handlers(), 1);
    // Another connection of the same server, and of the same process.
    let other = client_builder(&World::new()).connect(pair.place.address().as_str()).unwrap();
    let refused = exhausted(within(ask::<RECORD>(&other.peer(), "second")).await);
    assert!(refused.contains("handlers"), "{refused}");
    within(tell::<NOTE>(&other.peer(), "oneway")).await.unwrap();
    while pair.server.statistics().total.oneways_dropped == 0 {
        tokio::task::yield_now().await;
    }
    pair.at_server.gate.add_permits(1);
    within(first).await.unwrap();
    while resources.handlers() > 0 {
        tokio::task::yield_now().await;
    }
    within(ask::<RECORD>(&other.peer(), "third")).await.unwrap();
    assert_eq!(pair.at_server.ledger(), ["third"]);
}

#[tokio::test]
async fn a_nested_call_finds_a_handlers_place_always() {
    let resources = Resources::new(1, 100 * MEGABYTE);
    let pair = Pair::with(
        |server| server.resources(resources.clone()),
        |client| client.resources(resources.clone()),
    )
    .await;
    let mut call = ask::<ASK_WAIT>(&pair.peer, "nested");
    assert!(poll_once(&mut call).await.is_pending());
    pair.at_client.until(|counts| counts.started == 1).await;
    assert_eq!(resources.handlers(), 2, "the handler that asked, and the one that was asked");
    pair.at_client.gate.add_permits(1);
    assert_eq!(within(call).await, Ok("nested".to_owned()));
}

#[tokio::test]
async fn a_large_call_that_finds_no_memory_is_read_past() {
    let resources = Resources::new(100, MEGABYTE);
    let (_server, world, place) = server_with(|server| server.resources(resources.clone())).await;
    let mut peer = Raw::connect(&place.path()).await;
    peer.send(raw::call(1, RECORD, &"x".repeat(3_000_000))).await;
    peer.send(raw::call(2, RECORD, "small")).await;
    let refused = peer.next(raw::REPLY).await;
    assert_eq!((refused.id, refused.detail), (1, raw::EXHAUSTED));
    assert!(refused.text().contains("memory"), "{}", refused.text());
    assert_eq!(peer.next(raw::REPLY).await.payload, raw::text("small"), "what is behind it still comes");
    assert_eq!(world.ledger(), ["small"]);
    assert_eq!(resources.memory(), 0);
}

#[tokio::test]
async fn memory_is_counted_while_calls_run_and_given_back() {
    let resources = Resources::new(100, MEGABYTE);
    let pair = Pair::with(|server| server.resources(resources.clone()), |client| client).await;
    let mut calls: Vec<_> = (0..4).map(|_| ask::<WAIT>(&pair.peer, "x".repeat(300_000))).collect();
    for call in &mut calls {
        assert!(poll_once(call).await.is_pending());
    }
    let last = calls.pop().unwrap();
    let refused = exhausted(within(last).await);
    assert!(refused.contains("memory"), "{refused}");
    assert!((900_000..MEGABYTE).contains(&resources.memory()), "{}", resources.memory());
    exhausted(within(ask::<ECHO>(&pair.peer, "x".repeat(200_000))).await);
    pair.at_server.gate.add_permits(3);
    all(calls).await;
    while resources.memory() > 0 {
        tokio::task::yield_now().await;
    }
    pair.lives().await;
}

async fn until_free(resources: &Resources) {
    within(async {
        while resources.memory() > 0 || resources.handlers() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

/// Nothing else happens on the connection by which it could be noticed.
#[tokio::test]
async fn memory_of_the_last_call_is_given_back_with_its_end() {
    let resources = Resources::new(100, MEGABYTE);
    let pair = Pair::with(
        |server| server.resources(resources.clone()).without_keepalive(),
        |client| client.without_keepalive(),
    )
    .await;
    // Its handler is pending once, and its reply is short.
    within(ask::<TRACE>(&pair.peer, "x".repeat(300_000))).await.unwrap();
    until_free(&resources).await;
    within(tell::<NOTE>(&pair.peer, "x".repeat(300_000))).await.unwrap();
    pair.at_server.until_recorded(1).await;
    until_free(&resources).await;
}

#[tokio::test]
async fn memory_of_calls_that_never_leave_is_given_back() {
    let resources = Resources::new(100, 10 * MEGABYTE);
    let place = Place::new();
    let client = || {
        client_builder(&World::new())
            .resources(resources.clone())
            .reconnect(kaa_rpc_runtime::Backoff::default())
            .connect(place.address().as_str())
            .unwrap()
    };
    // The client ends, and a handle on its peer stays.
    let ended = client();
    let peer = ended.peer();
    let mut call = ask::<ECHO>(&peer, "x".repeat(300_000));
    assert!(poll_once(&mut call).await.is_pending());
    assert!(resources.memory() > 300_000);
    drop(ended);
    lost(within(call).await);
    until_free(&resources).await;
    // A call that waits for the peer's limit does not wait for another connection.
    let limits = Limits { max_inbound_calls: 1, ..Limits::default() };
    let server = server_builder(&World::new()).limits(limits).listen(place.address().as_str()).await.unwrap();
    let client = client();
    within(client.ready()).await.unwrap();
    let mut running = ask::<WAIT>(&client.peer(), "x");
    assert!(poll_once(&mut running).await.is_pending());
    let mut waiting = ask::<ECHO>(&client.peer().fail_fast(), "x".repeat(300_000));
    assert!(poll_once(&mut waiting).await.is_pending());
    assert!(resources.memory() > 300_000);
    drop(server);
    lost(within(waiting).await);
    until_free(&resources).await;
}

#[tokio::test]
async fn memory_of_a_lost_connection_is_given_back() {
    let resources = Resources::new(100, 10 * MEGABYTE);
    let (server, world, place) = server_with(|server| server.resources(resources.clone())).await;
    let mut events = server.events();
    let mut peer = Raw::connect(&place.path()).await;
    peer.send(raw::call(1, WAIT, &"x".repeat(500_000))).await;
    world.until(|counts| counts.started == 1).await;
    let large = raw::call(2, WAIT, &"x".repeat(2_000_000));
    peer.send(&large[..1_000_000]).await;
    while resources.memory() < 2_000_000 {
        tokio::task::yield_now().await;
    }
    drop(peer);
    why_closed(&mut events).await;
    while resources.memory() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_flood_of_cancels_is_told_to_calm_down() {
    let (server, _world, place) = server_with(|server| server.cancel_rate(10, 1)).await;
    let mut events = server.events();
    let mut peer = Raw::connect(&place.path()).await;
    for id in 1..=30 {
        if peer.try_send([raw::call(id, WAIT, "x"), raw::cancel(id)].concat()).await.is_err() {
            break;
        }
    }
    let goodbye = peer.next(raw::GOODBYE).await;
    assert_eq!(goodbye.detail, raw::CALM);
    assert!(goodbye.text().contains("cancels"), "{}", goodbye.text());
    assert!(matches!(why_closed(&mut events).await, CloseReason::Protocol(_)));
}

#[tokio::test]
async fn cancels_within_the_rate_are_no_flood() {
    let pair = Pair::with(|server| server.cancel_rate(100, 1), |client| client).await;
    for _ in 0..90 {
        let mut call = ask::<WAIT>(&pair.peer, "x");
        assert!(poll_once(&mut call).await.is_pending());
    }
    pair.lives().await;
}

#[tokio::test]
async fn a_frame_too_large_is_said_in_the_goodbye() {
    let (_server, _world, place) = server_with(|server| server).await;
    let mut peer = Raw::connect(&place.path()).await;
    peer.send(u32::MAX.to_le_bytes()).await;
    assert_eq!(peer.next(raw::GOODBYE).await.detail, raw::FRAME_TOO_LARGE);
}

/// It takes a little every now and then, so that something always moves.
#[tokio::test]
async fn a_peer_that_takes_drops_only_is_stalled() {
    let stall = Duration::from_millis(300);
    let (server, _world, place) = server_with(|server| server.stall_timeout(stall)).await;
    let mut events = server.events();
    let mut peer = Raw::connect(&place.path()).await;
    for id in 1..=4 {
        peer.send(raw::call(id, BIG, "3000000")).await;
    }
    let closed = why_closed(&mut events);
    tokio::pin!(closed);
    let reason = within(async {
        loop {
            tokio::select! {
                reason = &mut closed => break reason,
                _some = peer.take(100) => tokio::time::sleep(stall / 20).await,
            }
        }
    })
    .await;
    assert_eq!(reason, CloseReason::PeerStalled);
}

#[tokio::test]
async fn callers_wait_before_a_queue_of_the_size_that_was_set() {
    let place = Place::new();
    let client = client_builder(&World::new())
        .queue_limits(2, 1000)
        .reconnect(kaa_rpc_runtime::Backoff::default())
        .connect(place.address().as_str())
        .unwrap();
    let peer = client.peer();
    let mut calls: Vec<_> = (0..4).map(|_| ask::<ECHO>(&peer, "x")).collect();
    for call in &mut calls {
        assert!(poll_once(call).await.is_pending());
    }
    assert_eq!(peer.statistics().calls_queued, 2);
    let _server = server_builder(&World::new()).listen(place.address().as_str()).await.unwrap();
    assert_eq!(all(calls).await.into_iter().filter(Result::is_ok).count(), 4);
}

#[tokio::test]
async fn values_take_no_more_memory_than_was_set() {
    let limits = DecodeLimits::new(1000);
    let pair = Pair::with(|server| server.decode_limits(limits), |client| client).await;
    let error = within(ask::<ECHO>(&pair.peer, "x".repeat(2000))).await.unwrap_err();
    assert!(matches!(error, CallError::BadRequest(_)), "{error:?}");
    pair.lives().await;
    let pair = Pair::with(|server| server, |client| client.decode_limits(limits)).await;
    let error = within(ask::<BIG>(&pair.peer, "2000")).await.unwrap_err();
    assert!(matches!(error, CallError::BadReply(_)), "{error:?}");
}

#[tokio::test]
async fn calls_nest_no_deeper_than_was_set() {
    let pair = Pair::with(|server| server.max_nesting(4), |client| client.max_nesting(4)).await;
    assert_eq!(within(ask::<DESCEND>(&pair.peer, "4")).await, Ok("the bottom".to_owned()));
    let error = within(ask::<DESCEND>(&pair.peer, "5")).await.unwrap_err();
    assert!(error.to_string().contains("nested too deep"), "{error}");
}

/// They come all at once, so that all are counted before any is let in.
#[tokio::test]
async fn connections_are_never_more_than_was_set() {
    let (server, _world, place) = server_with(|server| server.max_connections(3)).await;
    let clients: Vec<_> =
        (0..20).map(|_| client_builder(&World::new()).connect(place.address().as_str()).unwrap()).collect();
    let mut busy = 0;
    for client in &clients {
        match within(client.ready()).await {
            Ok(()) => {}
            Err(ConnectError::Busy { retry_after: Some(_) }) => busy += 1,
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!((busy, server.connections()), (17, 3));
    drop(clients);
    while server.connections() > 0 {
        tokio::task::yield_now().await;
    }
    let late = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    within(late.ready()).await.unwrap();
}

#[tokio::test]
async fn strangers_take_no_places_of_those_who_prove_themselves() {
    let (_server, _world, place) =
        server_with(|server| server.max_connections(1).max_unauthenticated(10, 1)).await;
    let mut strangers = Vec::new();
    for _ in 0..9 {
        strangers.push(tokio::net::UnixStream::connect(place.path()).await.unwrap());
    }
    let client = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    within(client.ready()).await.unwrap();
}

#[tokio::test]
async fn who_says_nothing_is_sent_away_in_the_time_that_was_set() {
    let (server, _world, place) = server_with(|server| server.hello_timeout(Duration::from_millis(30))).await;
    let mut events = server.events();
    let _stranger = tokio::net::UnixStream::connect(place.path()).await.unwrap();
    let Some(kaa_rpc_runtime::ServerEvent::Refused(refused)) = within(events.next()).await else {
        panic!("not refused")
    };
    assert!(refused.reason.contains("sent nothing"), "{}", refused.reason);
}

/// One floods, the other asks: it is answered amid the others' calls, not behind them.
#[tokio::test]
async fn a_flood_of_one_connection_holds_up_no_other() {
    const FLOOD: u64 = 100_000;
    let limits = Limits { max_inbound_calls: u32::MAX, ..Limits::default() };
    let (_server, world, place) = server_with(|server| server.limits(limits)).await;
    let polite = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    within(polite.ready()).await.unwrap();
    let mut flood = Raw::connect(&place.path()).await;
    let flooding = tokio::spawn(async move {
        let calls: Vec<u8> = (1..=FLOOD).flat_map(|id| raw::call(id, RECORD, "flood")).collect();
        for chunk in calls.chunks(50_000) {
            flood.send(chunk).await;
            while flood.has_input() {
                flood.receive().await.unwrap();
            }
        }
        let mut last = 0;
        while last < FLOOD {
            last = flood.receive().await.unwrap().id;
        }
    });
    world.until_recorded(1).await;
    for _ in 0..3 {
        within(ask::<RECORD>(&polite.peer(), "polite")).await.unwrap();
    }
    let before = world.ledger().len();
    within(flooding).await.unwrap();
    assert!(before < world.ledger().len(), "the flood was over first");
}

#[tokio::test]
async fn a_client_whose_server_is_busy_comes_again() {
    let place = Place::new();
    let server =
        server_builder(&World::new()).max_connections(1).listen(place.address().as_str()).await.unwrap();
    let first = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    within(first.ready()).await.unwrap();
    let second = client_builder(&World::new())
        .reconnect(kaa_rpc_runtime::Backoff::default())
        .connect(place.address().as_str())
        .unwrap();
    let mut events = server.events();
    while !matches!(within(events.next()).await, Some(kaa_rpc_runtime::ServerEvent::Refused(_))) {}
    drop(first);
    within(second.ready()).await.unwrap();
}
