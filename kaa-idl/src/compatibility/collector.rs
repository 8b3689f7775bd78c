//! Collects findings, except those that settings or `#[allow]` exclude.
//!
//! Invariants: a rule is not reported on an element if the element or one of its containers allows it in the
//! new schema.

use super::finding::Finding;
use super::rule::Rule;
use super::settings::Settings;
use crate::schema::Attributes;

/// The findings so far.
#[derive(Debug)]
pub(super) struct Collector<'a> {
    settings: &'a Settings,
    findings: Vec<Finding>,
}

/// The rules that an element and its containers allow.
#[derive(Debug, Clone, Default)]
pub(super) struct Allowed<'a> {
    lists: Vec<&'a [String]>,
}

impl<'a> Allowed<'a> {
    /// The allowed rules inside an element with these attributes.
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

    /// Whether a rule is checked.
    pub(super) fn checks(&self, rule: Rule) -> bool {
        self.settings.checks(rule)
    }

    pub(super) fn report(&mut self, allowed: &Allowed<'_>, finding: Finding) {
        if self.checks(finding.rule) && !allowed.allows(finding.rule) {
            self.findings.push(finding);
        }
    }

    /// All findings in the order of the new schema's text. Findings without a place in it come last.
    pub(super) fn finish(mut self) -> Vec<Finding> {
        self.findings.sort_by(|left, right| key(left).cmp(&key(right)));
        self.findings
    }
}

type Key<'f> = (bool, &'f str, usize, &'f str, usize, Rule);

fn key(finding: &Finding) -> Key<'_> {
    let place = |annotation: &'_ Option<super::finding::Annotation>| {
        annotation.as_ref().map(|annotation| annotation.location.span.start()).unwrap_or_default()
    };
    let path = |annotation: Option<&'_ super::finding::Annotation>| annotation.is_none();
    (
        path(finding.new.as_ref()),
        finding.new.as_ref().map_or("", |annotation| &*annotation.location.path),
        place(&finding.new),
        finding.old.as_ref().map_or("", |annotation| &*annotation.location.path),
        place(&finding.old),
        finding.rule,
    )
}
