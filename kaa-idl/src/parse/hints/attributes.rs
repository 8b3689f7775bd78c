//! Hints for attributes in the syntax of other languages.
//!
//! Invariants: only attributes that begin with `#` are inspected.

use super::context::SyntaxContext;
use crate::diagnostic::Diagnostic;
use crate::parse::Rule;

pub(super) fn recognize(context: &SyntaxContext<'_>) -> Option<Diagnostic> {
    if !context.expects(&[Rule::attribute_arguments, Rule::open_bracket]) {
        return None;
    }
    if context.text(-1) == "#" && context.is_word(0) {
        let end = if context.text(1) == "(" { context.closing(1)? } else { 0 };
        let name = context.text(0);
        return Some(context.error("an attribute is written in brackets", "expected `[`").with_edits(
            vec![context.insert_before(0, "["), context.insert_after(end, "]")],
            format!("write `#[{name}…]`").replace("…", if end == 0 { "" } else { "(…)" }),
        ));
    }
    if context.text(-2) != "[" || context.text(-3) != "#" {
        return None;
    }
    let name = context.text(-1);
    let value = if context.text(0) == "=" { 1 } else { 0 };
    let is_literal = context.is_number(value) || context.is_quoted(value);
    if !is_literal || context.text(value + 1) != "]" {
        return None;
    }
    let argument = context.text(value);
    let written = match name {
        "deprecated" if context.is_quoted(value) => format!("(note = {argument})"),
        "deprecated" => format!("(since = {argument})"),
        _ => format!("({argument})"),
    };
    let help = format!("write `#[{name}{written}]`");
    let gap = context.span(-1).end();
    let edit = context.edit(crate::location::Span::new(gap, context.span(value).end()), written);
    Some(
        context
            .error("an attribute's value is written in parentheses", "expected `(`")
            .with_edits(vec![edit], help),
    )
}
