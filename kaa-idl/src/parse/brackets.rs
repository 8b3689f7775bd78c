//! Matches brackets before the grammar runs, since the grammar recurses on them.
//!
//! Invariants: linear time; the stack of open brackets never grows beyond [`DEEPEST_BRACKETS`]; a token whose
//! brackets are wrong is marked, so that the chunk it stands in is not parsed.

use std::sync::Arc;

use super::chunks::{is_item_keyword, starts_line};
use super::scan::{Bracket, Token, TokenKind};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::location::{LineTable, Span};

/// How deep brackets may nest, angle brackets included.
pub(crate) const DEEPEST_BRACKETS: usize = 64;

/// What matching found.
#[derive(Debug)]
pub(crate) struct Matching {
    /// The number of open brackets before each token.
    pub(crate) depths: Vec<usize>,
    /// Indices of tokens with bracket trouble, ascending.
    pub(crate) broken: Vec<usize>,
    /// Whether matching gave up because of the depth; then there are fewer depths than tokens.
    pub(crate) too_deep: bool,
    /// The places of `<` that no `>` closes.
    pub(crate) open_angles: Vec<Span>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Matches the brackets of a file. A file with an unclosed bracket is read a second time, taking an item that begins
/// on a line of its own, no further in than the bracket's line, as a sign that the bracket should have ended.
pub(crate) fn match_brackets(path: &Arc<str>, text: &str, lines: &LineTable, tokens: &[Token]) -> Matching {
    let strict = Matcher::new(path, text, lines, tokens, false).run();
    if strict.diagnostics.is_empty() {
        return strict;
    }
    Matcher::new(path, text, lines, tokens, true).run()
}

struct Open {
    bracket: Bracket,
    index: usize,
    span: Span,
    angles: Vec<Span>,
}

struct Matcher<'t> {
    path: &'t Arc<str>,
    text: &'t str,
    lines: &'t LineTable,
    tokens: &'t [Token],
    by_indentation: bool,
    stack: Vec<Open>,
    /// The `<` that are open since the innermost bracket.
    angles: Vec<Span>,
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
            diagnostics: Vec::new(),
        };
        Self { path, text, lines, tokens, by_indentation, stack: Vec::new(), angles: Vec::new(), matching }
    }

    fn run(mut self) -> Matching {
        for (index, token) in self.tokens.iter().enumerate() {
            if self.by_indentation && !self.stack.is_empty() && self.is_next_item(index) {
                self.unclosed(Some(token.span), "the next item begins here");
            }
            self.matching.depths.push(self.stack.len());
            match token.kind {
                TokenKind::Open(bracket) => {
                    let angles = std::mem::take(&mut self.angles);
                    self.stack.push(Open { bracket, index, span: token.span, angles });
                }
                TokenKind::Close(bracket) => self.close(bracket, index, token.span),
                TokenKind::Less => self.angles.push(token.span),
                TokenKind::Greater => {
                    self.angles.pop();
                }
                TokenKind::Semicolon => self.end_angles(token.span),
                _ => {}
            }
            let outer: usize = self.stack.iter().map(|open| open.angles.len()).sum();
            if self.stack.len() + self.angles.len() + outer > DEEPEST_BRACKETS {
                self.too_deep(index, token.span);
                return self.matching;
            }
        }
        self.unclosed(None, "");
        self.matching.broken.sort_unstable();
        self.matching
    }

    /// What ends here had to close its angle brackets before.
    fn end_angles(&mut self, end: Span) {
        if let Some(innermost) = self.angles.last() {
            let place = Place::new(self.path, *innermost);
            let diagnostic =
                Diagnostic::error(Code::UnclosedDelimiter, "this `<` is never closed", place, "needs a `>`");
            let before = format!("before this `{}`", end.text(self.text));
            self.matching.diagnostics.push(diagnostic.with_label(Place::new(self.path, end), before));
        }
        self.matching.open_angles.append(&mut self.angles);
    }

    fn close(&mut self, bracket: Bracket, index: usize, span: Span) {
        if !self.stack.iter().any(|open| open.bracket == bracket) {
            return self.unmatched(bracket, index, span);
        }
        self.end_angles(span);
        while let Some(mut open) = self.stack.pop() {
            self.angles.append(&mut open.angles);
            if open.bracket == bracket {
                break;
            }
            self.matching.broken.push(open.index);
            let message = format!("this `{}` is never closed", opening(open.bracket));
            let diagnostic = Diagnostic::error(
                Code::UnclosedDelimiter,
                message,
                Place::new(self.path, open.span),
                format!("needs a `{}`", closing(open.bracket)),
            );
            let other = format!("before this `{}`", closing(bracket));
            self.matching.diagnostics.push(diagnostic.with_label(Place::new(self.path, span), other));
        }
    }

    /// A bracket of a kind that is not open: a slip for the one that is, or one too many.
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
                .with_label(Place::new(self.path, open.span), "this is what it should close")
                .with_fix(place, expected, format!("write `{expected}`"))
            }
            None => {
                let message = format!("`{}` closes nothing", closing(bracket));
                Diagnostic::error(
                    Code::UnclosedDelimiter,
                    message,
                    place,
                    "there is no open bracket of this kind",
                )
            }
        };
        self.matching.diagnostics.push(diagnostic);
    }

    /// All open brackets end here; the innermost is the one to look at.
    fn unclosed(&mut self, before: Option<Span>, remark: &str) {
        let open = std::mem::take(&mut self.stack);
        self.matching.open_angles.append(&mut self.angles);
        self.matching.open_angles.extend(open.iter().flat_map(|open| &open.angles));
        self.matching.broken.extend(open.iter().map(|open| open.index));
        let mut innermost_first = open.iter().rev();
        let Some(innermost) = innermost_first.next() else { return };
        let mut diagnostic = Diagnostic::error(
            Code::UnclosedDelimiter,
            format!("this `{}` is never closed", opening(innermost.bracket)),
            Place::new(self.path, innermost.span),
            format!("needs a `{}`", closing(innermost.bracket)),
        );
        for outer in innermost_first {
            diagnostic = diagnostic.with_label(Place::new(self.path, outer.span), "nor is this");
        }
        if let Some(span) = before {
            diagnostic = diagnostic.with_label(Place::new(self.path, span), remark);
        }
        self.matching.diagnostics.push(diagnostic);
    }

    fn too_deep(&mut self, index: usize, span: Span) {
        let place = Place::new(self.path, span);
        let message = format!("brackets nest deeper than {DEEPEST_BRACKETS}");
        let mut diagnostic = Diagnostic::error(Code::TooDeep, message, place, "too deep");
        if let Some(outermost) = self.stack.first() {
            diagnostic =
                diagnostic.with_label(Place::new(self.path, outermost.span), "the outermost is here");
        }
        self.matching.diagnostics = vec![diagnostic.with_help("the rest of this file was not looked at")];
        self.matching.broken.push(index);
        self.matching.too_deep = true;
    }

    fn is_next_item(&self, index: usize) -> bool {
        let Some(token) = self.tokens.get(index) else { return false };
        let Some(outermost) = self.stack.first() else { return false };
        is_item_keyword(token.span.text(self.text))
            && starts_line(self.text, self.tokens, index)
            && self.tokens.get(index + 1).is_some_and(|next| next.kind == TokenKind::Word)
            && self.column(token.span.start) <= self.indentation(outermost.span.start)
    }

    fn column(&self, offset: usize) -> usize {
        offset - self.lines.start(self.lines.line(offset)).unwrap_or(0)
    }

    /// The blanks at the start of the line that holds an offset.
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
