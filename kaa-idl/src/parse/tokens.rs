//! Tokens, and the text that they were scanned from.
//!
//! Invariants: tokens are in the order of the text and do not overlap.

use std::sync::Arc;

use crate::location::Span;

/// A token, only as detailed as finding the ends of items requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Span,
}

/// The kinds of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Word,
    Number,
    Quoted,
    Doc,
    Open(Bracket),
    Close(Bracket),
    Semicolon,
    Less,
    Greater,
    Hash,
    Punctuation,
}

/// The kinds of brackets that must match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bracket {
    Brace,
    Parenthesis,
    Square,
}

/// A file after the scan: its path, text, masked copy and tokens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ScannedFile<'t> {
    pub(crate) path: &'t Arc<str>,
    pub(crate) text: &'t str,
    pub(crate) masked: &'t str,
    pub(crate) tokens: &'t [Token],
}

impl<'t> ScannedFile<'t> {
    /// The tokens that begin in a span.
    pub(crate) fn tokens_in(&self, span: Span) -> &'t [Token] {
        let index = |offset| self.tokens.partition_point(|token| token.span.start() < offset);
        self.tokens.get(index(span.start())..index(span.end())).unwrap_or_default()
    }

    /// The names that follow the keywords of items.
    pub(crate) fn declared(&self, tokens: &'t [Token]) -> impl Iterator<Item = &'t str> + use<'t> {
        let text = self.text;
        let words = tokens.iter().zip(tokens.iter().skip(1));
        words.filter(|(_, name)| name.kind == TokenKind::Word).filter_map(move |(keyword, name)| {
            let keyword = keyword.span.text(text);
            let declares = is_item_keyword(keyword) && !matches!(keyword, "package" | "use" | "sealed");
            declares.then(|| name.span.text(text))
        })
    }
}

/// The words that begin an item, a `use` or a `package` line.
pub(crate) const ITEM_KEYWORDS: [&str; 12] = [
    "package",
    "use",
    "const",
    "newtype",
    "type",
    "sealed",
    "struct",
    "enum",
    "flags",
    "error",
    "interface",
    "service",
];

/// Whether a word begins an item, `use` and `package` included.
pub(crate) fn is_item_keyword(word: &str) -> bool {
    ITEM_KEYWORDS.contains(&word)
}

/// Whether a token is the first on its line.
pub(crate) fn starts_line(text: &str, tokens: &[Token], index: usize) -> bool {
    let end = index.checked_sub(1).and_then(|before| tokens.get(before)).map_or(0, |token| token.span.end());
    let start = tokens.get(index).map_or(end, |token| token.span.start());
    index == 0 || Span::new(end, start).text(text).contains('\n')
}

/// The tokens of a construct after its docs and attributes.
pub(crate) fn after_decoration(tokens: &[Token]) -> &[Token] {
    let mut depth = 0usize;
    let mut in_attribute = false;
    let start = tokens.iter().position(|token| {
        match token.kind {
            TokenKind::Doc => return false,
            TokenKind::Hash if depth == 0 => {
                in_attribute = true;
                return false;
            }
            TokenKind::Open(_) if in_attribute => depth += 1,
            TokenKind::Close(_) if in_attribute => {
                depth = depth.saturating_sub(1);
                in_attribute = depth > 0;
                return false;
            }
            _ => {}
        }
        !in_attribute
    });
    tokens.get(start.unwrap_or(tokens.len())..).unwrap_or_default()
}
