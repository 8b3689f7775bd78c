//! The entry point of the formatter.
//!
//! Invariants: the returned text has the tokens and comments of the input, in the same order. Only commas may
//! be added or removed, spaces may change inside comments, and a comment may change from one side of a token
//! to the other.

use std::sync::Arc;

use super::imports::sort_imports;
use super::items::print;
use super::outline::Outline;
use super::tokens::{Comment, Kind, Token, tokens};
use crate::diagnostic::{Diagnostic, Place, RuleName};
use crate::location::Span;
use crate::parse::scan;
use crate::syntax::parse;

/// Formats a text in the layout of the language.
///
/// The path is only used in diagnostics; it may be `<stdin>` for text from a pipe.
///
/// # Errors
/// Returns the file's syntax errors if it does not parse. Names and types need not resolve.
///
/// ```
/// let text = "package a;\nstruct Point{x:i32,y:i32,}";
/// let formatted = kaa_idl::format("a.kaa", text).expect("it parses");
/// assert_eq!(formatted, "package a;\n\nstruct Point { x: i32, y: i32 }\n");
/// ```
pub fn format(path: &str, text: &str) -> Result<String, Vec<Diagnostic>> {
    let (file, diagnostics) = parse(path, text);
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    let scan = scan(&file.path, text);
    let mut tokens = tokens(text, &scan.tokens);
    sort_imports(&mut tokens);
    let outline = Outline::new(&tokens);
    let output = print(&tokens, &outline);
    if has_tokens(&output, &tokens) { Ok(output) } else { Err(vec![text_was_lost(&file.path)]) }
}

/// The error that is returned instead of a damaged text.
fn text_was_lost(path: &Arc<str>) -> Diagnostic {
    let place = Place::new(path, Span::default());
    let message = "the formatter would lose a part of this file, so the file is unchanged";
    Diagnostic::error(RuleName::new("FORMATTER_FAILED"), message, place, "")
        .with_help("this is a bug in the formatter: please report it with the file")
}

/// Whether a text has these tokens and comments, in this order.
fn has_tokens(output: &str, expected: &[Token<'_>]) -> bool {
    let scan = scan(&Arc::from(""), output);
    if !scan.diagnostics.is_empty() {
        return false;
    }
    let printed = tokens(output, &scan.tokens);
    words(expected).eq(words(&printed)) && comments(expected).eq(comments(&printed))
}

fn words<'a>(tokens: &'a [Token<'_>]) -> impl Iterator<Item = (Kind, &'a str)> {
    let kept = tokens.iter().filter(|token| token.kind != Kind::Comma);
    kept.map(|token| (token.kind, token.text))
}

/// The lines of all comments.
fn comments<'a>(tokens: &'a [Token<'_>]) -> impl Iterator<Item = &'a str> {
    let comments = tokens.iter().flat_map(|token| token.leading().iter().chain(token.trailing()));
    comments.flat_map(|comment: &Comment<'_>| comment.text.split('\n')).map(str::trim)
}
