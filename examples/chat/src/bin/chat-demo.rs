//! The program `chat-demo`. With `server` as its first argument it is the server, with any other argument a client, so
//! that the demo can start them.

use kaa_rpc_runtime::Fault;

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let role = std::env::args().nth(1);
    if role.is_none() {
        return tokio::task::block_in_place(chat::demo::run);
    }
    let (address, secret_file) = chat::arguments(std::env::args().skip(2))?;
    match role.as_deref() {
        Some("server") => chat::server::run(&address, &secret_file).await,
        _ => chat::client::run(&address, &secret_file).await,
    }
}
