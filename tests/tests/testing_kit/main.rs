//! The testing kit with generated code, as users have it: fakes, contexts, faults and paused time.
//!
//! Every test runs on paused time, but for those that are about true time or sockets: what would hang runs into
//! [`within`] at once.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test that cannot go on has failed"
)]

mod contexts;
mod cuts;
mod fakes;
mod faults;
mod pairs;
mod paused_time;

use std::time::Duration;

/// Lets other tasks go on until this is so.
async fn until(condition: impl Fn() -> bool) {
    for _ in 0..10_000 {
        if condition() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it does not come to be");
}

/// Ends a test that hangs: with paused time as soon as nothing goes on any more.
async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(1_000_000), future).await.expect("it does not end")
}
