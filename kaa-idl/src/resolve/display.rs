//! Checks the text of `#[display("…")]` against the fields of its variant.
//!
//! Invariants: a valid text contains only placeholders `{name}` of existing fields, and doubled braces.

use super::resolver::Resolver;
use crate::ast::{Field, Payload};
use crate::diagnostic::{Code, Diagnostic};
use crate::location::Span;
use crate::suggest::nearest;

/// What is wrong with a display text.
#[derive(Debug, PartialEq, Eq)]
enum Problem {
    /// A placeholder does not name a field.
    UnknownField(String),
    /// A brace without a matching brace.
    UnmatchedBrace,
    /// A format specifier after the name, such as `{hours:?}`.
    FormatSpecifier(String),
}

impl Resolver<'_> {
    /// Checks against the fields as written, so that a field with an invalid type is still known.
    pub(super) fn check_display(&mut self, file: usize, text: &str, span: Span, payload: &Payload) {
        let fields = match payload {
            Payload::Unit => &[][..],
            Payload::Tuple(fields) | Payload::Record(fields) => fields,
        };
        let Err(problem) = check(text, fields) else { return };
        let place = self.place(file, span);
        let names: Vec<String> = fields
            .iter()
            .filter(|field| !field.tombstone)
            .map(|field| format!("`{{{}}}`", field.name.text))
            .collect();
        let possible = if names.is_empty() {
            "this variant has no fields; write a literal brace twice".to_owned()
        } else {
            format!("the fields of this variant are {}", names.join(", "))
        };
        let diagnostic = match problem {
            Problem::UnknownField(name) => {
                let message = format!("the variant has no field `{name}`");
                let diagnostic = Diagnostic::error(Code::BadDisplay, message, place, "unknown field");
                let fields = fields.iter().filter(|field| !field.tombstone);
                match nearest(&name, fields.map(|field| field.name.text.as_str())) {
                    Some(near) => diagnostic.with_help(format!("did you mean `{{{near}}}`?")),
                    None => diagnostic.with_help(possible),
                }
            }
            Problem::UnmatchedBrace => {
                let message = "unmatched brace in this text";
                Diagnostic::error(Code::BadDisplay, message, place, "unmatched brace")
                    .with_help("write a literal brace twice: `{{`")
            }
            Problem::FormatSpecifier(name) => {
                let message = format!("braces contain only the name of a field: `{{{name}}}`");
                Diagnostic::error(Code::BadDisplay, message, place, "format specifiers are not supported")
                    .with_help(possible)
            }
        };
        self.report(diagnostic);
    }
}

/// Checks a text against the fields of the variant.
fn check(text: &str, fields: &[Field]) -> Result<(), Problem> {
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
