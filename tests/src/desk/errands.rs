//! Callers of a desk, and of those who visit it: many at once, each of whose calls ends in its own way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{FutureExt, stream};
use kaa_rpc_runtime::{CallError, Fault, Incoming, Outgoing, Proxy};
use tokio::task::JoinHandle;

use crate::api::desk::*;
use crate::fixture::TestResult;
use crate::ledger::{Kind, Ledger, Making, Told};

/// Numbers that look like chance and are the same each time.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Those of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// One below `sides`.
    pub fn throw(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// How long callers wait for the ends of their calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// As long as it takes.
    Endless,
    /// Every fourth call has a deadline, and every fourth is dropped.
    Short,
}

/// How long one call has.
#[derive(Debug, Clone, Copy)]
enum Time {
    Endless,
    Deadline(Duration),
    Dropped(Duration),
}

/// A caller who writes down what it makes, and what it is told.
#[derive(Debug, Clone)]
pub struct Errands {
    ledger: Ledger,
    dice: Dice,
    patience: Patience,
}

/// Sets the deadline of a call that has one, whatever the type of the call.
macro_rules! within {
    ($call:expr, $time:expr) => {{
        let call = $call;
        match $time {
            Time::Deadline(time) => call.timeout(time),
            Time::Endless | Time::Dropped(_) => call,
        }
    }};
}

impl Errands {
    /// One who writes into this ledger.
    #[must_use]
    pub fn new(ledger: Ledger, seed: u64, patience: Patience) -> Self {
        Self { ledger, dice: Dice::new(seed), patience }
    }

    /// One call of any kind, to a desk. What it was told, if it was told anything.
    ///
    /// # Errors
    /// A call that returned what it cannot have returned.
    pub async fn visit(&mut self, desk: &DeskServerProxy) -> TestResult<Told> {
        let manner = match self.dice.throw(3) {
            0 => Manner::AtOnce,
            1 => Manner::Politely,
            _ => Manner::Slowly,
        };
        match self.dice.throw(10) {
            0..=2 => {
                let (making, number, time) = self.make(Kind::Plain)?;
                finish(making, time, number, within!(desk.work(number, manner), time)).await
            }
            3 => {
                let (making, number, time) = self.make(Kind::Idempotent)?;
                finish(making, time, number, within!(desk.look(number, manner), time)).await
            }
            4 => {
                let (making, number, time) = self.make(Kind::Detached)?;
                finish(making, time, number, within!(desk.keep(number, manner), time)).await
            }
            5 => {
                let (making, number, time) = self.make(Kind::Oneway)?;
                finish(making, time, (), within!(desk.note(number), time)).await
            }
            6 => {
                let (making, number, time) = self.make(Kind::Plain)?;
                finish(making, time, number, within!(desk.ask(number), time)).await
            }
            7 => {
                let (making, number, time) = self.make(Kind::Plain)?;
                let items = self.length();
                finish(making, time, items, count(within!(desk.list(number, items), time))).await
            }
            8 => {
                let (making, number, time) = self.make(Kind::Plain)?;
                let items = self.length();
                finish(making, time, items, within!(desk.file(number, stream::iter(0..items)), time)).await
            }
            _ => {
                let (making, number, time) = self.make(Kind::Plain)?;
                let items = self.length();
                let torn = (0..items).map(Ok).chain([Err(Fault::new("torn"))]);
                let call = desk.file(number, Outgoing::fallible(stream::iter(torn)));
                // It cannot return: a stream that broke off is not one that has ended.
                finish(making, time, u64::MAX, within!(call, time)).await
            }
        }
    }

    /// One call to a visitor.
    ///
    /// # Errors
    /// As [`Self::visit`].
    pub async fn ask(&mut self, visitor: &DeskClientProxy) -> TestResult<Told> {
        let (making, number, time) = self.make(Kind::Plain)?;
        finish(making, time, number, within!(visitor.answer(number), time)).await
    }

    fn make(&mut self, kind: Kind) -> TestResult<(Making, u64, Time)> {
        let making = self.ledger.make(kind)?;
        let number = making.number();
        let time = Duration::from_micros(self.dice.throw(4000));
        let time = match (self.patience, self.dice.throw(4)) {
            (Patience::Short, 0) => Time::Deadline(time),
            (Patience::Short, 1) => Time::Dropped(time),
            _ => Time::Endless,
        };
        Ok((making, number, time))
    }

    /// How many items a stream has: none, some, or more than a window takes.
    fn length(&mut self) -> u64 {
        match self.dice.throw(3) {
            0 => 0,
            1 => 20,
            _ => 2000,
        }
    }
}

/// Awaits a call, and writes down what it was told.
async fn finish<T: PartialEq + std::fmt::Debug, E: std::fmt::Debug>(
    making: Making,
    time: Time,
    expected: T,
    call: impl Future<Output = Result<T, CallError<E>>>,
) -> TestResult<Told> {
    let result = match time {
        Time::Dropped(time) => match tokio::time::timeout(time, call).await {
            Ok(result) => result,
            Err(_elapsed) => {
                making.told(Told::GivenUp)?;
                return Ok(Told::GivenUp);
            }
        },
        Time::Endless | Time::Deadline(_) => call.await,
    };
    let told = Told::of(&result);
    let number = making.number();
    making.told(told)?;
    match result {
        Ok(value) if value != expected => Err(format!("call {number} returned {value:?}").into()),
        _ => Ok(told),
    }
}

/// Counts what comes, which must be in order.
async fn count<E>(mut items: Incoming<u64, E>) -> Result<u64, CallError<E>> {
    let mut count = 0;
    while let Some(item) = items.next().await {
        // A wrong item makes a wrong count, which is found.
        count = if item? == count { count + 1 } else { u64::MAX };
    }
    Ok(count)
}

/// When callers stop by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endurance {
    /// Never.
    Endless,
    /// When their connection is over for good.
    UntilOver,
}

/// Whether there is no connection, and never will be.
fn has_no_future(desk: &DeskServerProxy) -> bool {
    desk.peer().closed().now_or_never().is_some()
}

/// Callers at work.
#[derive(Debug)]
pub struct Load {
    is_over: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<TestResult>>,
}

impl Load {
    /// So many callers of a desk, each with dice of its own.
    #[must_use]
    pub fn start(callers: u64, errands: &Errands, desk: &DeskServerProxy, endurance: Endurance) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let tasks = (0..callers)
            .map(|caller| {
                let (mut errands, desk, is_over) = (errands.clone(), desk.clone(), Arc::clone(&is_over));
                errands.dice = Dice::new(errands.dice.0.wrapping_mul(31).wrapping_add(caller));
                tokio::spawn(async move {
                    while !is_over.load(Ordering::Relaxed) {
                        let told = errands.visit(&desk).await?;
                        if told == Told::NotSent && endurance == Endurance::UntilOver {
                            if has_no_future(&desk) {
                                break;
                            }
                            // Calls that cannot leave end at once: others have their turn all the same.
                            tokio::task::yield_now().await;
                        }
                    }
                    Ok(())
                })
            })
            .collect();
        Self { is_over, tasks }
    }

    /// Waits until all have had the ends of their last calls.
    ///
    /// # Errors
    /// What one of them found wrong.
    pub async fn stop(self) -> TestResult {
        self.is_over.store(true, Ordering::Relaxed);
        self.end().await
    }

    /// Waits until all have stopped by themselves.
    ///
    /// # Errors
    /// What one of them found wrong.
    pub async fn end(self) -> TestResult {
        for task in self.tasks {
            task.await??;
        }
        Ok(())
    }
}
