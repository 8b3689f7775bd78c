//! Fields, parameters and their defaults written as other languages write them.
//!
//! Invariants: as in [`super`].

use super::{Slip, is_plain_type, is_type, translated};
use crate::diagnostic::Diagnostic;
use crate::parse::Rule;
use crate::parse::tokens::is_item_keyword;

pub(super) fn recognize(slip: &Slip<'_>) -> Option<Diagnostic> {
    let (before, found) = (slip.text(-1), slip.text(0));
    if before == "reserved" && (slip.is_number(0) || slip.is_quoted(0))
        || (slip.ends(0) && slip.text(-2) == "reserved" && slip.wants(&[Rule::colon]))
    {
        return Some(tombstone(slip));
    }
    if slip.wants(&[Rule::colon]) {
        return before_colon(slip);
    }
    match found {
        "=" if before == "=" && slip.touches(0) => Some(
            slip.error_over(-1, 1, "a default follows one `=`", "one too many")
                .with_edits(vec![slip.replace(-1, 1, "=")], "write `=`"),
        ),
        "default" if slip.wants(&[Rule::comma, Rule::EOI]) => Some(
            slip.error("a default follows a `=`", "expected `=`")
                .with_edits(vec![slip.replace(0, 1, "=")], "write `=`"),
        ),
        "(" if before == "Some" && slip.text(-2) == "=" => filled(slip),
        "." if slip.is_number(1) && slip.touches(1) && before == "=" => Some(
            slip.error_over(0, 2, "a number begins with a digit", "expected a digit")
                .with_edits(vec![slip.insert_before(0, "0")], "write the zero"),
        ),
        "." if slip.is_number(-1) && slip.touches(0) => Some(
            slip.error_over(-1, 1, "digits follow the point of a number", "expected a digit")
                .with_edits(vec![slip.insert_after(0, "0")], "write the zero"),
        ),
        "(" if slip.text(-2) == ":" && matches!(before, "Vec" | "Option" | "Set" | "Map") => {
            slip.closing(0).filter(|close| *close > 1).map(|close| angles(slip, close))
        }
        "(" if slip.text(-2) == ":" && matches!(before, "String" | "Bytes") && slip.is_number(1) => {
            slip.closing(0).filter(|close| *close == 2).map(|_| length(slip))
        }
        "," if slip.opener(0).is_some_and(|open| slip.text(open) == "[") && slip.text(2) == "]" => Some(
            slip.error("an array's length stands behind a `;`", "expected `;`")
                .with_edits(vec![slip.replace(0, 1, ";")], "write `;`"),
        ),
        "[" if slip.text(-2) == ":" && is_type(before) => brackets_behind(slip),
        "|" if slip.wants(&[Rule::comma, Rule::EOI]) => Some(
            slip.error("a type is one type", "expected `,`")
                .with_help("a value that is one of several is an `enum`, a variant for each"),
        ),
        ".." | "." if matches!(before, "{" | "(" | ",") => Some(spread(slip)),
        "*" if matches!(before, "(" | ",") => Some(
            slip.error("the number of parameters is fixed", "not possible")
                .with_help("a parameter can be a `Vec`"),
        ),
        _ if slip.is_quoted(0) && slip.text(1) == ":" => unquoted(slip),
        _ if slip.is_number(0) && slip.text(1) == ":" => Some(
            slip.error("fields have no numbers", "not needed")
                .with_edits(vec![slip.remove(0, 2)], "remove it: their order is their order on the wire"),
        ),
        _ if slip.text(-2) == ":" && slip.is_word(0) => wrapper(slip, -1),
        _ => None,
    }
}

/// A name was read, and no colon follows.
fn before_colon(slip: &Slip<'_>) -> Option<Diagnostic> {
    let (before, found) = (slip.text(-1), slip.text(0));
    if found == "(" && before == "pub" {
        return Some(public(slip, slip.closing(0)? + 1));
    }
    if slip.ends(0) && before == "self" {
        return Some(receiver(slip, -1));
    }
    if before == "mut" && found == "self" {
        return Some(receiver(slip, 0));
    }
    if slip.ends(0) && in_parentheses(slip) {
        return Some(half_a_parameter(slip));
    }
    if found == "<" {
        return swapped(slip);
    }
    if !slip.is_word(0) || !slip.is_word(-1) {
        return None;
    }
    match before {
        "pub" | "public" | "private" | "export" => Some(public(slip, 0)),
        "mut" | "var" | "let" | "val" | "const" | "readonly" | "final" => Some(
            slip.error_over(-1, 0, format!("`{before}` has no meaning here"), "not needed")
                .with_edits(vec![slip.remove(-1, 0)], "remove it"),
        ),
        "optional" | "required" | "repeated" => wrapper(slip, -1),
        "fn" => None,
        _ if is_item_keyword(before) && !matches!(before, "type" | "error" | "flags") => Some(
            slip.error_over(-1, 1, "an item stands at the top of a file", "not inside another item")
                .with_help(format!("move `{before} {found}` out, and name it as a type here")),
        ),
        _ => swapped(slip).or_else(|| {
            let colon = is_type(found) && slip.text(1) != ":";
            colon.then(|| {
                slip.error(format!("expected `:`, found `{found}`"), "expected `:`")
                    .with_edits(vec![slip.insert_after(-1, ":")], "the type stands behind a colon")
            })
        }),
    }
}

/// `u32 a`: the type first.
fn swapped(slip: &Slip<'_>) -> Option<Diagnostic> {
    let end = slip.type_end(-1)?;
    let (first, second) = (slip.text(-1), slip.text(end));
    let lower = second.starts_with(|first: char| first.is_ascii_lowercase());
    let type_first = is_plain_type(first) || (is_type(first) && lower);
    if !slip.is_word(end)
        || !type_first
        || is_plain_type(second)
        || !(slip.ends(end + 1) || slip.text(end + 1) == "=")
    {
        return None;
    }
    let written = slip.written(-1, end);
    let ty = if end == 0 { translated(written) } else { written };
    let right = format!("{second}: {ty}");
    Some(
        slip.error_over(-1, end + 1, "the name comes before the type", "the wrong way round")
            .with_edits(vec![slip.replace(-1, end + 1, right.as_str())], format!("write `{right}`")),
    )
}

/// `optional u32 a = 1` as in protobuf, and `a: optional u32`.
fn wrapper(slip: &Slip<'_>, word: isize) -> Option<Diagnostic> {
    let end = slip.type_end(word + 1)?;
    let inner = slip.written(word + 1, end);
    let inner = if end == word + 2 { translated(inner) } else { inner };
    let (ty, what) = match slip.text(word) {
        "optional" | "nullable" => (format!("Option<{inner}>"), "a value that may be absent is an `Option`"),
        "repeated" => (format!("Vec<{inner}>"), "any number of values is a `Vec`"),
        "required" => (inner.to_owned(), "every field without a default is required"),
        _ => return None,
    };
    if slip.ends(end) || slip.text(end) == "=" {
        let edit = slip.replace(word, end, ty);
        return Some(
            slip.error_over(word, end, what, "not a type").with_edits(vec![edit], "write it as a type"),
        );
    }
    if !slip.is_word(end) {
        return None;
    }
    let numbered = slip.text(end + 1) == "=" && slip.is_number(end + 2);
    let last = if numbered { end + 3 } else { end + 1 };
    let right = format!("{}: {ty}", slip.text(end));
    let edit = slip.replace(word, last, right.as_str());
    Some(slip.error_over(word, last, what, "not a field").with_edits(vec![edit], format!("write `{right}`")))
}

fn public(slip: &Slip<'_>, end: isize) -> Diagnostic {
    slip.error_over(-1, end.max(0), "everything in a schema is public", "not needed")
        .with_edits(vec![slip.remove(-1, end)], "remove it")
}

/// `self` and `mut self`, whose last word is at an offset.
fn receiver(slip: &Slip<'_>, last: isize) -> Diagnostic {
    let first = if slip.text(last - 1) == "mut" { last - 1 } else { last };
    let end = if slip.text(last + 1) == "," { last + 2 } else { last + 1 };
    slip.error_over(first, last + 1, "methods need no `self`", "not needed")
        .with_edits(vec![slip.remove(first, end)], "remove it")
}

fn in_parentheses(slip: &Slip<'_>) -> bool {
    slip.opener(0).is_some_and(|open| slip.text(open) == "(")
}

/// `fn a(u8)` and `fn a(count)`.
fn half_a_parameter(slip: &Slip<'_>) -> Diagnostic {
    let word = slip.text(-1);
    let (message, label, help) = if is_type(word) {
        ("a parameter has a name", "a type alone", format!("write `name: {word}`"))
    } else {
        ("a parameter has a type", "a name alone", format!("write `{word}: Type`"))
    };
    slip.error_over(-1, 0, message, label).with_help(help)
}

/// `u32[]` and `u32[4]`.
fn brackets_behind(slip: &Slip<'_>) -> Option<Diagnostic> {
    let ty = slip.text(-1);
    let close = slip.closing(0)?;
    if close > 1 && matches!(ty, "Vec" | "Option" | "Set" | "Map") {
        return Some(angles(slip, close));
    }
    let right = if close == 1 { format!("Vec<{ty}>") } else { format!("[{ty}; {}]", slip.written(1, close)) };
    let what = if close == 1 {
        "any number of values is a `Vec`"
    } else {
        "an array's length stands inside its brackets"
    };
    Some(
        slip.error_over(-1, close + 1, what, "not a type")
            .with_edits(vec![slip.replace(-1, close + 1, right.as_str())], format!("write `{right}`")),
    )
}

/// `Vec[u8]` and `Vec(u8)`
fn angles(slip: &Slip<'_>, close: isize) -> Diagnostic {
    slip.error("what a type takes stands in angle brackets", "expected `<`").with_edits(
        vec![slip.replace(0, 1, "<"), slip.replace(close, close + 1, ">")],
        "write angle brackets",
    )
}

/// `String(64)`
fn length(slip: &Slip<'_>) -> Diagnostic {
    let right = format!("{}<..={}>", slip.text(-1), slip.text(1));
    slip.error_over(-1, 3, "a bound stands in angle brackets", "not a type")
        .with_edits(vec![slip.replace(-1, 3, right.as_str())], format!("write `{right}`"))
}

/// `= Some(5)`
fn filled(slip: &Slip<'_>) -> Option<Diagnostic> {
    let close = slip.closing(0)?;
    let error = slip.error_over(-1, close + 1, "the default of an `Option` is the value itself", "too much");
    let edits = vec![slip.remove(-1, 1), slip.edit(slip.span(close), "")];
    Some(error.with_edits(edits, "write the value alone"))
}

fn spread(slip: &Slip<'_>) -> Diagnostic {
    if in_parentheses(slip) {
        slip.error("the number of parameters is fixed", "not possible")
            .with_help("a parameter can be a `Vec`")
    } else {
        slip.error("nothing is spread into another type", "not possible")
            .with_help("write the fields out, or give it a field of the other type")
    }
}

/// `"a": u8`
fn unquoted(slip: &Slip<'_>) -> Option<Diagnostic> {
    let name = slip.text(0).trim_matches(['"', '\'']);
    let legal = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.chars().all(|each| each.is_ascii_alphanumeric() || each == '_');
    let error = slip.error("a field's name stands without quotes", "expected a field");
    Some(if legal {
        error.with_edits(vec![slip.replace(0, 1, name)], format!("write `{name}`"))
    } else {
        error
    })
}

/// `reserved 4`, `reserved "a"` and `reserved a` in a struct.
fn tombstone(slip: &Slip<'_>) -> Diagnostic {
    let first = if slip.text(-1) == "reserved" { -1 } else { -2 };
    let name = slip.text(first + 1).trim_matches('"');
    let name = if name.starts_with(|first: char| first.is_ascii_digit()) { "name" } else { name };
    slip.error_over(
        first,
        first + 2,
        "a tombstone keeps the name and the type of its field",
        "no name and type",
    )
    .with_help(format!("write `reserved {name}: Type`, with the type that the field had"))
}
