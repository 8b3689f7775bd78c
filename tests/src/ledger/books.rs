//! Two ledgers side by side: whether what callers were told is what was done.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Kind, Told};
use crate::fixture::TestResult;

/// What became of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It came to its end, and so did all it had begun.
    Ended,
    /// It was killed: what it had begun has no end.
    Killed,
}

/// What two ledgers say about the calls that one of them made and the other handled.
#[derive(Debug)]
pub struct Books {
    calls: BTreeMap<u64, Entries>,
}

/// What they say about one call.
#[derive(Debug, Default)]
struct Entries {
    made: Vec<Kind>,
    told: Vec<Told>,
    begun: u32,
    ended: u32,
    dropped: u32,
}

impl Books {
    /// Reads the ledger of the caller, then that of who was called.
    ///
    /// # Errors
    /// If one of them cannot be read.
    pub fn read(caller: &Path, called: &Path) -> TestResult<Self> {
        let mut books = Self { calls: BTreeMap::new() };
        for line in std::fs::read_to_string(caller)?.lines() {
            match line.split_whitespace().collect::<Vec<_>>().as_slice() {
                ["made", number, kind] => books.at(number)?.made.push(kind_of(kind)?),
                ["told", number, told] => books.at(number)?.told.push(told_of(told)?),
                _ => {}
            }
        }
        for line in std::fs::read_to_string(called)?.lines() {
            match line.split_whitespace().collect::<Vec<_>>().as_slice() {
                ["begun", number] => books.at(number)?.begun += 1,
                ["ended", number] => books.at(number)?.ended += 1,
                ["dropped", number] => books.at(number)?.dropped += 1,
                _ => {}
            }
        }
        Ok(books)
    }

    fn at(&mut self, number: &str) -> TestResult<&mut Entries> {
        Ok(self.calls.entry(number.parse()?).or_default())
    }

    /// How many callers were told this.
    #[must_use]
    pub fn told(&self, told: Told) -> usize {
        self.calls.values().flat_map(|entries| &entries.told).filter(|other| **other == told).count()
    }

    /// How many handlers have come to their end.
    #[must_use]
    pub fn ended(&self) -> u32 {
        self.calls.values().map(|entries| entries.ended).sum()
    }

    /// How many handlers were dropped before their end.
    #[must_use]
    pub fn dropped(&self) -> u32 {
        self.calls.values().map(|entries| entries.dropped).sum()
    }

    /// How many calls were run more than once.
    #[must_use]
    pub fn repeated(&self) -> usize {
        self.calls.values().filter(|entries| entries.begun > 1).count()
    }

    /// Checks that every call ended once, and that its caller was told the truth.
    ///
    /// # Errors
    /// All that is wrong, a line for each call.
    pub fn check(&self, caller: Fate, called: Fate) -> TestResult {
        let wrong: Vec<String> = self
            .calls
            .iter()
            .filter_map(|(number, entries)| {
                let what = entries.check(caller, called).err()?;
                Some(format!("call {number}: {what}: {entries:?}"))
            })
            .collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n").into()) }
    }
}

impl Entries {
    fn check(&self, caller: Fate, called: Fate) -> Result<(), &'static str> {
        let [kind] = self.made.as_slice() else { return Err("it was not made, or twice") };
        let told = match self.told.as_slice() {
            [told] => Some(told),
            [] if caller == Fate::Killed => None,
            _ => return Err("it ended never, or twice"),
        };
        let most = if *kind == Kind::Idempotent { 3 } else { 1 };
        if self.begun > most {
            return Err("it was run too often");
        }
        let over = self.ended + self.dropped;
        if over > self.begun || (over < self.begun && called == Fate::Ended) {
            return Err("a handler ended never, or twice");
        }
        if *kind == Kind::Detached && self.dropped > 0 {
            return Err("a detached handler was dropped");
        }
        match told {
            Some(Told::Ok) if *kind == Kind::Oneway => Ok(()),
            Some(Told::Ok | Told::Run) if self.ended == 0 => Err("it was said to have been run"),
            Some(Told::NotSent) if self.begun > 0 => Err("it was said not to have been run"),
            Some(Told::Ok | Told::Run | Told::NotSent | Told::Unknown | Told::GivenUp) | None => Ok(()),
        }
    }
}

fn kind_of(word: &str) -> TestResult<Kind> {
    Ok(match word {
        "Plain" => Kind::Plain,
        "Idempotent" => Kind::Idempotent,
        "Detached" => Kind::Detached,
        "Oneway" => Kind::Oneway,
        _ => return Err(format!("{word} is no kind of call").into()),
    })
}

fn told_of(word: &str) -> TestResult<Told> {
    Ok(match word {
        "Ok" => Told::Ok,
        "Run" => Told::Run,
        "NotSent" => Told::NotSent,
        "Unknown" => Told::Unknown,
        "GivenUp" => Told::GivenUp,
        _ => return Err(format!("{word} is no end of a call").into()),
    })
}
