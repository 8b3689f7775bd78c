//! Matches brackets before the grammar runs, because the grammar recurses on them.
//!
//! Invariants: matching takes linear time; at most [`MAX_BRACKET_DEPTH`] brackets are open at once; a token
//! with wrong brackets is marked, so that its chunk is not parsed.

use std::sync::Arc;

use super::tokens::{Bracket, Token, TokenKind, is_item_keyword, starts_line};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::location::{LineTable, Span};

/// The maximum depth of nested brackets, angle brackets included.
pub(crate) const MAX_BRACKET_DEPTH: usize = 64;

/// How often `stream` may be repeated before the file is rejected here. Fewer repetitions are bounded, and
/// reported later if they are wrong.
const MAX_NESTED_STREAMS: usize = MAX_BRACKET_DEPTH;

/// The result of matching.
#[derive(Debug)]
pub(crate) struct Matching {
    /// The number of open brackets before each token.
    pub(crate) depths: Vec<usize>,
    /// Ascending indices of tokens with wrong brackets or too many `stream` words.
    pub(crate) broken: Vec<usize>,
    /// Whether matching stopped at the maximum depth; then there are fewer depths than tokens.
    pub(crate) too_deep: bool,
    /// The spans of every `<` without its `>`.
    pub(crate) open_angles: Vec<Span>,
    /// The error for the first unmatched closing bracket, unless brackets before it are already wrong.
    pub(crate) stray: Option<Diagnostic>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Matches the brackets of a file.
///
/// A file with a wrong bracket is matched a second time. Then an item that begins a line, indented no deeper
/// than the bracket's line, shows that the bracket should have been closed before it.
pub(crate) fn match_brackets(path: &Arc<str>, text: &str, lines: &LineTable, tokens: &[Token]) -> Matching {
    let strict = Matcher::new(path, text, lines, tokens, false).run();
    if strict.diagnostics.is_empty() && strict.stray.is_none() {
        return strict;
    }
    Matcher::new(path, text, lines, tokens, true).run()
}

struct Open {
    bracket: Bracket,
    index: usize,
    span: Span,
    angles: Vec<Span>,
    /// An inner bracket that is closed where this one should be: possibly the one that is really unclosed.
    suspect: Option<Span>,
}

struct Matcher<'t> {
    path: &'t Arc<str>,
    text: &'t str,
    lines: &'t LineTable,
    tokens: &'t [Token],
    by_indentation: bool,
    stack: Vec<Open>,
    /// The `<` that were opened after the innermost bracket.
    angles: Vec<Span>,
    /// Where the last outermost bracket was closed.
    last_close: Option<Span>,
    matching: Matching,
}

impl<'t> Matcher<'t> {
    fn new(
        path: &'t Arc<str>,
        text: &'t str,
        lines: &'t LineTable,
        tokens: &'t [Token],
        by_indentation: bool,
    ) -> Self {
        let matching = Matching {
            depths: Vec::with_capacity(tokens.len()),
            broken: Vec::new(),
            too_deep: false,
            open_angles: Vec::new(),
            stray: None,
            diagnostics: Vec::new(),
        };
        let (stack, angles) = (Vec::new(), Vec::new());
        Self { path, text, lines, tokens, by_indentation, stack, angles, last_close: None, matching }
    }

    fn run(mut self) -> Matching {
        for (index, token) in self.tokens.iter().enumerate() {
            if self.by_indentation && !self.stack.is_empty() && self.is_next_item(index) {
                self.unclosed(Some(token.span), "the next item begins here");
            }
            self.matching.depths.push(self.stack.len());
            self.stream(index, token.span);
            match token.kind {
                TokenKind::Open(bracket) => {
                    let angles = std::mem::take(&mut self.angles);
                    self.stack.push(Open { bracket, index, span: token.span, angles, suspect: None });
                }
                TokenKind::Close(bracket) => self.close(bracket, index, token.span),
                TokenKind::Less => self.angles.push(token.span),
                TokenKind::Greater => {
                    self.angles.pop();
                }
                TokenKind::Semicolon => self.end_angles(Some(token.span)),
                _ => {}
            }
            let outer: usize = self.stack.iter().map(|open| open.angles.len()).sum();
            if self.stack.len() + self.angles.len() + outer > MAX_BRACKET_DEPTH {
                self.too_deep(index, token.span);
                return self.matching;
            }
        }
        if self.stack.is_empty() {
            self.end_angles(None);
        }
        self.unclosed(None, "");
        self.matching.broken.sort_unstable();
        self.matching
    }

    /// Limits repeated `stream` words: they nest types without a bracket, and the grammar recurses on them as
    /// well.
    fn stream(&mut self, index: usize, span: Span) {
        let is_stream = |back: usize| {
            let token = index.checked_sub(back).and_then(|index| self.tokens.get(index));
            token.is_some_and(|token| token.span.text(self.text) == "stream")
        };
        if !(0..=MAX_NESTED_STREAMS).all(is_stream) {
            return;
        }
        self.matching.broken.push(index);
        if !is_stream(MAX_NESTED_STREAMS + 1) {
            let place = Place::new(self.path, span);
            let diagnostic = Diagnostic::error(
                Code::StreamInData,
                "a stream cannot contain streams",
                place,
                "one too many",
            );
            self.matching.diagnostics.push(diagnostic.with_help("write `stream` once, before the item type"));
        }
    }

    /// Reports angle brackets that are still open at a semicolon, a closing bracket, or the end of the file.
    fn end_angles(&mut self, end: Option<Span>) {
        if let Some(innermost) = self.angles.last() {
            let place = Place::new(self.path, *innermost);
            let mut diagnostic =
                Diagnostic::error(Code::UnclosedDelimiter, "this `<` is never closed", place, "needs a `>`");
            if let Some(end) = end {
                let before = format!("before this `{}`", end.text(self.text));
                diagnostic = diagnostic.with_label(Place::new(self.path, end), before);
            }
            self.matching.diagnostics.push(diagnostic);
        }
        self.matching.open_angles.append(&mut self.angles);
    }

    fn close(&mut self, bracket: Bracket, index: usize, span: Span) {
        if !self.stack.iter().any(|open| open.bracket == bracket) {
            return self.unmatched(bracket, index, span);
        }
        self.end_angles(Some(span));
        let mut unclosed: Vec<Open> = Vec::new();
        while let Some(mut open) = self.stack.pop() {
            self.angles.append(&mut open.angles);
            if open.bracket == bracket {
                self.suspect(&open, span);
                break;
            }
            self.matching.broken.push(open.index);
            unclosed.push(open);
        }
        if self.stack.is_empty() {
            self.last_close = Some(span);
        }
        if let Some(diagnostic) = self.never_closed(&unclosed) {
            let other = format!("before this `{}`", closing(bracket));
            self.matching.diagnostics.push(diagnostic.with_label(Place::new(self.path, span), other));
        }
    }

    /// A closing bracket that is indented less than the line of its opening one probably belongs to another.
    fn suspect(&mut self, open: &Open, close: Span) {
        let line = self.lines.start(self.lines.line(close.start())).unwrap_or(0);
        let blank = Span::new(line, close.start()).text(self.text).trim().is_empty();
        let further_out = blank && self.column(close.start()) < self.indentation(open.span.start());
        if let Some(outer) = self.stack.last_mut()
            && outer.suspect.is_none()
        {
            outer.suspect = open.suspect.or(further_out.then_some(open.span));
        }
    }

    /// One diagnostic for brackets that end together, given from the innermost outwards.
    fn never_closed(&self, open: &[Open]) -> Option<Diagnostic> {
        let (innermost, outer) = open.split_first()?;
        let span = innermost.suspect.unwrap_or(innermost.span);
        let bracket = opening(innermost.bracket);
        let mut diagnostic = Diagnostic::error(
            Code::UnclosedDelimiter,
            format!("this `{bracket}` is never closed"),
            Place::new(self.path, span),
            format!("needs a `{}`", closing(innermost.bracket)),
        );
        if innermost.suspect.is_some() {
            let label = format!("so no `{}` is left for this `{bracket}`", closing(innermost.bracket));
            diagnostic = diagnostic.with_label(Place::new(self.path, innermost.span), label);
        }
        for other in outer {
            diagnostic =
                diagnostic.with_label(Place::new(self.path, other.span), "this is not closed either");
        }
        Some(diagnostic)
    }

    /// Reports a closing bracket of a kind that is not open: a typo for the one that is, or one too many.
    fn unmatched(&mut self, bracket: Bracket, index: usize, span: Span) {
        self.matching.broken.push(index);
        let place = Place::new(self.path, span);
        let last = self.stack.pop_if(|open| open.bracket != Bracket::Brace && bracket != Bracket::Brace);
        let diagnostic = match last {
            Some(open) => {
                self.matching.open_angles.append(&mut self.angles);
                self.angles = open.angles;
                let expected = closing(open.bracket);
                let message = format!("expected `{expected}`, found `{}`", closing(bracket));
                Diagnostic::error(
                    Code::UnclosedDelimiter,
                    message,
                    place.clone(),
                    format!("expected `{expected}`"),
                )
                .with_label(Place::new(self.path, open.span), "this is the bracket to close")
                .with_fix(place, expected, format!("write `{expected}`"))
            }
            None => {
                let message = format!("unmatched `{}`", closing(bracket));
                if self.matching.stray.is_none() && self.matching.diagnostics.is_empty() {
                    let label = "no bracket of this kind is open";
                    let mut stray = Diagnostic::error(Code::UnclosedDelimiter, message, place, label);
                    if let Some(last) = self.last_close.filter(|_| self.stack.is_empty()) {
                        let place = Place::new(self.path, last);
                        stray = stray.with_label(place, "all brackets are closed here");
                    }
                    self.matching.stray = Some(stray);
                }
                return;
            }
        };
        self.matching.diagnostics.push(diagnostic);
    }

    /// Reports that all open brackets should be closed here; the diagnostic points at the innermost.
    fn unclosed(&mut self, before: Option<Span>, remark: &str) {
        let open = std::mem::take(&mut self.stack);
        self.matching.open_angles.append(&mut self.angles);
        self.matching.open_angles.extend(open.iter().flat_map(|open| &open.angles));
        self.matching.broken.extend(open.iter().map(|open| open.index));
        let innermost_first: Vec<Open> = open.into_iter().rev().collect();
        let Some(mut diagnostic) = self.never_closed(&innermost_first) else { return };
        if let Some(span) = before {
            diagnostic = diagnostic.with_label(Place::new(self.path, span), remark);
        }
        self.matching.diagnostics.push(diagnostic);
    }

    fn too_deep(&mut self, index: usize, span: Span) {
        let place = Place::new(self.path, span);
        let message = format!("brackets nest deeper than {MAX_BRACKET_DEPTH}");
        let mut diagnostic = Diagnostic::error(Code::TooDeep, message, place, "too deep");
        if let Some(outermost) = self.stack.first() {
            diagnostic =
                diagnostic.with_label(Place::new(self.path, outermost.span), "the outermost bracket is here");
        }
        self.matching.diagnostics = vec![diagnostic.with_help("the rest of this file was not checked")];
        self.matching.broken.push(index);
        self.matching.too_deep = true;
    }

    fn is_next_item(&self, index: usize) -> bool {
        let Some(token) = self.tokens.get(index) else { return false };
        let Some(outermost) = self.stack.first() else { return false };
        is_item_keyword(token.span.text(self.text))
            && starts_line(self.text, self.tokens, index)
            && self.tokens.get(index + 1).is_some_and(|next| next.kind == TokenKind::Word)
            && self.column(token.span.start()) <= self.indentation(outermost.span.start())
    }

    fn column(&self, offset: usize) -> usize {
        offset - self.lines.start(self.lines.line(offset)).unwrap_or(0)
    }

    /// The number of spaces and tabs at the start of the line that contains an offset.
    fn indentation(&self, offset: usize) -> usize {
        let start = self.lines.start(self.lines.line(offset)).unwrap_or(0);
        let rest = self.text.as_bytes().get(start..offset).unwrap_or_default();
        rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
    }
}

fn opening(bracket: Bracket) -> char {
    match bracket {
        Bracket::Brace => '{',
        Bracket::Parenthesis => '(',
        Bracket::Square => '[',
    }
}

fn closing(bracket: Bracket) -> char {
    match bracket {
        Bracket::Brace => '}',
        Bracket::Parenthesis => ')',
        Bracket::Square => ']',
    }
}
