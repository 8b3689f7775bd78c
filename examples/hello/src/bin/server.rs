use hello::hello::{Hello, HelloClientProxy, HelloServer};
use kaa_rpc_runtime::{Context, Fault, Secret, Server};

struct Host;

impl HelloServer for Host {
    async fn greet(&self, cx: Context<HelloClientProxy>, name: String) -> Result<String, Fault> {
        let mood = cx.peer.mood().await?; // the server calls its client
        Ok(format!("Hello, {name}! Good to see you {mood}."))
    }
}

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let secret = Secret::from_file_or_generate("hello.secret")?; // for the client to read; only this user can
    let server =
        Server::builder().secret(secret).register(Hello::server(Host)).listen("unix:hello.socket").await?;
    let mut peers = server.peers();
    println!("serving; now run the client");
    let client = peers.next().await.ok_or_else(|| Fault::new("no client came"))?;
    println!("the client left: {}", client.closed().await);
    Ok(())
}
