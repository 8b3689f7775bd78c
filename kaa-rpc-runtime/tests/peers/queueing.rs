//! Calls that wait to leave: bounded, in order, expiring unsent; and oneway calls, whose flood stops at its source.

use std::time::Duration;

use kaa_rpc_runtime::{CallError, Client, CloseReason, Limits, Outcome};
use tokio::net::UnixListener;

use crate::support::raw::{self, Raw};
use crate::support::*;

/// A client of a server that does not answer yet.
fn connecting() -> (Client, UnixListener, Place) {
    let place = Place::new();
    let listener = UnixListener::bind(place.path()).unwrap();
    let client = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    (client, listener, place)
}

#[tokio::test]
async fn a_full_queue_makes_callers_wait_in_line() {
    let (client, listener, _place) = connecting();
    let peer = client.peer();
    for index in 0..1024 {
        within(tell::<NOTE>(&peer, index.to_string())).await.unwrap();
    }
    let mut in_line: Vec<_> = (1024..1034).map(|index| tell::<NOTE>(&peer, index.to_string())).collect();
    for note in &mut in_line {
        assert!(poll_once(note).await.is_pending());
    }
    // The first in line goes away; the others move up.
    drop(in_line.remove(0));
    let mut late = tell::<NOTE>(&peer, "too late").timeout(Duration::from_millis(20));
    assert!(poll_once(&mut late).await.is_pending());
    let error = within(late).await.unwrap_err();
    assert_eq!(error, CallError::DeadlineExceeded { outcome: Outcome::NotSent });
    let waiting = tokio::spawn(all(in_line));
    let limits = Limits { oneway_window: 2048, ..Limits::default() };
    let mut raw = Raw::accept_with(&listener, limits).await;
    for index in (0..1024).chain(1025..1034) {
        assert_eq!(raw.next(raw::ONEWAY).await.payload, raw::text(&index.to_string()));
    }
    assert!(within(waiting).await.unwrap().iter().all(Result::is_ok));
}

#[tokio::test]
async fn the_queue_is_bounded_in_bytes() {
    let (client, _listener, _place) = connecting();
    let peer = client.peer();
    for _ in 0..3 {
        within(tell::<NOTE>(&peer, "x".repeat(1 << 20))).await.unwrap();
    }
    let mut fourth = tell::<NOTE>(&peer, "x".repeat(1 << 20));
    assert!(poll_once(&mut fourth).await.is_pending());
    // First come, first served, small ones too.
    let mut small = tell::<NOTE>(&peer, "");
    assert!(poll_once(&mut small).await.is_pending());
}

#[tokio::test]
async fn a_call_that_expires_in_the_queue_was_not_sent() {
    let (client, listener, _place) = connecting();
    let peer = client.peer();
    let error = within(ask::<ECHO>(&peer, "").timeout(Duration::from_millis(30))).await.unwrap_err();
    assert_eq!(error, CallError::DeadlineExceeded { outcome: Outcome::NotSent });
    let mut next = ask::<ECHO>(&peer, "next");
    assert!(poll_once(&mut next).await.is_pending());
    let mut raw = Raw::accept(&listener).await;
    assert_eq!(raw.next(raw::CALL).await.payload, raw::text("next"), "the expired call never left");
}

#[tokio::test]
async fn a_call_at_the_peers_limit_waits_and_can_be_dropped() {
    let limits = Limits { max_inbound_calls: 1, ..Limits::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client).await;
    let mut first = ask::<WAIT>(&pair.peer, "first");
    assert!(poll_once(&mut first).await.is_pending());
    let mut dropped = ask::<RECORD>(&pair.peer, "dropped");
    let mut second = ask::<RECORD>(&pair.peer, "second");
    assert!(poll_once(&mut dropped).await.is_pending());
    assert!(poll_once(&mut second).await.is_pending());
    drop(dropped);
    pair.at_server.gate.add_permits(1);
    assert_eq!(within(second).await, Ok("second".to_owned()));
    assert_eq!(within(first).await, Ok("first".to_owned()));
    assert_eq!(pair.at_server.ledger(), ["second"]);
}

/// Far more callers than the limit, each an honest one: none is refused.
#[tokio::test(flavor = "multi_thread")]
async fn honest_callers_are_never_refused() {
    let limits = Limits { max_inbound_calls: 3, ..Limits::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client).await;
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..3000 {
        let call = ask::<ECHO>(&pair.peer, caller.to_string());
        callers.spawn(async move { assert_eq!(call.await, Ok(caller.to_string())) });
    }
    within(callers.join_all()).await;
}

#[tokio::test]
async fn a_oneway_call_waits_for_credit_at_its_source() {
    let (client, listener, _place) = connecting();
    let peer = client.peer();
    let limits = Limits { oneway_window: 4, ..Limits::default() };
    let mut raw = Raw::accept_with(&listener, limits).await;
    within(client.ready()).await.unwrap();
    for index in 0..4 + 1024 {
        within(tell::<NOTE>(&peer, index.to_string())).await.unwrap();
    }
    let mut waiting = tell::<NOTE>(&peer, "waiting");
    assert!(poll_once(&mut waiting).await.is_pending());
    for index in 0..4 {
        assert_eq!(raw.next(raw::ONEWAY).await.payload, raw::text(&index.to_string()));
    }
    raw.send([raw::frame(raw::PING, 0, 0, 1, b""), raw::frame(raw::ONEWAY_CREDIT, 0, 0, 1, b"")].concat())
        .await;
    let pong = raw.receive().await.unwrap();
    assert_eq!(pong.kind, raw::PONG, "nothing left before there was credit");
    assert_eq!(raw.next(raw::ONEWAY).await.payload, raw::text("4"));
    within(waiting).await.unwrap();
}

/// Credit comes back once for each call, also of handlers that take their time.
#[tokio::test(flavor = "multi_thread")]
async fn slow_oneway_handlers_give_their_credit_back_once() {
    let limits = Limits { oneway_window: 8, ..Limits::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client).await;
    pair.at_server.gate.add_permits(1);
    let gate = std::sync::Arc::clone(&pair.at_server);
    let keep_open = tokio::spawn(async move {
        loop {
            gate.until(|counts| counts.started > 0).await;
            gate.gate.add_permits(1);
            tokio::task::yield_now().await;
        }
    });
    for index in 0..500 {
        let note = if index % 2 == 0 {
            within(tell::<SLOW_NOTE>(&pair.peer, index.to_string())).await
        } else {
            within(tell::<PANIC_NOTE>(&pair.peer, "")).await
        };
        note.unwrap();
    }
    pair.at_server.until_recorded(250).await;
    keep_open.abort();
    pair.lives().await;
}

#[tokio::test]
async fn queued_calls_survive_a_loss_where_another_connection_comes() {
    use kaa_rpc_runtime::Backoff;

    let place = Place::new();
    let listener = UnixListener::bind(place.path()).unwrap();
    let client = client_builder(&World::new())
        .reconnect(Backoff::default())
        .connect(place.address().as_str())
        .unwrap();
    let limits = Limits { max_inbound_calls: 1, ..Limits::default() };
    let mut raw = Raw::accept_with(&listener, limits).await;
    let peer = client.peer();
    let (mut sent, mut queued) = (ask::<ECHO>(&peer, "sent"), ask::<ECHO>(&peer, "queued"));
    assert!(poll_once(&mut sent).await.is_pending());
    assert!(poll_once(&mut queued).await.is_pending());
    assert_eq!(raw.next(raw::CALL).await.payload, raw::text("sent"));
    // A server that leaves in order is a loss like any other.
    raw.send([raw::goodbye(), raw::last_goodbye(1)].concat()).await;
    drop(raw);
    assert_eq!(lost(within(sent).await), Outcome::Unknown);
    let mut raw = Raw::accept(&listener).await;
    let made = raw.next(raw::CALL).await;
    assert_eq!(made.payload, raw::text("queued"), "and nothing is sent twice");
    raw.reply(&made, "queued").await;
    assert_eq!(within(queued).await, Ok("queued".to_owned()));
}

#[tokio::test]
async fn everybody_in_line_is_told_when_the_client_goes() {
    let (client, _listener, _place) = connecting();
    let peer = client.peer();
    let mut callers = tokio::task::JoinSet::new();
    for index in 0..3000 {
        let mut call = ask::<ECHO>(&peer, index.to_string());
        assert!(poll_once(&mut call).await.is_pending());
        callers.spawn(call);
    }
    drop(client);
    for result in within(callers.join_all()).await {
        let expected =
            CallError::Disconnected { outcome: Outcome::NotSent, reason: CloseReason::ClosedLocally };
        assert_eq!(result, Err(expected));
    }
}
