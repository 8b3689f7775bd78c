//! Both ends in memory, and fakes in a peer's place.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream;
use kaa_rpc_runtime::testing::{self, Faults, Pair, PairError};
use kaa_rpc_runtime::{
    Audience, Backoff, CallError, Client, ClientStatus, CloseReason, ConnectError, Context, Failure, Fault,
    Incoming, Outcome, Proxy, Server, SetupError,
};
use kaa_rpc_tests::api::epg::*;
use kaa_rpc_tests::api::meter::*;

use crate::fakes::{FakeGuide, FakeScreen};
use crate::{until, within};

struct FakeMeter;

impl MeterServer for FakeMeter {
    async fn readings(
        &self,
        _cx: Context<MeterClientProxy>,
        from: u32,
    ) -> Result<
        impl futures_util::Stream<Item = Result<Reading, Failure<MeterError>>> + Send,
        Failure<MeterError>,
    > {
        Ok(stream::iter((u64::from(from)..5).map(|value| Ok(Reading::new(value)))))
    }

    async fn record(
        &self,
        _cx: Context<MeterClientProxy>,
        mut readings: Incoming<Reading>,
    ) -> Result<u64, Fault> {
        let mut count = 0;
        while let Some(reading) = readings.next().await {
            reading?;
            count += 1;
        }
        Ok(count)
    }
}

#[tokio::test(start_paused = true)]
async fn connect_joins_a_server_and_a_client() {
    let (screen, mut heard) = FakeScreen::new();
    let (server, client) = testing::connect(
        Server::builder().register(Epg::server(FakeGuide::default())),
        Client::builder().register(Epg::client(screen)),
    )
    .unwrap();
    let epg: EpgServerProxy = client.proxy();
    assert_eq!(within(epg.update()).await, Ok(1));
    assert_eq!(within(heard.recv()).await, Some(1));
    assert_eq!(server.connections(), 1);
    drop(server);
    assert!(matches!(
        within(client.closed()).await,
        CloseReason::ClosedByPeer { .. } | CloseReason::ConnectionLost(_)
    ));
}

#[tokio::test(start_paused = true)]
async fn proxy_keeps_its_fake_server_alive() {
    let epg: EpgServerProxy = testing::proxy(Epg::server(FakeGuide::default())).await.unwrap();
    let clone = epg.clone();
    drop(epg);
    let keywords = within(clone.get_keywords(KeywordOptions::default().prefix("news"))).await;
    assert_eq!(keywords, Ok(vec!["news!".to_owned()]));
    assert!(!clone.peer().is_accepted(), "a server is called by who has connected to it");
    assert!(clone.peer().information().is_some());
}

#[tokio::test(start_paused = true)]
async fn proxy_keeps_its_fake_client_alive() {
    let (screen, mut heard) = FakeScreen::new();
    let proxy: EpgClientProxy = testing::proxy(Epg::client(screen)).await.unwrap();
    assert!(proxy.peer().is_accepted(), "a client is called by who has accepted it");
    assert_eq!(within(proxy.on_sync(Vec::new(), 3)).await, Ok(()));
    assert_eq!(within(heard.recv()).await, Some(3));
}

/// Notes in its drop that it is gone.
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
    let watched = proxy.peer().clone();
    // A peer of an owning proxy owns as well.
    drop((proxy, clone));
    assert!(watched.is_connected());
    drop(watched);
    until(|| Arc::strong_count(&trace) == 1).await;
}

#[tokio::test(start_paused = true)]
async fn pair_serves_several_services_on_both_sides() {
    let (screen, mut heard) = FakeScreen::new();
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
    assert_eq!(within(epg.update()).await, Ok(1));
    assert_eq!(within(meter.record(stream::iter((0..3).map(Reading::new)))).await, Ok(3));
    let mut readings = meter.readings(3);
    assert_eq!(within(readings.next()).await, Some(Ok(Reading::new(3))));
    assert_eq!(within(screen.on_sync(Vec::new(), 8)).await, Ok(()));
    assert_eq!((within(heard.recv()).await, within(heard.recv()).await), (Some(1), Some(8)));
}

#[tokio::test(start_paused = true)]
async fn proxy_of_another_service_returns_unknown_method() {
    let epg: EpgServerProxy = testing::proxy(Meter::server(FakeMeter)).await.unwrap();
    let error = within(epg.update()).await.unwrap_err();
    assert_eq!(error, CallError::UnknownMethod { method: "epg.Epg.update".to_owned() });
}

#[tokio::test(start_paused = true)]
async fn failed_pairs_report_setup_and_connect_errors() {
    let twice = Pair::builder().register(Meter::server(FakeMeter)).register(Meter::server(FakeMeter));
    let error = within(twice.connect()).await.unwrap_err();
    assert!(matches!(error, PairError::Setup(SetupError::Register(_))), "{error}");
    let apart = Pair::builder().client(|client| client.audience(Audience::new("elsewhere").unwrap()));
    let error = within(apart.connect()).await.unwrap_err();
    assert!(matches!(error, PairError::Connect(ConnectError::Authentication(_))), "{error}");
    let faults = Faults::new();
    faults.stall();
    let error = within(Pair::builder().faults(&faults).connect()).await.unwrap_err();
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
    let (screen, mut heard) = FakeScreen::new();
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
        assert_eq!(within(epg.update()).await, Ok(round));
        assert_eq!(within(heard.recv()).await, Some(round));
        faults.cut();
        assert_eq!(faults.connections(), 0);
        // What is called before the client has seen the loss is lost as well.
        until(|| pair.client().status() == ClientStatus::Connecting).await;
    }
    assert_eq!(within(epg.update()).await, Ok(4));
    let lost = within(before.on_sync(Vec::new(), 0)).await.unwrap_err();
    assert_eq!(lost.outcome(), Outcome::NotSent, "it belongs to the first connection");
    assert_eq!(within(heard.recv()).await, Some(4));
    within(pair.proxy::<EpgClientProxy>().on_sync(Vec::new(), 9)).await.unwrap();
    assert_eq!(within(heard.recv()).await, Some(9));
}

#[tokio::test(start_paused = true)]
async fn in_memory_client_keeps_connecting_until_shutdown() {
    let (server, client) =
        testing::connect(Server::builder(), Client::builder().reconnect(Backoff::default())).unwrap();
    within(client.ready()).await.unwrap();
    within(server.shutdown(Duration::from_secs(1))).await;
    drop(server);
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert_eq!(client.status(), ClientStatus::Connecting);
    within(client.shutdown(Duration::from_secs(1))).await;
    assert!(matches!(client.status(), ClientStatus::Closed(_)), "{:?}", client.status());
}
