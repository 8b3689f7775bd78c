//! A server.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use kaa_rpc_runtime::{Context, Fault, Secret, Server};

use crate::api::balance::{Answer, Worker, WorkerClientProxy, WorkerServer};

/// How long a call takes, so that calls are running when the server is killed.
const WORK: Duration = Duration::from_millis(5);

/// Serves until the process is killed.
///
/// # Errors
/// The secret cannot be read, or the server cannot listen.
pub async fn run(number: u32, address: &str, secret_file: &str) -> Result<(), Fault> {
    let worker = Numbered { number, drawn: AtomicU64::new(0) };
    let secret = Secret::from_file(secret_file)?;
    let _server = Server::builder().secret(secret).register(Worker::server(worker)).listen(address).await?;
    crate::print(format_args!("server {number} is listening"))?;
    std::future::pending().await
}

/// A worker that returns its number with each answer.
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
