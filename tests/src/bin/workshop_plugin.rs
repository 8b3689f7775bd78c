//! A plugin: a program that its host starts and talks to over stdin and stdout. Its argument is its role, with or
//! without a mistake. It prints some lines, which must not disturb the connection.

#![expect(clippy::print_stdout, reason = "printing must not disturb the connection")]

use std::io::Read;
use std::process::ExitCode;
use std::time::Duration;

use kaa_rpc_runtime::transport::TransportError;
use kaa_rpc_runtime::{Client, Secret, Server, SetupError};
use kaa_rpc_tests::api::workshop::*;
use kaa_rpc_tests::fixture::TestResult;
use kaa_rpc_tests::workshop::{Bench, customer};

#[tokio::main]
async fn main() -> ExitCode {
    match run(&std::env::args().nth(1).unwrap_or_default()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("plugin: {error}");
            ExitCode::from(2)
        }
    }
}

async fn run(role: &str) -> TestResult {
    match role {
        "serve" => serve(Secret::from_parent()?).await,
        "serve and linger" => {
            serve(Secret::from_parent()?).await?;
            std::future::pending().await
        }
        "call" => call(Secret::from_parent()?).await,
        // Its secret is not the one that the host generated.
        "serve with a wrong secret" => serve(Secret::generate()?).await,
        "call with a wrong secret" => call(Secret::generate()?).await,
        _ => std::process::exit(7),
    }
}

/// Serves a workshop to the host until the host disconnects or calls `shutdown`.
async fn serve(secret: Secret) -> TestResult {
    let bench = Bench::default();
    let server = Server::builder()
        .secret(secret.clone())
        .register(Workshop::server(bench.clone()))
        .listen("stdio:")
        .await?;
    print_lines()?;
    let second = Client::builder().secret(secret).connect("stdio:");
    if !matches!(second, Err(SetupError::Transport(TransportError::StdioTaken))) {
        return Err(format!("stdin and stdout were used twice: {second:?}").into());
    }
    tokio::select! {
        () = server.closed() => {}
        () = bench.shut_down() => {
            server.shutdown(Duration::from_secs(10)).await;
        }
    }
    Ok(())
}

/// Calls the host's workshop, and stays connected until the host disconnects.
async fn call(secret: Secret) -> TestResult {
    let client = Client::builder().secret(secret).register(customer("Ada")).connect("stdio:")?;
    print_lines()?;
    client.ready().await?;
    let workshop: WorkshopServerProxy = client.proxy();
    let host = client.peer().information().ok_or("there is no information about the host")?;
    let pid = host.credentials.and_then(|credentials| credentials.pid);
    workshop.note(format!("{} {pid:?}", host.address)).await?;
    workshop.note(format!("1 + 1 = {}", workshop.add(1, 1).await?)).await?;
    client.closed().await;
    Ok(())
}

/// Prints to stdout and reads stdin, which would break the connection if either still belonged to it.
fn print_lines() -> TestResult {
    for line in 1..=3 {
        println!("line {line} of the plugin's own output");
    }
    let mut input = Vec::new();
    std::io::stdin().read_to_end(&mut input)?;
    if input.is_empty() { Ok(()) } else { Err(format!("stdin is not empty: {input:?}").into()) }
}
