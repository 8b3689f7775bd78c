//! Two plugins: one that shouts, and one that does not live long.

#![expect(clippy::print_stdout, reason = "to show that it does no harm")]

use kaa_rpc_runtime::{Context, Failure, Fault, IntoFault, Secret, Server};

use crate::api::plugin::{Description, Filter, FilterClientProxy, FilterError, FilterServer};

/// The whole program that a plugin is: it serves its host until that goes.
pub(crate) async fn run(name: &str) -> Result<(), Fault> {
    let server = Server::builder().secret(Secret::from_parent()?);
    let server = match name {
        "shout" => server.register(Filter::server(Shout)),
        "fragile" => server.register(Filter::server(Fragile)),
        _ => return Err(Fault::new(format!("there is no plugin {name}"))),
    };
    let server = server.listen("stdio:").await?;
    println!("{name} is ready; what it prints goes to stderr, not between the calls");
    server.closed().await;
    Ok(())
}

/// Writes everything in capitals, with as much emphasis as the host has set.
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

/// Dies of certain texts, as plugins do.
struct Fragile;

impl FilterServer for Fragile {
    async fn describe(&self, _cx: Context<FilterClientProxy>) -> Result<Description, Fault> {
        Ok(Description::new("fragile", "nothing, but not for long"))
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
