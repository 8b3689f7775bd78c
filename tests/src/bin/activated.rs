//! A workshop server on inherited sockets: listens at each address in its arguments, prints one line for each (the
//! address or the error), and serves until a client calls `shutdown`.

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
    for address_to_listen_at in std::env::args().skip(1) {
        match server()?.register(Workshop::server(bench.clone())).listen(address_to_listen_at).await {
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
