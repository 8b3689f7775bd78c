//! This project's peer.

use anyhow::Result;
use bytes::Bytes;
use kaa_rpc_runtime::{Client, Context, Fault, Secret, Server};

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

impl crate::Caller for Caller {
    async fn echo(&self, data: Bytes) -> Result<Bytes> {
        Ok(self.0.echo(data).await?)
    }
}
