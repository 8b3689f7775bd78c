//! Two plugins: one that shouts, and one that crashes.

#![expect(clippy::print_stdout, reason = "the demo shows that printing does not disturb the connection")]

use kaa_rpc_runtime::{Context, Failure, Fault, IntoFault, Secret, Server};

use crate::api::plugin::{Description, Filter, FilterClientProxy, FilterError, FilterServer};

/// A complete plugin: serves its host until the host disconnects.
pub(crate) async fn run(name: &str) -> Result<(), Fault> {
    let server = Server::builder().secret(Secret::from_parent()?);
    let server = match name {
        "shout" => server.register(Filter::server(Shout)),
        "fragile" => server.register(Filter::server(Fragile)),
        _ => return Err(Fault::new(format!("there is no plugin {name}"))),
    };
    let server = server.listen("stdio:").await?;
    println!("{name} is ready; its prints go to stderr, not into the connection");
    server.closed().await;
    Ok(())
}

/// Converts text to capitals, and adds the emphasis that the host has set.
struct Shout;

impl FilterServer for Shout {
    async fn describe(&self, _cx: Context<FilterClientProxy>) -> Result<Description, Fault> {
        Ok(Description::new("shout", "everything in capitals"))
    }

    async fn apply(
        &self,
        cx: Context<FilterClientProxy>,
        text: String,
    ) -> Result<String, Failure<FilterError>> {
        if text.is_empty() {
            return Err(FilterError::Empty)?;
        }
        let emphasis = cx.peer.setting("emphasis").await.fault()?; // the plugin calls its host
        cx.peer.on_progress(format!("{} letters to go", text.chars().count())).await.fault()?;
        Ok(text.to_uppercase() + &emphasis.unwrap_or_default())
    }
}

/// Crashes on certain texts.
struct Fragile;

impl FilterServer for Fragile {
    async fn describe(&self, _cx: Context<FilterClientProxy>) -> Result<Description, Fault> {
        Ok(Description::new("fragile", "no change, until it crashes"))
    }

    async fn apply(
        &self,
        _cx: Context<FilterClientProxy>,
        text: String,
    ) -> Result<String, Failure<FilterError>> {
        if text.contains("crash") {
            std::process::exit(3);
        }
        Ok(text)
    }
}
