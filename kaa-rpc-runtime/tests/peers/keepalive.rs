//! Keepalive: a silent peer is pinged, and a peer that does not answer loses its connection.
//!
//! The clock stands still while any task has work, so that a busy machine causes no pings.

use std::time::Duration;

use kaa_rpc_runtime::CloseReason;
use kaa_rpc_test_support::scripted::frames;
use kaa_rpc_test_support::texts::*;
use kaa_rpc_test_support::waiting::*;

const SHORT: Duration = Duration::from_millis(40);
const LONG: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
async fn pong_keeps_silent_peer_connected() {
    let (server, _state, mut peer) = scripted_client_in_memory(|server| server.keepalive(SHORT, LONG)).await;
    for _ in 0..3 {
        let ping = peer.next(frames::PING).await;
        peer.send(frames::frame(frames::PONG, ping.id, ping.token, ping.detail, b"")).await;
    }
    peer.next(frames::PING).await;
    let statistics = within("the server to have a peer", server.peers().next()).await.unwrap().statistics();
    assert!(statistics.round_trip.is_some(), "the round trip of pings is measured: {statistics:?}");
}

#[tokio::test(start_paused = true)]
async fn missing_pong_ends_connection() {
    let (server, state, mut peer) = scripted_client_in_memory(|server| server.keepalive(SHORT, SHORT)).await;
    let mut events = server.events();
    peer.send(frames::call(1, WAIT, "x")).await;
    state.until_started(1).await;
    assert_eq!(close_reason(&mut events).await, CloseReason::PeerStalled);
    state.until_dropped(1).await;
}

#[tokio::test(start_paused = true)]
async fn calls_replace_pings() {
    let (_server, _state, mut peer) =
        scripted_client_in_memory(|server| server.keepalive(4 * SHORT, LONG)).await;
    // More often than the interval, and for longer than it.
    for id in 1..=40 {
        peer.send(frames::call(id, ECHO, "x")).await;
        let received = peer.receive().await.unwrap();
        assert_eq!(received.kind, frames::REPLY, "no ping while there are calls");
        tokio::time::sleep(SHORT / 2).await;
    }
}

#[tokio::test(start_paused = true)]
async fn disabled_keepalive_sends_no_pings() {
    let (_server, _state, mut peer) =
        scripted_client_in_memory(|server| server.keepalive(SHORT, LONG).without_keepalive()).await;
    tokio::time::sleep(4 * SHORT).await;
    peer.send(frames::call(1, ECHO, "x")).await;
    assert_eq!(peer.receive().await.unwrap().kind, frames::REPLY);
}

/// A keepalive ping may be on its way when a shutdown begins. Its pong does not answer the ping of the
/// shutdown.
#[tokio::test(start_paused = true)]
async fn keepalive_pong_does_not_advance_shutdown() {
    let (server, _state, mut peer) = scripted_client_in_memory(|server| server.keepalive(SHORT, LONG)).await;
    let ping = peer.next(frames::PING).await;
    let shutdown = tokio::spawn(async move { server.shutdown(LONG).await });
    peer.next(frames::GOODBYE).await;
    peer.send(frames::frame(frames::PONG, ping.id, ping.token, ping.detail, b"")).await;
    peer.send(frames::call(1, ECHO, "made before the Goodbye arrived")).await;
    let shutdown_ping = peer.next(frames::PING).await;
    assert_eq!(shutdown_ping.detail, 0);
    assert_eq!(peer.receive().await.unwrap().kind, frames::REPLY, "the call is still served");
    peer.send(frames::frame(frames::PONG, shutdown_ping.id, shutdown_ping.token, 0, b"")).await;
    let last = peer.next(frames::GOODBYE).await;
    assert_eq!((last.id, last.token), (1, 1));
    peer.close_write().await;
    assert_eq!(within("the shutdown", shutdown).await.unwrap().aborted, 0);
}
