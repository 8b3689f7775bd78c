//! A visitor of a desk as a program of its own. It is given an address, its ledger, the first number for its own calls, and
//! what to do: `turmoil`, which never ends by itself, or `gate`, which is to wait at the gate with a call of each kind.

use std::path::Path;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use kaa_rpc_runtime::Backoff;
use kaa_rpc_tests::api::desk::{Desk, DeskServerProxy, Manner};
use kaa_rpc_tests::desk::{Endurance, Errands, LIMITS, Load, Patience, Visitor};
use kaa_rpc_tests::fixture::{TestResult, client};
use kaa_rpc_tests::ledger::{Kind, Ledger};

/// Three calls whose handlers do not end before the gate is opened, or the stream of their arguments ends.
async fn wait_at_the_gate(ledger: &Ledger, desk: &DeskServerProxy) -> TestResult {
    let (work, keep, file) =
        (ledger.make(Kind::Plain)?, ledger.make(Kind::Detached)?, ledger.make(Kind::Plain)?);
    let endless = stream::iter([0]).chain(stream::pending());
    let (worked, kept, filed) = tokio::join!(
        desk.work(work.number(), Manner::AtTheGate),
        desk.keep(keep.number(), Manner::AtTheGate),
        desk.file(file.number(), endless),
    );
    Err(format!("nobody should have let them go: {worked:?} {kept:?} {filed:?}").into())
}

#[tokio::main(worker_threads = 2)]
async fn main() -> TestResult {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, ledger, first, what] = arguments.as_slice() else { return Err("wrong arguments".into()) };
    let ledger = Ledger::open(Path::new(ledger), first.parse()?)?;
    let backoff = Backoff::default().initial(Duration::from_millis(1));
    let client = client()?
        .limits(LIMITS)
        .register(Desk::client(Visitor::new(ledger.clone())))
        .reconnect(backoff)
        .connect(address.as_str())?;
    match what.as_str() {
        "turmoil" => {
            let errands = Errands::new(ledger, first.parse()?, Patience::Short);
            Load::start(8, &errands, &client.proxy(), Endurance::Endless).end().await
        }
        "gate" => wait_at_the_gate(&ledger, &client.proxy()).await,
        other => Err(format!("what is {other}?").into()),
    }
}
