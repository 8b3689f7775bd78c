//! What a method's attributes promise: `#[timeout]`, `#[detached]`, `#[idempotent]`.

use std::ops::RangeInclusive;
use std::time::Duration;

use kaa_rpc_runtime::{Backoff, Call, CallError, CloseReason, Method, Outcome, ServerEvent};
use tokio::net::UnixListener;

use crate::support::raw::{self, Raw};
use crate::support::*;

/// Longer than any test.
const FOR_EVER: Duration = Duration::from_secs(3600);

/// The seconds that a call's handler was told it has.
async fn seconds<M>(call: Call<M>) -> Option<u64>
where
    M: Method<Returns = Text, Throws = std::convert::Infallible>,
{
    within(call).await.unwrap().parse().ok()
}

const ABOUT_1000: RangeInclusive<u64> = 900..=1000;
const ABOUT_500: RangeInclusive<u64> = 400..=500;

#[tokio::test]
async fn a_methods_timeout_holds_where_the_caller_says_nothing() {
    let pair = Pair::new().await;
    let left = seconds(ask::<TIMED>(&pair.peer, "")).await.unwrap();
    assert!(ABOUT_1000.contains(&left), "{left}");
    let error = within(ask::<HURRIED>(&pair.peer, "")).await.unwrap_err();
    assert_eq!(error, CallError::DeadlineExceeded { outcome: Outcome::Unknown });
    pair.at_server.until(|counts| counts.dropped == 1).await;
}

#[tokio::test]
async fn a_callers_timeout_replaces_the_methods() {
    let pair = Pair::new().await;
    let left = seconds(ask::<TIMED>(&pair.peer, "").timeout(Duration::from_secs(500))).await.unwrap();
    assert!(ABOUT_500.contains(&left), "{left}");
    assert_eq!(seconds(ask::<TIMED>(&pair.peer, "").no_timeout()).await, None);
}

#[tokio::test]
async fn a_nested_call_has_the_time_of_the_call_it_is_made_for() {
    let pair = Pair::new().await;
    let left = seconds(ask::<ASK_REMAINING>(&pair.peer, "").timeout(Duration::from_secs(500))).await.unwrap();
    assert!(ABOUT_500.contains(&left), "{left}");
    assert_eq!(seconds(ask::<ASK_REMAINING>(&pair.peer, "")).await, None);
}

#[tokio::test]
async fn a_detached_handler_outlives_its_callers_interest() {
    let pair = Pair::new().await;
    let mut call = ask::<PATIENT>(&pair.peer, "dropped");
    assert!(poll_once(&mut call).await.is_pending());
    pair.at_server.until(|counts| counts.started == 1).await;
    drop(call);
    let late = ask::<PATIENT>(&pair.peer, "late").timeout(Duration::from_millis(50));
    assert_eq!(
        within(late).await,
        Err(CallError::DeadlineExceeded { outcome: Outcome::Unknown }),
        "its caller does not wait longer than it wants to"
    );
    pair.lives().await;
    pair.at_server.gate.add_permits(2);
    pair.at_server.until(|counts| counts.finished == 2).await;
    assert_eq!(pair.at_server.ledger(), ["dropped", "late"]);
    assert_eq!(pair.at_server.counts().dropped, 0);
}

/// The place of a call is free when its handler has ended, however it is cancelled, and its result is not sent.
#[tokio::test]
async fn a_detached_handler_keeps_its_place_and_says_nothing_to_nobody() {
    let (_server, world, place) = server_with(|server| server).await;
    let mut peer = Raw::connect(&place.path()).await;
    peer.send(raw::call(1, PATIENT, "first")).await;
    world.until(|counts| counts.started == 1).await;
    peer.send(raw::cancel(1)).await;
    // Whether it was begun before its Cancel must not matter.
    peer.send([raw::call(2, PATIENT, "second"), raw::cancel(2)].concat()).await;
    world.until(|counts| counts.started == 2).await;
    peer.send(raw::call(3, ECHO, "between")).await;
    assert_eq!(peer.next(raw::REPLY).await.id, 3);
    world.gate.add_permits(2);
    for id in 1..=2 {
        let reply = peer.next(raw::REPLY).await;
        assert_eq!((reply.id, reply.detail, reply.payload), (id, raw::CANCELLED, Vec::new()));
    }
    assert_eq!(world.ledger(), ["first", "second"]);
}

/// A server whose only client has gone while two detached handlers are at work.
async fn orphans() -> Pair {
    let mut pair = Pair::new().await;
    let mut events = pair.server.events();
    let mut call = ask::<PATIENT>(&pair.peer, "call");
    assert!(poll_once(&mut call).await.is_pending());
    within(tell::<PATIENT_NOTE>(&pair.peer, "note")).await.unwrap();
    pair.at_server.until(|counts| counts.started == 2).await;
    pair.client = client_builder(&pair.at_client).connect(pair.place.address().as_str()).unwrap();
    assert_eq!(lost(within(call).await), Outcome::Unknown);
    while !matches!(within(events.next()).await.unwrap(), ServerEvent::Disconnected { .. }) {}
    within(pair.client.shutdown(FOR_EVER)).await;
    pair
}

#[tokio::test]
async fn a_detached_handler_outlives_its_connection_and_a_shutdown_waits_for_it() {
    let pair = orphans().await;
    let mut shutdown = Box::pin(pair.server.shutdown(FOR_EVER));
    assert!(poll_once(&mut shutdown).await.is_pending());
    pair.at_server.gate.add_permits(2);
    let report = within(shutdown).await;
    assert_eq!((report.aborted, report.cancelled_handlers), (0, 0));
    let mut ledger = pair.at_server.ledger();
    ledger.sort();
    assert_eq!(ledger, ["call", "note"]);
}

#[tokio::test]
async fn a_shutdowns_time_bounds_detached_handlers_too() {
    let pair = orphans().await;
    let report = within(pair.server.shutdown(Duration::from_millis(50))).await;
    assert_eq!((report.aborted, report.cancelled_handlers), (0, 2));
    pair.at_server.until(|counts| counts.dropped == 2).await;
}

#[tokio::test]
async fn a_detached_handler_ends_with_its_server() {
    let pair = orphans().await;
    drop(pair.server);
    pair.at_server.until(|counts| counts.dropped == 2).await;
}

#[tokio::test]
async fn a_clients_detached_handlers_are_waited_for_and_end_with_it() {
    for lets_finish in [true, false] {
        let pair = Pair::new().await;
        let mut call = ask::<PATIENT>(&pair.back().await, "back");
        assert!(poll_once(&mut call).await.is_pending());
        pair.at_client.until(|counts| counts.started == 1).await;
        drop(pair.server);
        within(pair.client.closed()).await;
        let mut shutdown = Box::pin(pair.client.shutdown(FOR_EVER));
        assert!(poll_once(&mut shutdown).await.is_pending());
        if lets_finish {
            pair.at_client.gate.add_permits(1);
            within(shutdown).await;
            assert_eq!(pair.at_client.ledger(), ["back"]);
        } else {
            drop(shutdown);
            drop(pair.client);
            pair.at_client.until(|counts| counts.dropped == 1).await;
        }
    }
}

/// A client that connects again at once, and the socket at which it meets scripted servers.
fn reconnecting() -> (kaa_rpc_runtime::Client, UnixListener, Place) {
    let place = Place::new();
    let listener = UnixListener::bind(place.path()).unwrap();
    let client = client_builder(&World::new())
        .reconnect(Backoff::default().initial(Duration::from_millis(1)))
        .connect(place.address().as_str())
        .unwrap();
    (client, listener, place)
}

#[tokio::test]
async fn an_idempotent_call_is_sent_again_where_a_client_reconnects_and_no_other_is() {
    let (client, listener, _place) = reconnecting();
    let (mut again, mut once) =
        (ask::<REPEATABLE>(&client.peer(), "again"), ask::<RECORD>(&client.peer(), "once"));
    assert!(poll_once(&mut again).await.is_pending());
    assert!(poll_once(&mut once).await.is_pending());
    let mut first = Raw::accept(&listener).await;
    let before = [first.next(raw::CALL).await, first.next(raw::CALL).await];
    assert_eq!(before.map(|call| call.detail), [REPEATABLE, RECORD]);
    drop(first);
    assert_eq!(lost(within(once).await), Outcome::Unknown);
    assert!(poll_once(&mut again).await.is_pending());
    let mut second = Raw::accept(&listener).await;
    let call = second.next(raw::CALL).await;
    assert_eq!((call.detail, &call.payload), (REPEATABLE, &raw::text("again")));
    second.reply(&call, "done").await;
    assert_eq!(within(again).await, Ok("done".to_owned()));
}

#[tokio::test]
async fn an_idempotent_call_is_not_sent_again_for_ever() {
    let (client, listener, _place) = reconnecting();
    let peer = client.peer();
    let call = tokio::spawn(async move { ask::<REPEATABLE>(&peer, "").await });
    for _ in 0..3 {
        Raw::accept(&listener).await.next(raw::CALL).await;
    }
    assert_eq!(lost(within(call).await.unwrap()), Outcome::Unknown);
    // There is another connection, and nothing comes on it but what is made on it.
    let mut fourth = Raw::accept(&listener).await;
    let mut call = ask::<ECHO>(&client.peer(), "next");
    assert!(poll_once(&mut call).await.is_pending());
    assert_eq!(fourth.next(raw::CALL).await.detail, ECHO);
}

#[tokio::test]
async fn an_idempotent_call_that_waits_for_a_connection_ends_in_time_and_truthfully() {
    let (client, listener, _place) = reconnecting();
    let mut in_time = ask::<REPEATABLE>(&client.peer(), "").timeout(Duration::from_millis(200));
    let mut closed = ask::<REPEATABLE>(&client.peer(), "");
    assert!(poll_once(&mut in_time).await.is_pending());
    assert!(poll_once(&mut closed).await.is_pending());
    let mut server = Raw::accept(&listener).await;
    server.next(raw::CALL).await;
    server.next(raw::CALL).await;
    drop((server, listener));
    assert_eq!(
        within(in_time).await,
        Err(CallError::DeadlineExceeded { outcome: Outcome::Unknown }),
        "it waits again, and it was sent before"
    );
    assert!(poll_once(&mut closed).await.is_pending());
    drop(client);
    let expected = CallError::Disconnected { outcome: Outcome::Unknown, reason: CloseReason::ClosedLocally };
    assert_eq!(within(closed).await, Err(expected));
}

#[tokio::test]
async fn without_reconnection_nothing_is_sent_again() {
    let place = Place::new();
    let listener = UnixListener::bind(place.path()).unwrap();
    let client = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    let mut call = ask::<REPEATABLE>(&client.peer(), "");
    assert!(poll_once(&mut call).await.is_pending());
    Raw::accept(&listener).await.next(raw::CALL).await;
    assert_eq!(lost(within(call).await), Outcome::Unknown);
}
