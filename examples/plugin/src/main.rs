//! A host and its plugins. With the name of a plugin as its argument this program is that plugin; else it is the host, which
//! starts it so. Plugins of your own are programs of their own.

mod host;
mod plugins;

/// Everything that `kaa/plugin.kaa` declares.
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
