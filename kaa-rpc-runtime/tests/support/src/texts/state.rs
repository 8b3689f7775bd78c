//! What one side's handlers share with the test: counts, records and a gate.

use std::sync::{Arc, Mutex};

use tokio::sync::{Semaphore, watch};

use crate::waiting::LIMIT;

/// What handlers have done so far.
#[derive(Debug, Default, Clone, Copy)]
pub struct Counts {
    pub started: usize,
    pub finished: usize,
    /// Dropped before they were finished.
    pub dropped: usize,
    /// Saw that they were cancelled.
    pub cancelled: usize,
}

pub struct ServiceState {
    counts: watch::Sender<Counts>,
    records: Mutex<Vec<String>>,
    /// Handlers that wait for the gate take a permit each.
    pub gate: Semaphore,
}

impl ServiceState {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            counts: watch::channel(Counts::default()).0,
            records: Mutex::default(),
            gate: Semaphore::new(0),
        })
    }

    pub fn counts(&self) -> Counts {
        *self.counts.borrow()
    }

    /// What handlers have recorded, in order.
    pub fn records(&self) -> Vec<String> {
        self.records.lock().unwrap().clone()
    }

    /// Waits until the counts fulfil a condition.
    pub async fn until(&self, awaited: &str, condition: impl FnMut(&Counts) -> bool) {
        let mut counts = self.counts.subscribe();
        let reached = tokio::time::timeout(LIMIT, counts.wait_for(condition)).await.is_ok();
        let (counts, records) = (self.counts(), self.records().len());
        assert!(reached, "waited {LIMIT:?} for {awaited}; the last were {counts:?} and {records} records");
    }

    pub async fn until_started(&self, count: usize) {
        self.until(&format!("{count} started handlers"), |counts| counts.started == count).await;
    }

    pub async fn until_finished(&self, count: usize) {
        self.until(&format!("{count} finished handlers"), |counts| counts.finished == count).await;
    }

    pub async fn until_dropped(&self, count: usize) {
        self.until(&format!("{count} dropped handlers"), |counts| counts.dropped == count).await;
    }

    pub async fn until_cancelled(&self, count: usize) {
        self.until(&format!("{count} cancelled handlers"), |counts| counts.cancelled == count).await;
    }

    /// Waits until at least this many records have been made.
    pub async fn until_recorded(&self, count: usize) {
        let recorded = |_: &Counts| self.records.lock().unwrap().len() >= count;
        self.until(&format!("{count} records"), recorded).await;
    }

    pub(super) fn record(&self, text: &str) {
        self.records.lock().unwrap().push(text.to_owned());
        self.counts.send_modify(|_| ());
    }

    pub(super) fn count_cancelled(&self) {
        self.counts.send_modify(|counts| counts.cancelled += 1);
    }

    pub(super) async fn pass_gate(&self) {
        self.gate.acquire().await.unwrap().forget();
    }
}

/// Counts a handler from its start to its end.
pub(super) struct RunningHandler {
    state: Arc<ServiceState>,
    finished: bool,
}

impl RunningHandler {
    pub(super) fn new(state: &Arc<ServiceState>) -> Self {
        state.counts.send_modify(|counts| counts.started += 1);
        Self { state: Arc::clone(state), finished: false }
    }

    pub(super) fn finish(mut self) {
        self.finished = true;
    }
}

impl Drop for RunningHandler {
    fn drop(&mut self) {
        let finished = self.finished;
        self.state
            .counts
            .send_modify(|counts| *(if finished { &mut counts.finished } else { &mut counts.dropped }) += 1);
    }
}
