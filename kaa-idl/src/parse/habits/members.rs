//! What stands in services and interfaces, written as other languages write it.
//!
//! Invariants: as in [`super`].

use super::{Setting, Slip, fields};
use crate::diagnostic::Diagnostic;
use crate::parse::Rule;
use crate::resolve::nearest;

pub(super) fn recognize(slip: &Slip<'_>) -> Option<Diagnostic> {
    beginning(slip).or_else(|| oneway(slip)).or_else(|| signature(slip)).or_else(|| {
        let inside = slip.opener(0).is_some_and(|open| slip.text(open) == "(");
        (inside && slip.setting == Setting::Member).then(|| fields::recognize(slip)).flatten()
    })
}

/// A member begins with a word that begins none.
fn beginning(slip: &Slip<'_>) -> Option<Diagnostic> {
    if !slip.wants(&[Rule::member_alone, Rule::function]) && !slip.wants(&[Rule::kw_client, Rule::client]) {
        return None;
    }
    let (found, next) = (slip.text(0), slip.text(1));
    match found {
        "server" if next == "{" => Some(server(slip)),
        "Client" | "CLIENT" | "callback" | "callbacks" if next == "{" => Some(client(slip)),
        _ if next == "{" && nearest(found, ["client"]).is_some() => Some(client(slip)),
        "rpc" => rpc(slip),
        "pub" | "async" | "public" | "private" | "static" | "export" | "unsafe" | "const" | "abstract" => {
            modifiers(slip)
        }
        "Fn" | "FN" | "func" | "def" | "function" | "method" | "fun" | "proc" | "procedure" | "sub"
        | "void" | "fnn" | "ffn" | "nf"
            if slip.is_word(1) && slip.text(2) == "(" =>
        {
            Some(instead(slip, "fn", "a method begins with `fn`"))
        }
        "Oneway" | "ONEWAY" | "one_way" | "notification" | "notify" if next == "fn" => {
            Some(instead(slip, "oneway", "a call without an answer is `oneway`"))
        }
        "event" | "signal" | "notify" | "notification" | "callback" | "emits" | "emit" if slip.is_word(1) => {
            let error = slip.error(format!("expected a method, found `{found}`"), "expected a method");
            Some(error.with_help(format!(
                "a call without an answer is `oneway fn {next}(…);`; what the connecting peer serves stands in `client {{ }}`"
            )))
        }
        "use" | "extends" | "implements" | "inherits" | "inherit" | "mixin" | "Include" | "import"
            if slip.type_end(1).is_some_and(|end| slip.text(end) == ";") =>
        {
            Some(instead(slip, "include", "the methods of an interface are taken in with `include`"))
        }
        _ if slip.is_word(0) && next == "(" => Some(
            slip.error(format!("expected a method, found `{found}`"), "a method begins with `fn`")
                .with_edits(vec![slip.insert_before(0, "fn ")], "write `fn`"),
        ),
        _ if slip.is_word(0) && next == ":" => {
            let ty = slip.type_end(2).map_or("Type", |end| slip.written(2, end));
            let error = slip.error("a service has methods and nothing else", "expected a method");
            Some(error.with_help(format!("what can be read is a method: `fn {found}() -> {ty};`")))
        }
        _ => type_first(slip),
    }
}

fn instead(slip: &Slip<'_>, word: &str, message: &str) -> Diagnostic {
    slip.error(message, format!("expected `{word}`"))
        .with_edits(vec![slip.replace(0, 1, word)], format!("write `{word}`"))
}

/// `clients { … }`
fn client(slip: &Slip<'_>) -> Diagnostic {
    instead(slip, "client", "what the connecting peer serves stands in a `client` block")
}

/// `server { … }`
fn server(slip: &Slip<'_>) -> Diagnostic {
    let error = slip
        .error("what the accepting peer serves stands directly in the service", "not needed")
        .with_help("only what the connecting peer serves has a block of its own: `client { }`");
    match slip.closing(1) {
        Some(close) => error.with_edits(
            vec![slip.remove(0, 2), slip.edit(slip.span(close), "")],
            "take the methods out of the block",
        ),
        None => error,
    }
}

/// `rpc Get(Request) returns (Reply);`
fn rpc(slip: &Slip<'_>) -> Option<Diagnostic> {
    let error = slip.error("a method begins with `fn`", "expected `fn`");
    let shape = || {
        let name = slip.is_word(1).then(|| crate::casing::snake_case(slip.text(1)))?;
        let (argument, after) = rpc_type(slip, 2)?;
        let (result, after) = (slip.text(after) == "returns").then(|| rpc_type(slip, after + 1))??;
        let end = match (slip.text(after), slip.text(after + 1)) {
            (";", _) => after + 1,
            ("{", "}") => after + 2,
            _ => return None,
        };
        Some((format!("fn {name}(request: {argument}) -> {result};"), end))
    };
    Some(match shape() {
        Some((right, end)) => {
            let help = format!("write `{right}`");
            error.with_edits(vec![slip.replace(0, end, right)], help)
        }
        None => {
            error.with_help(format!("a method is written `fn {}(parameter: Type) -> Type;`", slip.text(1)))
        }
    })
}

/// `(Type)` or `(stream Type)` at an offset, and where it ends.
fn rpc_type<'t>(slip: &Slip<'t>, open: isize) -> Option<(&'t str, isize)> {
    let first = if slip.text(open + 1) == "stream" { open + 2 } else { open + 1 };
    let end = slip.type_end(first)?;
    (slip.text(open) == "(" && slip.text(end) == ")").then(|| (slip.written(open + 1, end), end + 1))
}

/// `pub async fn`
fn modifiers(slip: &Slip<'_>) -> Option<Diagnostic> {
    let mut end = 0;
    while matches!(
        slip.text(end),
        "pub" | "async" | "public" | "private" | "static" | "export" | "unsafe" | "const" | "abstract"
    ) {
        end += 1;
    }
    if !matches!(slip.text(end), "fn" | "oneway") {
        return None;
    }
    let words = slip.written(0, end);
    Some(
        slip.error_over(0, end, format!("`{words}` has no meaning here"), "not needed")
            .with_edits(vec![slip.remove(0, end)], "remove it: every method can be called and awaited"),
    )
}

/// `u32 count(…);`
fn type_first(slip: &Slip<'_>) -> Option<Diagnostic> {
    let end = slip.type_end(0)?;
    if !slip.is_word(end) || slip.text(end + 1) != "(" || matches!(slip.text(0), "fn" | "oneway" | "reserved")
    {
        return None;
    }
    let close = slip.closing(end + 1)?;
    let ty = slip.written(0, end);
    let edits = vec![slip.edit(slip.between(0, end), "fn"), slip.insert_after(close, &format!(" -> {ty}"))];
    let name = slip.text(end);
    Some(
        slip.error_over(0, end, "the type of the result stands behind the parameters", "expected `fn`")
            .with_edits(edits, format!("write `fn {name}(…) -> {ty};`")),
    )
}

/// `oneway` in the wrong place, and what is left out around it.
fn oneway(slip: &Slip<'_>) -> Option<Diagnostic> {
    let (before, found) = (slip.text(-1), slip.text(0));
    if before == "oneway" && slip.text(-2) == "fn" && slip.is_word(0) {
        return Some(
            slip.error_over(-1, 0, "`oneway` stands before `fn`", "the wrong way round")
                .with_edits(vec![slip.replace(-2, 0, "oneway fn")], "write `oneway fn`"),
        );
    }
    if before == "oneway" && slip.is_word(0) && slip.text(1) == "(" {
        return Some(
            slip.error(format!("expected `fn`, found `{found}`"), "expected `fn`")
                .with_edits(vec![slip.insert_before(0, "fn ")], "write `oneway fn`"),
        );
    }
    if found == ";" && before == "oneway" && slip.text(-2) == ")" {
        let open = slip.opener(-2)?;
        if slip.text(open - 2) != "fn" {
            return None;
        }
        let edits = vec![slip.insert_before(open - 2, "oneway "), slip.join(-2, 0, "")];
        return Some(
            slip.error_over(-1, 0, "`oneway` stands before `fn`", "too late")
                .with_edits(edits, "write `oneway fn`"),
        );
    }
    if before == "client" && found == "fn" {
        return Some(
            slip.error_over(
                -1,
                0,
                "what the connecting peer serves stands in a block",
                "expected `client {`",
            )
            .with_help(format!("write `client {{ fn {}(…); }}`, one block for all of them", slip.text(1))),
        );
    }
    match (before, found) {
        ("reserved", _) if slip.is_quoted(0) => Some(
            slip.error("a deleted method is kept as `reserved fn`", "expected `fn`")
                .with_edits(vec![slip.insert_before(0, "fn ")], "write `fn`"),
        ),
        ("fn", name) if slip.text(-2) == "reserved" && slip.is_word(0) => {
            let close = (slip.text(1) == "(" && slip.text(2) == ")").then_some(3);
            let edit = slip.replace(0, close.unwrap_or(1), format!("\"{name}\""));
            Some(
                slip.error("a deleted method's name is a string", "expected a string")
                    .with_edits(vec![edit], format!("write `reserved fn \"{name}\";`")),
            )
        }
        ("include", _) if slip.is_quoted(0) => {
            let name = slip.text(0).trim_matches(['"', '\'']);
            Some(
                slip.error("an interface's name stands without quotes", "expected a name")
                    .with_edits(vec![slip.replace(0, 1, name)], format!("write `{name}`")),
            )
        }
        _ => None,
    }
}

/// What follows a method's parameters.
fn signature(slip: &Slip<'_>) -> Option<Diagnostic> {
    let (before, found) = (slip.text(-1), slip.text(0));
    match found {
        ";" if before == "->" => Some(
            slip.error_over(-1, 0, "a method without a result has no `->`", "expected a type behind it")
                .with_edits(vec![slip.join(-2, 0, "")], "remove it, or write the type of the result"),
        ),
        ":" if before == "client" && slip.text(1) == "{" => Some(
            slip.error("a block follows its word", "not needed")
                .with_edits(vec![slip.join(-1, 1, " ")], "remove it"),
        ),
        "<" if slip.text(-2) == "fn" => {
            let end = slip.closing(0)?;
            Some(
                slip.error_over(0, end + 1, "a method has no type parameters", "not possible")
                    .with_help("nothing is generic in a schema; write one for each type"),
            )
        }
        "returns" | "return" | "=>" | ":" if before == ")" && slip.type_end(1).is_some() => {
            Some(slip.error("a result follows `->`", "expected `->`").with_edits(
                vec![slip.replace(0, 1, if slip.touches(0) { " ->" } else { "->" })],
                "write `->`",
            ))
        }
        "throw" | "raises" | "raise" | "fails" | "Throws" if slip.is_word(1) => Some(
            slip.error("an error follows `throws`", "expected `throws`")
                .with_edits(vec![slip.replace(0, 1, "throws")], "write `throws`"),
        ),
        "where" => Some(
            slip.error("nothing is generic in a schema", "not possible")
                .with_help("methods have no type parameters, so there is nothing to restrict"),
        ),
        "{" if slip.text(1) == "}" && slip.wants(&[Rule::semicolon]) => {
            Some(slip.error("expected `;`, found `{`", "expected `;`").with_edits(
                vec![slip.edit(crate::location::Span::new(slip.span(-1).end(), slip.span(1).end()), ";")],
                "methods have no body in a schema: end it with `;`",
            ))
        }
        _ => None,
    }
}
