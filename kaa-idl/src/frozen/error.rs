//! Why a frozen schema cannot be used.

use std::error::Error;
use std::fmt;

/// What is wrong with the text of a frozen schema.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrozenError {
    /// It does not begin as one does.
    NotFrozen,
    /// A newer compiler wrote it.
    NewerFormat {
        /// Its format.
        format: u32,
    },
    /// The first line lacks something, or cannot be read.
    Header {
        /// The key.
        key: &'static str,
    },
    /// A line that should begin a file does not.
    Section {
        /// One-based.
        line: usize,
    },
    /// The text ends within a file.
    Truncated {
        /// The file.
        path: String,
        /// How many lines are missing.
        missing: usize,
    },
    /// The text is not what was written: it was edited, or mended after a merge.
    Altered,
}

impl fmt::Display for FrozenError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFrozen => formatter.write_str("this is no frozen schema: its first line begins otherwise"),
            Self::NewerFormat { format } => {
                write!(formatter, "this frozen schema has format {format}, which a newer version of kaa wrote")
            }
            Self::Header { key } => {
                write!(formatter, "the first line of this frozen schema has no proper `{key}=`")
            }
            Self::Section { line } => {
                write!(formatter, "line {line} of this frozen schema should begin a file with `=== path, N lines`")
            }
            Self::Truncated { path, missing } => {
                write!(formatter, "this frozen schema is cut off: {missing} lines of `{path}` are missing")
            }
            Self::Altered => formatter.write_str(
                "this frozen schema was changed after it was written: its contents do not have the hash in its first line",
            ),
        }
    }
}

impl Error for FrozenError {}
