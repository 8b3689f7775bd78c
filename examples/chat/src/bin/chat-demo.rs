//! The program `chat-demo`. It is also both other programs, by its first argument, so that it can start them.

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
