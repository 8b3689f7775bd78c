//! Ledgers: files in which processes record their calls, the results of those calls, and the handlers that they ran.
//! A ledger outlives the processes that write it.
//!
//! Invariants: a line is written by one system call before anything happens because of it, so that a killed process has
//! recorded everything it did; every line has `LINE` bytes, so that no line crosses a page boundary (of two pages, a
//! killed process may have written only the first); call numbers are unique.

mod audit;

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kaa_rpc_runtime::{CallError, Outcome};
use tokio::sync::watch;

use crate::fixture::within;

pub use audit::{Audit, ProcessEnd};

/// Bytes of a line.
const LINE: usize = 32;

/// The kind of a call: how often its handler may run, and what its result means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallKind {
    /// The handler runs at most once.
    Plain,
    /// The client may send the call again, at most twice.
    Idempotent,
    /// The handler, once started, always runs to its end.
    Detached,
    /// The result does not say whether the handler ran.
    Oneway,
}

/// What was reported to the caller of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reported {
    /// The call returned.
    Ok,
    /// The call failed: its handler ran.
    Run,
    /// The call failed: it was not sent.
    NotSent,
    /// The call failed: its handler may have run.
    Unknown,
    /// Nothing: the caller dropped the call.
    Dropped,
}

impl Reported {
    /// What this result reports.
    pub fn of<T, E>(result: &Result<T, CallError<E>>) -> Self {
        match result.as_ref().map_err(CallError::outcome) {
            Ok(_) => Self::Ok,
            Err(Outcome::Run) => Self::Run,
            Err(Outcome::NotSent) => Self::NotSent,
            Err(Outcome::Unknown) => Self::Unknown,
        }
    }
}

/// A ledger that is being written. Clones write the same file.
#[derive(Debug, Clone)]
pub struct Ledger {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    file: File,
    next_number: AtomicU64,
    counts: watch::Sender<Counts>,
}

/// What this process has recorded so far.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    started_handlers: u64,
    running_handlers: u64,
    results: u64,
}

impl Ledger {
    /// Opens or creates the file. Calls of this process are numbered from `first_number`.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(path: &Path, first_number: u64) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        let counts = watch::Sender::new(Counts::default());
        Ok(Self { shared: Arc::new(Shared { file, next_number: AtomicU64::new(first_number), counts }) })
    }

    /// Records that a handler has started.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn start_handler(&self, number: u64) -> io::Result<HandlerRecord> {
        self.record_handler(number, 1)
    }

    /// Records that a detached handler has started; it does not count as running.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn start_detached_handler(&self, number: u64) -> io::Result<HandlerRecord> {
        self.record_handler(number, 0)
    }

    fn record_handler(&self, number: u64, weight: u64) -> io::Result<HandlerRecord> {
        self.write(format_args!("started {number}"))?;
        self.count(|counts| {
            counts.started_handlers += 1;
            counts.running_handlers += weight;
        });
        Ok(HandlerRecord { ledger: self.clone(), number, weight, is_finished: false })
    }

    /// Records that a call is made, and gives it a number.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn start_call(&self, kind: CallKind) -> io::Result<CallRecord> {
        let number = self.shared.next_number.fetch_add(1, Ordering::Relaxed);
        self.write(format_args!("called {number} {kind:?}"))?;
        Ok(CallRecord { ledger: self.clone(), number, is_finished: false })
    }

    /// Waits until this many more calls of this process have ended.
    pub async fn wait_for_results(&self, more: u64) {
        let target = self.shared.counts.borrow().results + more;
        let awaited = format!("{more} more calls to end");
        within(&awaited, self.wait(|counts| counts.results >= target)).await;
    }

    /// Waits until this many handlers have started in this process.
    pub async fn wait_for_started(&self, handlers: u64) {
        self.wait(|counts| counts.started_handlers >= handlers).await;
    }

    /// Waits until at most this many handlers are running in this process, not counting detached ones.
    pub async fn wait_for_running(&self, handlers: u64) {
        self.wait(|counts| counts.running_handlers <= handlers).await;
    }

    async fn wait(&self, condition: impl FnMut(&Counts) -> bool) {
        // This fails only if the sender is dropped, and `self` holds it.
        let _closed = self.shared.counts.subscribe().wait_for(condition).await.is_err();
    }

    fn count(&self, change: impl FnOnce(&mut Counts)) {
        self.shared.counts.send_modify(change);
    }

    fn write(&self, text: fmt::Arguments<'_>) -> io::Result<()> {
        let line = format!("{text:<width$}\n", text = text.to_string(), width = LINE - 1);
        debug_assert_eq!(line.len(), LINE);
        (&self.shared.file).write_all(line.as_bytes())
    }
}

/// A running handler. If it is dropped before it finishes, a line says so.
#[derive(Debug)]
pub struct HandlerRecord {
    ledger: Ledger,
    number: u64,
    weight: u64,
    is_finished: bool,
}

impl HandlerRecord {
    /// Records that the handler is about to return.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(mut self) -> io::Result<()> {
        self.is_finished = true;
        self.ledger.write(format_args!("finished {}", self.number))
    }
}

impl Drop for HandlerRecord {
    fn drop(&mut self) {
        if !self.is_finished {
            // The audit finds a missing line.
            let _result = self.ledger.write(format_args!("dropped {}", self.number));
        }
        self.ledger.count(|counts| counts.running_handlers -= self.weight);
    }
}

/// A call whose result has not been recorded yet. If it is dropped, the result is [`Reported::Dropped`].
#[derive(Debug)]
pub struct CallRecord {
    ledger: Ledger,
    number: u64,
    is_finished: bool,
}

impl CallRecord {
    /// The number of the call.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Records what was reported to the caller.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(mut self, reported: Reported) -> io::Result<()> {
        self.is_finished = true;
        self.write(reported)
    }

    fn write(&self, reported: Reported) -> io::Result<()> {
        self.ledger.write(format_args!("result {} {reported:?}", self.number))?;
        self.ledger.count(|counts| counts.results += 1);
        Ok(())
    }
}

impl Drop for CallRecord {
    fn drop(&mut self) {
        if !self.is_finished {
            // The audit finds a missing line.
            let _result = self.write(Reported::Dropped);
        }
    }
}
