//! The second look: whether a printed text has the tokens and the comments that it was made of.
//!
//! Invariants: only commas may come and go, and blanks inside comments; comments may change sides with a token.

use std::sync::Arc;

use super::tokens::{Comment, Kind, Token, tokens};
use crate::parse::scan;

/// Whether a text holds these tokens and comments, in this order.
pub(super) fn same(expected: &[Token<'_>], output: &str) -> bool {
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
