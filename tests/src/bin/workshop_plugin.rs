//! A plugin: a program that its host starts and talks to over stdin and stdout. Its argument says in which role, and what
//! is wrong with it. It prints a lot, as programs do, and the connection must not care.

#![expect(clippy::print_stdout, reason = "that is what must not matter")]

use std::io::Read;
use std::process::ExitCode;
use std::time::Duration;

use kaa_rpc_runtime::transport::TransportError;
use kaa_rpc_runtime::{Client, Secret, Server, SetupError};
use kaa_rpc_tests::api::workshop::*;
use kaa_rpc_tests::fixture::{Heard, TestResult};
use kaa_rpc_tests::workshop::{Bench, Customer};

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
        "serve and stay" => {
            serve(Secret::from_parent()?).await?;
            std::future::pending().await
        }
        "call" => call(Secret::from_parent()?).await,
        "serve as a stranger" => serve(Secret::generate()?).await,
        "call as a stranger" => call(Secret::generate()?).await,
        // It has a secret, but no host.
        "serve nobody" => serve(Secret::generate()?).await,
        _ => std::process::exit(7),
    }
}

/// Serves a workshop to the host until that goes, or asks for a shutdown.
async fn serve(secret: Secret) -> TestResult {
    let bench = Bench::default();
    let server = Server::builder()
        .secret(secret.clone())
        .register(Workshop::server(bench.clone()))
        .listen("stdio:")
        .await?;
    chatter()?;
    let again = Client::builder().secret(secret).connect("stdio:");
    if !matches!(again, Err(SetupError::Transport(TransportError::StdioTaken))) {
        return Err("stdin and stdout were taken twice".into());
    }
    tokio::select! {
        () = server.closed() => {}
        () = bench.shut_down() => {
            server.shutdown(Duration::from_secs(10)).await;
        }
    }
    Ok(())
}

/// Is a customer of the host's workshop until that goes.
async fn call(secret: Secret) -> TestResult {
    let (teller, _heard) = Heard::new();
    let client = Client::builder()
        .secret(secret)
        .register(Workshop::client(Customer::new("Ada", teller)))
        .connect("stdio:")?;
    chatter()?;
    client.ready().await?;
    let workshop: WorkshopServerProxy = client.proxy();
    let host = client.peer().information().ok_or("the host is not known")?;
    let pid = host.credentials.and_then(|credentials| credentials.pid);
    workshop.note(format!("{} {pid:?}", host.address)).await?;
    workshop.note(format!("1 + 1 = {}", workshop.add(1, 1).await?)).await?;
    client.closed().await;
    Ok(())
}

/// What would be the end of the connection, if it got into it.
fn chatter() -> TestResult {
    for line in 1..=3 {
        println!("line {line} of what nobody asked for");
    }
    let mut rest = Vec::new();
    std::io::stdin().read_to_end(&mut rest)?;
    if rest.is_empty() { Ok(()) } else { Err("stdin is not empty".into()) }
}
