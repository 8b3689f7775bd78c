//! Checks the text of `#[display("…")]` against the fields of its variant.
//!
//! Invariants: a text that passes has only places `{name}` of fields that exist, and doubled braces.

use crate::ast::Field;

/// What is wrong with a display text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// A place names no field.
    UnknownField(String),
    /// A brace without its partner.
    Unbalanced,
    /// Something behind the name, such as `{hours:?}`.
    Format(String),
}

/// Checks a text; the fields are those that Rust will see.
pub(super) fn check(text: &str, fields: &[Field]) -> Result<(), Problem> {
    let mut rest = text;
    while let Some(position) = rest.find(['{', '}']) {
        let (_, at) = rest.split_at(position);
        if let Some(behind) = at.strip_prefix("{{").or(at.strip_prefix("}}")) {
            rest = behind;
            continue;
        }
        let inside = at.strip_prefix('{').ok_or(Problem::Unbalanced)?;
        let (name, behind) = inside.split_once('}').ok_or(Problem::Unbalanced)?;
        if name.contains('{') {
            return Err(Problem::Unbalanced);
        }
        if let Some((name, _)) = name.split_once(':') {
            return Err(Problem::Format(name.to_owned()));
        }
        if !fields.iter().any(|field| field.name.text == name && !field.tombstone) {
            return Err(Problem::UnknownField(name.to_owned()));
        }
        rest = behind;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Problem, check};

    #[test]
    fn braces() {
        assert_eq!(check("nothing {{here}}", &[]), Ok(()));
        assert_eq!(check("a } b", &[]), Err(Problem::Unbalanced));
        assert_eq!(check("a { b", &[]), Err(Problem::Unbalanced));
        assert_eq!(check("a {{b} c", &[]), Err(Problem::Unbalanced));
        assert_eq!(check("{x:?}", &[]), Err(Problem::Format("x".to_owned())));
        assert_eq!(check("{x}", &[]), Err(Problem::UnknownField("x".to_owned())));
        assert_eq!(check("{}", &[]), Err(Problem::UnknownField(String::new())));
    }
}
