//! Selects the rules to check.

use std::collections::BTreeSet;

use super::rule::{Category, Rule};

/// The rules to check. The default is all of WIRE, SOURCE and POLICY except FROZEN_MATCHES_SOURCE, which
/// applies only to the newest frozen schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    rules: BTreeSet<Rule>,
}

impl Default for Settings {
    fn default() -> Self {
        Self::none()
            .with(Category::Wire)
            .with(Category::Source)
            .with(Category::Policy)
            .without_rule(Rule::FrozenMatchesSource)
    }
}

impl Settings {
    /// No rules.
    #[must_use]
    pub fn none() -> Self {
        Self { rules: BTreeSet::new() }
    }

    /// Adds all rules of a category.
    #[must_use]
    pub fn with(mut self, category: Category) -> Self {
        self.rules.extend(Rule::ALL.iter().filter(|rule| rule.category() == category));
        self
    }

    /// Removes all rules of a category.
    #[must_use]
    pub fn without(mut self, category: Category) -> Self {
        self.rules.retain(|rule| rule.category() != category);
        self
    }

    /// Adds a rule.
    #[must_use]
    pub fn with_rule(mut self, rule: Rule) -> Self {
        self.rules.insert(rule);
        self
    }

    /// Removes a rule.
    #[must_use]
    pub fn without_rule(mut self, rule: Rule) -> Self {
        self.rules.remove(&rule);
        self
    }

    /// Whether a rule is checked.
    #[must_use]
    pub fn checks(&self, rule: Rule) -> bool {
        self.rules.contains(&rule)
    }
}
