//! Which lints run.

use std::collections::BTreeSet;

use super::table::Lint;

/// The lints that run; by default those of the groups that are on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    lints: BTreeSet<Lint>,
}

impl Default for Selection {
    fn default() -> Self {
        Lint::ALL.iter().copied().filter(|lint| lint.group().is_on()).collect()
    }
}

impl FromIterator<Lint> for Selection {
    fn from_iter<L: IntoIterator<Item = Lint>>(lints: L) -> Self {
        Self { lints: lints.into_iter().collect() }
    }
}

impl Selection {
    /// Every lint.
    #[must_use]
    pub fn all() -> Self {
        Lint::ALL.iter().copied().collect()
    }

    /// With one more.
    #[must_use]
    pub fn with(mut self, lint: Lint) -> Self {
        self.lints.insert(lint);
        self
    }

    /// Without one.
    #[must_use]
    pub fn without(mut self, lint: Lint) -> Self {
        self.lints.remove(&lint);
        self
    }

    /// Whether a lint runs.
    #[must_use]
    pub fn contains(&self, lint: Lint) -> bool {
        self.lints.contains(&lint)
    }
}
