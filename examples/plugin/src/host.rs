//! The host: starts plugins, calls them, serves their calls, and restarts a plugin that has crashed.

#![expect(clippy::print_stdout, reason = "the demo prints what it does")]

use std::process::Command;
use std::time::Duration;

use kaa_rpc_runtime::{Backoff, CallError, Client, Context, Fault};

use crate::api::plugin::{Filter, FilterClient, FilterServerProxy};

/// Calls two plugins, one of which crashes, and shuts both down.
pub(crate) async fn run() -> Result<(), Fault> {
    let shout = start("shout")?;
    let filter: FilterServerProxy = shout.proxy(); // calls wait until the program has started
    let about = filter.describe().await?;
    println!("{}: {}", about.name, about.purpose);
    println!("  hello becomes {}", filter.apply("hello").await?);
    match filter.apply("").await {
        Err(CallError::Declared(error)) => println!("  an empty text is refused: {error}"),
        other => return Err(Fault::new(format!("expected a declared error, got {other:?}"))),
    }

    let fragile = start("fragile")?;
    let filter: FilterServerProxy = fragile.proxy();
    let about = filter.describe().await?;
    println!("{}: {}", about.name, about.purpose);
    match filter.apply("crash, please").await {
        Err(error) => println!("  it has crashed: {error}"),
        Ok(text) => return Err(Fault::new(format!("it has not crashed, and returned {text}"))),
    }
    println!("  after a restart: {}", filter.apply("hello").await?);

    for (name, plugin) in [("shout", shout), ("fragile", fragile)] {
        let process = plugin.process();
        plugin.shutdown(Duration::from_secs(5)).await;
        let ended = match process {
            Some(process) => process.ended().await,
            None => None,
        };
        println!(
            "{name} has ended: {}",
            ended.map_or_else(|| "unknown exit status".to_owned(), |ended| ended.to_string())
        );
    }
    Ok(())
}

/// Starts a plugin, and restarts it after a crash.
fn start(name: &str) -> Result<Client, Fault> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(name);
    let client = Client::builder()
        .register(Filter::client(Host))
        .reconnect(Backoff::default())
        .connect_process(command)?;
    Ok(client)
}

/// The methods that plugins can call.
struct Host;

impl FilterClient for Host {
    async fn setting(&self, _cx: Context<FilterServerProxy>, name: String) -> Result<Option<String>, Fault> {
        Ok((name == "emphasis").then(|| "!".to_owned()))
    }

    async fn on_progress(&self, _cx: Context<FilterServerProxy>, line: String) -> Result<(), Fault> {
        println!("  progress: {line}");
        Ok(())
    }
}
