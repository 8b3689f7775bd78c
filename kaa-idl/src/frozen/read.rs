//! Reads a frozen schema.
//!
//! Invariants: a source is read exactly as it was written, except for line ends that a version control system
//! may have changed.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;

use super::write::{hash, hexadecimal};
use super::{FORMAT, MARK, SECTION};
use crate::source::{FileSource, SourceError};

/// The files of a frozen schema.
#[derive(Debug, Clone)]
pub struct FrozenSource {
    number: u32,
    fingerprint: [u8; 32],
    files: BTreeMap<String, String>,
}

impl FrozenSource {
    /// Reads the text of a frozen schema.
    ///
    /// # Errors
    /// If it is not a frozen schema, was written by a newer compiler, is truncated, or was changed.
    pub fn read(text: &str) -> Result<Self, FrozenError> {
        let text = text.replace("\r\n", "\n");
        let (header, body) = text.split_once('\n').unwrap_or((&text, ""));
        let mut words = header.split(' ');
        if words.next() != Some(MARK) {
            return Err(FrozenError::NotFrozen);
        }
        let value = |key: &'static str| {
            let found = words.clone().find_map(|word| word.strip_prefix(key)?.strip_prefix('='));
            found.ok_or(FrozenError::Header { key })
        };
        let number_of = |key| value(key)?.parse::<u32>().map_err(|_| FrozenError::Header { key });
        let format = number_of("format")?;
        if format > FORMAT {
            return Err(FrozenError::NewerFormat { format });
        }
        let number = number_of("number")?;
        let fingerprint = bytes(value("fingerprint")?).ok_or(FrozenError::Header { key: "fingerprint" })?;
        let (hashed, claimed) =
            header.rsplit_once(" sha256=").ok_or(FrozenError::Header { key: "sha256" })?;
        let files = sections(body)?;
        if hash(hashed, body) != claimed {
            return Err(FrozenError::Altered);
        }
        Ok(Self { number, fingerprint, files })
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The fingerprint that the schema had when it was frozen ([`crate::ids::fingerprint`]).
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// The name of this revision, such as `frozen 3`. A [report](crate::compatibility::Report) shows it after
    /// the paths of files.
    #[must_use]
    pub fn revision(&self) -> String {
        format!("frozen {}", self.number)
    }
}

/// The files, by path. The header of each file gives its number of lines, so that no line of the file can be
/// mistaken for the next header.
fn sections(body: &str) -> Result<BTreeMap<String, String>, FrozenError> {
    let mut files = BTreeMap::new();
    let mut line = 2;
    let mut rest = body;
    while !rest.is_empty() {
        let (head, after) = rest.split_once('\n').unwrap_or((rest, ""));
        let (path, count) = section(head).ok_or(FrozenError::Section { line })?;
        let mut end = 0;
        for read in 0..count {
            let next = after.get(end..).and_then(|left| left.find('\n'));
            let Some(next) = next else {
                return Err(FrozenError::Truncated { path: path.to_owned(), missing: count - read });
            };
            end += next + 1;
        }
        let (text, left) = after.split_at_checked(end).ok_or(FrozenError::Section { line })?;
        if files.insert(path.to_owned(), text.to_owned()).is_some() {
            return Err(FrozenError::Section { line });
        }
        line += count + 1;
        rest = left;
    }
    Ok(files)
}

fn section(line: &str) -> Option<(&str, usize)> {
    let (path, count) = line.strip_prefix(SECTION)?.strip_suffix(" lines")?.rsplit_once(", ")?;
    path.ends_with(".kaa").then_some(())?;
    Some((path, count.parse().ok()?))
}

fn bytes(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(index * 2..index * 2 + 2)?, 16).ok()?;
    }
    (hexadecimal(&bytes) == text).then_some(bytes)
}

impl FileSource for FrozenSource {
    fn files(&self) -> Result<Vec<String>, SourceError> {
        Ok(self.files.keys().cloned().collect())
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        let text = self.files.get(path).ok_or_else(|| SourceError::Missing { path: path.to_owned() })?;
        Ok(text.clone().into_bytes())
    }
}

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
