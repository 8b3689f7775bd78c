//! A workshop that listens where its starter did: listens at each address it is given, one line of output each for where
//! that is or why it is nowhere, and serves until it is shut down.

use std::io::Write;
use std::time::Duration;

use kaa_rpc_tests::api::workshop::Workshop;
use kaa_rpc_tests::fixture::{TestResult, address, server};
use kaa_rpc_tests::workshop::Bench;

#[tokio::main]
async fn main() -> TestResult {
    let bench = Bench::default();
    let mut servers = Vec::new();
    let mut output = std::io::stdout();
    for wanted in std::env::args().skip(1) {
        match server()?.register(Workshop::server(bench.clone())).listen(wanted).await {
            Ok(server) => {
                writeln!(output, "{}", address(&server)?)?;
                servers.push(server);
            }
            Err(error) => writeln!(output, "{error}")?,
        }
    }
    if !servers.is_empty() {
        bench.shut_down().await;
    }
    for server in servers {
        server.shutdown(Duration::from_secs(10)).await;
    }
    Ok(())
}
