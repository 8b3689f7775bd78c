//! Ten million items in either direction, taken slowly, in flat memory; and what happens to streams when the process has no
//! memory left for them.
//!
//! Alone in its binary, since memory is the whole process's.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    dead_code,
    reason = "a test that cannot go on has failed; the support is that of the tests of streams, which use more of it"
)]

#[path = "streams/support/mod.rs"]
mod support;

use std::sync::Mutex;

use futures_util::{StreamExt, stream};
use kaa_rpc_runtime::{CallError, Resources};
use support::*;

const ITEMS: u64 = 10_000_000;
/// What the process may grow by once it has come to speed.
const GROWTH: u64 = 4 << 20;

/// Tests that measure take turns.
static TURN: Mutex<()> = Mutex::new(());

/// Bytes of the process that are in memory.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// Looks at the process's memory with every millionth item, and works for each, as slow readers do.
#[derive(Default)]
struct Watch {
    items: u64,
    work: u64,
    at_speed: u64,
    most: u64,
}

impl Watch {
    fn see(&mut self, item: u64) {
        for _ in 0..20 {
            self.work = std::hint::black_box(self.work.rotate_left(5) ^ item);
        }
        self.items += 1;
        if self.items.is_multiple_of(ITEMS / 10) {
            let resident = resident();
            if self.at_speed == 0 {
                self.at_speed = resident;
            }
            self.most = self.most.max(resident);
        }
    }

    fn check(&self) {
        assert_eq!(self.items, ITEMS);
        let growth = self.most - self.at_speed;
        assert!(growth <= GROWTH, "the process grew by {growth} bytes between items");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::await_holding_lock, reason = "tests that measure take turns")]
async fn ten_million_results_are_taken_slowly_in_flat_memory() {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let pair = Pair::new().await;
    let mut numbers = listen::<COUNT>(&pair.peer, ITEMS);
    let mut watch = Watch::default();
    while let Some(number) = numbers.next().await {
        let number = number.unwrap();
        assert_eq!(number, watch.items);
        watch.see(number);
    }
    watch.check();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::await_holding_lock, reason = "tests that measure take turns")]
async fn ten_million_items_go_both_ways_at_once_in_flat_memory() {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let pair = Pair::new().await;
    // The handler sends each back doubled, and it is the caller who is slow: both directions wait for it.
    let mut doubled = exchange::<DOUBLE>(&pair.peer, stream::iter(0..ITEMS));
    let mut watch = Watch::default();
    while let Some(number) = doubled.next().await {
        let number = number.unwrap();
        assert_eq!(number, 2 * watch.items);
        watch.see(number);
    }
    watch.check();
}

/// Each of them holds its window full, and together they have more than there is.
#[tokio::test]
#[expect(clippy::await_holding_lock, reason = "tests that measure take turns")]
async fn streams_that_find_no_memory_break_and_what_they_used_is_given_back() {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let resources = Resources::new(100, 1 << 20);
    let pair = Pair::with(|server| server.resources(resources.clone()), |client| client).await;
    let endless = || pair.at_client.watched(stream::repeat(1 << 20));
    let mut calls: Vec<_> = (0..6).map(|_| Box::pin(send::<HOLD>(&pair.peer, endless()))).collect();
    // Until one of them was told to stop.
    while pair.at_server.counts().started < calls.len() || pair.at_client.counts().dropped == 0 {
        for call in &mut calls {
            assert!(futures_util::poll!(call).is_pending());
        }
        tokio::task::yield_now().await;
    }
    assert!(resources.memory() <= (1 << 20) + (256 << 10) + (64 << 10), "{}", resources.memory());
    pair.at_server.gate.add_permits(calls.len());
    let mut broken = 0;
    let mut calls: stream::FuturesUnordered<_> = calls.into_iter().collect();
    // Those that are whole go on for ever.
    while broken == 0 {
        match within(calls.next()).await.unwrap() {
            Err(CallError::Fault(message)) => {
                assert!(message.contains("no memory left for the stream"), "{message}");
                broken += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    drop(calls);
    while resources.memory() > 0 {
        tokio::task::yield_now().await;
    }
    pair.lives().await;
}
