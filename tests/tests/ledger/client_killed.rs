//! Clients are killed: their handlers are aborted, except detached ones.

use kaa_rpc_tests::fixture::{TestResult, run, within};
use kaa_rpc_tests::ledger::{ProcessEnd, Reported};
use kaa_rpc_tests::stress::Random;

use crate::support::{Harness, seed};

#[test]
fn killed_client_aborts_handlers_but_not_detached_ones() -> TestResult {
    run(async {
        let mut harness = Harness::new()?;
        let server = harness.start_server().await?;
        let control = harness.local_client(&harness.address.clone(), |client| client)?;
        let client = harness.start_client("gate")?;
        within("three handlers to start", control.server().wait_for_started(3)).await?;
        client.kill().await?;
        // The gate is still closed.
        within("the handlers of the killed client to end", control.server().wait_for_running(0)).await?;
        // The detached handler is still running, as if the server were killed too.
        let (client_calls, _server_calls) = harness.audit(ProcessEnd::Killed, ProcessEnd::Killed)?;
        // The handler of the upload may have seen its stream fail, and finished.
        assert_eq!(client_calls.dropped() + client_calls.finished(), 2);
        control.server().open_gate().await?;
        server.shut_down().await?;
        let (client_calls, _server_calls) = harness.audit(ProcessEnd::Killed, ProcessEnd::Exited)?;
        assert_eq!(client_calls.dropped() + client_calls.finished(), 3);
        Ok(())
    })
}

#[test]
fn outcomes_match_handlers_when_clients_are_killed() -> TestResult {
    run(async {
        let mut random = Random::new(seed(3));
        let mut harness = Harness::new()?;
        let server = harness.start_server().await?;
        let control = harness.local_client(&harness.address.clone(), |client| client)?;
        let mut started = 0;
        for _ in 0..8 {
            let client = harness.start_client("load")?;
            started += 1 + random.below(300);
            let awaited = format!("{started} handlers to start");
            within(&awaited, control.server().wait_for_started(started)).await?;
            client.kill().await?;
        }
        server.shut_down().await?;
        let (client_calls, server_calls) = harness.audit(ProcessEnd::Killed, ProcessEnd::Exited)?;
        assert!(client_calls.dropped() > 0, "no handler was aborted with its client");
        for reported in [Reported::Unknown, Reported::Ok] {
            assert!(server_calls.reported(reported) > 0, "no call of the server had the result {reported:?}");
        }
        Ok(())
    })
}
