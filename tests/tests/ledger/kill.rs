//! A server that is killed in the midst of everything, and started again.

use kaa_rpc_tests::desk::{Dice, Endurance, Load, Patience};
use kaa_rpc_tests::fixture::{TestResult, run};
use kaa_rpc_tests::ledger::{Fate, Told};

use crate::support::{Office, reconnecting, seed};

/// Kills so many servers, each after some calls have ended.
async fn kill_servers(seed: u64, kills: u32) -> TestResult {
    let mut dice = Dice::new(seed);
    let mut office = Office::new()?;
    let mut server = office.start_server().await?;
    let guest = office.visitor(&office.address.clone(), reconnecting)?;
    let load = Load::start(24, &guest.errands(seed, Patience::Short), &guest.desk(), Endurance::Endless);
    for _ in 0..kills {
        guest.ledger.told_more(dice.throw(400)).await;
        server.kill().await?;
        server = office.start_server().await?;
    }
    guest.ledger.told_more(100).await;
    load.stop().await?;
    guest.is_served().await?;
    server.shut_down().await?;

    let (forth, _back) = office.check(Fate::Ended, Fate::Killed)?;
    for told in [Told::Ok, Told::Run, Told::NotSent, Told::Unknown, Told::GivenUp] {
        assert!(forth.told(told) > 0, "nobody was told {told:?}");
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
