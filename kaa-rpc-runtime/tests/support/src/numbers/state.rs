//! What one side's handlers and producers share with the test: counts, sums and a gate.

use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use futures_util::Stream;
use kaa_rpc_runtime::codegen::{Fault, Incoming};
use tokio::sync::{Semaphore, watch};

use crate::waiting::LIMIT;

/// What handlers and producers have done so far.
#[derive(Debug, Default, Clone)]
pub struct Counts {
    /// Tracked streams that were dropped.
    pub dropped: usize,
    /// Handlers with a stream of arguments that have started.
    pub started: usize,
    /// The errors of streams of arguments that broke.
    pub broken: Vec<String>,
}

pub struct ServiceState {
    counts: watch::Sender<Counts>,
    /// Items of tracked streams.
    produced: AtomicU64,
    tracked: AtomicUsize,
    /// Handlers that wait for the gate take a permit each.
    pub gate: Semaphore,
    /// The sums of streams of arguments that came whole.
    pub sums: Mutex<Vec<u64>>,
}

impl ServiceState {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            counts: watch::channel(Counts::default()).0,
            produced: AtomicU64::new(0),
            tracked: AtomicUsize::new(0),
            gate: Semaphore::new(0),
            sums: Mutex::default(),
        })
    }

    /// How many items the tracked streams have produced.
    pub fn produced(&self) -> u64 {
        self.produced.load(Ordering::Relaxed)
    }

    /// How many streams were tracked.
    pub fn tracked_streams(&self) -> usize {
        self.tracked.load(Ordering::Relaxed)
    }

    pub fn counts(&self) -> Counts {
        self.counts.borrow().clone()
    }

    /// Waits until the counts fulfil a condition.
    pub async fn until(&self, awaited: &str, condition: impl FnMut(&Counts) -> bool) {
        let mut counts = self.counts.subscribe();
        let reached = tokio::time::timeout(LIMIT, counts.wait_for(condition)).await.is_ok();
        let counts = self.counts();
        assert!(reached, "waited {LIMIT:?} for {awaited}; the last were {counts:?}");
    }

    pub async fn until_started(&self, count: usize) {
        self.until(&format!("{count} started handlers"), |counts| counts.started == count).await;
    }

    pub async fn until_dropped(&self, count: usize) {
        self.until(&format!("{count} dropped streams"), |counts| counts.dropped == count).await;
    }

    /// No handler took a broken stream of arguments for a whole one.
    pub fn assert_no_sums(&self) {
        let sums = self.sums.lock().unwrap();
        assert!(sums.is_empty(), "a handler took a broken stream for a whole one: {sums:?}");
    }

    pub(super) fn count_started(&self) {
        self.counts.send_modify(|counts| counts.started += 1);
    }

    pub(super) async fn pass_gate(&self) {
        self.gate.acquire().await.unwrap().forget();
    }

    /// The same stream, whose items and end are counted.
    pub fn track<S: Stream>(self: &Arc<Self>, stream: S) -> TrackedStream<S> {
        self.tracked.fetch_add(1, Ordering::Relaxed);
        TrackedStream { state: Arc::clone(self), stream: Box::pin(stream) }
    }

    pub(super) async fn sum(&self, mut numbers: Incoming<u64>) -> Result<u64, Fault> {
        self.count_started();
        let mut sum = 0;
        while let Some(number) = numbers.next().await {
            match number {
                Ok(number) => sum += number,
                Err(error) => {
                    let next = numbers.next().await;
                    assert!(next.is_none(), "after an error came {next:?}");
                    self.counts.send_modify(|counts| counts.broken.push(error.to_string()));
                    return Err(error.into());
                }
            }
        }
        self.sums.lock().unwrap().push(sum);
        Ok(sum)
    }
}

/// See [`ServiceState::track`].
pub struct TrackedStream<S> {
    state: Arc<ServiceState>,
    stream: Pin<Box<S>>,
}

impl<S: Stream> Stream for TrackedStream<S> {
    type Item = S::Item;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let item = self.stream.as_mut().poll_next(context);
        if let Poll::Ready(Some(_)) = item {
            self.state.produced.fetch_add(1, Ordering::Relaxed);
        }
        item
    }
}

impl<S> Drop for TrackedStream<S> {
    fn drop(&mut self) {
        self.state.counts.send_modify(|counts| counts.dropped += 1);
    }
}
