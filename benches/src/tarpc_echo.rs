//! tarpc over a unix socket with bincode, as in its documentation.

use anyhow::Result;
use bytes::Bytes;
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use tarpc::server::{BaseChannel, Channel};
use tarpc::tokio_serde::formats::Bincode;
use tarpc::{client, context, serde_transport};

/// `Bytes`, so that neither side encodes a sequence of numbers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Data(Bytes);

#[tarpc::service]
pub trait Echo {
    async fn echo(data: Data) -> Data;
}

#[derive(Clone)]
struct Service;

impl Echo for Service {
    async fn echo(self, _: context::Context, data: Data) -> Data {
        data
    }
}

pub async fn serve(socket: &str) -> Result<()> {
    let mut incoming = serde_transport::unix::listen(socket, Bincode::default).await?;
    while let Some(transport) = incoming.next().await {
        let channel = BaseChannel::with_defaults(transport?);
        tokio::spawn(channel.execute(Service.serve()).for_each(|response| async move {
            tokio::spawn(response);
        }));
    }
    Ok(())
}

#[derive(Clone)]
pub struct Caller(EchoClient);

pub async fn connect(socket: &str) -> Result<Caller> {
    let transport = serde_transport::unix::connect(socket, Bincode::default).await?;
    let mut config = client::Config::default();
    config.max_in_flight_requests = 4096;
    config.pending_request_buffer = 4096;
    Ok(Caller(EchoClient::new(config, transport).spawn()))
}

impl crate::Caller for Caller {
    async fn echo(&self, data: Bytes) -> Result<Bytes> {
        Ok(self.0.echo(context::current(), Data(data)).await?.0)
    }
}
