//! Attributes written as other languages write them.
//!
//! Invariants: only what stands in an attribute that was begun with `#` is looked at.

use super::Slip;
use crate::diagnostic::Diagnostic;
use crate::parse::Rule;

pub(super) fn recognize(slip: &Slip<'_>) -> Option<Diagnostic> {
    if !slip.wants(&[Rule::attribute_arguments, Rule::open_bracket]) {
        return None;
    }
    if slip.text(-1) == "#" && slip.is_word(0) {
        let end = if slip.text(1) == "(" { slip.closing(1)? } else { 0 };
        let name = slip.text(0);
        return Some(slip.error("an attribute stands in brackets", "expected `[`").with_edits(
            vec![slip.insert_before(0, "["), slip.insert_after(end, "]")],
            format!("write `#[{name}…]`").replace("…", if end == 0 { "" } else { "(…)" }),
        ));
    }
    if slip.text(-2) != "[" || slip.text(-3) != "#" {
        return None;
    }
    let name = slip.text(-1);
    let value = if slip.text(0) == "=" { 1 } else { 0 };
    let is_literal = slip.is_number(value) || slip.is_quoted(value);
    if !is_literal || slip.text(value + 1) != "]" {
        return None;
    }
    let argument = slip.text(value);
    let written = match name {
        "deprecated" if slip.is_quoted(value) => format!("(note = {argument})"),
        "deprecated" => format!("(since = {argument})"),
        _ => format!("({argument})"),
    };
    let help = format!("write `#[{name}{written}]`");
    let gap = slip.span(-1).end();
    let edit = slip.edit(crate::location::Span::new(gap, slip.span(value).end()), written);
    Some(
        slip.error("an attribute's value stands in parentheses", "expected `(`").with_edits(vec![edit], help),
    )
}
