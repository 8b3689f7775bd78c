//! A stress server, as a program. Its arguments are an address, its ledger, the first number for its calls, and the
//! maximum age of its connections in milliseconds (0: no maximum). It prints where it listens, calls every client, and
//! shuts down when its input ends.

use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use kaa_rpc_runtime::{Peer, Peers};
use kaa_rpc_tests::api::stress::{Stress, StressClientProxy};
use kaa_rpc_tests::fixture::{TestResult, address, server};
use kaa_rpc_tests::ledger::{Ledger, Reported};
use kaa_rpc_tests::stress::{Caller, GRACE, Interruptions, LIMITS, RecordingServer};
use tokio::task::JoinSet;

/// Calls a client until a call fails.
async fn call_client(peer: Peer, mut caller: Caller) -> TestResult {
    let client: StressClientProxy = peer.proxy();
    while caller.call_client(&client).await? == Reported::Ok {}
    Ok(())
}

async fn call_every_client(peers: &mut Peers, ledger: &Ledger, calls: &mut JoinSet<TestResult>) {
    while let Some(peer) = peers.next().await {
        for seed in 0..2 {
            calls.spawn(call_client(peer.clone(), Caller::new(ledger.clone(), seed, Interruptions::None)));
        }
    }
}

#[tokio::main(worker_threads = 2)]
async fn main() -> TestResult {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [listen_at, ledger, first_number, max_age] = arguments.as_slice() else {
        return Err("expected four arguments".into());
    };
    let ledger = Ledger::open(Path::new(ledger), first_number.parse()?)?;
    let mut server = server()?.limits(LIMITS).register(Stress::server(RecordingServer::new(ledger.clone())));
    if let max_age @ 1.. = max_age.parse()? {
        server = server.max_connection_age(Duration::from_millis(max_age), GRACE);
    }
    let server = server.listen(listen_at.as_str()).await?;
    let mut peers = server.peers();
    writeln!(std::io::stdout(), "listening at {}", address(&server)?)?;
    let input = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let mut calls = JoinSet::new();
    tokio::select! {
        () = call_every_client(&mut peers, &ledger, &mut calls) => {}
        ended = input => drop(ended??),
    }
    let report = server.shutdown(GRACE).await;
    while let Some(ended) = calls.join_next().await {
        ended??;
    }
    writeln!(std::io::stdout(), "aborted {} of {} connections", report.aborted, report.connections)?;
    Ok(())
}
