//! What can go wrong between values and bytes.
//!
//! Invariants
//! - A decode error is one pointer wide, so that results of leaf values travel in registers.
//! - Messages name the place and the numbers, never the bytes of the payload.

use std::fmt;

use super::path::{Path, Segment};

/// A value that cannot be sent: always the fault of this side.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The frame would be larger than allowed. `size` is what it had reached when encoding stopped.
    #[error("the encoded value exceeds {limit} bytes: it had reached {size}")]
    TooLarge {
        /// Bytes at which encoding stopped; the whole value may be larger.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// A string, byte string, sequence, set or map is longer than the schema's bound.
    #[error("{}length {length} exceeds the bound of {bound}", At(path))]
    BoundExceeded {
        /// Where.
        path: Path,
        /// Length found: bytes for strings and byte strings, elements otherwise.
        length: u64,
        /// Length allowed.
        bound: u64,
    },
    /// The value nests deeper than any peer would read.
    #[error("{}nested more than {limit} levels deep", At(path))]
    TooDeep {
        /// Where.
        path: Path,
        /// Levels allowed.
        limit: u16,
    },
    /// A type of the user's own (serde) refused to be written.
    #[error("{}{message}", At(path))]
    External {
        /// Where.
        path: Path,
        /// What its serializer said.
        message: String,
    },
}

impl EncodeError {
    /// Adds the name of the field whose value failed.
    #[cold]
    pub(super) fn in_field(mut self, name: &'static str) -> Self {
        self.push(Segment::Field(name));
        self
    }

    /// Adds the index of the element that failed.
    #[cold]
    pub(super) fn at_index(mut self, index: usize) -> Self {
        self.push(Segment::Index(index));
        self
    }

    fn push(&mut self, segment: Segment) {
        match self {
            Self::TooLarge { .. } => {}
            Self::BoundExceeded { path, .. } | Self::TooDeep { path, .. } | Self::External { path, .. } => {
                path.push(segment);
            }
        }
    }
}

/// Bytes that are not the expected value, or that exceed a limit: the fault of the peer, or of its schema.
#[derive(Clone, PartialEq, Eq)]
pub struct DecodeError(Box<Inner>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Inner {
    path: Path,
    kind: DecodeErrorKind,
}

/// What is wrong with the bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeErrorKind {
    /// The bytes end in the middle of a value.
    #[error("the bytes end in the middle of a value")]
    UnexpectedEnd,
    /// The struct's bytes end before a field that has no default.
    #[error("the field is missing and has no default")]
    MissingField,
    /// An integer's marker byte is not one of its type.
    #[error("invalid integer")]
    InvalidInteger,
    /// A boolean is neither 0 nor 1.
    #[error("{0} is not a boolean")]
    InvalidBool(u8),
    /// The mark before an optional value is neither 0 nor 1.
    #[error("{0} does not mark an optional value")]
    InvalidOption(u8),
    /// A character is not valid UTF-8.
    #[error("invalid character")]
    InvalidChar,
    /// A string is not valid UTF-8.
    #[error("invalid UTF-8 in a string")]
    InvalidUtf8,
    /// A duration's or timestamp's nanoseconds are a second or more.
    #[error("{0} nanoseconds are not less than a second")]
    InvalidNanoseconds(u32),
    /// A string, byte string, sequence, set or map is longer than the schema's bound.
    #[error("length {length} exceeds the bound of {bound}")]
    BoundExceeded {
        /// Length claimed: bytes for strings and byte strings, elements otherwise.
        length: u64,
        /// Length allowed.
        bound: u64,
    },
    /// A set or map holds the same key twice.
    #[error("the key occurs twice")]
    DuplicateKey,
    /// The tag is none of a sealed enum's, or too large for any enum.
    #[error("unknown tag {tag}")]
    UnknownTag {
        /// The tag found.
        tag: u64,
    },
    /// The value nests deeper than allowed.
    #[error("nested more than {limit} levels deep")]
    TooDeep {
        /// Levels allowed.
        limit: u16,
    },
    /// Decoding would take more memory than a message may.
    #[error("decoding would take more than {budget} bytes of memory")]
    BudgetExceeded {
        /// Bytes allowed for the message.
        budget: usize,
    },
    /// A value was sent where there can be none.
    #[error("a value where there can be none")]
    Uninhabited,
    /// A type of the user's own (serde) refused the value.
    #[error("{0}")]
    External(String),
}

impl DecodeError {
    #[cold]
    pub(super) fn new(kind: DecodeErrorKind) -> Self {
        Self(Box::new(Inner { path: Path::default(), kind }))
    }

    #[cold]
    pub(super) fn unexpected_end() -> Self {
        Self::new(DecodeErrorKind::UnexpectedEnd)
    }

    /// The tag of a sealed enum that this side does not know.
    #[must_use]
    #[cold]
    pub fn unknown_tag(type_name: &'static str, tag: u32) -> Self {
        Self::new(DecodeErrorKind::UnknownTag { tag: tag.into() }).in_type(type_name)
    }

    /// What is wrong.
    #[must_use]
    pub fn kind(&self) -> &DecodeErrorKind {
        &self.0.kind
    }

    /// Where.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    #[cold]
    pub(super) fn in_type(mut self, name: &'static str) -> Self {
        self.0.path.push(Segment::Type(name));
        self
    }

    #[cold]
    pub(super) fn in_field(mut self, name: &'static str) -> Self {
        self.0.path.push(Segment::Field(name));
        self
    }

    #[cold]
    pub(super) fn at_index(mut self, index: usize) -> Self {
        self.0.path.push(Segment::Index(index));
        self
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", At(&self.0.path), self.0.kind)
    }
}

impl fmt::Debug for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DecodeError").field("path", &self.0.path).field("kind", &self.0.kind).finish()
    }
}

impl std::error::Error for DecodeError {}

impl serde::de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(DecodeErrorKind::External(message.to_string()))
    }
}

/// A path as the start of a message: nothing for the value as a whole.
struct At<'a>(&'a Path);

impl fmt::Display for At<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(formatter, "{}: ", self.0) }
    }
}
