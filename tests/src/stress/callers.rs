//! Callers of a stress server and of its clients: many at once, with calls of every kind.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{FutureExt, stream};
use kaa_rpc_runtime::{CallError, Fault, Incoming, Outgoing, Proxy};
use tokio::task::JoinHandle;

use crate::api::stress::*;
use crate::fixture::{TestResult, within};
use crate::ledger::{CallKind, CallRecord, Ledger, Reported};

/// Pseudorandom numbers, the same in every run.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The numbers of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number, less than `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Whether callers end some of their calls early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interruptions {
    /// They wait for every result.
    None,
    /// A quarter of the calls has a deadline, and a quarter is dropped.
    DeadlinesAndDrops,
}

/// How one call is limited.
#[derive(Debug, Clone, Copy)]
enum Limit {
    None,
    Deadline(Duration),
    /// The caller drops the call after this time.
    Dropped(Duration),
}

/// A caller that records its calls, and the results that it received.
#[derive(Debug, Clone)]
pub struct Caller {
    ledger: Ledger,
    random: Random,
    interruptions: Interruptions,
}

/// Sets the deadline of a call, if it has one. A macro, because calls have different types.
macro_rules! with_deadline {
    ($call:expr, $limit:expr) => {{
        let call = $call;
        match $limit {
            Limit::Deadline(time) => call.timeout(time),
            Limit::None | Limit::Dropped(_) => call,
        }
    }};
}

impl Caller {
    /// A caller that records its calls in this ledger.
    #[must_use]
    pub fn new(ledger: Ledger, seed: u64, interruptions: Interruptions) -> Self {
        Self { ledger, random: Random::new(seed), interruptions }
    }

    /// Makes one call of any kind to a server. Returns what it learned about the call.
    ///
    /// # Errors
    /// The call returned a wrong result.
    pub async fn call_server(&mut self, server: &StressServerProxy) -> TestResult<Reported> {
        let work = match self.random.below(3) {
            0 => Work::Immediate,
            1 => Work::Yields,
            _ => Work::Sleeps,
        };
        match self.random.below(10) {
            0..=2 => {
                let (record, number, limit) = self.start(CallKind::Plain)?;
                finish(record, limit, number, with_deadline!(server.run(number, work), limit)).await
            }
            3 => {
                let (record, number, limit) = self.start(CallKind::Idempotent)?;
                finish(record, limit, number, with_deadline!(server.query(number, work), limit)).await
            }
            4 => {
                let (record, number, limit) = self.start(CallKind::Detached)?;
                finish(record, limit, number, with_deadline!(server.run_detached(number, work), limit)).await
            }
            5 => {
                let (record, number, limit) = self.start(CallKind::Oneway)?;
                finish(record, limit, (), with_deadline!(server.notify(number), limit)).await
            }
            6 => {
                let (record, number, limit) = self.start(CallKind::Plain)?;
                finish(record, limit, number, with_deadline!(server.call_back(number), limit)).await
            }
            7 => {
                let (record, number, limit) = self.start(CallKind::Plain)?;
                let items = self.stream_length();
                let download = with_deadline!(server.download(number, items), limit);
                finish(record, limit, items, count(download)).await
            }
            8 => {
                let (record, number, limit) = self.start(CallKind::Plain)?;
                let items = self.stream_length();
                let upload = server.upload(number, stream::iter(0..items));
                finish(record, limit, items, with_deadline!(upload, limit)).await
            }
            _ => {
                let (record, number, limit) = self.start(CallKind::Plain)?;
                let items = self.stream_length();
                let failing = (0..items).map(Ok).chain([Err(Fault::new("the stream fails"))]);
                let upload = server.upload(number, Outgoing::fallible(stream::iter(failing)));
                // The call must not return: a failed stream is not a finished one. No result equals this number.
                finish(record, limit, u64::MAX, with_deadline!(upload, limit)).await
            }
        }
    }

    /// Makes one call to a client.
    ///
    /// # Errors
    /// As [`Self::call_server`].
    pub async fn call_client(&mut self, client: &StressClientProxy) -> TestResult<Reported> {
        let (record, number, limit) = self.start(CallKind::Plain)?;
        finish(record, limit, number, with_deadline!(client.answer(number), limit)).await
    }

    fn start(&mut self, kind: CallKind) -> TestResult<(CallRecord, u64, Limit)> {
        let record = self.ledger.start_call(kind)?;
        let number = record.number();
        let time = Duration::from_micros(self.random.below(4000));
        let limit = match (self.interruptions, self.random.below(4)) {
            (Interruptions::DeadlinesAndDrops, 0) => Limit::Deadline(time),
            (Interruptions::DeadlinesAndDrops, 1) => Limit::Dropped(time),
            _ => Limit::None,
        };
        Ok((record, number, limit))
    }

    /// The number of items of a stream: none, some, or more than a window holds.
    fn stream_length(&mut self) -> u64 {
        match self.random.below(3) {
            0 => 0,
            1 => 20,
            _ => 2000,
        }
    }
}

/// Awaits a call, and records its result.
async fn finish<T: PartialEq + std::fmt::Debug, E: std::fmt::Debug>(
    record: CallRecord,
    limit: Limit,
    expected: T,
    call: impl Future<Output = Result<T, CallError<E>>>,
) -> TestResult<Reported> {
    let result = match limit {
        Limit::Dropped(time) => match tokio::time::timeout(time, call).await {
            Ok(result) => result,
            Err(_elapsed) => {
                record.finish(Reported::Dropped)?;
                return Ok(Reported::Dropped);
            }
        },
        Limit::None | Limit::Deadline(_) => call.await,
    };
    let reported = Reported::of(&result);
    let number = record.number();
    record.finish(reported)?;
    match result {
        Ok(value) if value != expected => Err(format!("call {number} returned {value:?}").into()),
        _ => Ok(reported),
    }
}

/// Counts the items of a stream, which must be in order.
async fn count<E>(mut items: Incoming<u64, E>) -> Result<u64, CallError<E>> {
    let mut count = 0;
    while let Some(item) = items.next().await {
        // A wrong item makes a wrong count, which the caller finds.
        count = if item? == count { count + 1 } else { u64::MAX };
    }
    Ok(count)
}

/// When callers stop on their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopWhen {
    /// Only when [`Callers::stop`] is called.
    Requested,
    /// Also when their connection is closed and will not be made again.
    Closed,
}

fn is_closed(server: &StressServerProxy) -> bool {
    server.peer().closed().now_or_never().is_some()
}

/// Running callers.
#[derive(Debug)]
pub struct Callers {
    is_stopped: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<TestResult>>,
}

impl Callers {
    /// Starts `count` callers of a server, each with its own random numbers.
    #[must_use]
    pub fn start(count: u64, caller: &Caller, server: &StressServerProxy, stop_when: StopWhen) -> Self {
        let is_stopped = Arc::new(AtomicBool::new(false));
        let tasks = (0..count)
            .map(|number| {
                let (mut caller, server, is_stopped) =
                    (caller.clone(), server.clone(), Arc::clone(&is_stopped));
                caller.random = Random::new(caller.random.0.wrapping_mul(31).wrapping_add(number));
                tokio::spawn(async move {
                    while !is_stopped.load(Ordering::Relaxed) {
                        let reported = caller.call_server(&server).await?;
                        if reported == Reported::NotSent && stop_when == StopWhen::Closed {
                            if is_closed(&server) {
                                break;
                            }
                            // Calls that cannot be sent fail at once: other tasks must run in between.
                            tokio::task::yield_now().await;
                        }
                    }
                    Ok(())
                })
            })
            .collect();
        Self { is_stopped, tasks }
    }

    /// Stops the callers, and waits until their last calls have ended.
    ///
    /// # Errors
    /// The first error of a caller.
    pub async fn stop(self) -> TestResult {
        self.is_stopped.store(true, Ordering::Relaxed);
        self.finished().await
    }

    /// Waits until all callers have stopped on their own.
    ///
    /// # Errors
    /// The first error of a caller.
    pub async fn finished(self) -> TestResult {
        for task in self.tasks {
            within("a caller to stop", task).await??;
        }
        Ok(())
    }

    /// Runs until the process is killed, or a caller fails.
    ///
    /// # Errors
    /// The first error of a caller.
    pub async fn run(self) -> TestResult {
        for task in self.tasks {
            task.await??;
        }
        Ok(())
    }
}
