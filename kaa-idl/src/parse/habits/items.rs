//! Items, `use` and `package` lines written as other languages write them.
//!
//! Invariants: the item's keyword and name stand right before what is looked at.

use super::Slip;
use crate::diagnostic::Diagnostic;
use crate::location::Span;
use crate::parse::Rule;

pub(super) fn recognize(slip: &Slip<'_>) -> Option<Diagnostic> {
    let (keyword, found) = (slip.text(-2), slip.text(0));
    match (keyword, found) {
        (_, "{") if slip.text(-1) == "." => Some(dot_before_list(slip)),
        ("service" | "interface" | "struct" | "enum" | "error" | "type" | "newtype", "<") => generic(slip),
        ("enum" | "error", ":") => carried(slip),
        ("service" | "interface" | "struct" | "enum" | "error", _) if is_inheritance(found) => heir(slip),
        ("struct", ";") => Some(slip.error("expected `{`, found `;`", "expected `{`").with_edits(
            vec![slip.edit(Span::new(slip.span(-1).end(), slip.span(0).end()), " {}")],
            "even without anything inside it has its braces",
        )),
        ("struct", "(") => tuple(slip),
        ("const", "=") => untyped(slip),
        ("const", _) if slip.is_word(0) => Some(
            slip.error(format!("expected `:`, found `{found}`"), "expected `:`")
                .with_edits(vec![slip.insert_after(-1, ":")], "the type stands behind a colon"),
        ),
        ("newtype", "=" | "{") => newtype(slip, 1),
        ("newtype", _) if slip.is_word(0) => newtype(slip, 0),
        ("type", _) if slip.is_word(0) || found == "[" => Some(
            slip.error(format!("expected `=`, found `{found}`"), "expected `=`")
                .with_edits(vec![slip.insert_after(-1, " =")], "what it stands for follows a `=`"),
        ),
        ("type", "{") => Some(
            slip.error("expected `=`, found `{`", "expected `=`")
                .with_edits(vec![slip.replace(-2, -1, "struct")], "fields stand in a `struct`"),
        ),
        ("flags", "{") => {
            let name = slip.text(-1);
            let help = format!("flags say which integer carries them: `flags {name}: u32 {{ … }}`");
            Some(slip.error("expected `:`, found `{`", "expected `:`").with_help(help))
        }
        ("package", "{") => Some(slip.error("expected `;`, found `{`", "expected `;`").with_help(
            "a file is one package: its line ends with `;`, and all items of the file belong to it",
        )),
        _ => alias(slip),
    }
}

/// A name with a character that names do not have.
pub(super) fn name(slip: &Slip<'_>) -> Option<Diagnostic> {
    let wants_name = slip.wants(&[Rule::identifier]);
    if wants_name && slip.is_number(0) && slip.text(0).ends_with(|last: char| last.is_ascii_alphabetic()) {
        return Some(slip.error("a name does not begin with a digit", "expected a letter or `_`"));
    }
    if slip.text(0) != "-" || !slip.touches(0) || !slip.touches(1) || !slip.is_word(-1) {
        return None;
    }
    let mut start = -1;
    while slip.text(start - 1) == "-" && slip.is_word(start - 2) && slip.touches(start) {
        start -= 2;
    }
    let mut end = 2;
    while slip.text(end) == "-" && slip.is_word(end + 1) && slip.touches(end) && slip.touches(end + 1) {
        end += 2;
    }
    let legal = slip.written(start, end).replace('-', "_");
    Some(
        slip.error_over(start, end, "names are letters, digits and `_`", "not a name")
            .with_edits(vec![slip.replace(start, end, legal.as_str())], format!("write `{legal}`")),
    )
}

fn is_inheritance(word: &str) -> bool {
    matches!(word, ":" | "extends" | "implements" | "inherits" | "is" | "of")
}

/// `use tv.common.{A, B};`
fn dot_before_list(slip: &Slip<'_>) -> Diagnostic {
    slip.error_over(-1, 0, "the items of a package stand behind `::`", "expected `::`")
        .with_edits(vec![slip.replace(-1, 0, "::")], "write `::`")
}

fn generic(slip: &Slip<'_>) -> Option<Diagnostic> {
    let end = slip.closing(0)?;
    let noun = match slip.text(-2) {
        "enum" => "an enum",
        "error" => "an error",
        "interface" => "an interface",
        "type" => "an alias",
        other => return Some(generic_of(slip, end, &format!("a {other}"))),
    };
    Some(generic_of(slip, end, noun))
}

fn generic_of(slip: &Slip<'_>, end: isize, noun: &str) -> Diagnostic {
    slip.error_over(0, end + 1, format!("{noun} has no type parameters"), "not possible")
        .with_help("nothing is generic in a schema; write one for each type")
}

/// `enum E: u8 { … }`
fn carried(slip: &Slip<'_>) -> Option<Diagnostic> {
    let noun = if slip.text(-2) == "enum" { "an enum" } else { "an error" };
    if slip.text(2) != "{" || !super::is_plain_type(slip.text(1)) {
        return heir(slip);
    }
    Some(
        slip.error_over(0, 2, format!("{noun} is carried by no integer type of its own"), "not needed")
            .with_edits(vec![slip.join(-1, 2, " ")], "remove it: tags take as many bytes as they need"),
    )
}

/// `service A : B { … }`
fn heir(slip: &Slip<'_>) -> Option<Diagnostic> {
    let end = slip.type_end(1)?;
    let parent = slip.written(1, end);
    let help = match slip.text(-2) {
        "service" | "interface" => {
            format!("the methods of an interface are taken in: `include {parent};` inside the braces")
        }
        "struct" => format!("give it a field of the type `{parent}`, or write the fields of `{parent}` out"),
        _ => format!("a variant can hold the other: `{parent}({parent})`"),
    };
    Some(slip.error_over(0, end, "nothing inherits in a schema", "not possible").with_help(help))
}

/// `struct Foo(u32);`
fn tuple(slip: &Slip<'_>) -> Option<Diagnostic> {
    let error = slip.error("expected `{`, found `(`", "expected `{`");
    let help = "a struct's fields have names; a `newtype` is a type around one other";
    let single = slip.type_end(1).filter(|end| slip.text(*end) == ")" && slip.text(end + 1) == ";");
    Some(match single {
        Some(_) => error.with_edits(vec![slip.replace(-2, -1, "newtype")], help),
        None => error.with_help(help),
    })
}

/// `const X = 5;`
fn untyped(slip: &Slip<'_>) -> Option<Diagnostic> {
    let name = slip.text(-1);
    let error = slip.error(format!("the constant `{name}` has no type"), "expected `:` and a type");
    let (value, number) = (slip.text(1), slip.is_number(1));
    let ty = match value {
        "true" | "false" => "bool",
        _ if value.starts_with('"') => "String",
        _ if value.starts_with('\'') => "char",
        _ if number && value.contains('.') => "f64",
        _ => return Some(error.with_help(format!("say which, such as `const {name}: u32 = …;`"))),
    };
    Some(error.with_edits(vec![slip.insert_after(-1, &format!(": {ty}"))], format!("it is a `{ty}`")))
}

/// `newtype A = u8;`, `newtype A { u8 }` and `newtype A u8;`
fn newtype(slip: &Slip<'_>, from: isize) -> Option<Diagnostic> {
    let (name, found) = (slip.text(-1), slip.text(0));
    let error = slip.error(format!("expected `(`, found `{found}`"), "expected `(`");
    let help = format!("write `newtype {name}(…);`");
    let edits = slip.type_end(from).and_then(|end| {
        let open = slip.join(-1, from, "(");
        match (found, slip.text(end)) {
            ("{", "}") => {
                Some(vec![open, slip.edit(Span::new(slip.span(end - 1).end(), slip.span(end).end()), ");")])
            }
            ("{", _) => None,
            (_, ";") => Some(vec![open, slip.insert_after(end - 1, ")")]),
            _ => None,
        }
    });
    Some(match edits {
        Some(edits) => error.with_edits(edits, help),
        None => error.with_help(help),
    })
}

/// What follows `type A =` and is no type.
fn alias(slip: &Slip<'_>) -> Option<Diagnostic> {
    let found = slip.text(0);
    let name = |back: isize| (slip.text(back) == "type").then(|| slip.text(back + 1));
    match found {
        "{" if slip.text(-1) == "=" => {
            let name = name(-3)?;
            let help = format!("fields stand in a struct: `struct {name} {{ … }}`");
            Some(slip.error("expected a type, found `{`", "expected a type").with_help(help))
        }
        "{" if matches!(slip.text(-1), "enum" | "struct") && slip.text(-2) == "=" => {
            let (kind, name) = (slip.text(-1), name(-4)?);
            let help = format!("it is an item of its own: `{kind} {name} {{ … }}`");
            Some(slip.error(format!("`{kind}` is no type"), "expected a type before this").with_help(help))
        }
        "|" if slip.wants(&[Rule::semicolon, Rule::missing_semicolon]) => Some(
            slip.error("a type is one type", "expected `;`")
                .with_help("a value that is one of several is an `enum`, a variant for each"),
        ),
        "where" => Some(
            slip.error("nothing is generic in a schema", "not possible")
                .with_help("types have no parameters, so there is nothing to restrict"),
        ),
        _ => None,
    }
}
