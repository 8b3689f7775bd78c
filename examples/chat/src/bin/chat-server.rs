//! The program `chat-server`.

use kaa_rpc_runtime::Fault;

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let (address, secret_file) = chat::arguments(std::env::args().skip(1))?;
    chat::server::run(&address, &secret_file).await
}
