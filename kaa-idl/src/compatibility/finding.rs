//! A broken rule: where it is broken in the new schema, and what stood there in the old one.
//!
//! Invariants: a finding has a place in at least one of the two schemas; messages are lowercase sentences without a
//! full stop.

use super::rule::{Category, Rule};
use crate::diagnostic::Severity;
use crate::schema::Location;

/// An edit that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// A warning for additions and for bounds that were widened, an error for all else.
    pub severity: Severity,
    /// What the edit did, in one sentence.
    pub message: String,
    /// Where in the new schema; for what is gone, where it was kept. `None` if that is gone too.
    pub new: Option<Spot>,
    /// Where in the old schema; `None` for what is new.
    pub old: Option<Spot>,
    /// What to do instead.
    pub help: String,
}

/// A declaration with a remark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The declaration.
    pub location: Location,
    /// The remark.
    pub label: String,
}

impl Finding {
    pub(super) fn new(rule: Rule, message: impl Into<String>) -> Self {
        let severity = match rule.category() {
            Category::Additions => Severity::Warning,
            Category::Wire | Category::Source | Category::Policy => Severity::Error,
        };
        Self {
            rule,
            severity,
            message: message.into(),
            new: None,
            old: None,
            help: rule.instead().to_owned(),
        }
    }

    pub(super) fn at(mut self, location: &Location, label: impl Into<String>) -> Self {
        self.new = Some(Spot { location: location.clone(), label: label.into() });
        self
    }

    pub(super) fn was(mut self, location: &Location, label: impl Into<String>) -> Self {
        self.old = Some(Spot { location: location.clone(), label: label.into() });
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
