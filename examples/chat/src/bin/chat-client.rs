//! The program `chat-client`.

use kaa_rpc_runtime::Fault;

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let (address, secret_file) = chat::arguments(std::env::args().skip(1))?;
    chat::client::run(&address, &secret_file).await
}
