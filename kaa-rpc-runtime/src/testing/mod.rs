//! Tools for testing services and their callers: connections in memory, fake services, contexts for handlers
//! that a test calls directly, transport faults, and paused time.
//!
//! These tools use the same implementation as production code. A fake is served over a normal, authenticated
//! connection whose bytes stay in memory. A program that does not use this module does not contain it.
//!
//! | to test | use |
//! |---|---|
//! | both sides together | [`connect`], or a [`Pair`] |
//! | code that calls a service | [`proxy`] with a fake |
//! | a handler without a connection | [`context`]; [`TestCall`] for cancellation, deadline, metadata |
//! | failures of the transport | [`Faults`] |
//!
//! # Paused time
//! This crate takes all times from tokio's clock: deadlines, `#[timeout]`, backoff, handshakes, stall limits,
//! grace periods, and the delays of [`Faults`]. In a test with `#[tokio::test(start_paused = true)]` (feature
//! `test-util` of tokio) they take no real time: when every task waits, the clock jumps to the next timer.
//!
//! ```
//! use std::time::Duration;
//! use kaa_rpc_runtime::{Client, Server, testing};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! tokio::time::pause(); // or #[tokio::test(start_paused = true)]
//! let (server, client) = testing::connect(Server::builder(), Client::builder())?;
//! client.ready().await?;
//! tokio::time::sleep(Duration::from_secs(3600)).await; // returns at once
//! assert_eq!(server.connections(), 1); // an idle connection stays open
//! # Ok(())
//! # }
//! ```
//!
//! Limits of paused time:
//! - **Sockets, child processes, and everything else outside this process.** While the operating system has
//!   the bytes, every task waits, so the clock jumps and timeouts expire early. Pause time only for
//!   connections in memory.
//! - **Other threads.** Tokio pauses time only on its current-thread runtime. It waits for `spawn_blocking`,
//!   but not for threads that you start yourself.
//! - **The wall clock.** [`Timestamp::now`](crate::Timestamp::now) does not pause.
//! - **Computing time.** How long handlers and streams may run before they yield is measured in real time.

mod context;
mod faults;
mod pair;

pub use crate::transport::pair;
pub use context::{TestCall, context, disconnected_proxy};
pub use faults::{Cut, DirectionFaults, Faults, FaultyIo};
pub use pair::{Pair, PairBuilder, PairError, connect, proxy};
