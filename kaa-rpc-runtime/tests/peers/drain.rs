//! Taking leave: what was made is finished, what was not sent is said so, and nobody waits without end.

use std::time::{Duration, Instant};

use kaa_rpc_runtime::{Backoff, CallError, ClientStatus, CloseReason, Outcome};
use tokio::net::UnixListener;

use crate::limits::why_closed;
use crate::support::raw::{self, Raw};
use crate::support::*;

/// Longer than any test waits.
const FOR_EVER: Duration = Duration::from_secs(3600);

/// Many callers call while the server shuts down: each is answered, or told truthfully that its call was not sent.
#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_loses_no_call() {
    let pair = Pair::new().await;
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..64 {
        let peer = pair.peer.clone();
        callers.spawn(async move {
            let mut answered = 0;
            loop {
                match ask::<RECORD>(&peer, format!("{caller}/{answered}")).await {
                    Ok(_) => answered += 1,
                    Err(error) => {
                        assert_eq!(error.outcome(), Outcome::NotSent, "{error:?}");
                        return answered;
                    }
                }
            }
        });
    }
    pair.at_server.until_recorded(1000).await;
    let report = within(pair.server.shutdown(FOR_EVER)).await;
    assert_eq!((report.connections, report.aborted), (1, 0));
    let answered: usize = within(callers.join_all()).await.into_iter().sum();
    assert_eq!(pair.at_server.ledger().len(), answered);
}

/// The reply of the last handler is all that the drain waits for.
#[tokio::test]
async fn a_shutdown_ends_with_the_last_handler() {
    let pair = Pair::new().await;
    let mut call = ask::<WAIT>(&pair.peer, "finished");
    assert!(poll_once(&mut call).await.is_pending());
    pair.at_server.until(|counts| counts.started == 1).await;
    let shutdown = async {
        let report = within(pair.server.shutdown(FOR_EVER)).await;
        assert_eq!((report.aborted, report.cancelled_handlers), (0, 0));
    };
    let finish = async {
        while pair.client.status() != ClientStatus::Draining {
            tokio::task::yield_now().await;
        }
        // No new calls are made meanwhile.
        assert_eq!(lost(ask::<ECHO>(&pair.peer, "").await), Outcome::NotSent);
        pair.at_server.gate.add_permits(1);
        assert_eq!(within(call).await, Ok("finished".to_owned()));
    };
    tokio::join!(shutdown, finish);
    assert!(matches!(within(pair.client.closed()).await, CloseReason::ClosedByPeer { .. }));
}

#[tokio::test]
async fn a_shutdown_waits_for_oneway_handlers_too() {
    let pair = Pair::new().await;
    within(tell::<SLOW_NOTE>(&pair.peer, "noted")).await.unwrap();
    pair.at_server.until(|counts| counts.started == 1).await;
    let finish = async {
        while pair.client.status() != ClientStatus::Draining {
            tokio::task::yield_now().await;
        }
        pair.at_server.gate.add_permits(1);
    };
    let (report, ()) = tokio::join!(within(pair.server.shutdown(FOR_EVER)), finish);
    assert_eq!(report.aborted, 0);
    assert_eq!(pair.at_server.ledger(), ["noted"]);
}

#[tokio::test]
async fn a_shutdown_is_bounded_by_its_grace() {
    let pair = Pair::new().await;
    let mut call = ask::<WAIT>(&pair.peer, "");
    assert!(poll_once(&mut call).await.is_pending());
    pair.at_server.until(|counts| counts.started == 1).await;
    let report = within(pair.server.shutdown(Duration::from_millis(100))).await;
    assert_eq!((report.aborted, report.cancelled_handlers), (1, 1));
    assert_eq!(lost(within(call).await), Outcome::Unknown);
    pair.at_server.until(|counts| counts.dropped == 1).await;
}

/// A handler of the side that leaves may be called back into, and may call back, until it is done.
#[tokio::test]
async fn nested_calls_pass_a_drain() {
    let pair = Pair::new().await;
    // The server's handler waits at the client's gate; then both go on to talk.
    let mut call = ask::<ASK_WAIT>(&pair.peer, "nested");
    assert!(poll_once(&mut call).await.is_pending());
    pair.at_client.until(|counts| counts.started == 1).await;
    let finish = async {
        while pair.client.status() != ClientStatus::Draining {
            tokio::task::yield_now().await;
        }
        pair.at_client.gate.add_permits(1);
        assert_eq!(within(call).await, Ok("nested".to_owned()));
    };
    let (report, ()) = tokio::join!(within(pair.server.shutdown(FOR_EVER)), finish);
    assert_eq!(report.aborted, 0);
}

/// A nested call crosses the Goodbye that names the last call. It is run, so it must not be called unsent.
#[tokio::test]
async fn a_nested_call_that_crosses_the_last_goodbye_is_answered() {
    let (server, _world, place) = server_with(|server| server).await;
    let mut peer = Raw::connect(&place.path()).await;
    peer.send(raw::goodbye()).await;
    // A call of the leaving peer, whose handler asks back.
    peer.send(raw::call(1, ASK, "still there?")).await;
    let nested = peer.next(raw::CALL).await;
    assert!(nested.id > 0);
    peer.send(raw::last_goodbye(0)).await;
    peer.reply(&nested, "still here").await;
    let reply = peer.next(raw::REPLY).await;
    assert_eq!((reply.id, reply.payload), (1, raw::text("still here, says the caller")));
    assert_eq!(server.connections(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_may_shut_down_at_once() {
    for _ in 0..20 {
        let pair = Pair::new().await;
        let back = pair.back().await;
        let mut calls = vec![ask::<WAIT>(&pair.peer, "there"), ask::<WAIT>(&back, "back")];
        for call in &mut calls {
            assert!(poll_once(call).await.is_pending());
        }
        pair.at_server.until(|counts| counts.started == 1).await;
        pair.at_client.until(|counts| counts.started == 1).await;
        pair.at_server.gate.add_permits(1);
        pair.at_client.gate.add_permits(1);
        let start = Instant::now();
        let (report, _, answers) = tokio::join!(
            within(pair.server.shutdown(FOR_EVER)),
            within(pair.client.shutdown(FOR_EVER)),
            all(calls)
        );
        assert_eq!(report.aborted, 0);
        assert_eq!(answers, [Ok("there".to_owned()), Ok("back".to_owned())]);
        assert!(start.elapsed() < Duration::from_secs(2), "nobody waited for a timer");
    }
}

/// What was made before the shutdown is carried out, also what waits for the peer's limit.
#[tokio::test]
async fn a_client_that_leaves_finishes_its_queue() {
    let limits = kaa_rpc_runtime::Limits { max_inbound_calls: 1, oneway_window: 1, ..Default::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client).await;
    let mut calls: Vec<_> = (0..10).map(|index| ask::<RECORD>(&pair.peer, index.to_string())).collect();
    for call in &mut calls {
        assert!(poll_once(call).await.is_pending());
    }
    for index in 10..20 {
        within(tell::<NOTE>(&pair.peer, index.to_string())).await.unwrap();
    }
    let (answers, _) = tokio::join!(all(calls), within(pair.client.shutdown(FOR_EVER)));
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    let expected: Vec<String> = (0..20).map(|index| index.to_string()).collect();
    assert_eq!(pair.at_server.ledger(), expected);
}

/// A program that says one thing and leaves: what it said before there was a connection arrives.
#[tokio::test]
async fn a_client_that_leaves_before_it_is_connected_says_what_it_had_to_say() {
    let (_server, world, place) = server_with(|server| server).await;
    let client = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    within(tell::<NOTE>(&client.peer(), "farewell")).await.unwrap();
    let mut shutdown = Box::pin(client.shutdown(FOR_EVER));
    assert!(poll_once(&mut shutdown).await.is_pending());
    assert_eq!(lost(within(ask::<ECHO>(&client.peer(), "")).await), Outcome::NotSent);
    within(shutdown).await;
    assert_eq!(world.ledger(), ["farewell"]);
}

#[tokio::test]
async fn a_client_that_leaves_does_not_wait_for_a_server_that_is_not_there() {
    let place = Place::new();
    let client = client_builder(&World::new())
        .reconnect(Backoff::default())
        .connect(place.address().as_str())
        .unwrap();
    let mut call = ask::<ECHO>(&client.peer(), "");
    assert!(poll_once(&mut call).await.is_pending());
    within(client.shutdown(FOR_EVER)).await;
    assert_eq!(lost(within(call).await), Outcome::NotSent);
}

#[tokio::test]
async fn a_client_that_leaves_does_not_connect_again() {
    let place = Place::new();
    let listener = UnixListener::bind(place.path()).unwrap();
    let client = client_builder(&World::new())
        .reconnect(Backoff::default())
        .connect(place.address().as_str())
        .unwrap();
    let mut raw = Raw::accept(&listener).await;
    let mut call = ask::<ECHO>(&client.peer(), "");
    assert!(poll_once(&mut call).await.is_pending());
    raw.next(raw::CALL).await;
    let mut shutdown = Box::pin(client.shutdown(FOR_EVER));
    assert!(poll_once(&mut shutdown).await.is_pending());
    raw.next(raw::GOODBYE).await;
    drop(raw);
    within(shutdown).await;
    assert_eq!(lost(within(call).await), Outcome::Unknown);
    assert!(matches!(client.status(), ClientStatus::Closed(_)));
}

/// Calls of the peer beyond the last one named are not run; it was told so.
#[tokio::test]
async fn calls_beyond_the_last_one_named_are_not_run() {
    let (server, world, place) = server_with(|server| server).await;
    let mut peer = Raw::connect(&place.path()).await;
    peer.send(raw::call(1, WAIT, "before")).await;
    world.until(|counts| counts.started == 1).await;
    let shutdown = tokio::spawn(async move { within(server.shutdown(FOR_EVER)).await });
    assert_eq!(peer.next(raw::GOODBYE).await.token, 0);
    // The peer has not seen it yet.
    peer.send(raw::call(2, RECORD, "between")).await;
    assert_eq!(peer.next(raw::PING).await.kind, raw::PING);
    peer.send(raw::frame(raw::PONG, 0, 0, 0, b"")).await;
    let mut both = [peer.receive().await.unwrap(), peer.receive().await.unwrap()];
    both.sort_by_key(|received| received.kind);
    assert_eq!((both[0].kind, both[0].id), (raw::REPLY, 2));
    assert_eq!((both[1].kind, both[1].id, both[1].token), (raw::GOODBYE, 2, 1));
    peer.send(raw::call(3, RECORD, "beyond")).await;
    peer.send(raw::frame(raw::ONEWAY, 4, 0, NOTE, &raw::text("beyond"))).await;
    world.gate.add_permits(1);
    let reply = peer.next(raw::REPLY).await;
    assert_eq!((reply.id, reply.payload), (1, raw::text("before")));
    assert!(peer.receive().await.is_none(), "the server has closed its sending half");
    drop(peer);
    assert_eq!(within(shutdown).await.unwrap().aborted, 0);
    assert_eq!(world.ledger(), ["between"]);
}

/// What is beyond the last call that the peer answers was not sent, though it left.
#[tokio::test]
async fn a_call_beyond_the_peers_last_was_not_sent() {
    let place = Place::new();
    let listener = UnixListener::bind(place.path()).unwrap();
    let client = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    let mut raw = Raw::accept(&listener).await;
    let peer = client.peer();
    let (mut first, mut second) = (ask::<ECHO>(&peer, "first"), ask::<ECHO>(&peer, "second"));
    assert!(poll_once(&mut first).await.is_pending());
    assert!(poll_once(&mut second).await.is_pending());
    let made = raw.next(raw::CALL).await;
    raw.next(raw::CALL).await;
    raw.send([raw::goodbye(), raw::last_goodbye(made.id)].concat()).await;
    assert_eq!(lost(within(second).await), Outcome::NotSent);
    raw.reply(&made, "first").await;
    assert_eq!(within(first).await, Ok("first".to_owned()));
}

/// A peer that has said goodbye and goes on calling is served: only this side's calls to it are over.
#[tokio::test]
async fn a_peer_that_says_goodbye_and_goes_on_calling_is_served() {
    let (_server, _world, place) = server_with(|server| server).await;
    let mut peer = Raw::connect(&place.path()).await;
    peer.send(raw::goodbye()).await;
    for id in 1..=3 {
        peer.send(raw::call(id, ECHO, "more")).await;
        assert_eq!(peer.next(raw::REPLY).await.payload, raw::text("more"));
    }
}

#[tokio::test]
async fn a_peer_that_says_goodbye_and_does_not_close_is_closed() {
    let (server, _world, place) = server_with(|server| server).await;
    let mut events = server.events();
    let mut peer = Raw::connect(&place.path()).await;
    peer.send([raw::call(1, ECHO, "done"), raw::goodbye(), raw::last_goodbye(0)].concat()).await;
    assert_eq!(peer.next(raw::REPLY).await.id, 1);
    assert!(matches!(why_closed(&mut events).await, CloseReason::ClosedByPeer { .. }));
    assert!(peer.receive().await.is_none());
}

#[tokio::test]
async fn a_peer_that_announces_its_leaving_and_falls_silent_is_cut_off() {
    let (server, _world, place) =
        server_with(|server| server.stall_timeout(Duration::from_millis(200))).await;
    let mut events = server.events();
    let mut peer = Raw::connect(&place.path()).await;
    peer.send(raw::goodbye()).await;
    assert_eq!(why_closed(&mut events).await, CloseReason::PeerStalled);
}

/// Closing, draining and the peer's Goodbye at the same moment: whatever comes last, closed stays closed.
#[tokio::test(flavor = "multi_thread")]
async fn closed_stays_closed_whoever_else_speaks() {
    for round in 0..60 {
        let pair = Pair::new().await;
        let back = pair.back().await;
        let close = tokio::spawn(async move {
            for _ in 0..round * 10 {
                std::hint::spin_loop();
            }
            back.close();
            back.closed().await
        });
        let peer = pair.peer.clone();
        let shutdown = tokio::spawn(async move { pair.client.shutdown(FOR_EVER).await });
        within(close).await.unwrap();
        within(shutdown).await.unwrap();
        within(peer.closed()).await;
        assert!(matches!(ask::<ECHO>(&peer, "").await, Err(CallError::Disconnected { .. })));
    }
}
