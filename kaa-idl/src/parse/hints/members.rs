//! Hints for members of services and interfaces in the syntax of other languages.
//!
//! Invariants: as in [`super`].

use super::context::{Construct, SyntaxContext};
use super::fields;
use super::types::{type_constraint, type_parameters};
use crate::diagnostic::Diagnostic;
use crate::parse::Rule;
use crate::suggest::nearest;

pub(super) fn recognize(context: &SyntaxContext<'_>) -> Option<Diagnostic> {
    beginning(context).or_else(|| oneway(context)).or_else(|| signature(context)).or_else(|| {
        let inside = context.opener(0).is_some_and(|open| context.text(open) == "(");
        (inside && context.construct == Construct::Member).then(|| fields::recognize(context)).flatten()
    })
}

/// The first word of a member is wrong.
fn beginning(context: &SyntaxContext<'_>) -> Option<Diagnostic> {
    if !context.expects(&[Rule::member_alone, Rule::function])
        && !context.expects(&[Rule::kw_client, Rule::client])
    {
        return None;
    }
    let (found, next) = (context.text(0), context.text(1));
    match found {
        "server" if next == "{" => Some(server(context)),
        "Client" | "CLIENT" | "callback" | "callbacks" if next == "{" => Some(client(context)),
        _ if next == "{" && nearest(found, ["client"]).is_some() => Some(client(context)),
        "rpc" => rpc(context),
        word if is_modifier(word) => modifiers(context),
        "Fn" | "FN" | "func" | "def" | "function" | "method" | "fun" | "proc" | "procedure" | "sub"
        | "void" | "fnn" | "ffn" | "nf"
            if context.is_word(1) && context.text(2) == "(" =>
        {
            Some(instead(context, "fn", "a method begins with `fn`"))
        }
        "Oneway" | "ONEWAY" | "one_way" | "notification" | "notify" if next == "fn" => {
            Some(instead(context, "oneway", "a method without a reply is `oneway`"))
        }
        "event" | "signal" | "notify" | "notification" | "callback" | "emits" | "emit"
            if context.is_word(1) =>
        {
            let error = context.error(format!("expected a method, found `{found}`"), "expected a method");
            Some(error.with_help(format!(
                "a method without a reply is `oneway fn {next}(…);`; methods that the client serves go into \
                `client {{ }}`"
            )))
        }
        "use" | "extends" | "implements" | "inherits" | "inherit" | "mixin" | "Include" | "import"
            if context.type_end(1).is_some_and(|end| context.text(end) == ";") =>
        {
            Some(instead(context, "include", "the methods of an interface are included with `include`"))
        }
        _ if context.is_word(0) && next == "(" => Some(
            context
                .error(format!("expected a method, found `{found}`"), "a method begins with `fn`")
                .with_edits(vec![context.insert_before(0, "fn ")], "write `fn`"),
        ),
        _ if context.is_word(0) && next == ":" => {
            let ty = context.type_end(2).map_or("Type", |end| context.written(2, end));
            let error = context.error("a service contains only methods", "expected a method");
            Some(error.with_help(format!("write a method that returns the value: `fn {found}() -> {ty};`")))
        }
        _ => type_first(context),
    }
}

fn instead(context: &SyntaxContext<'_>, word: &str, message: &str) -> Diagnostic {
    context
        .error(message, format!("expected `{word}`"))
        .with_edits(vec![context.replace(0, 1, word)], format!("write `{word}`"))
}

/// `clients { … }`
fn client(context: &SyntaxContext<'_>) -> Diagnostic {
    instead(context, "client", "methods that the client serves go into a `client` block")
}

/// `server { … }`
fn server(context: &SyntaxContext<'_>) -> Diagnostic {
    let error = context
        .error("methods that the server serves go directly into the service", "not needed")
        .with_help("only methods that the client serves go into a block: `client { }`");
    match context.closing(1) {
        Some(close) => error.with_edits(
            vec![context.remove(0, 2), context.edit(context.span(close), "")],
            "move the methods out of the block",
        ),
        None => error,
    }
}

/// `rpc Get(Request) returns (Reply);`
fn rpc(context: &SyntaxContext<'_>) -> Option<Diagnostic> {
    let error = context.error("a method begins with `fn`", "expected `fn`");
    let shape = || {
        let name = context.is_word(1).then(|| crate::casing::snake_case(context.text(1)))?;
        let (argument, after) = rpc_type(context, 2)?;
        let (result, after) = (context.text(after) == "returns").then(|| rpc_type(context, after + 1))??;
        let end = match (context.text(after), context.text(after + 1)) {
            (";", _) => after + 1,
            ("{", "}") => after + 2,
            _ => return None,
        };
        Some((format!("fn {name}(request: {argument}) -> {result};"), end))
    };
    Some(match shape() {
        Some((right, end)) => {
            let help = format!("write `{right}`");
            error.with_edits(vec![context.replace(0, end, right)], help)
        }
        None => {
            error.with_help(format!("a method is written `fn {}(parameter: Type) -> Type;`", context.text(1)))
        }
    })
}

/// `(Type)` or `(stream Type)` at an offset, and where it ends.
fn rpc_type<'t>(context: &SyntaxContext<'t>, open: isize) -> Option<(&'t str, isize)> {
    let first = if context.text(open + 1) == "stream" { open + 2 } else { open + 1 };
    let end = context.type_end(first)?;
    (context.text(open) == "(" && context.text(end) == ")").then(|| (context.written(open + 1, end), end + 1))
}

fn is_modifier(word: &str) -> bool {
    matches!(
        word,
        "pub" | "async" | "public" | "private" | "static" | "export" | "unsafe" | "const" | "abstract"
    )
}

/// `pub async fn`
fn modifiers(context: &SyntaxContext<'_>) -> Option<Diagnostic> {
    let mut end = 0;
    while is_modifier(context.text(end)) {
        end += 1;
    }
    if !matches!(context.text(end), "fn" | "oneway") {
        return None;
    }
    let words = context.written(0, end);
    Some(
        context
            .error_over(0, end, format!("`{words}` has no meaning here"), "not needed")
            .with_edits(vec![context.remove(0, end)], "remove it: every method can be called and awaited"),
    )
}

/// `u32 count(…);`
fn type_first(context: &SyntaxContext<'_>) -> Option<Diagnostic> {
    let end = context.type_end(0)?;
    if !context.is_word(end)
        || context.text(end + 1) != "("
        || matches!(context.text(0), "fn" | "oneway" | "reserved")
    {
        return None;
    }
    let close = context.closing(end + 1)?;
    let ty = context.written(0, end);
    let edits =
        vec![context.edit(context.between(0, end), "fn"), context.insert_after(close, &format!(" -> {ty}"))];
    let name = context.text(end);
    Some(
        context
            .error_over(0, end, "the result type comes after the parameters", "expected `fn`")
            .with_edits(edits, format!("write `fn {name}(…) -> {ty};`")),
    )
}

/// `oneway` in the wrong place, and words that are missing around it.
fn oneway(context: &SyntaxContext<'_>) -> Option<Diagnostic> {
    let (before, found) = (context.text(-1), context.text(0));
    if before == "oneway" && context.text(-2) == "fn" && context.is_word(0) {
        return Some(
            context
                .error_over(-1, 0, "`oneway` comes before `fn`", "wrong order")
                .with_edits(vec![context.replace(-2, 0, "oneway fn")], "write `oneway fn`"),
        );
    }
    if before == "oneway" && context.is_word(0) && context.text(1) == "(" {
        return Some(
            context
                .error(format!("expected `fn`, found `{found}`"), "expected `fn`")
                .with_edits(vec![context.insert_before(0, "fn ")], "write `oneway fn`"),
        );
    }
    if found == ";" && before == "oneway" && context.text(-2) == ")" {
        let open = context.opener(-2)?;
        if context.text(open - 2) != "fn" {
            return None;
        }
        let edits = vec![context.insert_before(open - 2, "oneway "), context.join(-2, 0, "")];
        return Some(
            context
                .error_over(-1, 0, "`oneway` comes before `fn`", "too late")
                .with_edits(edits, "write `oneway fn`"),
        );
    }
    if before == "client" && found == "fn" {
        return Some(
            context
                .error_over(-1, 0, "methods that the client serves go into a block", "expected `client {`")
                .with_help(format!(
                    "write `client {{ fn {}(…); }}`, one block for all of them",
                    context.text(1)
                )),
        );
    }
    match (before, found) {
        ("reserved", _) if context.is_quoted(0) => Some(
            context
                .error("a deleted method is declared as `reserved fn`", "expected `fn`")
                .with_edits(vec![context.insert_before(0, "fn ")], "write `fn`"),
        ),
        ("fn", name) if context.text(-2) == "reserved" && context.is_word(0) => {
            let close = (context.text(1) == "(" && context.text(2) == ")").then_some(3);
            let edit = context.replace(0, close.unwrap_or(1), format!("\"{name}\""));
            Some(
                context
                    .error("the name of a deleted method is a string", "expected a string")
                    .with_edits(vec![edit], format!("write `reserved fn \"{name}\";`")),
            )
        }
        ("include", _) if context.is_quoted(0) => {
            let name = context.text(0).trim_matches(['"', '\'']);
            Some(
                context
                    .error("an interface's name is written without quotes", "expected a name")
                    .with_edits(vec![context.replace(0, 1, name)], format!("write `{name}`")),
            )
        }
        _ => None,
    }
}

/// What follows a method's parameters.
fn signature(context: &SyntaxContext<'_>) -> Option<Diagnostic> {
    let (before, found) = (context.text(-1), context.text(0));
    match found {
        ";" if before == "->" => Some(
            context
                .error_over(-1, 0, "a method without a result has no `->`", "expected a type after it")
                .with_edits(vec![context.join(-2, 0, "")], "remove it, or write the result type"),
        ),
        ":" if before == "client" && context.text(1) == "{" => Some(
            context
                .error("a `client` block has no `:`", "not needed")
                .with_edits(vec![context.join(-1, 1, " ")], "remove it"),
        ),
        "<" if context.text(-2) == "fn" => type_parameters(context, "a method"),
        "returns" | "return" | "=>" | ":" if before == ")" && context.type_end(1).is_some() => {
            Some(context.error("the result type follows `->`", "expected `->`").with_edits(
                vec![context.replace(0, 1, if context.touches(0) { " ->" } else { "->" })],
                "write `->`",
            ))
        }
        "throw" | "raises" | "raise" | "fails" | "Throws" if context.is_word(1) => Some(
            context
                .error("the error type follows `throws`", "expected `throws`")
                .with_edits(vec![context.replace(0, 1, "throws")], "write `throws`"),
        ),
        "where" => Some(type_constraint(context, "methods")),
        "{" if context.text(1) == "}" && context.expects(&[Rule::semicolon]) => {
            Some(context.error("expected `;`, found `{`", "expected `;`").with_edits(
                vec![
                    context
                        .edit(crate::location::Span::new(context.span(-1).end(), context.span(1).end()), ";"),
                ],
                "methods have no body in a schema: end with `;`",
            ))
        }
        _ => None,
    }
}
