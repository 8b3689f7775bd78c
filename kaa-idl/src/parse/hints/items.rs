//! Hints for items, `use` and `package` lines in the syntax of other languages.
//!
//! Invariants: the item's keyword and name come directly before the inspected tokens.

use super::context::SyntaxContext;
use super::types::{is_plain_type, type_constraint, type_parameters, union_of_types};
use crate::diagnostic::Diagnostic;
use crate::location::Span;
use crate::parse::Rule;

pub(super) fn recognize(context: &SyntaxContext<'_>) -> Option<Diagnostic> {
    let (keyword, found) = (context.text(-2), context.text(0));
    match (keyword, found) {
        (_, "{") if context.text(-1) == "." => Some(dot_before_list(context)),
        ("service" | "interface" | "struct" | "enum" | "error" | "type" | "newtype", "<") => generic(context),
        ("enum" | "error", ":") => integer_base(context),
        ("service" | "interface" | "struct" | "enum" | "error", _) if is_inheritance(found) => {
            inheritance(context)
        }
        ("struct", ";") => Some(context.error("expected `{`, found `;`", "expected `{`").with_edits(
            vec![context.edit(Span::new(context.span(-1).end(), context.span(0).end()), " {}")],
            "write the braces even if there are no fields",
        )),
        ("struct", "(") => tuple(context),
        ("const", "=") => missing_constant_type(context),
        ("const", _) if context.is_word(0) => Some(
            context
                .error(format!("expected `:`, found `{found}`"), "expected `:`")
                .with_edits(vec![context.insert_after(-1, ":")], "write a colon before the type"),
        ),
        ("newtype", "=" | "{") => newtype(context, 1),
        ("newtype", _) if context.is_word(0) => newtype(context, 0),
        ("type", _) if context.is_word(0) || found == "[" => Some(
            context
                .error(format!("expected `=`, found `{found}`"), "expected `=`")
                .with_edits(vec![context.insert_after(-1, " =")], "write `=` before the type"),
        ),
        ("type", "{") => Some(
            context
                .error("expected `=`, found `{`", "expected `=`")
                .with_edits(vec![context.replace(-2, -1, "struct")], "a type with fields is a `struct`"),
        ),
        ("flags", "{") => {
            let name = context.text(-1);
            let help = format!("flags declare their integer type: `flags {name}: u32 {{ … }}`");
            Some(context.error("expected `:`, found `{`", "expected `:`").with_help(help))
        }
        ("package", "{") => Some(context.error("expected `;`, found `{`", "expected `;`").with_help(
            "a file is one package: the `package` line ends with `;`, and all items of the file belong to it",
        )),
        _ => alias(context),
    }
}

/// A name with a character that names cannot contain.
pub(super) fn name(context: &SyntaxContext<'_>) -> Option<Diagnostic> {
    let expects_name = context.expects(&[Rule::identifier]);
    if expects_name
        && context.is_number(0)
        && context.text(0).ends_with(|last: char| last.is_ascii_alphabetic())
    {
        return Some(context.error("a name cannot begin with a digit", "expected a letter or `_`"));
    }
    if context.text(0) != "-" || !context.touches(0) || !context.touches(1) || !context.is_word(-1) {
        return None;
    }
    let mut start = -1;
    while context.text(start - 1) == "-" && context.is_word(start - 2) && context.touches(start) {
        start -= 2;
    }
    let mut end = 2;
    while context.text(end) == "-"
        && context.is_word(end + 1)
        && context.touches(end)
        && context.touches(end + 1)
    {
        end += 2;
    }
    let legal = context.written(start, end).replace('-', "_");
    Some(
        context
            .error_over(start, end, "names consist of letters, digits and `_`", "not a name")
            .with_edits(vec![context.replace(start, end, legal.as_str())], format!("write `{legal}`")),
    )
}

fn is_inheritance(word: &str) -> bool {
    matches!(word, ":" | "extends" | "implements" | "inherits" | "is" | "of")
}

/// `use tv.common.{A, B};`
fn dot_before_list(context: &SyntaxContext<'_>) -> Diagnostic {
    context
        .error_over(-1, 0, "the items of a package follow `::`", "expected `::`")
        .with_edits(vec![context.replace(-1, 0, "::")], "write `::`")
}

/// `struct Page<T> { … }`
fn generic(context: &SyntaxContext<'_>) -> Option<Diagnostic> {
    let noun = match context.text(-2) {
        "enum" => "an enum",
        "error" => "an error",
        "interface" => "an interface",
        "type" => "an alias",
        other => return type_parameters(context, &format!("a {other}")),
    };
    type_parameters(context, noun)
}

/// `enum E: u8 { … }`
fn integer_base(context: &SyntaxContext<'_>) -> Option<Diagnostic> {
    let noun = if context.text(-2) == "enum" { "an enum" } else { "an error" };
    if context.text(2) != "{" || !is_plain_type(context.text(1)) {
        return inheritance(context);
    }
    Some(
        context
            .error_over(0, 2, format!("{noun} has no integer type"), "not needed")
            .with_edits(vec![context.join(-1, 2, " ")], "remove it: tags take as many bytes as they need"),
    )
}

/// `service A : B { … }`
fn inheritance(context: &SyntaxContext<'_>) -> Option<Diagnostic> {
    let end = context.type_end(1)?;
    let parent = context.written(1, end);
    let help = match context.text(-2) {
        "service" | "interface" => {
            format!("to include the methods of an interface, write `include {parent};` inside the braces")
        }
        "struct" => format!("add a field of the type `{parent}`, or write out the fields of `{parent}`"),
        _ => format!("a variant can contain the other type: `{parent}({parent})`"),
    };
    Some(context.error_over(0, end, "a schema has no inheritance", "not supported").with_help(help))
}

/// `struct Foo(u32);`
fn tuple(context: &SyntaxContext<'_>) -> Option<Diagnostic> {
    let error = context.error("expected `{`, found `(`", "expected `{`");
    let help = "a struct's fields have names; a `newtype` wraps one other type";
    let single = context.type_end(1).filter(|end| context.text(*end) == ")" && context.text(end + 1) == ";");
    Some(match single {
        Some(_) => error.with_edits(vec![context.replace(-2, -1, "newtype")], help),
        None => error.with_help(help),
    })
}

/// `const X = 5;`
fn missing_constant_type(context: &SyntaxContext<'_>) -> Option<Diagnostic> {
    let name = context.text(-1);
    let error = context.error(format!("the constant `{name}` has no type"), "expected `:` and a type");
    let (value, number) = (context.text(1), context.is_number(1));
    let ty = match value {
        "true" | "false" => "bool",
        _ if value.starts_with('"') => "String",
        _ if value.starts_with('\'') => "char",
        _ if number && value.contains('.') => "f64",
        _ => return Some(error.with_help(format!("write a type, such as `const {name}: u32 = …;`"))),
    };
    Some(
        error
            .with_edits(vec![context.insert_after(-1, &format!(": {ty}"))], format!("write the type `{ty}`")),
    )
}

/// `newtype A = u8;`, `newtype A { u8 }` and `newtype A u8;`
fn newtype(context: &SyntaxContext<'_>, from: isize) -> Option<Diagnostic> {
    let (name, found) = (context.text(-1), context.text(0));
    let error = context.error(format!("expected `(`, found `{found}`"), "expected `(`");
    let help = format!("write `newtype {name}(…);`");
    let edits = context.type_end(from).and_then(|end| {
        let open = context.join(-1, from, "(");
        match (found, context.text(end)) {
            ("{", "}") => Some(vec![
                open,
                context.edit(Span::new(context.span(end - 1).end(), context.span(end).end()), ");"),
            ]),
            ("{", _) => None,
            (_, ";") => Some(vec![open, context.insert_after(end - 1, ")")]),
            _ => None,
        }
    });
    Some(match edits {
        Some(edits) => error.with_edits(edits, help),
        None => error.with_help(help),
    })
}

/// What follows `type A =` and is not a type.
fn alias(context: &SyntaxContext<'_>) -> Option<Diagnostic> {
    let found = context.text(0);
    let name = |back: isize| (context.text(back) == "type").then(|| context.text(back + 1));
    match found {
        "{" if context.text(-1) == "=" => {
            let name = name(-3)?;
            let help = format!("a type with fields is a struct: `struct {name} {{ … }}`");
            Some(context.error("expected a type, found `{`", "expected a type").with_help(help))
        }
        "{" if matches!(context.text(-1), "enum" | "struct") && context.text(-2) == "=" => {
            let (kind, name) = (context.text(-1), name(-4)?);
            let help = format!("declare it as an item: `{kind} {name} {{ … }}`");
            Some(
                context
                    .error(format!("`{kind}` is not a type"), "expected a type before this")
                    .with_help(help),
            )
        }
        "|" if context.expects(&[Rule::semicolon, Rule::missing_semicolon]) => {
            Some(union_of_types(context, "expected `;`"))
        }
        "where" => Some(type_constraint(context, "types")),
        _ => None,
    }
}
