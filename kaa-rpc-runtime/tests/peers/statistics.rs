//! Statistics: connections and servers count what they do, also across reconnects and after the end of a
//! connection.

use kaa_rpc_runtime::ConnectionStatistics;

use kaa_rpc_test_support::scripted::frames;
use kaa_rpc_test_support::texts::*;
use kaa_rpc_test_support::waiting::*;

#[tokio::test]
async fn both_ends_count_same_calls_and_bytes() {
    let pair = Pair::new().await;
    for _ in 0..10 {
        within("the reply to CALL_BACK", call_method::<CALL_BACK>(&pair.peer, "x")).await.unwrap();
    }
    within("NOTE to be sent", call_oneway::<NOTE>(&pair.peer, "x")).await.unwrap();
    pair.server_state.until_recorded(1).await;
    let client_peer = pair.client_peer().await;
    let statistics = || (pair.peer.statistics(), client_peer.statistics());
    // A frame may still be on its way.
    eventually("both ends to count the same bytes", statistics, |(client, server)| {
        client.bytes_written == server.bytes_read && client.bytes_read == server.bytes_written
    })
    .await;
    let (client, server) = statistics();
    assert_eq!((client.calls_made, client.calls_received), (11, 10));
    assert_eq!((server.calls_made, server.calls_received), (10, 11));
    assert_eq!((client.connections, client.calls_in_flight, client.calls_queued), (1, 0, 0));
    assert_eq!(client.bytes_written, server.bytes_read);
    assert_eq!(client.bytes_read, server.bytes_written);
    assert!(client.bytes_written > 10 * 24, "{client:?}");
}

#[tokio::test]
async fn statistics_show_running_and_queued_calls() {
    let limits = kaa_rpc_runtime::Limits { max_inbound_calls: 1, ..Default::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client).await;
    let mut first = call_method::<WAIT>(&pair.peer, "1");
    let mut second = call_method::<WAIT>(&pair.peer, "2");
    start(&mut first).await;
    start(&mut second).await;
    pair.server_state.until_started(1).await;
    let statistics = pair.peer.statistics();
    assert_eq!((statistics.calls_in_flight, statistics.calls_queued), (1, 1));
    assert_eq!(pair.server.statistics().total.handlers_running, 1);
    pair.server_state.gate.add_permits(2);
    all(vec![first, second]).await;
}

#[tokio::test]
async fn statistics_count_refused_and_dropped_calls() {
    let limits = kaa_rpc_runtime::Limits { max_inbound_calls: 1, ..Default::default() };
    let (server, state, socket) = server_with(|server| server.limits(limits)).await;
    let mut peer = scripted_client(&socket.path()).await;
    peer.send(frames::frame(frames::ONEWAY, 1, 0, UNKNOWN, b"")).await;
    peer.send(frames::frame(frames::ONEWAY, 2, 0, NOTE, b"\xff")).await;
    peer.send(frames::call(3, WAIT, "x")).await;
    state.until_started(1).await;
    peer.send(frames::call(4, WAIT, "x")).await;
    assert_eq!(peer.next(frames::REPLY).await.detail, frames::RESOURCE_EXHAUSTED);
    let total = server.statistics().total;
    assert_eq!((total.oneways_dropped, total.calls_refused, total.calls_received), (2, 1, 4));
}

#[tokio::test]
async fn server_totals_include_ended_connections() {
    let pair = Pair::new().await;
    within("the reply to ECHO", call_method::<ECHO>(&pair.peer, "x")).await.unwrap();
    let before = pair.server.statistics();
    assert_eq!((before.connections, before.total.calls_received), (1, 1));
    let client_peer = pair.client_peer().await;
    drop(pair.client);
    within("the connection to close", client_peer.closed()).await;
    eventually("the connection to end", || pair.server.connections(), |count| *count == 0).await;
    let after = pair.server.statistics();
    assert_eq!(after.connections, 0);
    assert_eq!(after.total.calls_received, 1);
    assert!(after.total.bytes_read >= before.total.bytes_read, "{before:?}, then {after:?}");
    let gauges = ConnectionStatistics::default();
    assert_eq!(after.total.output_pending, gauges.output_pending);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connection_is_never_counted_twice() {
    use std::sync::atomic::{AtomicU64, Ordering};
    let (server, _state, socket) = server_with(|server| server).await;
    let (server, started) = (std::sync::Arc::new(server), std::sync::Arc::new(AtomicU64::new(0)));
    let observer = std::thread::spawn({
        let (server, started) = (std::sync::Arc::clone(&server), std::sync::Arc::clone(&started));
        move || {
            while started.load(Ordering::SeqCst) < u64::MAX {
                let counted = server.statistics().total.connections;
                let started = started.load(Ordering::SeqCst);
                if counted > started {
                    return Err(format!("counted {counted} of {started} connections"));
                }
            }
            Ok(())
        }
    });
    for _ in 0..300 {
        started.fetch_add(1, Ordering::SeqCst);
        let client = client_of(&socket);
        within("the client to connect or fail", client.ready()).await.unwrap();
        drop(client);
        eventually("the connection to end", || server.connections(), |count| *count == 0).await;
    }
    started.store(u64::MAX, Ordering::SeqCst);
    assert_eq!(observer.join().unwrap(), Ok(()));
    assert_eq!(server.statistics().total.connections, 300);
}
