//! Statistics: what connections and servers have done is counted, through reconnections and beyond a connection's end.

use kaa_rpc_runtime::ConnectionStatistics;

use crate::support::raw::{self, Raw};
use crate::support::*;

#[tokio::test]
async fn both_ends_count_the_same_calls_and_bytes() {
    let pair = Pair::new().await;
    for _ in 0..10 {
        within(ask::<ASK>(&pair.peer, "x")).await.unwrap();
    }
    within(tell::<NOTE>(&pair.peer, "x")).await.unwrap();
    pair.at_server.until_recorded(1).await;
    let client = pair.peer.statistics();
    let server = pair.back().await.statistics();
    assert_eq!((client.calls_made, client.calls_received), (11, 10));
    assert_eq!((server.calls_made, server.calls_received), (10, 11));
    assert_eq!((client.connections, client.calls_in_flight, client.calls_queued), (1, 0, 0));
    assert_eq!(client.bytes_written, server.bytes_read);
    assert_eq!(client.bytes_read, server.bytes_written);
    assert!(client.bytes_written > 10 * 24);
}

#[tokio::test]
async fn running_and_queued_calls_are_shown_while_they_last() {
    let limits = kaa_rpc_runtime::Limits { max_inbound_calls: 1, ..Default::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client).await;
    let mut first = ask::<WAIT>(&pair.peer, "1");
    let mut second = ask::<WAIT>(&pair.peer, "2");
    assert!(poll_once(&mut first).await.is_pending() && poll_once(&mut second).await.is_pending());
    pair.at_server.until(|counts| counts.started == 1).await;
    let statistics = pair.peer.statistics();
    assert_eq!((statistics.calls_in_flight, statistics.calls_queued), (1, 1));
    assert_eq!(pair.server.statistics().total.handlers_running, 1);
    pair.at_server.gate.add_permits(2);
    all(vec![first, second]).await;
}

#[tokio::test]
async fn what_came_to_nothing_is_counted() {
    let limits = kaa_rpc_runtime::Limits { max_inbound_calls: 1, ..Default::default() };
    let (server, world, place) = server_with(|server| server.limits(limits)).await;
    let mut peer = Raw::connect(&place.path()).await;
    peer.send(raw::frame(raw::ONEWAY, 1, 0, NOBODYS, b"")).await;
    peer.send(raw::frame(raw::ONEWAY, 2, 0, NOTE, b"\xff")).await;
    peer.send(raw::call(3, WAIT, "x")).await;
    world.until(|counts| counts.started == 1).await;
    peer.send(raw::call(4, WAIT, "x")).await;
    assert_eq!(peer.next(raw::REPLY).await.detail, raw::EXHAUSTED);
    let total = server.statistics().total;
    assert_eq!((total.oneways_dropped, total.calls_refused, total.calls_received), (2, 1, 4));
}

#[tokio::test]
async fn a_server_keeps_what_its_ended_connections_have_done() {
    let pair = Pair::new().await;
    within(ask::<ECHO>(&pair.peer, "x")).await.unwrap();
    let before = pair.server.statistics();
    assert_eq!((before.connections, before.total.calls_received), (1, 1));
    let back = pair.back().await;
    drop(pair.client);
    within(back.closed()).await;
    while pair.server.connections() > 0 {
        tokio::task::yield_now().await;
    }
    let after = pair.server.statistics();
    assert_eq!(after.connections, 0);
    assert_eq!(after.total.calls_received, 1);
    assert!(after.total.bytes_read >= before.total.bytes_read);
    let gauges = ConnectionStatistics::default();
    assert_eq!(after.total.output_pending, gauges.output_pending);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_is_never_counted_twice() {
    use std::sync::atomic::{AtomicU64, Ordering};
    let (server, _world, place) = server_with(|server| server).await;
    let (server, begun) = (std::sync::Arc::new(server), std::sync::Arc::new(AtomicU64::new(0)));
    let watching = std::thread::spawn({
        let (server, begun) = (std::sync::Arc::clone(&server), std::sync::Arc::clone(&begun));
        move || {
            while begun.load(Ordering::SeqCst) < u64::MAX {
                let counted = server.statistics().total.connections;
                let begun = begun.load(Ordering::SeqCst);
                if counted > begun {
                    return Err(format!("{counted} of {begun}"));
                }
            }
            Ok(())
        }
    });
    for _ in 0..300 {
        begun.fetch_add(1, Ordering::SeqCst);
        let client = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
        within(client.ready()).await.unwrap();
        drop(client);
        within(async {
            while server.connections() > 0 {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
    begun.store(u64::MAX, Ordering::SeqCst);
    assert_eq!(watching.join().unwrap(), Ok(()));
    assert_eq!(server.statistics().total.connections, 300);
}
