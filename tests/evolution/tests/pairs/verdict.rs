//! The verdict on two generations when they connect, and the errors that both peers report.
//!
//! The errors are in `report.txt` next to the schemas; `KAA_BLESS=1` regenerates that file.

use std::fmt::Write as _;
use std::path::PathBuf;

use kaa_rpc_runtime::{
    Call, CallError, CloseReason, Compatibility, ConnectError, Outcome, ServerEvent, Service, role,
};
use kaa_rpc_tests::fixture::{self, Pair, SocketDirectory, within};

use crate::calls::UnknownCall;

/// The result of connecting two generations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Their common services have the same fingerprints: they connect also with `Compatibility::Exact`.
    Equal,
    /// They connect; with `Compatibility::Exact` they refuse each other.
    Compatible,
    /// They refuse each other.
    Refused,
}

/// The services of one generation.
pub(crate) struct Generation {
    pub(crate) server: fn() -> Service<role::Server>,
    pub(crate) client: fn() -> Service<role::Client>,
}

/// Connects the generations both ways, and checks the verdict and the errors.
pub(crate) async fn check(pair: &str, verdict: Verdict, old: &Generation, new: &Generation) {
    let mut reports = String::new();
    for (case, server, client) in [("old server, new client", old, new), ("new server, old client", new, old)]
    {
        let refusing = match verdict {
            Verdict::Equal => {
                connect(server, client, Compatibility::Exact).await;
                continue;
            }
            Verdict::Compatible => {
                let pair = connect(server, client, Compatibility::Evolving).await;
                assert!(!pair.client.peer().information().unwrap().same_schema);
                Compatibility::Exact
            }
            Verdict::Refused => Compatibility::Evolving,
        };
        let (at_server, at_client) = refusal(server, client, refusing).await;
        writeln!(reports, "{case}\n  server: {at_server}\n  client: {at_client}").unwrap();
    }
    compare(pair, &reports);
}

/// The generations accept each other.
async fn connect(server: &Generation, client: &Generation, compatibility: Compatibility) -> Pair {
    let server = fixture::server().unwrap().compatibility(compatibility).register((server.server)());
    let client = fixture::client().unwrap().compatibility(compatibility).register((client.client)());
    Pair::over_unix(server, client).await.unwrap()
}

/// The generations refuse each other before any call is sent. Returns the errors at the server and at the client.
async fn refusal(server: &Generation, client: &Generation, compatibility: Compatibility) -> (String, String) {
    let directory = SocketDirectory::new().unwrap();
    let server = fixture::server().unwrap().compatibility(compatibility).register((server.server)());
    let server = server.listen(directory.address()).await.unwrap();
    let mut events = server.events();
    let client = fixture::client().unwrap().compatibility(compatibility).register((client.client)());
    let client = client.connect(directory.address()).unwrap();
    // The call is made while the client connects, so it would be sent as soon as possible.
    let call = Call::new(&client.peer(), UnknownCall);
    let error = within("the call to fail", call).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent);
    let CallError::Disconnected { reason: CloseReason::NotConnected(ConnectError::Schema(report)), .. } =
        error
    else {
        panic!("{error}")
    };
    let ready = within("the client to give up", client.ready()).await.unwrap_err();
    assert!(matches!(&ready, ConnectError::Schema(same) if *same == report), "{ready}");
    match within("the server's Disconnected event", events.next()).await.unwrap() {
        // There was no Connected event before, so the server could not call the client.
        ServerEvent::Disconnected {
            reason: CloseReason::NotConnected(ConnectError::Schema(at_server)),
            ..
        } => (at_server, report),
        other => panic!("{other:?}"),
    }
}

/// The directory of all pairs.
pub(crate) fn pairs_directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("pairs")
}

fn compare(pair: &str, reports: &str) {
    let path = pairs_directory().join(pair).join("report.txt");
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
