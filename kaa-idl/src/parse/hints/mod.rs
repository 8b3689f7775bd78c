//! Hints for the syntax of other languages: the tokens around the place where the grammar failed show what
//! was meant, so that the message can give the right syntax.
//!
//! Invariants: a hint claims nothing that the tokens do not show; a fix uses the file's own names; finding a
//! hint takes time linear in the length of the statement.

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

/// The diagnostic for a known mistake.
pub(super) fn recognize(context: &SyntaxContext<'_>) -> Option<Diagnostic> {
    let everywhere = attributes::recognize(context).or_else(|| items::name(context));
    everywhere.or_else(|| match context.construct {
        Construct::Item => items::recognize(context),
        Construct::Field => fields::recognize(context),
        Construct::Variant | Construct::Flag => variants::recognize(context),
        Construct::Member => members::recognize(context),
    })
}

/// `A | B` as a type.
fn union_of_types(context: &SyntaxContext<'_>, label: &str) -> Diagnostic {
    context
        .error("a type cannot be a union of types", label)
        .with_help("for one of several types declare an `enum` with a variant for each")
}

/// `<T>` after the name of an item or a method.
fn type_parameters(context: &SyntaxContext<'_>, noun: &str) -> Option<Diagnostic> {
    let end = context.closing(0)?;
    Some(
        context
            .error_over(0, end + 1, format!("{noun} has no type parameters"), "not supported")
            .with_help("a schema has no generics: declare one for each type"),
    )
}

/// `where T: …`
fn type_constraint(context: &SyntaxContext<'_>, nouns: &str) -> Diagnostic {
    context
        .error("a schema has no generics", "not supported")
        .with_help(format!("{nouns} have no type parameters that `where` could restrict"))
}

/// Whether a word is a type in this language or another, or looks like one.
fn is_type(word: &str) -> bool {
    is_plain_type(word) || word.starts_with(|first: char| first.is_ascii_uppercase())
}

/// Whether a word is a type in this language or another.
fn is_plain_type(word: &str) -> bool {
    crate::resolve::is_built_in(word) || crate::resolve::foreign_type(word).is_some()
}

/// This language's name for a type of another language, or the word itself.
fn translated(word: &str) -> &str {
    crate::resolve::foreign_type(word).filter(|meant| !meant.contains('`')).unwrap_or(word)
}
