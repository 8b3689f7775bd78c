//! What a grammar consists of: the shape of pest's rules and expressions, as data.
//!
//! Invariants: nothing here depends on a grammar; `generated.rs` contains one in these types, and
//! `grammar.rs` runs it.

/// The modifier of a rule.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Produces a pair, and skips whitespace between its parts.
    Normal,
    /// `_`: produces no pair.
    Silent,
    /// `@`: produces a pair without inner pairs, and skips no whitespace.
    Atomic,
}

/// An expression of a grammar whose rules are `R`.
#[derive(Debug)]
pub(super) enum Expression<R: 'static> {
    /// `"text"`
    Text(&'static str),
    /// One character of one of these ranges, both ends included.
    Character(&'static [(char, char)]),
    /// `ANY`
    Any,
    /// `SOI`
    Start,
    /// `EOI`
    End,
    /// `rule`
    Rule(R),
    /// `a ~ b`
    Sequence(&'static [Expression<R>]),
    /// `a | b`
    Choice(&'static [Expression<R>]),
    /// `a?`
    Optional(&'static Expression<R>),
    /// `a*`
    Repeated(&'static Expression<R>),
    /// `&a`
    Followed(&'static Expression<R>),
    /// `!a`
    NotFollowed(&'static Expression<R>),
    /// `(!("a" | "b") ~ ANY)*`
    Until(&'static [&'static str]),
}
