//! Ledgers: what was done, and what callers were told of it, in files that outlive whoever wrote them.
//!
//! Invariants: a line is written by one system call before anything happens because of it, so that a killed process has
//! written all it did; a line has `LINE` bytes, so that none lies across two pages, of which a killed process may have
//! written only the first; numbers of calls are never used again.

mod books;

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kaa_rpc_runtime::{CallError, Outcome};
use tokio::sync::watch;

pub use books::{Books, Fate};

/// Bytes of a line.
const LINE: usize = 32;

/// What a call is to the ledger: how often it may be run, and what its end says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It is run once.
    Plain,
    /// It may be sent again, twice at most.
    Idempotent,
    /// It is run to its end once it is begun.
    Detached,
    /// Nobody says whether it was run.
    Oneway,
}

/// What a caller was told of a call's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Told {
    /// It returned.
    Ok,
    /// It failed, with this outcome.
    Run,
    /// Likewise.
    NotSent,
    /// Likewise.
    Unknown,
    /// Nothing: the caller went away.
    GivenUp,
}

impl Told {
    /// What this result says.
    pub fn of<T, E>(result: &Result<T, CallError<E>>) -> Self {
        match result.as_ref().map_err(CallError::outcome) {
            Ok(_) => Self::Ok,
            Err(Outcome::Run) => Self::Run,
            Err(Outcome::NotSent) => Self::NotSent,
            Err(Outcome::Unknown) => Self::Unknown,
        }
    }
}

/// A ledger that is written. Clones are the same one.
#[derive(Debug, Clone)]
pub struct Ledger {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    file: File,
    next: AtomicU64,
    counts: watch::Sender<Counts>,
}

/// What has been written so far by this process.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    begun: u64,
    at_work: u64,
    told: u64,
}

impl Ledger {
    /// Goes on with the file; the calls that are made here have numbers from `first` on.
    ///
    /// # Errors
    /// If there can be no such file.
    pub fn open(path: &Path, first: u64) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).create(true).open(path)?;
        let counts = watch::Sender::new(Counts::default());
        Ok(Self { shared: Arc::new(Shared { file, next: AtomicU64::new(first), counts }) })
    }

    /// A handler begins.
    ///
    /// # Errors
    /// If the file takes no more.
    pub fn begin(&self, number: u64) -> io::Result<Handling> {
        self.begin_any(number, 1)
    }

    /// A handler begins that outlives its caller.
    ///
    /// # Errors
    /// If the file takes no more.
    pub fn begin_detached(&self, number: u64) -> io::Result<Handling> {
        self.begin_any(number, 0)
    }

    fn begin_any(&self, number: u64, weight: u64) -> io::Result<Handling> {
        self.write(format_args!("begun {number}"))?;
        self.count(|counts| {
            counts.begun += 1;
            counts.at_work += weight;
        });
        Ok(Handling { ledger: self.clone(), number, weight, is_over: false })
    }

    /// A call is made.
    ///
    /// # Errors
    /// If the file takes no more.
    pub fn make(&self, kind: Kind) -> io::Result<Making> {
        let number = self.shared.next.fetch_add(1, Ordering::Relaxed);
        self.write(format_args!("made {number} {kind:?}"))?;
        Ok(Making { ledger: self.clone(), number, is_over: false })
    }

    /// Waits until so many more of the calls that were made here have ended.
    pub async fn told_more(&self, calls: u64) {
        let least = self.shared.counts.borrow().told + calls;
        self.wait(|counts| counts.told >= least).await;
    }

    /// Waits until so many handlers have begun here.
    pub async fn begun(&self, handlers: u64) {
        self.wait(|counts| counts.begun >= handlers).await;
    }

    /// Waits until so many handlers are at work here, detached ones aside, or fewer.
    pub async fn at_work(&self, most: u64) {
        self.wait(|counts| counts.at_work <= most).await;
    }

    async fn wait(&self, condition: impl FnMut(&Counts) -> bool) {
        // The sender is here, and so nobody can have dropped it.
        let _ = self.shared.counts.subscribe().wait_for(condition).await;
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

/// A handler at work. One that is dropped before its end leaves a line that says so.
#[derive(Debug)]
pub struct Handling {
    ledger: Ledger,
    number: u64,
    weight: u64,
    is_over: bool,
}

impl Handling {
    /// The handler is about to return.
    ///
    /// # Errors
    /// If the file takes no more.
    pub fn end(mut self) -> io::Result<()> {
        self.is_over = true;
        self.ledger.write(format_args!("ended {}", self.number))
    }
}

impl Drop for Handling {
    fn drop(&mut self) {
        if !self.is_over {
            // A line that is missing is found by whoever reads.
            let _ = self.ledger.write(format_args!("dropped {}", self.number));
        }
        self.ledger.count(|counts| counts.at_work -= self.weight);
    }
}

/// A call at work, at its caller.
#[derive(Debug)]
pub struct Making {
    ledger: Ledger,
    number: u64,
    is_over: bool,
}

impl Making {
    /// The number to make it with.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The caller was told this.
    ///
    /// # Errors
    /// If the file takes no more.
    pub fn told(mut self, told: Told) -> io::Result<()> {
        self.is_over = true;
        self.tell(told)
    }

    fn tell(&self, told: Told) -> io::Result<()> {
        self.ledger.write(format_args!("told {} {told:?}", self.number))?;
        self.ledger.count(|counts| counts.told += 1);
        Ok(())
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        if !self.is_over {
            // As above.
            let _ = self.tell(Told::GivenUp);
        }
    }
}
