//! Splits the text into tokens that own their comments.
//!
//! Invariants: a comment belongs to the token before it if it ends that token's line, else to the token after
//! it; tokens and comments keep the order of the text; the last token is [`Kind::End`], which owns the
//! comments at the end of the file.

use crate::location::Span;
use crate::parse::{Bracket, Token as Scanned, TokenKind};

/// A token with the facts that the layout needs.
#[derive(Debug)]
pub(super) struct Token<'t> {
    pub(super) kind: Kind,
    pub(super) text: &'t str,
    /// Whether a line ends between it and the comment or token before it.
    pub(super) newline_before: bool,
    /// Whether there is a blank line in that place.
    pub(super) blank_before: bool,
    comments: Option<Box<Comments<'t>>>,
}

/// The kinds of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Word,
    Literal,
    Doc,
    Open(Delimiter),
    Close(Delimiter),
    Comma,
    Semicolon,
    Colon,
    /// `.` or `::`
    Path,
    /// `..`
    Rest,
    /// `..=`
    Bound,
    Equals,
    Arrow,
    Operator,
    Hash,
    End,
}

/// The kinds of brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delimiter {
    Brace,
    Parenthesis,
    Square,
    Angle,
}

#[derive(Debug, Default)]
struct Comments<'t> {
    leading: Vec<Comment<'t>>,
    trailing: Vec<Comment<'t>>,
}

/// `// …`, `//! …` or `/* … */`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Comment<'t> {
    pub(super) text: &'t str,
    /// Whether a line ends between it and the comment or token before it.
    pub(super) newline_before: bool,
    /// Whether there is a blank line in that place.
    pub(super) blank_before: bool,
    /// The number of spaces before it, if it is the first on its line and only spaces are before it.
    pub(super) indentation: Option<usize>,
}

impl Comment<'_> {
    /// Whether it extends to the end of its line.
    pub(super) fn is_line(&self) -> bool {
        self.text.starts_with("//")
    }

    /// The width of its first line in columns; the other lines move with the indentation of the first.
    pub(super) fn columns(&self) -> usize {
        columns(self.text.split('\n').next().unwrap_or_default().trim_end())
    }

    /// Whether tokens can be before it and after it on one line.
    pub(super) fn is_inline(&self) -> bool {
        !self.is_line() && !self.newline_before && !self.text.contains('\n')
    }
}

impl<'t> Token<'t> {
    /// The comments before it, without those that end the line of the token before.
    pub(super) fn leading(&self) -> &[Comment<'t>] {
        self.comments.as_ref().map_or(&[], |comments| &comments.leading)
    }

    /// The comments after it that end its line.
    pub(super) fn trailing(&self) -> &[Comment<'t>] {
        self.comments.as_ref().map_or(&[], |comments| &comments.trailing)
    }

    /// Whether it owns any comments.
    pub(super) fn has_comments(&self) -> bool {
        !self.leading().is_empty() || !self.trailing().is_empty()
    }

    /// Moves the comments after this token to the front of the next one.
    pub(super) fn move_trailing_to(&mut self, next: &mut Self) {
        let Some(comments) = self.comments.as_mut().filter(|comments| !comments.trailing.is_empty()) else {
            return;
        };
        next.comments.get_or_insert_default().leading.splice(0..0, comments.trailing.drain(..));
    }

    /// Exchanges the comments and line breaks before two tokens.
    pub(super) fn swap_leading(&mut self, other: &mut Self) {
        std::mem::swap(&mut self.newline_before, &mut other.newline_before);
        std::mem::swap(&mut self.blank_before, &mut other.blank_before);
        if self.has_comments() || other.has_comments() {
            let own = self.comments.get_or_insert_default();
            let others = other.comments.get_or_insert_default();
            std::mem::swap(&mut own.leading, &mut others.leading);
        }
    }
}

/// The width of a text in columns.
pub(super) fn columns(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}

/// The tokens of a text that was scanned without errors.
pub(super) fn tokens<'t>(text: &'t str, scanned: &[Scanned]) -> Vec<Token<'t>> {
    let mut tokens: Vec<Token<'t>> = Vec::with_capacity(scanned.len() + 1);
    let mut end = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut scanned = scanned.iter().peekable();
    while let Some(first) = scanned.next() {
        let mut span = first.span;
        while scanned.peek().is_some_and(|next| joins(text, span, next.span)) {
            span = scanned.next().map_or(span, |next| span.to(next.span));
        }
        let whole = span.text(text);
        let whole = if first.kind == TokenKind::Doc { whole.trim_end_matches('\r') } else { whole };
        let gap = Span::new(end, span.start()).text(text);
        end = span.end();
        push(&mut tokens, kind(first.kind, whole), whole, gap);
    }
    let gap = text.get(end..).unwrap_or_default();
    push(&mut tokens, Kind::End, "", gap);
    tokens
}

/// Whether two tokens of the scan form one token here: the parts of `..` and `..=`.
fn joins(text: &str, left: Span, right: Span) -> bool {
    left.end() == right.start() && matches!((left.text(text), right.text(text)), (".", ".") | ("..", "="))
}

fn kind(kind: TokenKind, text: &str) -> Kind {
    match kind {
        TokenKind::Word => Kind::Word,
        TokenKind::Number | TokenKind::Quoted => Kind::Literal,
        TokenKind::Doc => Kind::Doc,
        TokenKind::Open(bracket) => Kind::Open(delimiter(bracket)),
        TokenKind::Close(bracket) => Kind::Close(delimiter(bracket)),
        TokenKind::Semicolon => Kind::Semicolon,
        TokenKind::Less => Kind::Open(Delimiter::Angle),
        TokenKind::Greater => Kind::Close(Delimiter::Angle),
        TokenKind::Hash => Kind::Hash,
        TokenKind::Punctuation => match text {
            "," => Kind::Comma,
            ":" => Kind::Colon,
            "." | "::" => Kind::Path,
            ".." => Kind::Rest,
            "..=" => Kind::Bound,
            "=" => Kind::Equals,
            "->" => Kind::Arrow,
            _ => Kind::Operator,
        },
    }
}

fn delimiter(bracket: Bracket) -> Delimiter {
    match bracket {
        Bracket::Brace => Delimiter::Brace,
        Bracket::Parenthesis => Delimiter::Parenthesis,
        Bracket::Square => Delimiter::Square,
    }
}

/// Adds a token, and assigns the comments between it and the token before to one of the two.
fn push<'t>(tokens: &mut Vec<Token<'t>>, kind: Kind, text: &'t str, gap: &'t str) {
    let (mut leading, newlines) = comments(gap);
    let newline_before = newlines > 0;
    let on_line = leading.iter().take_while(|comment| !comment.newline_before).count();
    let line_ends = on_line < leading.len() || newline_before || kind == Kind::End;
    if let (true, true, Some(last)) = (on_line > 0, line_ends, tokens.last_mut()) {
        let rest = leading.split_off(on_line);
        last.comments.get_or_insert_default().trailing = std::mem::replace(&mut leading, rest);
    }
    let comments = (!leading.is_empty()).then(|| Box::new(Comments { leading, trailing: Vec::new() }));
    tokens.push(Token { kind, text, newline_before, blank_before: newlines > 1, comments });
}

/// The comments in the text between two tokens, and the number of line ends after the last comment.
fn comments(gap: &str) -> (Vec<Comment<'_>>, usize) {
    let mut found = Vec::new();
    let mut newlines = 0;
    let mut indentation = None;
    let mut rest = gap;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '/' => {
                let length = comment_length(rest);
                let (text, _) = rest.split_at(length);
                let (newline_before, blank_before) = (newlines > 0, newlines > 1);
                found.push(Comment { text, newline_before, blank_before, indentation });
                newlines = 0;
                indentation = None;
                length
            }
            '\n' => {
                newlines += 1;
                indentation = Some(0);
                1
            }
            ' ' => {
                indentation = indentation.map(|spaces| spaces + 1);
                1
            }
            other => {
                indentation = indentation.filter(|_| other == '\r');
                other.len_utf8()
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    (found, newlines)
}

/// The length of the comment at the start of a text.
fn comment_length(text: &str) -> usize {
    if !text.starts_with("/*") {
        return text.find('\n').unwrap_or(text.len());
    }
    let bytes = text.as_bytes();
    let mut depth = 0usize;
    let mut at = 0;
    while at < bytes.len() {
        match bytes.get(at..at + 2) {
            Some(b"/*") => {
                depth += 1;
                at += 2;
            }
            Some(b"*/") => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    text.len()
}
