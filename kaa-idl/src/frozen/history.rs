//! All frozen schemas of a folder.
//!
//! Invariants: they are ordered by number, and numbers are unique.

use std::error::Error;
use std::fmt;

use super::read::{FrozenError, FrozenSource};

/// A frozen schema with the name of its file.
#[derive(Debug, Clone)]
pub struct FrozenSchema {
    /// The name of the file.
    pub name: String,
    /// The sources of the schema.
    pub source: FrozenSource,
}

/// All frozen revisions of a schema, oldest first.
#[derive(Debug, Clone, Default)]
pub struct History {
    revisions: Vec<FrozenSchema>,
}

/// Why a folder of frozen schemas cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HistoryError {
    /// A file is invalid.
    Unusable {
        /// The name of the file.
        name: String,
        /// The reason.
        source: FrozenError,
    },
    /// Two files have the same number.
    SameNumber {
        /// The name of the first file.
        first: String,
        /// The name of the second file.
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
                write!(formatter, "`{first}` and `{second}` are both frozen schema {number}")
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
    /// Reads frozen schemas from pairs of file name and text, in any order.
    ///
    /// # Errors
    /// If a frozen schema is invalid, or two have the same number.
    pub fn read(files: impl IntoIterator<Item = (String, String)>) -> Result<Self, HistoryError> {
        let mut revisions = Vec::new();
        for (name, text) in files {
            match FrozenSource::read(&text) {
                Ok(source) => revisions.push(FrozenSchema { name, source }),
                Err(source) => return Err(HistoryError::Unusable { name, source }),
            }
        }
        revisions.sort_by(|left, right| {
            (left.source.number(), &left.name).cmp(&(right.source.number(), &right.name))
        });
        for (first, second) in revisions.iter().zip(revisions.iter().skip(1)) {
            let number = first.source.number();
            if number == second.source.number() {
                let (first, second) = (first.name.clone(), second.name.clone());
                return Err(HistoryError::SameNumber { first, second, number });
            }
        }
        Ok(Self { revisions })
    }

    /// All frozen schemas, oldest first.
    #[must_use]
    pub fn revisions(&self) -> &[FrozenSchema] {
        &self.revisions
    }

    /// The newest frozen schema.
    #[must_use]
    pub fn newest(&self) -> Option<&FrozenSchema> {
        self.revisions.last()
    }

    /// The number for the next frozen schema; the first number is 1.
    #[must_use]
    pub fn next_number(&self) -> u32 {
        self.newest().map_or(1, |newest| newest.source.number().saturating_add(1))
    }
}
