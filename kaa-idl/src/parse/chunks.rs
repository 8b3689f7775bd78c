//! Cuts a file into chunks of one item, `use` or `package` line each, so that an error affects only its
//! chunk.
//!
//! Invariants: chunks do not overlap and keep the order of the text; every token is in exactly one chunk.

use super::brackets::Matching;
use super::tokens::{Bracket, Token, TokenKind, is_item_keyword, starts_line};
use crate::location::Span;

/// A piece of the text that should be one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) span: Span,
    /// Indices of its tokens.
    pub(crate) tokens: std::ops::Range<usize>,
    /// Whether it must not be parsed, because its brackets are wrong.
    pub(crate) broken: bool,
}

/// Cuts at the ends of items and before tokens that can only begin an item.
pub(crate) fn chunks(text: &str, tokens: &[Token], matching: &Matching) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut broken = matching.broken.iter().copied().peekable();
    let mut start = 0;
    let mut body = None;
    let mut cut = |from: usize, to: usize| {
        let (Some(first), Some(last)) =
            (tokens.get(from), to.checked_sub(1).and_then(|last| tokens.get(last)))
        else {
            return;
        };
        let mut is_broken = false;
        while broken.next_if(|index| *index < to).is_some() {
            is_broken = true;
        }
        if from < to {
            let span = Span::new(first.span.start(), last.span.end());
            chunks.push(Chunk { span, tokens: from..to, broken: is_broken });
        }
    };
    let mut attribute = false;
    for (index, (token, depth)) in tokens.iter().zip(&matching.depths).enumerate() {
        if *depth == 0 {
            if body.is_some() && begins_item(text, tokens, index, body) {
                cut(start, index);
                start = index;
                body = None;
            }
            attribute = token.kind == TokenKind::Hash
                || (attribute && token.kind == TokenKind::Open(Bracket::Square));
            let close = matches!(token.kind, TokenKind::Close(_));
            if body.is_none() && !attribute && !close && token.kind != TokenKind::Doc {
                body = Some(index);
            }
        }
        let next_depth = matching.depths.get(index + 1).copied().unwrap_or(0);
        let next_is_semicolon = tokens.get(index + 1).is_some_and(|next| next.kind == TokenKind::Semicolon);
        let ends = match token.kind {
            TokenKind::Semicolon => *depth == 0,
            TokenKind::Close(Bracket::Brace) => next_depth == 0 && !next_is_semicolon,
            _ => false,
        };
        if ends {
            cut(start, index + 1);
            start = index + 1;
            body = None;
        }
    }
    cut(start, tokens.len().min(matching.depths.len()));
    chunks
}

fn begins_item(text: &str, tokens: &[Token], index: usize, body: Option<usize>) -> bool {
    let Some(token) = tokens.get(index) else { return false };
    let before = index.checked_sub(1).and_then(|before| tokens.get(before));
    let after_sealed =
        before.is_some_and(|before| before.span.text(text) == "sealed") && body == index.checked_sub(1);
    match token.kind {
        TokenKind::Doc | TokenKind::Hash => true,
        TokenKind::Word => {
            is_item_keyword(token.span.text(text))
                && !after_sealed
                && starts_line(text, tokens, index)
                && tokens.get(index + 1).is_some_and(|next| next.kind == TokenKind::Word)
        }
        _ => false,
    }
}
