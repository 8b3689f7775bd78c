//! Errors of encoding and decoding.
//!
//! Invariants
//! - A decode error is one pointer wide, so that results of leaf values fit into registers.
//! - Messages contain the path and the numbers, never bytes of the payload.

use std::fmt;

use super::path::{Path, Segment};

/// Why a value cannot be encoded. The cause is always on this side.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The frame would exceed its size limit.
    #[error("the encoded value exceeds {limit} bytes; encoding stopped at {size}")]
    TooLarge {
        /// The size in bytes at which encoding stopped. The complete value may be larger.
        size: usize,
        /// The maximum size in bytes.
        limit: usize,
    },
    /// A string, byte string, sequence, set or map is longer than the schema's bound.
    #[error("{}length {length} exceeds the bound of {bound}", At(path))]
    BoundExceeded {
        /// The path to the value.
        path: Path,
        /// The length: in bytes for strings and byte strings, otherwise in elements.
        length: u64,
        /// The maximum length.
        bound: u64,
    },
    /// The value is nested deeper than the limit.
    #[error("{}nested more than {limit} levels deep", At(path))]
    TooDeep {
        /// The path to the value.
        path: Path,
        /// The maximum number of levels.
        limit: u16,
    },
    /// A foreign type (serde) failed to serialize.
    #[error("{}{message}", At(path))]
    External {
        /// The path to the value.
        path: Path,
        /// The message of its serializer.
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

/// Why bytes cannot be decoded: they are not the expected value, or they exceed a limit. The cause is the
/// peer or its schema.
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
    /// The marker byte of an integer is not valid for its type.
    #[error("invalid integer")]
    InvalidInteger,
    /// A boolean is neither 0 nor 1.
    #[error("{0} is not a boolean")]
    InvalidBool(u8),
    /// The marker of an optional value is neither 0 nor 1.
    #[error("{0} is not a marker of an optional value")]
    InvalidOption(u8),
    /// A character is not valid UTF-8.
    #[error("invalid character")]
    InvalidChar,
    /// A string is not valid UTF-8.
    #[error("invalid UTF-8 in a string")]
    InvalidUtf8,
    /// The nanoseconds of a duration or timestamp are a second or more.
    #[error("{0} nanoseconds are a second or more")]
    InvalidNanoseconds(u32),
    /// A string, byte string, sequence, set or map is longer than the schema's bound.
    #[error("length {length} exceeds the bound of {bound}")]
    BoundExceeded {
        /// The announced length: in bytes for strings and byte strings, otherwise in elements.
        length: u64,
        /// The maximum length.
        bound: u64,
    },
    /// A set or map has the same key twice.
    #[error("the key occurs twice")]
    DuplicateKey,
    /// The tag is not a tag of the sealed enum, or is too large for any enum.
    #[error("unknown tag {tag}")]
    UnknownTag {
        /// The tag.
        tag: u64,
    },
    /// The value is nested deeper than the limit.
    #[error("nested more than {limit} levels deep")]
    TooDeep {
        /// The maximum number of levels.
        limit: u16,
    },
    /// Decoding would exceed the memory budget of the message.
    #[error("decoding would take more than {budget} bytes of memory")]
    BudgetExceeded {
        /// The memory budget in bytes.
        budget: usize,
    },
    /// A value of a type that has no values.
    #[error("a value of a type that has no values")]
    Uninhabited,
    /// A foreign type (serde) rejected the value.
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

    /// Creates the error for an unknown tag of a sealed enum.
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

    /// The path to the value.
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

/// A path at the start of a message; empty for the value as a whole.
struct At<'a>(&'a Path);

impl fmt::Display for At<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(formatter, "{}: ", self.0) }
    }
}
