//! The common parts of declarations: package, place in the source, documentation and attributes.
//!
//! Invariants: an absent attribute is unset. Rare attributes are boxed, because a schema has many
//! declarations and few of them have any.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use crate::location::Span;

/// Index of a package in [`Schema::packages`](super::Schema::packages).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageId(pub usize);

/// Where something is declared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Location {
    /// The file's path as the file source names it.
    pub path: Arc<str>,
    /// The line, beginning with 1.
    pub line: usize,
    /// The range of bytes of its name.
    pub span: Span,
}

/// Documentation: lines without the comment markers and without one leading space.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Docs {
    /// The lines.
    pub lines: Vec<String>,
}

/// The attributes of a declaration: [`Attributes::since`], and by dereferencing all fields of
/// [`RareAttributes`].
#[derive(Clone, Default)]
pub struct Attributes {
    /// `#[since(N)]`.
    pub since: Option<u32>,
    rare: Option<Box<RareAttributes>>,
}

/// Attributes that most declarations do not have; read and set through [`Attributes`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RareAttributes {
    /// `#[deprecated(since = N, note = "…")]`.
    pub deprecated: Option<Deprecated>,
    /// `#[idempotent]`: the call can be repeated without harm.
    pub idempotent: bool,
    /// `#[detached]`: the handler continues when its caller disconnects.
    pub detached: bool,
    /// `#[timeout("5s")]`: how long a call may take unless the caller sets a different timeout.
    pub timeout: Option<Duration>,
    /// `#[display("…")]` on a variant of an error: a validated text with placeholders `{field}` (`{0}` in
    /// tuples).
    pub display: Option<String>,
    /// `#[allow(NAME, …)]`: names of lints and compatibility rules.
    pub allow: Vec<String>,
    /// `#[rust(derive(A, b::C))]`: the paths as written.
    pub rust_derives: Vec<String>,
    /// `#[rust(options = "Name")]`: the name of a method's options struct.
    pub rust_options: Option<String>,
}

/// The value of declarations without rare attributes.
static NONE: RareAttributes = RareAttributes {
    deprecated: None,
    idempotent: false,
    detached: false,
    timeout: None,
    display: None,
    allow: Vec::new(),
    rust_derives: Vec::new(),
    rust_options: None,
};

impl Deref for Attributes {
    type Target = RareAttributes;

    fn deref(&self) -> &RareAttributes {
        self.rare.as_deref().unwrap_or(&NONE)
    }
}

impl DerefMut for Attributes {
    fn deref_mut(&mut self) -> &mut RareAttributes {
        self.rare.get_or_insert_default()
    }
}

impl PartialEq for Attributes {
    fn eq(&self, other: &Self) -> bool {
        self.since == other.since && **self == **other
    }
}

impl Eq for Attributes {}

impl fmt::Debug for Attributes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Attributes").field("since", &self.since).field("rare", &**self).finish()
    }
}

/// `#[deprecated(…)]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Deprecated {
    /// The schema version since which it is deprecated.
    pub since: Option<u32>,
    /// What to use instead.
    pub note: Option<String>,
}
