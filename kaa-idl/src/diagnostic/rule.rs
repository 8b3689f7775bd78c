//! The name of a rule that a diagnostic is about: a code of the compiler, a lint, or a rule of compatibility.
//!
//! Invariants: names are unique over all three, and stable; those of codes begin with `K` and digits, all others are
//! words in upper case.

use std::fmt;

use super::Code;

/// The stable name of a diagnostic's kind, such as `K0104` or `STRING_BOUNDED`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleName(&'static str);

impl RuleName {
    /// A name from its text; the tables of lints and of compatibility rules make theirs with it.
    pub(crate) const fn new(name: &'static str) -> Self {
        Self(name)
    }

    /// The name as it is printed.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.0
    }

    /// The compiler's code of this name; `None` for lints and rules of compatibility.
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
