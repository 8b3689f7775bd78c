//! The demo. With the arguments `server NUMBER ADDRESS SECRET-FILE` it is a server, so that the demo can start servers.

use kaa_rpc_runtime::Fault;

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => balance::demo::run().await,
        ["server", number, address, secret_file] => {
            balance::server::run(number.parse()?, address, secret_file).await
        }
        _ => Err(Fault::new("usage: balance")),
    }
}
