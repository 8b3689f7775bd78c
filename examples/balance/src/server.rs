//! One of the servers.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kaa_rpc_runtime::{Context, Fault, Secret, Server};

use crate::api::balance::{Answer, Worker, WorkerClientProxy, WorkerServer};

/// How long an answer takes, so that calls are under way when the server is killed.
const WORK: Duration = Duration::from_millis(5);

/// Serves until it is killed.
///
/// # Errors
/// There is no secret, or nothing can listen at the address.
pub async fn run(number: u32, address: &str, secret_file: &str) -> Result<(), Fault> {
    let worker = Numbered { number, drawn: AtomicU64::new(0) };
    let secret = Secret::from_file(secret_file)?;
    let _server = Server::builder().secret(secret).register(Worker::server(worker)).listen(address).await?;
    crate::show(format_args!("server {number} listens"))?;
    std::future::pending().await
}

/// A worker that says who it is.
struct Numbered {
    number: u32,
    drawn: AtomicU64,
}

impl WorkerServer for Numbered {
    async fn square(&self, _cx: Context<WorkerClientProxy>, number: u32) -> Result<Answer, Fault> {
        tokio::time::sleep(WORK).await;
        Ok(Answer { server: self.number, square: u64::from(number).pow(2) })
    }

    async fn draw(&self, _cx: Context<WorkerClientProxy>) -> Result<u64, Fault> {
        Ok(self.drawn.fetch_add(1, Ordering::Relaxed))
    }
}
