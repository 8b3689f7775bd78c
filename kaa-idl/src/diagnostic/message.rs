//! The diagnostic as data: what is wrong, where, and what to do about it.
//!
//! Invariants: messages and labels are lowercase sentences without a full stop; spans lie in the text of the file
//! that their place names, or the file has no text (it could not be read).

use std::sync::Arc;

use super::RuleName;
use crate::location::Span;

/// One thing that the compiler has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stable name of its kind.
    pub rule: RuleName,
    /// Whether it stops the compilation.
    pub severity: Severity,
    /// What is wrong, in one sentence.
    pub message: String,
    /// Where it is wrong.
    pub primary: Label,
    /// Other places that matter, such as the first definition of a name.
    pub secondary: Vec<Label>,
    /// What to do about it.
    pub help: Vec<String>,
    /// A change to the text that mends it.
    pub fix: Option<Fix>,
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// There is no schema until it is mended.
    Error,
    /// Worth a look.
    Warning,
}

/// A file and a span in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file's path as the file source names it.
    pub path: Arc<str>,
    /// The bytes.
    pub span: Span,
}

/// A place with a remark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub place: Place,
    /// The remark; may be empty.
    pub message: String,
}

/// A change to the text, all of it or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What the change does, in a few words.
    pub message: String,
    /// Whether a tool may make the change unasked.
    pub certainty: Certainty,
    /// Its parts; never empty, without overlap, and not all in one file necessarily.
    pub edits: Vec<Edit>,
}

/// How sure it is that a change is what was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Certainty {
    /// It mends the fault, whatever was meant.
    Certain,
    /// It is a guess, such as a name that is spelled alike; somebody has to look.
    Likely,
}

/// A replacement of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What to replace; an empty span inserts.
    pub place: Place,
    /// By what.
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

    /// An error that goes through several places, the first of them the primary; `None` if there are none.
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

    /// Adds a line of advice.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds a line of advice if there is one.
    #[must_use]
    pub fn with_optional_help(mut self, help: Option<String>) -> Self {
        self.help.extend(help);
        self
    }

    /// Sets the change that mends it: one replacement.
    #[must_use]
    pub fn with_fix(self, place: Place, replacement: impl Into<String>, message: impl Into<String>) -> Self {
        self.with_edits(vec![Edit { place, replacement: replacement.into() }], message)
    }

    /// Sets the change that mends it: several replacements that belong together.
    #[must_use]
    pub fn with_edits(mut self, edits: Vec<Edit>, message: impl Into<String>) -> Self {
        self.fix = (!edits.is_empty()).then(|| Fix {
            message: message.into(),
            certainty: Certainty::Certain,
            edits,
        });
        self
    }

    /// Sets a change that probably mends it: what stands there was likely meant to be something else.
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
