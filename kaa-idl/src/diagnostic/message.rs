//! Diagnostics as data: the error, its place, and how to correct it.
//!
//! Invariants: messages and labels are lowercase sentences without a full stop. A span lies within the text
//! of the file that its place names, unless the file could not be read.

use std::sync::Arc;

use super::RuleName;
use crate::location::Span;

/// An error or a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stable name of its kind.
    pub rule: RuleName,
    /// Whether it is an error or a warning.
    pub severity: Severity,
    /// The error, in one sentence.
    pub message: String,
    /// Where the error is.
    pub primary: Label,
    /// Related places, such as the first definition of a name.
    pub secondary: Vec<Label>,
    /// How to correct it.
    pub help: Vec<String>,
    /// A change to the text that corrects it.
    pub fix: Option<Fix>,
}

/// How severe a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The compilation has no schema.
    Error,
    /// The compilation has a schema, but something should be changed.
    Warning,
}

/// A file and a span in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file's path as the file source names it.
    pub path: Arc<str>,
    /// The range of bytes.
    pub span: Span,
}

/// A place with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub place: Place,
    /// The message; may be empty.
    pub message: String,
}

/// A change to the text, to be applied completely or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What the change does, in a few words.
    pub message: String,
    /// Whether a tool may make the change without asking.
    pub certainty: Certainty,
    /// The edits, at least one. They do not overlap, and may be in several files.
    pub edits: Vec<Edit>,
}

/// How certain it is that a change is correct.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Certainty {
    /// The change is correct in every case.
    Certain,
    /// The change is a guess, such as a similar name; a person should check it.
    Likely,
}

/// A replacement of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What to replace; an empty span inserts.
    pub place: Place,
    /// The new text.
    pub replacement: String,
}

impl Diagnostic {
    /// An error with its primary place.
    #[must_use]
    pub fn error(
        rule: impl Into<RuleName>,
        message: impl Into<String>,
        place: Place,
        label: impl Into<String>,
    ) -> Self {
        Self {
            rule: rule.into(),
            severity: Severity::Error,
            message: message.into(),
            primary: Label { place, message: label.into() },
            secondary: Vec::new(),
            help: Vec::new(),
            fix: None,
        }
    }

    /// A warning.
    #[must_use]
    pub fn warning(
        rule: impl Into<RuleName>,
        message: impl Into<String>,
        place: Place,
        label: impl Into<String>,
    ) -> Self {
        Self { severity: Severity::Warning, ..Self::error(rule, message, place, label) }
    }

    /// Adds another place.
    #[must_use]
    pub fn with_label(mut self, place: Place, message: impl Into<String>) -> Self {
        self.secondary.push(Label { place, message: message.into() });
        self
    }

    /// An error that involves several places, the first of which is the primary one; `None` if there are
    /// none.
    pub(crate) fn along(
        rule: impl Into<RuleName>,
        message: impl Into<String>,
        places: impl IntoIterator<Item = (Place, String)>,
    ) -> Option<Self> {
        let mut places = places.into_iter();
        let (place, label) = places.next()?;
        let first = Self::error(rule, message, place, label);
        Some(places.fold(first, |diagnostic, (place, label)| diagnostic.with_label(place, label)))
    }

    /// Adds a line of help.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds a line of help, if there is one.
    #[must_use]
    pub fn with_optional_help(mut self, help: Option<String>) -> Self {
        self.help.extend(help);
        self
    }

    /// Sets the change that corrects the error: one replacement.
    #[must_use]
    pub fn with_fix(self, place: Place, replacement: impl Into<String>, message: impl Into<String>) -> Self {
        self.with_edits(vec![Edit { place, replacement: replacement.into() }], message)
    }

    /// Sets the change that corrects the error: several replacements that belong together.
    #[must_use]
    pub fn with_edits(mut self, edits: Vec<Edit>, message: impl Into<String>) -> Self {
        self.fix = (!edits.is_empty()).then(|| Fix {
            message: message.into(),
            certainty: Certainty::Certain,
            edits,
        });
        self
    }

    /// Sets a change that probably corrects the error, such as a similar name.
    #[must_use]
    pub fn with_suggestion(
        self,
        place: Place,
        replacement: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        let mut diagnostic = self.with_fix(place, replacement, message);
        if let Some(fix) = &mut diagnostic.fix {
            fix.certainty = Certainty::Likely;
        }
        diagnostic
    }
}

impl Place {
    /// A place from its parts.
    #[must_use]
    pub fn new(path: &Arc<str>, span: Span) -> Self {
        Self { path: Arc::clone(path), span }
    }
}
