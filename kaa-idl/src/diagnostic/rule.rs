//! The name of the rule of a diagnostic: a code of the compiler, a lint, or a compatibility rule.
//!
//! Invariants: names are stable, and unique over all three. The names of codes are `K` and digits, all others
//! are words in upper case.

use std::fmt;

use super::Code;

/// The stable name of a diagnostic's kind, such as `K0104` or `STRING_BOUNDED`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleName(&'static str);

impl RuleName {
    /// A name from its text, for the tables of lints and compatibility rules.
    pub(crate) const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The name in printed form.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// The compiler's code with this name; `None` for lints and compatibility rules.
    #[must_use]
    pub fn code(self) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| *code == self)
    }
}

impl From<Code> for RuleName {
    fn from(code: Code) -> Self {
        Self::new(code.as_str())
    }
}

impl PartialEq<Code> for RuleName {
    fn eq(&self, code: &Code) -> bool {
        self.0 == code.as_str()
    }
}

impl PartialEq<RuleName> for Code {
    fn eq(&self, name: &RuleName) -> bool {
        self.as_str() == name.0
    }
}

impl fmt::Display for RuleName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}
