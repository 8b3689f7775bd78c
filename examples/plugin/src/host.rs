//! The host: starts plugins, calls them, does what they ask for, and starts those again that die.

#![expect(clippy::print_stdout, reason = "it shows what it does")]

use std::process::Command;
use std::time::Duration;

use kaa_rpc_runtime::{Backoff, CallError, Client, Context, Fault};

use crate::api::plugin::{Filter, FilterClient, FilterServerProxy};

/// Shows plugins at work, and at their end.
pub(crate) async fn run() -> Result<(), Fault> {
    let shout = start("shout")?;
    let filter: FilterServerProxy = shout.proxy(); // can be called at once, while the program starts
    let about = filter.describe().await?;
    println!("{}: {}", about.name, about.purpose);
    println!("  hello becomes {}", filter.apply("hello").await?);
    match filter.apply("").await {
        Err(CallError::Declared(error)) => println!("  an empty text is refused: {error}"),
        other => return Err(Fault::new(format!("not refused but {other:?}"))),
    }

    let fragile = start("fragile")?;
    let filter: FilterServerProxy = fragile.proxy();
    let about = filter.describe().await?;
    println!("{}: {}", about.name, about.purpose);
    match filter.apply("crash, please").await {
        Err(error) => println!("  it has died: {error}"),
        Ok(text) => return Err(Fault::new(format!("it has survived, and says {text}"))),
    }
    println!("  and was started again: {}", filter.apply("hello").await?);

    for (name, plugin) in [("shout", shout), ("fragile", fragile)] {
        let process = plugin.process();
        plugin.shutdown(Duration::from_secs(5)).await;
        let ended = match process {
            Some(process) => process.ended().await,
            None => None,
        };
        println!(
            "{name} has ended: {}",
            ended.map_or_else(|| "nobody knows how".to_owned(), |ended| ended.to_string())
        );
    }
    Ok(())
}

/// Starts a plugin, and starts it again whenever it dies.
fn start(name: &str) -> Result<Client, Fault> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(name);
    let client = Client::builder()
        .register(Filter::client(Host))
        .reconnect(Backoff::default())
        .connect_process(command)?;
    Ok(client)
}

/// What plugins can ask for.
struct Host;

impl FilterClient for Host {
    async fn setting(&self, _cx: Context<FilterServerProxy>, name: String) -> Result<Option<String>, Fault> {
        Ok((name == "emphasis").then(|| "!".to_owned()))
    }

    async fn on_progress(&self, _cx: Context<FilterServerProxy>, line: String) -> Result<(), Fault> {
        println!("  its plugin says: {line}");
        Ok(())
    }
}
