//! A server and a client of `kaa/workshop.kaa`, for tests of how calls behave.
//!
//! Invariant: a handler that waits is released by a call, never by the clock.

use std::collections::HashMap;
use std::sync::Arc;

use kaa_rpc_runtime::{Context, Failure, Fault, Service, role};
use tokio::sync::Notify;

use crate::api::workshop::*;
use crate::fixture::{Locked, Pair, Reporter, Reports, TestResult, client, server};

/// A workshop and a customer called Ada, connected over a unix socket.
///
/// # Errors
/// They cannot be set up.
pub async fn start() -> TestResult<(Pair, WorkshopServerProxy, Bench)> {
    let bench = Bench::default();
    let server = server()?.register(Workshop::server(bench.clone()));
    let pair = Pair::over_unix(server, client()?.register(customer("Ada"))).await?;
    let workshop = pair.proxy();
    Ok((pair, workshop, bench))
}

/// The client's side of [`Workshop`], for tests that read no greetings.
pub fn customer(name: &str) -> Service<role::Client> {
    let (reporter, _greetings) = Reports::of("greetings");
    Workshop::client(Customer::new(name, reporter))
}

/// Serves [`Workshop`]. Clones share their state.
#[derive(Debug, Clone, Default)]
pub struct Bench {
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    gates: Locked<HashMap<String, Arc<Notify>>>,
    notes: Locked<Vec<String>>,
    shutdown: Notify,
}

impl Bench {
    /// Waits until a client has called `shutdown`.
    pub async fn shut_down(&self) {
        self.state.shutdown.notified().await;
    }

    /// The lines noted so far.
    #[must_use]
    pub fn noted(&self) -> Vec<String> {
        self.state.notes.with(|notes| notes.clone())
    }

    fn gate(&self, name: &str) -> Arc<Notify> {
        self.state.gates.with(|gates| Arc::clone(gates.entry(name.to_owned()).or_default()))
    }

    fn add_note(&self, line: String) {
        self.state.notes.with(|notes| notes.push(line));
    }
}

/// An error whose cause must not reach the caller.
#[derive(Debug)]
struct Stumbled(std::io::Error);

impl std::fmt::Display for Stumbled {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("somebody left a ladder here")
    }
}

impl std::error::Error for Stumbled {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

impl WorkshopServer for Bench {
    async fn add(&self, _cx: Context<WorkshopClientProxy>, left: i64, right: i64) -> Result<i64, Fault> {
        left.checked_add(right).ok_or(Fault::new("too large a sum"))
    }

    /// Runs on a blocking thread until `open("grind")` is called.
    async fn grind(&self, _cx: Context<WorkshopClientProxy>, rounds: u32) -> Result<u64, Fault> {
        let gate = self.gate("grind");
        let runtime = tokio::runtime::Handle::current();
        let grinding = tokio::task::spawn_blocking(move || {
            runtime.block_on(gate.notified());
            (0..u64::from(rounds)).fold(1_u64, |value, round| value.wrapping_mul(31).wrapping_add(round))
        });
        Ok(grinding.await?)
    }

    async fn wait_for(&self, _cx: Context<WorkshopClientProxy>, gate: String) -> Result<String, Fault> {
        self.add_note(format!("waits for {gate}"));
        self.gate(&gate).notified().await;
        Ok(format!("{gate} is open"))
    }

    async fn open(&self, _cx: Context<WorkshopClientProxy>, gate: String) -> Result<(), Fault> {
        self.gate(&gate).notify_one();
        Ok(())
    }

    async fn ask_back(&self, cx: Context<WorkshopClientProxy>, question: String) -> Result<String, Fault> {
        let answer = cx.peer.answer(question).await?;
        Ok(format!("the caller said: {answer}"))
    }

    async fn build(
        &self,
        _cx: Context<WorkshopClientProxy>,
        order: OrderId,
    ) -> Result<String, Failure<WorkError>> {
        match order.0 {
            13 => Err(WorkError::TooHard { order, reason: "the wood is too thin".to_owned() }.into()),
            99 => Err(WorkError::Broken("the saw".to_owned()).into()),
            number => Ok(format!("a chair with {number} legs")),
        }
    }

    async fn stumble(&self, _cx: Context<WorkshopClientProxy>) -> Result<(), Fault> {
        Err(Stumbled(std::io::Error::other("/home/carpenter/ladder.rs:7")).into())
    }

    async fn paint(
        &self,
        _cx: Context<WorkshopClientProxy>,
        item: String,
        options: PaintOptions,
    ) -> Result<String, Fault> {
        Ok(format!("{item}: {} x {}", options.coats, options.color))
    }

    async fn my_function(&self, _cx: Context<WorkshopClientProxy>, amount: i64) -> Result<i64, Fault> {
        Ok(amount.wrapping_mul(2))
    }

    async fn shutdown(&self, _cx: Context<WorkshopClientProxy>) -> Result<(), Fault> {
        self.state.shutdown.notify_one();
        Ok(())
    }

    async fn note(&self, _cx: Context<WorkshopClientProxy>, line: String) -> Result<(), Fault> {
        self.add_note(line);
        Ok(())
    }

    async fn notes(&self, _cx: Context<WorkshopClientProxy>) -> Result<Vec<String>, Fault> {
        Ok(self.noted())
    }
}

/// Serves the client's side of [`Workshop`]: answers under its name, and reports greetings to the test.
#[derive(Debug)]
pub struct Customer {
    name: String,
    reporter: Reporter<String>,
}

impl Customer {
    /// A customer with a name.
    pub fn new(name: impl Into<String>, reporter: Reporter<String>) -> Self {
        Self { name: name.into(), reporter }
    }
}

impl WorkshopClient for Customer {
    async fn answer(&self, _cx: Context<WorkshopServerProxy>, question: String) -> Result<String, Fault> {
        Ok(format!("{} wants no {question}", self.name))
    }

    async fn on_greeting(&self, _cx: Context<WorkshopServerProxy>, text: String) -> Result<(), Fault> {
        self.reporter.report(text);
        Ok(())
    }
}

/// Serves both sides of [`Storehouse`].
#[derive(Debug)]
pub struct Shelf;

impl StorehouseServer for Shelf {
    async fn count(&self, _cx: Context<StorehouseClientProxy>, item: String) -> Result<u32, Fault> {
        Ok(u32::try_from(item.len())?)
    }
}

impl StorehouseClient for Shelf {
    async fn delivered(&self, _cx: Context<StorehouseServerProxy>, item: String) -> Result<bool, Fault> {
        Ok(item == "wood")
    }
}
