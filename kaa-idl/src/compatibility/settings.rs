//! Which rules are looked at.

use std::collections::BTreeSet;

use super::rule::{Category, Rule};

/// The rules to look at: unless changed, all of WIRE, SOURCE and POLICY but FROZEN_MATCHES_SOURCE, which only the
/// newest frozen schema can be asked for.
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
    /// No rule at all, to add some.
    #[must_use]
    pub fn none() -> Self {
        Self { rules: BTreeSet::new() }
    }

    /// Looks at all rules of a category too.
    #[must_use]
    pub fn with(mut self, category: Category) -> Self {
        self.rules.extend(Rule::ALL.iter().filter(|rule| rule.category() == category));
        self
    }

    /// Looks at no rule of a category.
    #[must_use]
    pub fn without(mut self, category: Category) -> Self {
        self.rules.retain(|rule| rule.category() != category);
        self
    }

    /// Looks at one more rule.
    #[must_use]
    pub fn with_rule(mut self, rule: Rule) -> Self {
        self.rules.insert(rule);
        self
    }

    /// Leaves out one rule.
    #[must_use]
    pub fn without_rule(mut self, rule: Rule) -> Self {
        self.rules.remove(&rule);
        self
    }

    /// Whether a rule is looked at.
    #[must_use]
    pub fn looks_at(&self, rule: Rule) -> bool {
        self.rules.contains(&rule)
    }
}
