//! What tests of services and of their callers need: both ends in memory, fakes in a peer's place, contexts for handlers
//! that are called directly, faults of the transport, and paused time.
//!
//! Nothing here is a second implementation. A fake is served over a connection like any other, secret and all, only that
//! its bytes stay in memory; a program that uses none of this carries none of it.
//!
//! | to test | use |
//! |---|---|
//! | both sides together | [`connect`], or a [`Pair`] |
//! | what calls a service | [`proxy`] of a fake |
//! | a handler, without a connection | [`context`], or a [`TestCall`] to cancel it, to limit its time, or to send metadata along |
//! | what happens when the transport fails | [`Faults`] |
//!
//! # Time that does not pass
//! All times of this crate are taken from tokio's clock: deadlines, `#[timeout]`, backoff, handshakes, stall limits,
//! grace periods, and the delays of [`Faults`]. In a test with `#[tokio::test(start_paused = true)]` (feature `test-util`
//! of tokio) they cost no time: when every task waits, the clock jumps to the next timer.
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
//! tokio::time::sleep(Duration::from_secs(3600)).await; // at once
//! assert_eq!(server.connections(), 1); // a silent connection is no dead connection
//! # Ok(())
//! # }
//! ```
//!
//! What does not work with it:
//! - **Sockets, child processes, and anything else outside of this process.** While bytes are with the system every task
//!   waits, and the clock jumps: timeouts strike that would not have. Pause time over memory only.
//! - **Other threads.** Tokio pauses time on its current-thread runtime only. It waits for what runs in
//!   `spawn_blocking`, but not for threads of a program's own.
//! - **The wall clock.** [`Timestamp::now`](crate::Timestamp::now) goes on.
//! - **How long handlers and streams compute** before others get their turn is measured in true time.

mod context;
mod faults;
mod pair;

pub use crate::transport::pair;
pub use context::{TestCall, context, disconnected_proxy};
pub use faults::{Cut, DirectionFaults, Faults, FaultyIo};
pub use pair::{Pair, PairBuilder, PairError, connect, proxy};
