//! All frozen schemas of a folder.
//!
//! Invariants: ordered by number; no two have the same.

use std::error::Error;
use std::fmt;

use super::error::FrozenError;
use super::read::FrozenSource;

/// A frozen schema with the name of its file.
#[derive(Debug, Clone)]
pub struct Frozen {
    /// The file's name as it was given.
    pub name: String,
    /// What it holds.
    pub source: FrozenSource,
}

/// Every generation that was frozen, oldest first.
#[derive(Debug, Clone, Default)]
pub struct History {
    generations: Vec<Frozen>,
}

/// Why a folder of frozen schemas cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HistoryError {
    /// One of them cannot be read.
    Unusable {
        /// Its file.
        name: String,
        /// Why.
        source: FrozenError,
    },
    /// Two have one number.
    SameNumber {
        /// The first file.
        first: String,
        /// The second.
        second: String,
        /// The number.
        number: u32,
    },
}

impl fmt::Display for HistoryError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unusable { name, source } => write!(formatter, "`{name}` cannot be used: {source}"),
            Self::SameNumber { first, second, number } => {
                write!(formatter, "`{first}` and `{second}` both say that they are frozen schema {number}")
            }
        }
    }
}

impl Error for HistoryError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Unusable { source, .. } => Some(source),
            Self::SameNumber { .. } => None,
        }
    }
}

impl History {
    /// Reads frozen schemas from pairs of a file's name and its text, in any order.
    ///
    /// # Errors
    /// If one of them cannot be read, or two have the same number.
    pub fn read(files: impl IntoIterator<Item = (String, String)>) -> Result<Self, HistoryError> {
        let mut generations = Vec::new();
        for (name, text) in files {
            match FrozenSource::read(&text) {
                Ok(source) => generations.push(Frozen { name, source }),
                Err(source) => return Err(HistoryError::Unusable { name, source }),
            }
        }
        generations.sort_by(|left, right| {
            (left.source.number(), &left.name).cmp(&(right.source.number(), &right.name))
        });
        for (first, second) in generations.iter().zip(generations.iter().skip(1)) {
            let number = first.source.number();
            if number == second.source.number() {
                let (first, second) = (first.name.clone(), second.name.clone());
                return Err(HistoryError::SameNumber { first, second, number });
            }
        }
        Ok(Self { generations })
    }

    /// All of them, oldest first.
    #[must_use]
    pub fn generations(&self) -> &[Frozen] {
        &self.generations
    }

    /// The newest one.
    #[must_use]
    pub fn newest(&self) -> Option<&Frozen> {
        self.generations.last()
    }

    /// The number of the next one to be frozen; they begin with 1.
    #[must_use]
    pub fn next_number(&self) -> u32 {
        self.newest().map_or(1, |newest| newest.source.number().saturating_add(1))
    }
}
