//! Callers who have another server to turn to are told of a loss, and do not wait for the next connection.

use std::task::Poll;

use kaa_rpc_runtime::{Backoff, CallError, Client, CloseReason, ConnectError, Limits, Outcome, Peer};
use tokio::net::UnixListener;

use crate::support::raw::{self, Raw};
use crate::support::*;

/// A client that connects again, and where.
fn reconnecting() -> (Client, Peer, UnixListener, Place) {
    let place = Place::new();
    let listener = UnixListener::bind(place.path()).unwrap();
    let client = client_builder(&World::new()).reconnect(Backoff::default());
    let client = client.connect(place.address().as_str()).unwrap();
    let hasty = client.peer().fail_fast();
    (client, hasty, listener, place)
}

/// The reason why a call was not sent.
fn not_sent<T: std::fmt::Debug>(result: Result<T, CallError>) -> CloseReason {
    match result {
        Err(CallError::Disconnected { outcome: Outcome::NotSent, reason }) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn without_a_connection_a_call_ends_and_others_wait() {
    let (client, hasty, listener, _place) = reconnecting();
    let mut patient = ask::<ECHO>(&client.peer(), "patient");
    assert!(poll_once(&mut patient).await.is_pending());
    let reason = not_sent(within(ask::<ECHO>(&hasty, "too early")).await);
    assert_eq!(reason, CloseReason::NotConnected(ConnectError::StillConnecting));
    assert_eq!(
        not_sent(within(tell::<NOTE>(&hasty.unbound(), "too early")).await),
        reason,
        "the handle stays hasty"
    );
    let mut server = Raw::accept(&listener).await;
    let call = server.next(raw::CALL).await;
    assert_eq!(call.payload, raw::text("patient"), "and nothing else");
    server.reply(&call, "done").await;
    assert_eq!(within(patient).await, Ok("done".to_owned()));
}

#[tokio::test]
async fn after_a_loss_nothing_is_sent_again_and_nothing_waits() {
    let (client, hasty, listener, _place) = reconnecting();
    let mut server = Raw::accept(&listener).await;
    within(client.ready()).await.unwrap();
    let mut call = ask::<REPEATABLE>(&hasty, "idempotent");
    assert!(poll_once(&mut call).await.is_pending());
    server.next(raw::CALL).await;
    drop(server);
    let mut next = Raw::accept(&listener).await;
    let mut patient = ask::<ECHO>(&client.peer(), "patient");
    assert!(poll_once(&mut patient).await.is_pending());
    let first = next.next(raw::CALL).await;
    assert_eq!(lost(within(call).await), Outcome::Unknown, "though there is a connection again");
    assert_eq!(first.payload, raw::text("patient"));
    drop((next, listener));
    assert_eq!(lost(within(patient).await), Outcome::Unknown);
    let reason = not_sent(within(ask::<ECHO>(&hasty, "afterwards")).await);
    assert!(
        matches!(
            reason,
            CloseReason::ConnectionLost(_) | CloseReason::NotConnected(ConnectError::Transport(_))
        ),
        "{reason:?}"
    );
}

#[tokio::test]
async fn what_waits_for_a_limit_ends_with_the_connection() {
    let (client, hasty, listener, _place) = reconnecting();
    let limits = Limits { max_inbound_calls: 1, ..Limits::default() };
    let mut server = Raw::accept_with(&listener, limits).await;
    within(client.ready()).await.unwrap();
    let mut calls = [ask::<ECHO>(&hasty, "sent"), ask::<ECHO>(&hasty, "waits")];
    for call in &mut calls {
        assert!(poll_once(call).await.is_pending(), "a limit is waited for");
    }
    let mut patient = ask::<ECHO>(&client.peer(), "patient");
    assert!(poll_once(&mut patient).await.is_pending());
    server.next(raw::CALL).await;
    drop(server);
    let [sent, waits] = calls;
    assert_eq!(lost(within(sent).await), Outcome::Unknown);
    not_sent(within(waits).await);
    let mut server = Raw::accept(&listener).await;
    assert_eq!(server.next(raw::CALL).await.payload, raw::text("patient"), "only this one stays");
}

#[tokio::test]
async fn who_stands_in_line_leaves_with_the_connection() {
    let (client, hasty, listener, _place) = reconnecting();
    let peer = client.peer();
    let limits = Limits { oneway_window: 1, ..Limits::default() };
    let server = Raw::accept_with(&listener, limits).await;
    within(client.ready()).await.unwrap();
    for index in 0..=1024 {
        within(tell::<NOTE>(&peer, index.to_string())).await.unwrap();
    }
    let in_line = tokio::spawn(tell::<NOTE>(&hasty, "in line"));
    tokio::task::yield_now().await;
    let mut behind = tell::<NOTE>(&peer, "behind");
    assert!(poll_once(&mut behind).await.is_pending());
    drop(server);
    not_sent(within(in_line).await.unwrap());
    assert!(poll_once(&mut behind).await.is_pending(), "the queue stays full");
}

#[tokio::test]
async fn a_peer_that_takes_leave_is_as_good_as_gone() {
    let (server, world, place) = server_with(|server| server).await;
    let client = client_builder(&World::new()).reconnect(Backoff::default());
    let client = client.connect(place.address().as_str()).unwrap();
    within(client.ready()).await.unwrap();
    let hasty = client.peer().fail_fast();
    let mut running = ask::<WAIT>(&hasty, "running");
    assert!(poll_once(&mut running).await.is_pending());
    world.until(|counts| counts.started == 1).await;
    let mut shutdown = Box::pin(server.shutdown(std::time::Duration::from_secs(3600)));
    assert!(poll_once(&mut shutdown).await.is_pending());
    within(async {
        while client.status() != kaa_rpc_runtime::ClientStatus::Draining {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let Poll::Ready(result) = poll_once(&mut ask::<ECHO>(&hasty, "too late")).await else {
        panic!("it waits for the next connection")
    };
    let reason = not_sent(result);
    assert!(matches!(reason, CloseReason::ClosedByPeer { .. }), "{reason:?}");
    world.gate.add_permits(1);
    assert_eq!(within(running).await, Ok("running".to_owned()));
    within(shutdown).await;
}
