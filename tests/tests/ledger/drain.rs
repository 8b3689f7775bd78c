//! Ends that take leave under load: nothing that was accepted is lost, and what was not is known not to have been run.
//! Callers here wait as long as it takes, so that nobody is told that something may have been run.

use std::time::Duration;

use kaa_rpc_runtime::{ClientEvent, Outcome};
use kaa_rpc_tests::desk::{Dice, Endurance, GRACE, Load, Patience};
use kaa_rpc_tests::fixture::{TestResult, run};
use kaa_rpc_tests::ledger::{Fate, Told};

use crate::support::{Guest, Office, Process, reconnecting, seed};

/// Every call of either side was run to its end, or not at all, and its caller knows which.
fn nothing_is_lost(office: &Office) -> TestResult {
    let (forth, back) = office.check(Fate::Ended, Fate::Ended)?;
    for books in [&forth, &back] {
        assert_eq!((books.told(Told::Unknown), books.told(Told::GivenUp), books.dropped()), (0, 0, 0));
        assert!(books.told(Told::Ok) > 0);
    }
    Ok(())
}

fn start_load(guest: &Guest, seed: u64) -> Load {
    Load::start(16, &guest.errands(seed, Patience::Endless), &guest.desk(), Endurance::Endless)
}

/// Lets callers be at work with a server, until something ends all of it; six times.
async fn under_load(
    patience: Patience,
    end: impl AsyncFn(u64, &Guest, Process) -> TestResult,
    check: impl Fn(&Office) -> TestResult,
) -> TestResult {
    for seed in seed(0)..seed(6) {
        let mut office = Office::new()?;
        let server = office.start_server().await?;
        let guest = office.visitor(&office.address.clone(), |client| client)?;
        let errands = guest.errands(seed, patience);
        let load = Load::start(16, &errands, &guest.desk(), Endurance::UntilOver);
        guest.ledger.told_more(Dice::new(seed).throw(300)).await;
        end(seed, &guest, server).await?;
        load.end().await?;
        check(&office).map_err(|error| format!("with seed {seed}: {error}"))?;
    }
    Ok(())
}

#[test]
fn a_server_that_shuts_down_loses_no_call_it_has_accepted() -> TestResult {
    run(under_load(Patience::Endless, async |_, _, server| server.shut_down().await, nothing_is_lost))
}

#[test]
fn a_client_that_shuts_down_loses_no_call_it_has_made() -> TestResult {
    let shut_down = async |seed, guest: &Guest, server: Process| {
        let report = match seed % 2 {
            0 => guest.client.shutdown(GRACE).await,
            _ => guest.client.peer().shutdown(GRACE).await,
        };
        assert_eq!((report.aborted, report.unanswered_calls), (0, 0), "{report:?}");
        server.shut_down().await
    };
    run(under_load(Patience::Endless, shut_down, nothing_is_lost))
}

#[test]
fn both_may_shut_down_at_the_same_time() -> TestResult {
    let shut_down = async |_, guest: &Guest, server: Process| {
        let (report, shut_down) = tokio::join!(guest.client.shutdown(GRACE), server.shut_down());
        assert_eq!((report.aborted, report.unanswered_calls), (0, 0), "{report:?}");
        shut_down
    };
    run(under_load(Patience::Endless, shut_down, nothing_is_lost))
}

#[test]
fn an_end_that_does_not_wait_is_told_truthfully() -> TestResult {
    let end = async |seed, guest: &Guest, server: Process| {
        match seed % 3 {
            0 => drop(guest.client.shutdown(Duration::ZERO).await),
            1 => drop(guest.client.shutdown(Duration::from_millis(1)).await),
            _ => guest.client.peer().close(),
        }
        server.shut_down().await
    };
    run(under_load(Patience::Short, end, |office| office.check(Fate::Ended, Fate::Ended).map(drop)))
}

#[test]
fn connections_that_end_of_age_lose_nothing_while_clients_go_on() -> TestResult {
    run(async {
        let mut office = Office { age: 50, ..Office::new()? };
        let server = office.start_server().await?;
        let guest = office.visitor(&office.address.clone(), reconnecting)?;
        let mut events = guest.client.events();
        let load = start_load(&guest, seed(1));
        let mut connections = 0;
        while connections < 20 {
            let event = events.next().await.ok_or("the client has gone")?;
            connections += u32::from(matches!(event, ClientEvent::Connected(_)));
        }
        load.stop().await?;
        guest.is_served().await?;
        server.shut_down().await?;
        nothing_is_lost(&office)
    })
}

#[test]
fn a_server_takes_leave_of_one_client_that_comes_again() -> TestResult {
    run(async {
        let mut office = Office::new()?;
        let server = office.start_server().await?;
        let guest = office.visitor(&office.address.clone(), reconnecting)?;
        let load = start_load(&guest, seed(2));
        let mut dice = Dice::new(seed(2));
        for _ in 0..15 {
            guest.ledger.told_more(dice.throw(150)).await;
            let left = guest.desk().leave().await.map_err(|error| error.outcome());
            assert!(matches!(left, Ok(()) | Err(Outcome::NotSent)), "{left:?}");
        }
        guest.ledger.told_more(100).await;
        load.stop().await?;
        guest.is_served().await?;
        server.shut_down().await?;
        nothing_is_lost(&office)
    })
}
