//! The echo service, its server and its client.

use anyhow::Result;
use bytes::Bytes;
use futures::{Stream, stream};
use kaa_rpc_runtime::{CallError, Client, Context, Fault, Incoming, Secret, Server};

mod api {
    kaa_rpc_runtime::include_kaa!();
}
use api::echo::{Echo, EchoClient, EchoClientProxy, EchoServer, EchoServerProxy};

#[derive(Clone)]
struct Service;

impl EchoServer for Service {
    async fn echo(&self, _cx: Context<EchoClientProxy>, data: Bytes) -> Result<Bytes, Fault> {
        Ok(data)
    }

    async fn bounce(&self, cx: Context<EchoClientProxy>, data: Bytes) -> Result<Bytes, Fault> {
        Ok(cx.peer.echo(data).await?)
    }

    async fn numbers(
        &self,
        _cx: Context<EchoClientProxy>,
        count: u64,
    ) -> Result<impl Stream<Item = Result<u64, Fault>> + Send, Fault> {
        Ok(stream::iter((0..count).map(Ok)))
    }

    async fn sum(&self, _cx: Context<EchoClientProxy>, numbers: Incoming<u64>) -> Result<u64, Fault> {
        Ok(add(numbers).await?)
    }
}

impl EchoClient for Service {
    async fn echo(&self, _cx: Context<EchoServerProxy>, data: Bytes) -> Result<Bytes, Fault> {
        Ok(data)
    }
}

fn secret() -> Result<Secret> {
    Ok(Secret::new(*b"a secret for benchmarks and none")?)
}

pub async fn serve(socket: &str) -> Result<Server> {
    let address = format!("unix:{socket}");
    Ok(Server::builder().secret(secret()?).register(Echo::server(Service)).listen(address.as_str()).await?)
}

/// A client that lives as long as the process.
#[derive(Clone)]
pub struct Caller(EchoServerProxy);

pub async fn connect(socket: &str) -> Result<Caller> {
    let address = format!("unix:{socket}");
    let client =
        Client::builder().secret(secret()?).register(Echo::client(Service)).connect(address.as_str())?;
    client.ready().await?;
    Ok(Caller(client.into_proxy()))
}

async fn add(mut numbers: Incoming<u64>) -> Result<u64, CallError> {
    let mut sum = 0_u64;
    while let Some(number) = numbers.next().await {
        sum = sum.wrapping_add(number?);
    }
    Ok(sum)
}

impl Caller {
    /// Sends data to the server, which returns it.
    pub async fn echo(&self, data: Bytes) -> Result<Bytes> {
        Ok(self.0.echo(data).await?)
    }

    /// Takes so many numbers from the server.
    pub async fn numbers(&self, count: u64) -> Result<u64> {
        Ok(add(self.0.numbers(count)).await?)
    }

    /// Sends so many numbers to the server.
    pub async fn sum(&self, count: u64) -> Result<u64> {
        Ok(self.0.sum(stream::iter(0..count)).await?)
    }
}
