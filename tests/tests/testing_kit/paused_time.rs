//! Times that are long, and cost none.

use std::time::Duration;

use kaa_rpc_runtime::testing::{self, Faults, Pair, PairBuilder};
use kaa_rpc_runtime::{Backoff, CallError, ClientStatus, CloseReason, ConnectError, Outcome};
use kaa_rpc_tests::api::epg::*;
use tokio::time::Instant;

use crate::fakes::FakeGuide;
use crate::{until, within};

/// Notes the true time, so that a test that waits for it fails.
struct Stopwatch(std::time::Instant, Instant);

impl Stopwatch {
    fn start() -> Self {
        Self(std::time::Instant::now(), Instant::now())
    }

    /// Seconds on the paused clock, which took next to none.
    fn seconds(&self) -> u64 {
        let true_time = self.0.elapsed();
        assert!(true_time < Duration::from_secs(8), "it took {true_time:?}");
        self.1.elapsed().as_secs()
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_of_30_seconds_passes_at_once_on_both_sides() {
    let (guide, gate) = FakeGuide::gated();
    let watch = Stopwatch::start();
    let pair = Pair::builder().register(Epg::server(guide)).connect().await.unwrap();
    let (epg, peer) = (pair.proxy::<EpgServerProxy>(), pair.server().peers().next().await.unwrap());
    let error = within(epg.update().timeout(Duration::from_secs(30))).await.unwrap_err();
    assert_eq!(error, CallError::DeadlineExceeded { outcome: Outcome::Unknown });
    until(|| peer.running_handlers() == 0).await;
    assert_eq!(watch.seconds(), 30);
    gate.notify_one();
    assert_eq!(within(epg.update()).await, Ok(1), "the first never came to count");
}

#[tokio::test(start_paused = true)]
async fn a_handler_sees_its_time_run() {
    let epg: EpgServerProxy = testing::proxy(Epg::server(FakeGuide::default())).await.unwrap();
    let search = epg.search(SearchOptions::default().limit(1)).timeout(Duration::from_secs(25));
    let error = within(search).await.unwrap_err();
    assert_eq!(error, CallError::Declared(SearchError::TooMany { found: 25, limit: 1 }));
}

#[tokio::test(start_paused = true)]
async fn a_backoff_of_10_minutes_passes_at_once() {
    let faults = Faults::new();
    let ten_minutes = Duration::from_secs(600);
    let pair = Pair::builder()
        .register(Epg::server(FakeGuide::default()))
        .client(|client| client.reconnect(Backoff::default().initial(ten_minutes).max(ten_minutes)))
        .faults(&faults)
        .connect()
        .await
        .unwrap();
    let watch = Stopwatch::start();
    faults.cut();
    until(|| pair.client().status() == ClientStatus::Connecting).await;
    within(pair.proxy::<EpgServerProxy>().get_keywords(KeywordOptions::default())).await.unwrap();
    let waited = watch.seconds();
    assert!((480..=720).contains(&waited), "{waited} s are not 10 minutes, a fifth more or less");
}

/// A pair whose ends take silence for life, so that a stall is all that ends it.
fn without_pings() -> PairBuilder {
    Pair::builder()
        .register(Epg::server(FakeGuide::default()))
        .server(|server| server.without_keepalive())
        .client(|client| client.without_keepalive())
}

#[tokio::test(start_paused = true)]
async fn a_silent_peer_is_given_up_at_once() {
    let faults = Faults::new();
    let pair = Pair::builder().client(|client| {
        client
            .keepalive(Duration::from_secs(1200), Duration::from_secs(600))
            .stall_timeout(Duration::from_secs(3600))
    });
    let pair = pair.server(|server| server.without_keepalive()).faults(&faults).connect().await.unwrap();
    let watch = Stopwatch::start();
    faults.incoming().stall();
    assert_eq!(within(pair.client().closed()).await, CloseReason::PeerStalled);
    assert_eq!(watch.seconds(), 1800);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_stalls_at_once() {
    let faults = Faults::new();
    let pair = without_pings().faults(&faults).connect().await.unwrap();
    let epg: EpgServerProxy = pair.proxy();
    let watch = Stopwatch::start();
    faults.outgoing().stall();
    let error = within(epg.update()).await.unwrap_err();
    assert!(matches!(error, CallError::Disconnected { reason: CloseReason::PeerStalled, .. }), "{error:?}");
    assert_eq!(watch.seconds(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_leaves_a_frame_unfinished_stalls_at_once() {
    let faults = Faults::new();
    let pair = without_pings().client(|client| client.stall_timeout(Duration::from_secs(300)));
    let pair = pair.faults(&faults).connect().await.unwrap();
    let watch = Stopwatch::start();
    // A byte in a second is progress.
    faults.incoming().rate(1);
    let epg: EpgServerProxy = pair.proxy();
    assert_eq!(within(epg.get_keywords(KeywordOptions::default())).await, Ok(vec!["!".to_owned()]));
    let slow = watch.seconds();
    assert!((25..60).contains(&slow), "{slow} s for some 28 bytes");
    faults.incoming().clear().stall_after(5);
    let error = within(epg.get_keywords(KeywordOptions::default())).await.unwrap_err();
    assert!(matches!(error, CallError::Disconnected { reason: CloseReason::PeerStalled, .. }), "{error:?}");
    assert_eq!(watch.seconds() - slow, 300);
}

#[tokio::test(start_paused = true)]
async fn a_handshake_times_out_at_once() {
    let faults = Faults::new();
    faults.incoming().stall();
    let watch = Stopwatch::start();
    let pair = Pair::builder().client(|client| client.connect_timeout(Duration::from_secs(90)));
    let pair = pair.server(|server| server.handshake_timeout(Duration::from_secs(60)));
    let pair = pair.faults(&faults).start().unwrap();
    let error = within(pair.client().ready()).await.unwrap_err();
    assert!(matches!(error, ConnectError::Timeout(_)), "{error:?}");
    assert_eq!(watch.seconds(), 90);
    assert_eq!(pair.server().refused(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_drain_of_an_hour_ends_at_once() {
    let (guide, _gate) = FakeGuide::gated();
    let pair = Pair::builder().register(Epg::server(guide)).connect().await.unwrap();
    let update = tokio::spawn(pair.proxy::<EpgServerProxy>().update());
    let peer = within(pair.server().peers().next()).await.unwrap();
    until(|| peer.running_handlers() == 1).await;
    let watch = Stopwatch::start();
    let report = within(pair.server().shutdown(Duration::from_secs(3600))).await;
    assert_eq!((report.aborted, report.cancelled_handlers), (1, 1));
    assert_eq!(watch.seconds(), 3600);
    within(update).await.unwrap().unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_handler_has_its_grace_at_once() {
    let (guide, _gate) = FakeGuide::gated();
    let pair = Pair::builder()
        .register(Epg::server(guide))
        .server(|server| server.cancel_grace(Duration::from_secs(600)))
        .connect()
        .await
        .unwrap();
    let epg: EpgServerProxy = pair.proxy();
    let peer = within(pair.server().peers().next()).await.unwrap();
    let waiting = epg.get_keywords(KeywordOptions::default().prefix("wait"));
    let given_up = tokio::time::timeout(Duration::from_secs(5), waiting).await;
    assert!(given_up.is_err(), "a handler that waits for its cancellation has no other end");
    until(|| peer.running_handlers() == 0).await;
}
