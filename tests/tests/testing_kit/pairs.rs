//! Server and client joined in memory, and fakes instead of peers.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use kaa_rpc_runtime::testing::{self, Faults, Pair, PairError};
use kaa_rpc_runtime::{
    Audience, Backoff, CallError, Client, ClientStatus, CloseReason, ConnectError, Context, Fault, Outcome,
    Proxy, Server, SetupError,
};
use kaa_rpc_tests::api::epg::*;
use kaa_rpc_tests::api::meter::*;
use kaa_rpc_tests::fixture::{until, within_paused};

use crate::fakes::{FakeGuide, FakeMeter, FakeScreen};

#[tokio::test(start_paused = true)]
async fn connect_joins_a_server_and_a_client() {
    let (screen, mut syncs) = FakeScreen::new();
    let (server, client) = testing::connect(
        Server::builder().register(Epg::server(FakeGuide::default())),
        Client::builder().register(Epg::client(screen)),
    )
    .unwrap();
    let epg: EpgServerProxy = client.proxy();
    assert_eq!(within_paused("the update", epg.update()).await, Ok(1));
    assert_eq!(within_paused("`on_sync`", syncs.recv()).await, Some(1));
    assert_eq!(server.connections(), 1);
    drop(server);
    let reason = within_paused("the client to be closed", client.closed()).await;
    assert!(
        matches!(reason, CloseReason::ClosedByPeer { .. } | CloseReason::ConnectionLost(_)),
        "{reason:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn proxy_keeps_its_fake_server_alive() {
    let epg: EpgServerProxy = testing::proxy(Epg::server(FakeGuide::default())).await.unwrap();
    let clone = epg.clone();
    drop(epg);
    let call = clone.get_keywords(KeywordOptions::default().prefix("news"));
    assert_eq!(within_paused("the call", call).await, Ok(vec!["news!".to_owned()]));
    assert!(!clone.peer().is_accepted(), "the caller of a server is the connecting side");
    assert!(clone.peer().information().is_some());
}

#[tokio::test(start_paused = true)]
async fn proxy_keeps_its_fake_client_alive() {
    let (screen, mut syncs) = FakeScreen::new();
    let proxy: EpgClientProxy = testing::proxy(Epg::client(screen)).await.unwrap();
    assert!(proxy.peer().is_accepted(), "the caller of a client is the accepting side");
    assert_eq!(within_paused("the call", proxy.on_sync(Vec::new(), 3)).await, Ok(()));
    assert_eq!(within_paused("`on_sync`", syncs.recv()).await, Some(3));
}

/// A client whose lifetime the test can see by the reference count.
struct Traced(Arc<()>);

impl EpgClient for Traced {
    async fn on_sync(
        &self,
        _cx: Context<EpgServerProxy>,
        _channels: Vec<Channel>,
        _programs: u32,
    ) -> Result<(), Fault> {
        assert_eq!(Arc::strong_count(&self.0), 2);
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn fake_is_dropped_with_its_last_proxy() {
    let trace = Arc::new(());
    let proxy: EpgClientProxy = testing::proxy(Epg::client(Traced(Arc::clone(&trace)))).await.unwrap();
    let clone = proxy.clone();
    let peer = proxy.peer().clone();
    // The peer of such a proxy also keeps the fake alive.
    drop((proxy, clone));
    assert!(peer.is_connected());
    drop(peer);
    until("the fake to be dropped", || Arc::strong_count(&trace) == 1).await;
}

#[tokio::test(start_paused = true)]
async fn pair_serves_several_services_on_both_sides() {
    let (screen, mut syncs) = FakeScreen::new();
    let pair = Pair::builder()
        .register(Epg::server(FakeGuide::default()))
        .register(Meter::server(FakeMeter))
        .register(Epg::client(screen))
        .connect()
        .await
        .unwrap();
    let (epg, meter, screen) =
        (pair.proxy::<EpgServerProxy>(), pair.proxy::<MeterServerProxy>(), pair.proxy::<EpgClientProxy>());
    drop(pair);
    assert_eq!(within_paused("the update", epg.update()).await, Ok(1));
    let record = meter.record(stream::iter((0..3).map(Reading::new)));
    assert_eq!(within_paused("`record`", record).await, Ok(3));
    let mut readings = meter.readings(3);
    assert_eq!(within_paused("a reading", readings.next()).await, Some(Ok(Reading::new(3))));
    assert_eq!(within_paused("the call of the client", screen.on_sync(Vec::new(), 8)).await, Ok(()));
    for number in [1, 8] {
        assert_eq!(within_paused("`on_sync`", syncs.recv()).await, Some(number));
    }
}

#[tokio::test(start_paused = true)]
async fn proxy_of_another_service_returns_unknown_method() {
    let epg: EpgServerProxy = testing::proxy(Meter::server(FakeMeter)).await.unwrap();
    let error = within_paused("the call to fail", epg.update()).await.unwrap_err();
    assert_eq!(error, CallError::UnknownMethod { method: "epg.Epg.update".to_owned() });
}

#[tokio::test(start_paused = true)]
async fn failed_pairs_report_setup_and_connect_errors() {
    let twice = Pair::builder().register(Meter::server(FakeMeter)).register(Meter::server(FakeMeter));
    let error = within_paused("the setup to fail", twice.connect()).await.unwrap_err();
    assert!(matches!(error, PairError::Setup(SetupError::Register(_))), "{error}");
    let other_audience =
        Pair::builder().client(|client| client.audience(Audience::new("elsewhere").unwrap()));
    let error = within_paused("the handshake to fail", other_audience.connect()).await.unwrap_err();
    assert!(matches!(error, PairError::Connect(ConnectError::Authentication(_))), "{error}");
    let faults = Faults::new();
    faults.stall();
    let stalled = Pair::builder().faults(&faults).connect();
    let error = within_paused("the handshake to time out", stalled).await.unwrap_err();
    assert!(matches!(error, PairError::Connect(ConnectError::Timeout(_))), "{error}");
}

#[test]
fn pair_needs_a_runtime() {
    let error = testing::connect(Server::builder(), Client::builder()).unwrap_err();
    assert!(matches!(error, SetupError::NoRuntime), "{error}");
}

#[tokio::test(start_paused = true)]
async fn in_memory_client_reconnects_after_a_loss() {
    let faults = Faults::new();
    let (screen, mut syncs) = FakeScreen::new();
    let pair = Pair::builder()
        .register(Epg::server(FakeGuide::default()))
        .register(Epg::client(screen))
        .client(|client| client.reconnect(Backoff::default()))
        .faults(&faults)
        .connect()
        .await
        .unwrap();
    let epg: EpgServerProxy = pair.proxy();
    let before: EpgClientProxy = pair.proxy();
    for round in 1..=3 {
        assert_eq!(within_paused("the update", epg.update()).await, Ok(round));
        assert_eq!(within_paused("`on_sync`", syncs.recv()).await, Some(round));
        faults.cut();
        assert_eq!(faults.connections(), 0);
        // A call that is made before the client has noticed the loss would be lost too.
        until("the client to notice the loss", || pair.client().status() == ClientStatus::Connecting).await;
    }
    assert_eq!(within_paused("the update", epg.update()).await, Ok(4));
    let lost = within_paused("the call to fail", before.on_sync(Vec::new(), 0)).await.unwrap_err();
    assert_eq!(lost.outcome(), Outcome::NotSent, "the proxy belongs to the first connection");
    assert_eq!(within_paused("`on_sync`", syncs.recv()).await, Some(4));
    let call = pair.proxy::<EpgClientProxy>().on_sync(Vec::new(), 9);
    within_paused("the call of the client", call).await.unwrap();
    assert_eq!(within_paused("`on_sync`", syncs.recv()).await, Some(9));
}

#[tokio::test(start_paused = true)]
async fn in_memory_client_keeps_connecting_until_shutdown() {
    let (server, client) =
        testing::connect(Server::builder(), Client::builder().reconnect(Backoff::default())).unwrap();
    within_paused("the client to be connected", client.ready()).await.unwrap();
    within_paused("the server to shut down", server.shutdown(Duration::from_secs(1))).await;
    drop(server);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(client.status(), ClientStatus::Connecting);
    within_paused("the client to shut down", client.shutdown(Duration::from_secs(1))).await;
    assert!(matches!(client.status(), ClientStatus::Closed(_)), "{:?}", client.status());
}
