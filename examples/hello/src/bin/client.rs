use hello::hello::{Hello, HelloClient, HelloServerProxy};
use kaa_rpc_runtime::{Client, Context, Fault, Secret};

struct Guest;

impl HelloClient for Guest {
    async fn mood(&self, _cx: Context<HelloServerProxy>) -> Result<String, Fault> {
        Ok("in high spirits".into())
    }
}

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let secret = Secret::from_file("hello.secret")?;
    let client =
        Client::builder().secret(secret).register(Hello::client(Guest)).connect("unix:hello.socket")?;
    let hello: HelloServerProxy = client.proxy();
    println!("{}", hello.greet("newcomer").await?);
    Ok(())
}
