//! What becomes of two generations when they connect, and what both ends are told.
//!
//! Reports lie beside the schemas in `report.txt`; `KAA_BLESS=1` renews them.

use std::fmt::Write as _;
use std::path::PathBuf;

use kaa_rpc_runtime::{
    Call, CallError, CloseReason, Compatibility, ConnectError, Outcome, ServerEvent, Service, role,
};
use kaa_rpc_tests::fixture::{self, Pair, SocketDirectory};

use crate::calls::Anything;

/// How two generations get along.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// What both know has the same fingerprint: `Compatibility::Exact` lets them in, too.
    Equal,
    /// They work together; `Compatibility::Exact` refuses them.
    Compatible,
    /// They are refused.
    Refused,
}

/// One generation's services, which answer nothing.
pub(crate) struct Generation {
    pub(crate) server: fn() -> Service<role::Server>,
    pub(crate) client: fn() -> Service<role::Client>,
}

/// Lets both generations meet in both ways.
pub(crate) async fn check(pair: &str, verdict: Verdict, old: &Generation, new: &Generation) {
    let mut reports = String::new();
    for (meeting, server, client) in
        [("old server, new client", old, new), ("new server, old client", new, old)]
    {
        let refusing = match verdict {
            Verdict::Equal => {
                meet(server, client, Compatibility::Exact).await;
                continue;
            }
            Verdict::Compatible => {
                let met = meet(server, client, Compatibility::Evolving).await;
                assert!(!met.client.peer().information().unwrap().same_schema);
                Compatibility::Exact
            }
            Verdict::Refused => Compatibility::Evolving,
        };
        let (at_server, at_client) = refusal(server, client, refusing).await;
        writeln!(reports, "{meeting}\n  server: {at_server}\n  client: {at_client}").unwrap();
    }
    compare(pair, &reports);
}

/// They let each other in.
async fn meet(server: &Generation, client: &Generation, compatibility: Compatibility) -> Pair {
    let server = fixture::server().unwrap().compatibility(compatibility).register((server.server)());
    let client = fixture::client().unwrap().compatibility(compatibility).register((client.client)());
    let met = Pair::over_unix(server, client).await.unwrap();
    met.peer.clone();
    met
}

/// They refuse each other before anything is called: what server and client are told.
async fn refusal(server: &Generation, client: &Generation, compatibility: Compatibility) -> (String, String) {
    let directory = SocketDirectory::new().unwrap();
    let server = fixture::server().unwrap().compatibility(compatibility).register((server.server)());
    let server = server.listen(directory.address()).await.unwrap();
    let mut events = server.events();
    let client = fixture::client().unwrap().compatibility(compatibility).register((client.client)());
    let client = client.connect(directory.address()).unwrap();
    // It is made before there is a connection, so that it would leave first of all.
    let error = Call::new(&client.peer(), Anything).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent);
    let CallError::Disconnected { reason: CloseReason::NotConnected(ConnectError::Schema(report)), .. } =
        error
    else {
        panic!("{error}")
    };
    let ready = client.ready().await.unwrap_err();
    assert!(matches!(&ready, ConnectError::Schema(same) if *same == report), "{ready}");
    match events.next().await.unwrap() {
        // Nobody was told of a connection, so nobody could call the client.
        ServerEvent::Disconnected {
            reason: CloseReason::NotConnected(ConnectError::Schema(at_server)),
            ..
        } => (at_server, report),
        other => panic!("{other:?}"),
    }
}

/// The folder of all pairs.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("pairs")
}

fn compare(pair: &str, reports: &str) {
    let path = folder().join(pair).join("report.txt");
    if std::env::var_os("KAA_BLESS").is_some() {
        if reports.is_empty() {
            let _absent = std::fs::remove_file(path);
        } else {
            std::fs::write(path, reports).unwrap();
        }
        return;
    }
    assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), reports);
}
