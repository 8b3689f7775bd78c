//! Ten million items in either direction are read slowly with constant memory; and what happens to streams
//! when the process has no memory left for them.
//!
//! This test program is separate, because it measures the memory of its process.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a test that cannot go on has failed"
)]

use std::sync::Mutex;
use std::time::Instant;

use futures_util::{StreamExt, stream};
use kaa_rpc_runtime::{CallError, Resources};
use kaa_rpc_test_support::numbers::*;
use kaa_rpc_test_support::waiting::*;

const ITEMS: u64 = 10_000_000;
/// How much the process may grow after the first items.
const GROWTH: u64 = 4 << 20;

/// Tests that measure take turns.
static TURN: Mutex<()> = Mutex::new(());

/// The bytes of the process that are in memory.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

/// Measures the memory of the process at every millionth item, and works for each item, as slow readers do.
#[derive(Default)]
struct SlowReader {
    items: u64,
    work: u64,
    first: u64,
    most: u64,
}

impl SlowReader {
    fn read(&mut self, item: u64) {
        for _ in 0..20 {
            self.work = std::hint::black_box(self.work.rotate_left(5) ^ item);
        }
        self.items += 1;
        if self.items.is_multiple_of(ITEMS / 10) {
            let resident = resident();
            if self.first == 0 {
                self.first = resident;
            }
            self.most = self.most.max(resident);
        }
    }

    fn check(&self) {
        assert_eq!(self.items, ITEMS);
        let growth = self.most - self.first;
        assert!(growth <= GROWTH, "the process grew by {growth} bytes between items");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::await_holding_lock, reason = "tests that measure take turns")]
async fn slow_reader_of_results_uses_constant_memory() {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let pair = Pair::new().await;
    let mut numbers = receive_stream::<COUNT>(&pair.peer, ITEMS);
    let mut reader = SlowReader::default();
    while let Some(number) = numbers.next().await {
        let number = number.unwrap();
        assert_eq!(number, reader.items);
        reader.read(number);
    }
    reader.check();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[expect(clippy::await_holding_lock, reason = "tests that measure take turns")]
async fn slow_reader_of_both_directions_uses_constant_memory() {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let pair = Pair::new().await;
    // The handler returns each item doubled. The caller is slow, so both directions wait for it.
    let mut doubled = exchange_streams::<DOUBLE>(&pair.peer, stream::iter(0..ITEMS));
    let mut reader = SlowReader::default();
    while let Some(number) = doubled.next().await {
        let number = number.unwrap();
        assert_eq!(number, 2 * reader.items);
        reader.read(number);
    }
    reader.check();
}

/// Each stream fills its window, and all windows together are larger than the memory.
#[tokio::test]
#[expect(clippy::await_holding_lock, reason = "tests that measure take turns")]
async fn streams_without_memory_break_and_release_theirs() {
    let _turn = TURN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let resources = Resources::new(100, 1 << 20);
    let pair = Pair::with(|server| server.resources(resources.clone()), |client| client).await;
    let endless = || pair.client_state.track(stream::repeat(1 << 20));
    let mut calls: Vec<_> =
        (0..6).map(|_| Box::pin(send_stream::<GATED_SUM>(&pair.peer, endless()))).collect();
    // Until one of the streams is stopped.
    let start = Instant::now();
    while pair.server_state.counts().started < calls.len() || pair.client_state.counts().dropped == 0 {
        let counts = (pair.server_state.counts(), pair.client_state.counts());
        assert!(
            start.elapsed() < LIMIT,
            "waited {LIMIT:?} for a stream to be stopped; the last were {counts:?}"
        );
        for call in &mut calls {
            let polled = futures_util::poll!(call);
            assert!(polled.is_pending(), "{polled:?}");
        }
        tokio::task::yield_now().await;
    }
    assert!(resources.memory() <= (1 << 20) + (256 << 10) + (64 << 10), "{}", resources.memory());
    pair.server_state.gate.add_permits(calls.len());
    let mut broken = 0;
    let mut calls: stream::FuturesUnordered<_> = calls.into_iter().collect();
    // The streams that do not break never end.
    while broken == 0 {
        match within("the next call to end", calls.next()).await.unwrap() {
            Err(CallError::Fault(message)) => {
                assert!(message.contains("no memory left for the stream"), "{message}");
                broken += 1;
            }
            other => panic!("{other:?}"),
        }
    }
    drop(calls);
    eventually("the memory to be released", || resources.memory(), |memory| *memory == 0).await;
    pair.assert_responds().await;
}
