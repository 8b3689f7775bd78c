//! A broken rule: its place in the new schema, and the corresponding place in the old one.
//!
//! Invariants: a finding has a place in at least one of the two schemas. Messages are lowercase sentences
//! without a full stop.

use super::rule::{Category, Rule};
use crate::diagnostic::Severity;
use crate::schema::Location;

/// An edit that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The broken rule.
    pub rule: Rule,
    /// A warning for additions and for widened bounds, otherwise an error.
    pub severity: Severity,
    /// What the edit changed, in one sentence.
    pub message: String,
    /// The place in the new schema; for a deleted element, its container. `None` if that was deleted too.
    pub new: Option<Annotation>,
    /// The place in the old schema; `None` for an added element.
    pub old: Option<Annotation>,
    /// How to avoid breaking the rule.
    pub help: String,
}

/// A declaration with a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// The declaration.
    pub location: Location,
    /// The label.
    pub label: String,
}

impl Finding {
    pub(super) fn new(rule: Rule, message: impl Into<String>) -> Self {
        let severity = match rule.category() {
            Category::Additions => Severity::Warning,
            Category::Wire | Category::Source | Category::Policy => Severity::Error,
        };
        Self { rule, severity, message: message.into(), new: None, old: None, help: rule.help().to_owned() }
    }

    pub(super) fn at(mut self, location: &Location, label: impl Into<String>) -> Self {
        self.new = Some(Annotation { location: location.clone(), label: label.into() });
        self
    }

    pub(super) fn was(mut self, location: &Location, label: impl Into<String>) -> Self {
        self.old = Some(Annotation { location: location.clone(), label: label.into() });
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    pub(super) fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }
}
