//! A workshop server as a program: listens at the address in its argument, prints `listening`, and serves until a
//! client calls `shutdown`.

use std::io::Write;
use std::time::Duration;

use kaa_rpc_tests::api::workshop::Workshop;
use kaa_rpc_tests::fixture::{TestResult, server};
use kaa_rpc_tests::workshop::Bench;

#[tokio::main]
async fn main() -> TestResult {
    let address = std::env::args().nth(1).ok_or("expected an address")?;
    let bench = Bench::default();
    let server = server()?.register(Workshop::server(bench.clone())).listen(address).await?;
    writeln!(std::io::stdout(), "listening")?;
    bench.shut_down().await;
    server.shutdown(Duration::from_secs(10)).await;
    Ok(())
}
