//! Hints for variants and flags in the syntax of other languages.
//!
//! Invariants: as in [`super`].

use super::context::SyntaxContext;
use super::fields;
use crate::diagnostic::Diagnostic;

pub(super) fn recognize(context: &SyntaxContext<'_>) -> Option<Diagnostic> {
    let found = context.text(0);
    if let Some(open) = context.opener(0).filter(|open| context.text(*open) == "(") {
        return (found == ":").then(|| named_elements(context, open));
    }
    match found {
        "->" | "=>" => Some(arrow(context, 0)),
        ":" if context.is_word(-1) => payload(context),
        _ if context.text(-1) == "=>" && context.is_word(-2) => Some(arrow(context, -1)),
        _ if context.is_number(0)
            && context.text(-1) == ","
            && context.is_number(-2)
            && context.text(-3) == "reserved" =>
        {
            Some(
                context
                    .error("each tag is reserved separately", "expected a variant")
                    .with_edits(vec![context.insert_before(0, "reserved ")], "write `reserved` before it"),
            )
        }
        "." | ".." if context.is_number(-1) && context.text(-2) == "reserved" => {
            let first = context.text(-1);
            Some(
                context
                    .error("each tag is reserved separately", "ranges are not supported")
                    .with_help(format!("write `reserved {first}, reserved …`, one for each tag")),
            )
        }
        _ if context.expects(&[crate::parse::Rule::colon]) => fields::recognize(context),
        _ => None,
    }
}

/// `A => 1` and `A -> 1`
fn arrow(context: &SyntaxContext<'_>, at: isize) -> Diagnostic {
    context
        .error_over(at, at + 1, "a value follows `=`", "expected `=`")
        .with_edits(vec![context.replace(at, at + 1, "=")], "write `=`")
}

/// `A(name: u8)`
fn named_elements(context: &SyntaxContext<'_>, open: isize) -> Diagnostic {
    let error = context.error("elements in parentheses have no names", "expected `,`");
    match context.closing(open) {
        Some(close) => error.with_edits(
            vec![context.replace(open, open + 1, " { "), context.replace(close, close + 1, " }")],
            "write named fields in braces",
        ),
        None => error,
    }
}

/// `A: u8`
fn payload(context: &SyntaxContext<'_>) -> Option<Diagnostic> {
    let name = context.text(-1);
    let end = context.type_end(1)?;
    let ty = context.written(1, end);
    let error = context.error("the payload of a variant is written in parentheses", "expected `(`");
    let edits = vec![context.join(-1, 1, "("), context.insert_after(end - 1, ")")];
    Some(error.with_edits(edits, format!("write `{name}({ty})`")))
}
