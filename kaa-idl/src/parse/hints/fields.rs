//! Hints for fields, parameters and their defaults in the syntax of other languages.
//!
//! Invariants: as in [`super`].

use super::context::SyntaxContext;
use super::types::{is_plain_type, is_type, translated, union_of_types};
use crate::diagnostic::Diagnostic;
use crate::parse::Rule;
use crate::parse::tokens::is_item_keyword;

pub(super) fn recognize(context: &SyntaxContext<'_>) -> Option<Diagnostic> {
    let (before, found) = (context.text(-1), context.text(0));
    if before == "reserved" && (context.is_number(0) || context.is_quoted(0))
        || (context.ends(0) && context.text(-2) == "reserved" && context.expects(&[Rule::colon]))
    {
        return Some(tombstone(context));
    }
    if context.expects(&[Rule::colon]) {
        return before_colon(context);
    }
    match found {
        "=" if before == "=" && context.touches(0) => Some(
            context
                .error_over(-1, 1, "a default follows a single `=`", "one too many")
                .with_edits(vec![context.replace(-1, 1, "=")], "write `=`"),
        ),
        "default" if context.expects(&[Rule::comma, Rule::EOI]) => Some(
            context
                .error("a default follows `=`", "expected `=`")
                .with_edits(vec![context.replace(0, 1, "=")], "write `=`"),
        ),
        "(" if before == "Some" && context.text(-2) == "=" => wrapped_default(context),
        "." if context.is_number(1) && context.touches(1) && before == "=" => Some(
            context
                .error_over(0, 2, "a number begins with a digit", "expected a digit")
                .with_edits(vec![context.insert_before(0, "0")], "add the zero"),
        ),
        "." if context.is_number(-1) && context.touches(0) => Some(
            context
                .error_over(-1, 1, "a decimal point needs digits after it", "expected a digit")
                .with_edits(vec![context.insert_after(0, "0")], "add the zero"),
        ),
        "(" if context.text(-2) == ":" && matches!(before, "Vec" | "Option" | "Set" | "Map") => {
            context.closing(0).filter(|close| *close > 1).map(|close| angle_brackets(context, close))
        }
        "(" if context.text(-2) == ":" && matches!(before, "String" | "Bytes") && context.is_number(1) => {
            context.closing(0).filter(|close| *close == 2).map(|_| length(context))
        }
        "," if context.opener(0).is_some_and(|open| context.text(open) == "[") && context.text(2) == "]" => {
            Some(
                context
                    .error("an array's length follows a `;`", "expected `;`")
                    .with_edits(vec![context.replace(0, 1, ";")], "write `;`"),
            )
        }
        "[" if context.text(-2) == ":" && is_type(before) => postfix_brackets(context),
        "|" if context.expects(&[Rule::comma, Rule::EOI]) => Some(union_of_types(context, "expected `,`")),
        ".." | "." if matches!(before, "{" | "(" | ",") => Some(spread(context)),
        "*" if matches!(before, "(" | ",") => Some(
            context
                .error("the number of parameters is fixed", "not supported")
                .with_help("use a `Vec` parameter for any number of values"),
        ),
        _ if context.is_quoted(0) && context.text(1) == ":" => quoted_name(context),
        _ if context.is_number(0) && context.text(1) == ":" => {
            Some(context.error("fields have no numbers", "not needed").with_edits(
                vec![context.remove(0, 2)],
                "remove it: fields are sent in the order they are declared",
            ))
        }
        _ if context.text(-2) == ":" && context.is_word(0) => field_label(context, -1),
        _ => None,
    }
}

/// A name without a colon after it.
fn before_colon(context: &SyntaxContext<'_>) -> Option<Diagnostic> {
    let (before, found) = (context.text(-1), context.text(0));
    if found == "(" && before == "pub" {
        return Some(visibility(context, context.closing(0)? + 1));
    }
    if context.ends(0) && before == "self" {
        return Some(self_parameter(context, -1));
    }
    if before == "mut" && found == "self" {
        return Some(self_parameter(context, 0));
    }
    if context.ends(0) && in_parentheses(context) {
        return Some(incomplete_parameter(context));
    }
    if found == "<" {
        return type_before_name(context);
    }
    if !context.is_word(0) || !context.is_word(-1) {
        return None;
    }
    match before {
        "pub" | "public" | "private" | "export" => Some(visibility(context, 0)),
        "mut" | "var" | "let" | "val" | "const" | "readonly" | "final" => Some(
            context
                .error_over(-1, 0, format!("`{before}` has no meaning here"), "not needed")
                .with_edits(vec![context.remove(-1, 0)], "remove it"),
        ),
        "optional" | "required" | "repeated" => field_label(context, -1),
        "fn" => None,
        _ if is_item_keyword(before) && !matches!(before, "type" | "error" | "flags") => Some(
            context
                .error_over(
                    -1,
                    1,
                    "items belong at the top level of a file",
                    "not allowed inside another item",
                )
                .with_help(format!(
                    "move `{before} {found}` to the top level, and use its name as a type here"
                )),
        ),
        _ => type_before_name(context).or_else(|| {
            let colon = is_type(found) && context.text(1) != ":";
            colon.then(|| {
                context
                    .error(format!("expected `:`, found `{found}`"), "expected `:`")
                    .with_edits(vec![context.insert_after(-1, ":")], "write a colon before the type")
            })
        }),
    }
}

/// `u32 a`: the type first.
fn type_before_name(context: &SyntaxContext<'_>) -> Option<Diagnostic> {
    let end = context.type_end(-1)?;
    let (first, second) = (context.text(-1), context.text(end));
    let lower = second.starts_with(|first: char| first.is_ascii_lowercase());
    let type_first = is_plain_type(first) || (is_type(first) && lower);
    if !context.is_word(end)
        || !type_first
        || is_plain_type(second)
        || !(context.ends(end + 1) || context.text(end + 1) == "=")
    {
        return None;
    }
    let written = context.written(-1, end);
    let ty = if end == 0 { translated(written) } else { written };
    let right = format!("{second}: {ty}");
    Some(
        context
            .error_over(-1, end + 1, "the name comes before the type", "wrong order")
            .with_edits(vec![context.replace(-1, end + 1, right.as_str())], format!("write `{right}`")),
    )
}

/// `optional u32 a = 1` as in protobuf, and `a: optional u32`.
fn field_label(context: &SyntaxContext<'_>, word: isize) -> Option<Diagnostic> {
    let end = context.type_end(word + 1)?;
    let inner = context.written(word + 1, end);
    let inner = if end == word + 2 { translated(inner) } else { inner };
    let (ty, what) = match context.text(word) {
        "optional" | "nullable" => {
            (format!("Option<{inner}>"), "use `Option` for a value that may be absent")
        }
        "repeated" => (format!("Vec<{inner}>"), "use `Vec` for any number of values"),
        "required" => (inner.to_owned(), "every field without a default is required"),
        _ => return None,
    };
    if context.ends(end) || context.text(end) == "=" {
        let edit = context.replace(word, end, ty);
        return Some(
            context.error_over(word, end, what, "not a type").with_edits(vec![edit], "write it as a type"),
        );
    }
    if !context.is_word(end) {
        return None;
    }
    let numbered = context.text(end + 1) == "=" && context.is_number(end + 2);
    let last = if numbered { end + 3 } else { end + 1 };
    let right = format!("{}: {ty}", context.text(end));
    let edit = context.replace(word, last, right.as_str());
    Some(
        context
            .error_over(word, last, what, "not a field")
            .with_edits(vec![edit], format!("write `{right}`")),
    )
}

fn visibility(context: &SyntaxContext<'_>, end: isize) -> Diagnostic {
    context
        .error_over(-1, end.max(0), "everything in a schema is public", "not needed")
        .with_edits(vec![context.remove(-1, end)], "remove it")
}

/// `self` and `mut self`, which end at an offset.
fn self_parameter(context: &SyntaxContext<'_>, last: isize) -> Diagnostic {
    let first = if context.text(last - 1) == "mut" { last - 1 } else { last };
    let end = if context.text(last + 1) == "," { last + 2 } else { last + 1 };
    context
        .error_over(first, last + 1, "methods need no `self`", "not needed")
        .with_edits(vec![context.remove(first, end)], "remove it")
}

fn in_parentheses(context: &SyntaxContext<'_>) -> bool {
    context.opener(0).is_some_and(|open| context.text(open) == "(")
}

/// `fn a(u8)` and `fn a(count)`.
fn incomplete_parameter(context: &SyntaxContext<'_>) -> Diagnostic {
    let word = context.text(-1);
    let (message, label, help) = if is_type(word) {
        ("a parameter needs a name", "only a type", format!("write `name: {word}`"))
    } else {
        ("a parameter needs a type", "only a name", format!("write `{word}: Type`"))
    };
    context.error_over(-1, 0, message, label).with_help(help)
}

/// `u32[]` and `u32[4]`.
fn postfix_brackets(context: &SyntaxContext<'_>) -> Option<Diagnostic> {
    let ty = context.text(-1);
    let close = context.closing(0)?;
    if close > 1 && matches!(ty, "Vec" | "Option" | "Set" | "Map") {
        return Some(angle_brackets(context, close));
    }
    let right =
        if close == 1 { format!("Vec<{ty}>") } else { format!("[{ty}; {}]", context.written(1, close)) };
    let what = if close == 1 {
        "use `Vec` for any number of values"
    } else {
        "an array's length is written inside its brackets"
    };
    Some(
        context
            .error_over(-1, close + 1, what, "not a type")
            .with_edits(vec![context.replace(-1, close + 1, right.as_str())], format!("write `{right}`")),
    )
}

/// `Vec[u8]` and `Vec(u8)`
fn angle_brackets(context: &SyntaxContext<'_>, close: isize) -> Diagnostic {
    context.error("type arguments are written in angle brackets", "expected `<`").with_edits(
        vec![context.replace(0, 1, "<"), context.replace(close, close + 1, ">")],
        "write angle brackets",
    )
}

/// `String(64)`
fn length(context: &SyntaxContext<'_>) -> Diagnostic {
    let right = format!("{}<..={}>", context.text(-1), context.text(1));
    context
        .error_over(-1, 3, "a bound is written in angle brackets", "not a type")
        .with_edits(vec![context.replace(-1, 3, right.as_str())], format!("write `{right}`"))
}

/// `= Some(5)`
fn wrapped_default(context: &SyntaxContext<'_>) -> Option<Diagnostic> {
    let close = context.closing(0)?;
    let error = context.error_over(
        -1,
        close + 1,
        "the default of an `Option` is written without `Some`",
        "`Some` is not needed",
    );
    let edits = vec![context.remove(-1, 1), context.edit(context.span(close), "")];
    Some(error.with_edits(edits, "write only the value"))
}

fn spread(context: &SyntaxContext<'_>) -> Diagnostic {
    if in_parentheses(context) {
        context
            .error("the number of parameters is fixed", "not supported")
            .with_help("use a `Vec` parameter for any number of values")
    } else {
        context
            .error("fields of another type cannot be spread", "not supported")
            .with_help("write out the fields, or add a field of the other type")
    }
}

/// `"a": u8`
fn quoted_name(context: &SyntaxContext<'_>) -> Option<Diagnostic> {
    let name = context.text(0).trim_matches(['"', '\'']);
    let legal = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|each| each.is_ascii_alphanumeric() || each == '_');
    let error = context.error("a field's name is written without quotes", "expected a field");
    Some(if legal {
        error.with_edits(vec![context.replace(0, 1, name)], format!("write `{name}`"))
    } else {
        error
    })
}

/// `reserved 4`, `reserved "a"` and `reserved a` in a struct.
fn tombstone(context: &SyntaxContext<'_>) -> Diagnostic {
    let first = if context.text(-1) == "reserved" { -1 } else { -2 };
    let name = context.text(first + 1).trim_matches('"');
    let name = if name.starts_with(|first: char| first.is_ascii_digit()) { "name" } else { name };
    context
        .error_over(
            first,
            first + 2,
            "a tombstone keeps the name and the type of its field",
            "needs a name and a type",
        )
        .with_help(format!("write `reserved {name}: Type`, with the type that the field had"))
}
