//! What people bring along from other languages: slips that are recognised by the tokens around the place where the
//! grammar gave up, so that the message says what to write instead.
//!
//! Invariants: nothing is said that the tokens do not show; a fix uses the file's own names; looking around costs no
//! more than the length of the statement.

mod attributes;
mod context;
mod fields;
mod item_start;
mod items;
mod members;
mod variants;

pub(super) use context::SyntaxContext;
pub(super) use item_start::recognize_item_start;

pub(crate) use context::Construct;

use crate::diagnostic::Diagnostic;

/// The diagnostic for a slip that is known.
pub(super) fn recognize(context: &SyntaxContext<'_>) -> Option<Diagnostic> {
    let everywhere = attributes::recognize(context).or_else(|| items::name(context));
    everywhere.or_else(|| match context.construct {
        Construct::Item => items::recognize(context),
        Construct::Field => fields::recognize(context),
        Construct::Variant | Construct::Flag => variants::recognize(context),
        Construct::Member => members::recognize(context),
    })
}

/// Whether a word is a type to this language or to another, or looks like one.
fn is_type(word: &str) -> bool {
    is_plain_type(word) || word.starts_with(|first: char| first.is_ascii_uppercase())
}

/// Whether a word is a type to this language or to another.
fn is_plain_type(word: &str) -> bool {
    crate::resolve::is_built_in(word) || crate::resolve::foreign_type(word).is_some()
}

/// This language's word for a type, if it has another.
fn translated(word: &str) -> &str {
    crate::resolve::foreign_type(word).filter(|meant| !meant.contains('`')).unwrap_or(word)
}
