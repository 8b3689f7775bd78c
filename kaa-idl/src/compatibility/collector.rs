//! Collects findings, and drops those that nobody wants to hear.
//!
//! Invariants: a rule that is allowed on an element or on one of its containers, in the new schema, is not reported
//! there.

use super::finding::Finding;
use super::rule::Rule;
use super::settings::Settings;
use crate::schema::Attributes;

/// Findings so far.
#[derive(Debug)]
pub(super) struct Collector<'a> {
    settings: &'a Settings,
    findings: Vec<Finding>,
}

/// What is allowed in one place: the attributes of an element and of its containers.
#[derive(Debug, Clone, Default)]
pub(super) struct Allowed<'a> {
    lists: Vec<&'a [String]>,
}

impl<'a> Allowed<'a> {
    /// What is allowed inside the bearer of more attributes.
    pub(super) fn inside(&self, attributes: &'a Attributes) -> Self {
        let mut lists = self.lists.clone();
        if !attributes.allow.is_empty() {
            lists.push(&attributes.allow);
        }
        Self { lists }
    }

    fn allows(&self, rule: Rule) -> bool {
        self.lists.iter().any(|list| list.iter().any(|name| name == rule.name()))
    }
}

impl<'a> Collector<'a> {
    pub(super) fn new(settings: &'a Settings) -> Self {
        Self { settings, findings: Vec::new() }
    }

    /// Whether findings of a rule would be kept.
    pub(super) fn looks_at(&self, rule: Rule) -> bool {
        self.settings.looks_at(rule)
    }

    pub(super) fn report(&mut self, allowed: &Allowed<'_>, finding: Finding) {
        if self.looks_at(finding.rule) && !allowed.allows(finding.rule) {
            self.findings.push(finding);
        }
    }

    /// All findings in the order of the new schema's text; what has no place there comes last.
    pub(super) fn finish(mut self) -> Vec<Finding> {
        self.findings.sort_by(|left, right| key(left).cmp(&key(right)));
        self.findings
    }
}

type Key<'f> = (bool, &'f str, usize, &'f str, usize, Rule);

fn key(finding: &Finding) -> Key<'_> {
    let place = |spot: &'_ Option<super::finding::Spot>| {
        spot.as_ref().map(|spot| spot.location.span.start()).unwrap_or_default()
    };
    let path = |spot: Option<&'_ super::finding::Spot>| spot.is_none();
    (
        path(finding.new.as_ref()),
        finding.new.as_ref().map_or("", |spot| &*spot.location.path),
        place(&finding.new),
        finding.old.as_ref().map_or("", |spot| &*spot.location.path),
        place(&finding.old),
        finding.rule,
    )
}
