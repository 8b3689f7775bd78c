//! Errors when reading a frozen schema.

use std::error::Error;
use std::fmt;

/// Why the text of a frozen schema is invalid.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FrozenError {
    /// The first line is not that of a frozen schema.
    NotFrozen,
    /// A newer compiler wrote it.
    NewerFormat {
        /// The format version.
        format: u32,
    },
    /// A value in the first line is missing or invalid.
    Header {
        /// The key of the value.
        key: &'static str,
    },
    /// A line that should be the header of a file is not.
    Section {
        /// The line, beginning with 1.
        line: usize,
    },
    /// The text ends inside a file.
    Truncated {
        /// The path of the file.
        path: String,
        /// How many lines are missing.
        missing: usize,
    },
    /// The text was changed after it was written, for example in a merge.
    Altered,
}

impl fmt::Display for FrozenError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFrozen => formatter.write_str(
                "this is not a frozen schema: the first line does not \
                begin with `kaa-frozen`",
            ),
            Self::NewerFormat { format } => {
                write!(
                    formatter,
                    "this frozen schema has format {format}, which requires a newer version \
                    of kaa"
                )
            }
            Self::Header { key } => {
                write!(formatter, "the first line of this frozen schema has no valid `{key}=`")
            }
            Self::Section { line } => {
                write!(
                    formatter,
                    "line {line} of this frozen schema must be a file header, `=== path, N \
                    lines`"
                )
            }
            Self::Truncated { path, missing } => {
                write!(formatter, "this frozen schema is truncated: {missing} lines of `{path}` are missing")
            }
            Self::Altered => formatter.write_str(
                "this frozen schema was changed after it was written: its contents do not match the hash in \
                    its first line",
            ),
        }
    }
}

impl Error for FrozenError {}
