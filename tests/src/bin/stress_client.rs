//! A client of a stress server, as a program. Its arguments are an address, its ledger, the first number for its calls,
//! and a mode: `load` calls until it is killed, `gate` makes three calls whose handlers do not end.

use std::path::Path;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use kaa_rpc_runtime::Backoff;
use kaa_rpc_tests::api::stress::{Stress, StressServerProxy, Work};
use kaa_rpc_tests::fixture::{TestResult, client};
use kaa_rpc_tests::ledger::{CallKind, Ledger};
use kaa_rpc_tests::stress::{Caller, Callers, Interruptions, LIMITS, RecordingClient, StopWhen};

/// Three calls whose handlers end only when the gate is opened, or when the stream of their arguments ends.
async fn wait_at_the_gate(ledger: &Ledger, server: &StressServerProxy) -> TestResult {
    let plain = ledger.start_call(CallKind::Plain)?;
    let detached = ledger.start_call(CallKind::Detached)?;
    let upload = ledger.start_call(CallKind::Plain)?;
    let endless = stream::iter([0]).chain(stream::pending());
    let results = tokio::join!(
        server.run(plain.number(), Work::WaitsAtGate),
        server.run_detached(detached.number(), Work::WaitsAtGate),
        server.upload(upload.number(), endless),
    );
    Err(format!("the calls ended before this process was killed: {results:?}").into())
}

#[tokio::main(worker_threads = 2)]
async fn main() -> TestResult {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, ledger, first_number, mode] = arguments.as_slice() else {
        return Err("expected four arguments".into());
    };
    let ledger = Ledger::open(Path::new(ledger), first_number.parse()?)?;
    let backoff = Backoff::default().initial(Duration::from_millis(1));
    let client = client()?
        .limits(LIMITS)
        .register(Stress::client(RecordingClient::new(ledger.clone())))
        .reconnect(backoff)
        .connect(address.as_str())?;
    match mode.as_str() {
        "load" => {
            let caller = Caller::new(ledger, first_number.parse()?, Interruptions::DeadlinesAndDrops);
            Callers::start(8, &caller, &client.proxy(), StopWhen::Requested).run().await
        }
        "gate" => wait_at_the_gate(&ledger, &client.proxy()).await,
        other => Err(format!("unknown mode {other}").into()),
    }
}
