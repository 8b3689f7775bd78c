//! Clients that are killed: their handlers end with them, but for detached ones.

use kaa_rpc_tests::desk::Dice;
use kaa_rpc_tests::fixture::{TestResult, run};
use kaa_rpc_tests::ledger::{Fate, Told};

use crate::support::{Office, seed};

#[test]
fn killed_client_aborts_handlers_but_not_detached_ones() -> TestResult {
    run(async {
        let mut office = Office::new()?;
        let server = office.start_server().await?;
        let witness = office.visitor(&office.address.clone(), |client| client)?;
        let client = office.start_client("gate")?;
        witness.desk().begun(3).await?;
        client.kill().await?;
        // Nobody has opened the gate.
        witness.desk().at_work(0).await?;
        // Nothing is known of detached handlers yet, as if the server were killed as well.
        let (forth, _back) = office.check(Fate::Killed, Fate::Killed)?;
        // The one that waited for items may have been told that no more come.
        assert_eq!(forth.dropped() + forth.ended(), 2);
        witness.desk().open().await?;
        server.shut_down().await?;
        let (forth, _back) = office.check(Fate::Killed, Fate::Ended)?;
        assert_eq!(forth.dropped() + forth.ended(), 3);
        Ok(())
    })
}

#[test]
fn outcomes_match_handlers_when_clients_are_killed() -> TestResult {
    run(async {
        let mut dice = Dice::new(seed(3));
        let mut office = Office::new()?;
        let server = office.start_server().await?;
        let witness = office.visitor(&office.address.clone(), |client| client)?;
        let mut begun = 0;
        for _ in 0..8 {
            let client = office.start_client("turmoil")?;
            begun += 1 + dice.throw(300);
            witness.desk().begun(begun).await?;
            client.kill().await?;
        }
        server.shut_down().await?;
        let (forth, back) = office.check(Fate::Killed, Fate::Ended)?;
        assert!(forth.dropped() > 0, "no handler has ended with its client");
        assert!(back.told(Told::Unknown) > 0 && back.told(Told::Ok) > 0);
        Ok(())
    })
}
