//! Servers are killed under load, and started again.

use kaa_rpc_tests::fixture::{TestResult, run};
use kaa_rpc_tests::ledger::{ProcessEnd, Reported};
use kaa_rpc_tests::stress::{Callers, Interruptions, Random, StopWhen};

use crate::support::{Harness, reconnecting, seed};

/// Kills this many servers, each after some calls have ended.
async fn kill_servers(seed: u64, kills: u32) -> TestResult {
    let mut random = Random::new(seed);
    let mut harness = Harness::new()?;
    let mut server = harness.start_server().await?;
    let client = harness.local_client(&harness.address.clone(), reconnecting)?;
    let caller = client.caller(seed, Interruptions::DeadlinesAndDrops);
    let callers = Callers::start(24, &caller, &client.server(), StopWhen::Requested);
    for _ in 0..kills {
        client.ledger.wait_for_results(random.below(400)).await;
        server.kill().await?;
        server = harness.start_server().await?;
    }
    client.ledger.wait_for_results(100).await;
    callers.stop().await?;
    client.assert_served().await?;
    server.shut_down().await?;

    let (client_calls, _server_calls) = harness.audit(ProcessEnd::Exited, ProcessEnd::Killed)?;
    for reported in [Reported::Ok, Reported::Run, Reported::NotSent, Reported::Unknown, Reported::Dropped] {
        assert!(client_calls.reported(reported) > 0, "no call of the client had the result {reported:?}");
    }
    Ok(())
}

#[test]
fn outcomes_match_handlers_when_servers_are_killed() -> TestResult {
    run(kill_servers(seed(1), 8))
}

#[test]
fn outcomes_match_handlers_when_servers_are_killed_at_other_moments() -> TestResult {
    run(kill_servers(seed(2), 8))
}
