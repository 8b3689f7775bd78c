//! Peers shut down under load: no accepted call is lost, and the others are known not to have run. Callers wait for
//! every result here, so that no call may end with an unknown outcome.

use std::time::Duration;

use kaa_rpc_runtime::{ClientEvent, Outcome};
use kaa_rpc_tests::fixture::{TestResult, run, within};
use kaa_rpc_tests::ledger::{ProcessEnd, Reported};
use kaa_rpc_tests::stress::{Callers, GRACE, Interruptions, Random, StopWhen};

use crate::support::{Harness, LocalClient, Process, reconnecting, seed};

/// Every call of either side ran to its end or not at all, and its caller knows which.
fn assert_no_call_is_lost(harness: &Harness) -> TestResult {
    let (client_calls, server_calls) = harness.audit(ProcessEnd::Exited, ProcessEnd::Exited)?;
    for (side, calls) in [("client", &client_calls), ("server", &server_calls)] {
        let lost = (calls.reported(Reported::Unknown), calls.reported(Reported::Dropped), calls.dropped());
        assert_eq!(
            lost,
            (0, 0, 0),
            "unknown results, dropped calls and aborted handlers of the {side}'s calls"
        );
        assert!(calls.reported(Reported::Ok) > 0, "no call of the {side} returned");
    }
    Ok(())
}

fn start_callers(client: &LocalClient, seed: u64) -> Callers {
    let caller = client.caller(seed, Interruptions::None);
    Callers::start(16, &caller, &client.server(), StopWhen::Requested)
}

/// Runs callers until `end` closes their connection, six times.
async fn under_load(
    interruptions: Interruptions,
    end: impl AsyncFn(u64, &LocalClient, Process) -> TestResult,
    check: impl Fn(&Harness) -> TestResult,
) -> TestResult {
    for seed in seed(0)..seed(6) {
        let mut harness = Harness::new()?;
        let server = harness.start_server().await?;
        let client = harness.local_client(&harness.address.clone(), |client| client)?;
        let caller = client.caller(seed, interruptions);
        let callers = Callers::start(16, &caller, &client.server(), StopWhen::Closed);
        client.ledger.wait_for_results(Random::new(seed).below(300)).await;
        end(seed, &client, server).await?;
        callers.finished().await?;
        check(&harness).map_err(|error| format!("with seed {seed}: {error}"))?;
    }
    Ok(())
}

#[test]
fn server_shutdown_loses_no_accepted_call() -> TestResult {
    let shut_down = async |_, _: &LocalClient, server: Process| server.shut_down().await;
    run(under_load(Interruptions::None, shut_down, assert_no_call_is_lost))
}

#[test]
fn client_shutdown_loses_no_started_call() -> TestResult {
    let shut_down = async |seed, client: &LocalClient, server: Process| {
        let report = match seed % 2 {
            0 => client.client.shutdown(GRACE).await,
            _ => client.client.peer().shutdown(GRACE).await,
        };
        assert_eq!((report.aborted, report.unanswered_calls), (0, 0), "{report:?}");
        server.shut_down().await
    };
    run(under_load(Interruptions::None, shut_down, assert_no_call_is_lost))
}

#[test]
fn simultaneous_shutdown_loses_no_call() -> TestResult {
    let shut_down = async |_, client: &LocalClient, server: Process| {
        let (report, result) = tokio::join!(client.client.shutdown(GRACE), server.shut_down());
        assert_eq!((report.aborted, report.unanswered_calls), (0, 0), "{report:?}");
        result
    };
    run(under_load(Interruptions::None, shut_down, assert_no_call_is_lost))
}

#[test]
fn outcomes_match_handlers_after_immediate_shutdown() -> TestResult {
    let end = async |seed, client: &LocalClient, server: Process| {
        match seed % 3 {
            0 => drop(client.client.shutdown(Duration::ZERO).await),
            1 => drop(client.client.shutdown(Duration::from_millis(1)).await),
            _ => client.client.peer().close(),
        }
        server.shut_down().await
    };
    let check = |harness: &Harness| harness.audit(ProcessEnd::Exited, ProcessEnd::Exited).map(drop);
    run(under_load(Interruptions::DeadlinesAndDrops, end, check))
}

#[test]
fn connection_age_limit_loses_no_call() -> TestResult {
    run(async {
        let mut harness = Harness { max_age_ms: 50, ..Harness::new()? };
        let server = harness.start_server().await?;
        let client = harness.local_client(&harness.address.clone(), reconnecting)?;
        let mut events = client.client.events();
        let callers = start_callers(&client, seed(1));
        for number in 1..=20 {
            let awaited = format!("connection {number} of the client");
            within(&awaited, async {
                loop {
                    match events.next().await {
                        Some(ClientEvent::Connected(_)) => return Ok(()),
                        Some(_) => {}
                        None => return Err("the client's events have ended"),
                    }
                }
            })
            .await?;
        }
        callers.stop().await?;
        client.assert_served().await?;
        server.shut_down().await?;
        assert_no_call_is_lost(&harness)
    })
}

#[test]
fn server_shutdown_of_one_reconnecting_peer_loses_no_call() -> TestResult {
    run(async {
        let mut harness = Harness::new()?;
        let server = harness.start_server().await?;
        let client = harness.local_client(&harness.address.clone(), reconnecting)?;
        let callers = start_callers(&client, seed(2));
        let mut random = Random::new(seed(2));
        for _ in 0..15 {
            client.ledger.wait_for_results(random.below(150)).await;
            let result = client.server().shut_down_peer().await.map_err(|error| error.outcome());
            assert!(matches!(result, Ok(()) | Err(Outcome::NotSent)), "{result:?}");
        }
        client.ledger.wait_for_results(100).await;
        callers.stop().await?;
        client.assert_served().await?;
        server.shut_down().await?;
        assert_no_call_is_lost(&harness)
    })
}
