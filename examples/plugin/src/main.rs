//! A host and its plugins. With the name of a plugin as its argument this program is that plugin; without an argument it
//! is the host, which starts the plugins. Your plugins would be separate programs.

mod host;
mod plugins;

/// Generated from `kaa/plugin.kaa`.
mod api {
    kaa_rpc_runtime::include_kaa!();
}

use kaa_rpc_runtime::Fault;

#[tokio::main]
async fn main() -> Result<(), Fault> {
    match std::env::args().nth(1) {
        None => host::run().await,
        Some(name) => plugins::run(&name).await,
    }
}
