//! A desk as a program of its own. It is given an address, the ledger that it writes, the first number for its own calls,
//! and how old connections may become, in milliseconds, or 0. It says where it listens, calls everybody who comes, and
//! shuts down when its input ends.

use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use kaa_rpc_runtime::{Peer, Peers};
use kaa_rpc_tests::api::desk::{Desk, DeskClientProxy};
use kaa_rpc_tests::desk::{Clerk, Errands, GRACE, LIMITS, Patience};
use kaa_rpc_tests::fixture::{TestResult, server};
use kaa_rpc_tests::ledger::{Ledger, Told};
use tokio::task::JoinSet;

/// Calls somebody who has come, until that is no longer possible.
async fn call_back(peer: Peer, mut errands: Errands) -> TestResult {
    let visitor: DeskClientProxy = peer.proxy();
    while errands.ask(&visitor).await? == Told::Ok {}
    Ok(())
}

async fn call_everybody(peers: &mut Peers, ledger: &Ledger, calling: &mut JoinSet<TestResult>) {
    while let Some(peer) = peers.next().await {
        for seed in 0..2 {
            calling.spawn(call_back(peer.clone(), Errands::new(ledger.clone(), seed, Patience::Endless)));
        }
    }
}

#[tokio::main(worker_threads = 2)]
async fn main() -> TestResult {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, ledger, first, age] = arguments.as_slice() else { return Err("wrong arguments".into()) };
    let ledger = Ledger::open(Path::new(ledger), first.parse()?)?;
    let mut server = server()?.limits(LIMITS).register(Desk::server(Clerk::new(ledger.clone())));
    if let age @ 1.. = age.parse()? {
        server = server.max_connection_age(Duration::from_millis(age), GRACE);
    }
    let server = server.listen(address.as_str()).await?;
    let mut peers = server.peers();
    writeln!(std::io::stdout(), "listens at {}", server.address().ok_or("it does not")?)?;
    let input = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let mut calling = JoinSet::new();
    tokio::select! {
        () = call_everybody(&mut peers, &ledger, &mut calling) => {}
        ended = input => drop(ended??),
    }
    let report = server.shutdown(GRACE).await;
    while let Some(ended) = calling.join_next().await {
        ended??;
    }
    writeln!(std::io::stdout(), "cut {} of {}", report.aborted, report.connections)?;
    Ok(())
}
