//! Compares two ledgers: whether what was reported to callers matches what handlers did.

use std::collections::BTreeMap;
use std::path::Path;

use super::{CallKind, Reported};
use crate::fixture::TestResult;

/// How the processes ended that wrote a ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessEnd {
    /// They exited: every call and every handler has ended.
    Exited,
    /// They were killed: some calls and handlers have no end.
    Killed,
}

/// The records of the calls from one side to the other.
#[derive(Debug)]
pub struct Audit {
    calls: BTreeMap<u64, CallRecords>,
}

/// The records of one call.
#[derive(Debug, Default)]
struct CallRecords {
    called: Vec<CallKind>,
    reported: Vec<Reported>,
    started: u32,
    finished: u32,
    dropped: u32,
}

impl Audit {
    /// Reads the ledger of the callers, and the ledger of the handlers.
    ///
    /// # Errors
    /// A ledger cannot be read.
    pub fn read(callers: &Path, handlers: &Path) -> TestResult<Self> {
        let mut audit = Self { calls: BTreeMap::new() };
        for line in std::fs::read_to_string(callers)?.lines() {
            match line.split_whitespace().collect::<Vec<_>>().as_slice() {
                ["called", number, kind] => audit.call(number)?.called.push(parse_kind(kind)?),
                ["result", number, reported] => audit.call(number)?.reported.push(parse_reported(reported)?),
                _ => {}
            }
        }
        for line in std::fs::read_to_string(handlers)?.lines() {
            match line.split_whitespace().collect::<Vec<_>>().as_slice() {
                ["started", number] => audit.call(number)?.started += 1,
                ["finished", number] => audit.call(number)?.finished += 1,
                ["dropped", number] => audit.call(number)?.dropped += 1,
                _ => {}
            }
        }
        Ok(audit)
    }

    fn call(&mut self, number: &str) -> TestResult<&mut CallRecords> {
        Ok(self.calls.entry(number.parse()?).or_default())
    }

    /// The number of calls with this result.
    #[must_use]
    pub fn reported(&self, reported: Reported) -> usize {
        self.calls.values().flat_map(|call| &call.reported).filter(|other| **other == reported).count()
    }

    /// The number of handlers that finished.
    #[must_use]
    pub fn finished(&self) -> u32 {
        self.calls.values().map(|call| call.finished).sum()
    }

    /// The number of handlers that were dropped before they finished.
    #[must_use]
    pub fn dropped(&self) -> u32 {
        self.calls.values().map(|call| call.dropped).sum()
    }

    /// The number of calls whose handlers ran more than once.
    #[must_use]
    pub fn repeated(&self) -> usize {
        self.calls.values().filter(|call| call.started > 1).count()
    }

    /// Checks that every call ended once, and that its result matches what its handler did.
    ///
    /// # Errors
    /// All violations, one line per call.
    pub fn check(&self, callers: ProcessEnd, handlers: ProcessEnd) -> TestResult {
        let violations: Vec<String> = self
            .calls
            .iter()
            .filter_map(|(number, call)| {
                let violation = call.check(callers, handlers).err()?;
                Some(format!("call {number}: {violation}: {call:?}"))
            })
            .collect();
        if violations.is_empty() { Ok(()) } else { Err(violations.join("\n").into()) }
    }
}

impl CallRecords {
    fn check(&self, callers: ProcessEnd, handlers: ProcessEnd) -> Result<(), &'static str> {
        let [kind] = self.called.as_slice() else { return Err("it was not made exactly once") };
        let reported = match self.reported.as_slice() {
            [reported] => Some(reported),
            [] if callers == ProcessEnd::Killed => None,
            _ => return Err("it did not have exactly one result"),
        };
        let max_started = if *kind == CallKind::Idempotent { 3 } else { 1 };
        if self.started > max_started {
            return Err("its handler was started too often");
        }
        let ended = self.finished + self.dropped;
        if ended > self.started || (ended < self.started && handlers == ProcessEnd::Exited) {
            return Err("a handler did not end exactly once");
        }
        if *kind == CallKind::Detached && self.dropped > 0 {
            return Err("a detached handler was dropped");
        }
        match reported {
            Some(Reported::Ok) if *kind == CallKind::Oneway => Ok(()),
            Some(Reported::Ok | Reported::Run) if self.finished == 0 => {
                Err("it was reported as run, and no handler finished")
            }
            Some(Reported::NotSent) if self.started > 0 => {
                Err("it was reported as not sent, and a handler started")
            }
            Some(
                Reported::Ok | Reported::Run | Reported::NotSent | Reported::Unknown | Reported::Dropped,
            )
            | None => Ok(()),
        }
    }
}

fn parse_kind(word: &str) -> TestResult<CallKind> {
    Ok(match word {
        "Plain" => CallKind::Plain,
        "Idempotent" => CallKind::Idempotent,
        "Detached" => CallKind::Detached,
        "Oneway" => CallKind::Oneway,
        _ => return Err(format!("{word} is not a kind of call").into()),
    })
}

fn parse_reported(word: &str) -> TestResult<Reported> {
    Ok(match word {
        "Ok" => Reported::Ok,
        "Run" => Reported::Run,
        "NotSent" => Reported::NotSent,
        "Unknown" => Reported::Unknown,
        "Dropped" => Reported::Dropped,
        _ => return Err(format!("{word} is not a result of a call").into()),
    })
}
