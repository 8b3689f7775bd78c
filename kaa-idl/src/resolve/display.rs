//! Checks the text of `#[display("…")]` against the fields of its variant.
//!
//! Invariants: a valid text contains only placeholders `{name}` of existing fields, and doubled braces.

use crate::ast::Field;

/// What is wrong with a display text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// A placeholder does not name a field.
    UnknownField(String),
    /// A brace without a matching brace.
    UnmatchedBrace,
    /// A format specifier after the name, such as `{hours:?}`.
    FormatSpecifier(String),
}

/// Checks a text against the fields of the variant.
pub(super) fn check(text: &str, fields: &[Field]) -> Result<(), Problem> {
    let mut rest = text;
    while let Some(position) = rest.find(['{', '}']) {
        let (_, at) = rest.split_at(position);
        if let Some(after) = at.strip_prefix("{{").or(at.strip_prefix("}}")) {
            rest = after;
            continue;
        }
        let inside = at.strip_prefix('{').ok_or(Problem::UnmatchedBrace)?;
        let (name, after) = inside.split_once('}').ok_or(Problem::UnmatchedBrace)?;
        if name.contains('{') {
            return Err(Problem::UnmatchedBrace);
        }
        if let Some((name, _)) = name.split_once(':') {
            return Err(Problem::FormatSpecifier(name.to_owned()));
        }
        if !fields.iter().any(|field| field.name.text == name && !field.tombstone) {
            return Err(Problem::UnknownField(name.to_owned()));
        }
        rest = after;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Problem, check};

    #[test]
    fn braces_match_and_name_fields() {
        assert_eq!(check("nothing {{here}}", &[]), Ok(()));
        assert_eq!(check("a } b", &[]), Err(Problem::UnmatchedBrace));
        assert_eq!(check("a { b", &[]), Err(Problem::UnmatchedBrace));
        assert_eq!(check("a {{b} c", &[]), Err(Problem::UnmatchedBrace));
        assert_eq!(check("{x:?}", &[]), Err(Problem::FormatSpecifier("x".to_owned())));
        assert_eq!(check("{x}", &[]), Err(Problem::UnknownField("x".to_owned())));
        assert_eq!(check("{}", &[]), Err(Problem::UnknownField(String::new())));
    }
}
