//! Variants and flags written as other languages write them.
//!
//! Invariants: as in [`super`].

use super::{Slip, fields};
use crate::diagnostic::Diagnostic;

pub(super) fn recognize(slip: &Slip<'_>) -> Option<Diagnostic> {
    let found = slip.text(0);
    if let Some(open) = slip.opener(0).filter(|open| slip.text(*open) == "(") {
        return (found == ":").then(|| named_elements(slip, open));
    }
    match found {
        "->" | "=>" => Some(arrow(slip, 0)),
        ":" if slip.is_word(-1) => payload(slip),
        _ if slip.text(-1) == "=>" && slip.is_word(-2) => Some(arrow(slip, -1)),
        _ if slip.is_number(0)
            && slip.text(-1) == ","
            && slip.is_number(-2)
            && slip.text(-3) == "reserved" =>
        {
            Some(
                slip.error("each tag is reserved by itself", "expected a variant")
                    .with_edits(vec![slip.insert_before(0, "reserved ")], "write `reserved` before it"),
            )
        }
        "." | ".." if slip.is_number(-1) && slip.text(-2) == "reserved" => {
            let first = slip.text(-1);
            Some(
                slip.error("each tag is reserved by itself", "no ranges here")
                    .with_help(format!("write `reserved {first}, reserved …`, one for each tag")),
            )
        }
        _ if slip.wants(&[crate::parse::Rule::colon]) => fields::recognize(slip),
        _ => None,
    }
}

/// `A => 1` and `A -> 1`
fn arrow(slip: &Slip<'_>, at: isize) -> Diagnostic {
    slip.error_over(at, at + 1, "a value follows a `=`", "expected `=`")
        .with_edits(vec![slip.replace(at, at + 1, "=")], "write `=`")
}

/// `A(name: u8)`
fn named_elements(slip: &Slip<'_>, open: isize) -> Diagnostic {
    let error = slip.error("elements in parentheses have no names", "expected `,`");
    match slip.closing(open) {
        Some(close) => error.with_edits(
            vec![slip.replace(open, open + 1, " { "), slip.replace(close, close + 1, " }")],
            "fields with names stand in braces",
        ),
        None => error,
    }
}

/// `A: u8`
fn payload(slip: &Slip<'_>) -> Option<Diagnostic> {
    let name = slip.text(-1);
    let end = slip.type_end(1)?;
    let ty = slip.written(1, end);
    let error = slip.error("what a variant holds stands in parentheses", "expected `(`");
    let edits = vec![slip.join(-1, 1, "("), slip.insert_after(end - 1, ")")];
    Some(error.with_edits(edits, format!("write `{name}({ty})`")))
}
