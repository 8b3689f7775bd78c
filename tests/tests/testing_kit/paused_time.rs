//! Long times, which pass at once on paused time.

use std::time::Duration;

use kaa_rpc_runtime::testing::{self, Faults, Pair, PairBuilder};
use kaa_rpc_runtime::{Backoff, CallError, ClientStatus, CloseReason, ConnectError, Outcome, Peer};
use kaa_rpc_tests::api::epg::*;
use tokio::time::Instant;

use kaa_rpc_tests::fixture::{until, within_paused};

use crate::fakes::FakeGuide;

/// Measures paused time, and fails if as much real time has passed.
struct Stopwatch {
    real: std::time::Instant,
    paused: Instant,
}

impl Stopwatch {
    fn start() -> Self {
        Self { real: std::time::Instant::now(), paused: Instant::now() }
    }

    /// The elapsed seconds of paused time.
    fn seconds(&self) -> u64 {
        let (real, paused) = (self.real.elapsed(), self.paused.elapsed());
        assert!(real < paused, "{paused:?} of paused time took {real:?}");
        paused.as_secs()
    }
}

#[tokio::test(start_paused = true)]
async fn deadline_passes_on_both_sides_in_paused_time() {
    let (guide, gate) = FakeGuide::gated();
    let watch = Stopwatch::start();
    let pair = Pair::builder().register(Epg::server(guide)).connect().await.unwrap();
    let (epg, peer) = (pair.proxy::<EpgServerProxy>(), peer_of(&pair).await);
    let call = epg.update().timeout(Duration::from_secs(30));
    let error = within_paused("the call to time out", call).await.unwrap_err();
    assert_eq!(error, CallError::DeadlineExceeded { outcome: Outcome::Unknown });
    until("the handler to end", || peer.running_handlers() == 0).await;
    assert_eq!(watch.seconds(), 30);
    gate.notify_one();
    assert_eq!(within_paused("the update", epg.update()).await, Ok(1), "the first update was not counted");
}

#[tokio::test(start_paused = true)]
async fn handler_sees_its_remaining_time_in_paused_time() {
    let epg: EpgServerProxy = testing::proxy(Epg::server(FakeGuide::default())).await.unwrap();
    let search = epg.search(SearchOptions::default().limit(1)).timeout(Duration::from_secs(25));
    let error = within_paused("the call to fail", search).await.unwrap_err();
    assert_eq!(error, CallError::Declared(SearchError::TooMany { found: 25, limit: 1 }));
}

#[tokio::test(start_paused = true)]
async fn backoff_passes_in_paused_time() {
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
    until("the client to notice the loss", || pair.client().status() == ClientStatus::Connecting).await;
    let call = pair.proxy::<EpgServerProxy>().get_keywords(KeywordOptions::default());
    within_paused("a call on the next connection", call).await.unwrap();
    let waited = watch.seconds();
    assert!((480..=720).contains(&waited), "{waited} s are not 10 minutes, a fifth more or less");
}

/// The server's handle to the client.
async fn peer_of(pair: &Pair) -> Peer {
    within_paused("the server to have a peer", pair.server().peers().next()).await.unwrap()
}

/// A pair without keepalive, so that only a stall closes its connection.
fn without_keepalive() -> PairBuilder {
    Pair::builder()
        .register(Epg::server(FakeGuide::default()))
        .server(|server| server.without_keepalive())
        .client(|client| client.without_keepalive())
}

#[tokio::test(start_paused = true)]
async fn silent_peer_times_out_in_paused_time() {
    let faults = Faults::new();
    let pair = Pair::builder().client(|client| {
        client
            .keepalive(Duration::from_secs(1200), Duration::from_secs(600))
            .stall_timeout(Duration::from_secs(3600))
    });
    let pair = pair.server(|server| server.without_keepalive()).faults(&faults).connect().await.unwrap();
    let watch = Stopwatch::start();
    faults.incoming().stall();
    let reason = within_paused("the client to be closed", pair.client().closed()).await;
    assert_eq!(reason, CloseReason::PeerStalled);
    assert_eq!(watch.seconds(), 1800);
}

#[tokio::test(start_paused = true)]
async fn stalled_writes_time_out_in_paused_time() {
    let faults = Faults::new();
    let pair = without_keepalive().faults(&faults).connect().await.unwrap();
    let epg: EpgServerProxy = pair.proxy();
    let watch = Stopwatch::start();
    faults.outgoing().stall();
    let error = within_paused("the call to fail", epg.update()).await.unwrap_err();
    assert!(matches!(error, CallError::Disconnected { reason: CloseReason::PeerStalled, .. }), "{error:?}");
    assert_eq!(watch.seconds(), 30);
}

#[tokio::test(start_paused = true)]
async fn unfinished_frame_times_out_in_paused_time() {
    let faults = Faults::new();
    let pair = without_keepalive().client(|client| client.stall_timeout(Duration::from_secs(300)));
    let pair = pair.faults(&faults).connect().await.unwrap();
    let watch = Stopwatch::start();
    // One byte per second counts as progress.
    faults.incoming().rate(1);
    let epg: EpgServerProxy = pair.proxy();
    let call = epg.get_keywords(KeywordOptions::default());
    assert_eq!(within_paused("the slow call", call).await, Ok(vec!["!".to_owned()]));
    let slow = watch.seconds();
    assert!((25..60).contains(&slow), "about 28 bytes took {slow} s");
    faults.incoming().clear().stall_after(5);
    let call = epg.get_keywords(KeywordOptions::default());
    let error = within_paused("the stalled call to fail", call).await.unwrap_err();
    assert!(matches!(error, CallError::Disconnected { reason: CloseReason::PeerStalled, .. }), "{error:?}");
    assert_eq!(watch.seconds() - slow, 300);
}

#[tokio::test(start_paused = true)]
async fn handshake_times_out_in_paused_time() {
    let faults = Faults::new();
    faults.incoming().stall();
    let watch = Stopwatch::start();
    let pair = Pair::builder().client(|client| client.connect_timeout(Duration::from_secs(90)));
    let pair = pair.server(|server| server.handshake_timeout(Duration::from_secs(60)));
    let pair = pair.faults(&faults).start().unwrap();
    let error = within_paused("the handshake to time out", pair.client().ready()).await.unwrap_err();
    assert!(matches!(error, ConnectError::Timeout(_)), "{error:?}");
    assert_eq!(watch.seconds(), 90);
    assert_eq!(pair.server().refused(), 1);
}

#[tokio::test(start_paused = true)]
async fn drain_times_out_in_paused_time() {
    let (guide, _gate) = FakeGuide::gated();
    let pair = Pair::builder().register(Epg::server(guide)).connect().await.unwrap();
    let update = tokio::spawn(pair.proxy::<EpgServerProxy>().update());
    let peer = peer_of(&pair).await;
    until("the handler to run", || peer.running_handlers() == 1).await;
    let watch = Stopwatch::start();
    let shutdown = pair.server().shutdown(Duration::from_secs(3600));
    let report = within_paused("the server to shut down", shutdown).await;
    assert_eq!((report.aborted, report.cancelled_handlers), (1, 1), "{report:?}");
    assert_eq!(watch.seconds(), 3600);
    within_paused("the call to fail", update).await.unwrap().unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn cancelled_handler_ends_in_paused_time() {
    let (guide, _gate) = FakeGuide::gated();
    let pair = Pair::builder()
        .register(Epg::server(guide))
        .server(|server| server.cancel_grace(Duration::from_secs(600)))
        .connect()
        .await
        .unwrap();
    let epg: EpgServerProxy = pair.proxy();
    let peer = peer_of(&pair).await;
    let waiting = epg.get_keywords(KeywordOptions::default().prefix("wait"));
    let dropped = tokio::time::timeout(Duration::from_secs(5), waiting).await;
    assert!(dropped.is_err(), "the handler ended before it was cancelled: {dropped:?}");
    until("the cancelled handler to end", || peer.running_handlers() == 0).await;
}
