//! Compares two texts of one file: their trees without spans, their comments, their docs.
//!
//! Invariants: imports and the comments after them may change their order; everything else keeps it.

use kaa_idl::diagnostic::Diagnostic;
use kaa_idl::{format, parse};

/// Formats a text, and checks everything that must hold for the result.
pub(crate) fn check(text: &str) -> String {
    let formatted = format("demo.kaa", text).unwrap_or_else(|errors| panic!("{}\n{text}", messages(&errors)));
    let again = format("demo.kaa", &formatted)
        .unwrap_or_else(|errors| panic!("formatted: {}\n{formatted}", messages(&errors)));
    assert_eq!(formatted, again, "formatting twice changes something; the text was\n{text}");
    assert_eq!(
        tree(text),
        tree(&formatted),
        "formatting changes the tree of\n{text}\nwhich becomes\n{formatted}"
    );
    assert_eq!(comments(text), comments(&formatted), "comments differ:\n{text}\nbecomes\n{formatted}");
    assert!(
        formatted.is_empty() || formatted.ends_with('\n') && !formatted.ends_with("\n\n"),
        "{formatted:?}"
    );
    assert!(!formatted.starts_with(['\n', ' ', '\u{feff}']) && !formatted.contains("\n\n\n"), "{formatted}");
    formatted
}

fn messages(errors: &[Diagnostic]) -> String {
    errors.iter().map(|error| format!("{} at {:?}\n", error.message, error.primary.place.span)).collect()
}

/// The tree as text, without spans and with sorted imports.
pub(crate) fn tree(text: &str) -> String {
    let (mut file, diagnostics) = parse("demo.kaa", text);
    assert!(diagnostics.is_empty(), "{}\n{text}", messages(&diagnostics));
    let mut uses: Vec<String> =
        file.uses.drain(..).map(|import| without_spans(&format!("{import:?}"))).collect();
    uses.sort();
    without_spans(&format!("{file:#?}")) + &uses.join("\n")
}

/// A debug text without `Span { … }`, in any layout.
fn without_spans(debug: &str) -> String {
    let mut text = String::with_capacity(debug.len());
    let mut rest = debug;
    while let Some(start) = rest.find("Span {") {
        let (before, span) = rest.split_at(start);
        text.push_str(before);
        rest = span.split_once('}').expect("a span ends").1;
    }
    text + rest
}

/// All comments and docs: in order, but only if imports cannot have been sorted; and sorted.
fn comments(text: &str) -> (Vec<String>, Vec<String>) {
    let mut all = Vec::new();
    let mut rest = text;
    while let Some(next) = rest.find(['"', '\'', '/']) {
        let (_, found) = rest.split_at(next);
        let (token, after) = found.split_at(length(found));
        if token.starts_with('/') {
            all.push(token.lines().map(str::trim).collect::<Vec<_>>().join("\n"));
        }
        rest = after;
    }
    let mut sorted = all.clone();
    sorted.sort();
    (if text.matches("use").count() > 1 { Vec::new() } else { all }, sorted)
}

/// The length of the string, character or comment at the start of a text.
fn length(text: &str) -> usize {
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        let mut depth = 0;
        let pairs = text.char_indices().zip(text.chars().skip(1));
        let mut skip = false;
        for ((offset, first), second) in pairs {
            if std::mem::take(&mut skip) {
                continue;
            }
            match (first, second) {
                ('/', '*') => (depth, skip) = (depth + 1, true),
                ('*', '/') if depth == 1 => return offset + 2,
                ('*', '/') => (depth, skip) = (depth - 1, true),
                _ => {}
            }
        }
        return text.len();
    }
    let quote = text.chars().next().expect("a quote");
    let mut escaped = false;
    for (offset, character) in text.char_indices().skip(1) {
        if character == quote && !escaped {
            return offset + 1;
        }
        escaped = character == '\\' && !escaped;
    }
    text.len()
}
