//! Recognizes names of types, and the hints for types that several constructs share.

use super::context::SyntaxContext;
use crate::diagnostic::Diagnostic;
use crate::suggest::{foreign_type, is_built_in};

/// `A | B` as a type.
pub(super) fn union_of_types(context: &SyntaxContext<'_>, label: &str) -> Diagnostic {
    context
        .error("a type cannot be a union of types", label)
        .with_help("for one of several types declare an `enum` with a variant for each")
}

/// `<T>` after the name of an item or a method.
pub(super) fn type_parameters(context: &SyntaxContext<'_>, noun: &str) -> Option<Diagnostic> {
    let end = context.closing(0)?;
    Some(
        context
            .error_over(0, end + 1, format!("{noun} has no type parameters"), "not supported")
            .with_help("a schema has no generics: declare one for each type"),
    )
}

/// `where T: …`
pub(super) fn type_constraint(context: &SyntaxContext<'_>, nouns: &str) -> Diagnostic {
    context
        .error("a schema has no generics", "not supported")
        .with_help(format!("{nouns} have no type parameters that `where` could restrict"))
}

/// Whether a word is a type in this language or another, or looks like one.
pub(super) fn is_type(word: &str) -> bool {
    is_plain_type(word) || word.starts_with(|first: char| first.is_ascii_uppercase())
}

/// Whether a word is a type in this language or another.
pub(super) fn is_plain_type(word: &str) -> bool {
    is_built_in(word) || foreign_type(word).is_some()
}

/// This language's name for a type of another language, or the word itself.
pub(super) fn translated(word: &str) -> &str {
    foreign_type(word).filter(|meant| !meant.contains('`')).unwrap_or(word)
}
