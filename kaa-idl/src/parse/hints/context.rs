//! The context of a syntax error: the unexpected token and the tokens around it.
//!
//! Invariants: offsets count tokens from the unexpected one; outside the file every text is empty.

use crate::diagnostic::{Code, Diagnostic, Edit, Place};
use crate::location::Span;
use crate::parse::Rule;
use crate::parse::tokens::{ScannedFile, Token, TokenKind};

/// What the parser was reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Construct {
    /// An item, `use` or `package` line.
    Item,
    /// A field or a parameter.
    Field,
    /// A variant.
    Variant,
    /// A flag.
    Flag,
    /// A member of a service or an interface.
    Member,
}

/// The unexpected token, and the rules that the grammar expected in its place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SyntaxContext<'t> {
    pub(super) construct: Construct,
    source: ScannedFile<'t>,
    index: usize,
    found: Span,
    rules: &'t [Rule],
}

impl<'t> SyntaxContext<'t> {
    pub(crate) fn new(construct: Construct, source: ScannedFile<'t>, found: Span, rules: &'t [Rule]) -> Self {
        let index = source.tokens.partition_point(|token| token.span.start() < found.start());
        Self { construct, source, index, found, rules }
    }

    pub(super) fn expects(&self, any: &[Rule]) -> bool {
        any.iter().any(|rule| self.rules.contains(rule))
    }

    fn token(&self, offset: isize) -> Option<&'t Token> {
        self.source.tokens.get(self.index.checked_add_signed(offset)?)
    }

    pub(super) fn text(&self, offset: isize) -> &'t str {
        self.token(offset).map_or("", |token| token.span.text(self.source.text))
    }

    pub(super) fn span(&self, offset: isize) -> Span {
        self.token(offset).map_or(Span::at(self.source.text.len()), |token| token.span)
    }

    pub(super) fn is_word(&self, offset: isize) -> bool {
        self.token(offset).is_some_and(|token| token.kind == TokenKind::Word)
    }

    pub(super) fn is_number(&self, offset: isize) -> bool {
        self.token(offset).is_some_and(|token| token.kind == TokenKind::Number)
    }

    pub(super) fn is_quoted(&self, offset: isize) -> bool {
        self.token(offset).is_some_and(|token| token.kind == TokenKind::Quoted)
    }

    /// Whether there is no space between a token and the one before it.
    pub(super) fn touches(&self, offset: isize) -> bool {
        self.token(offset - 1).is_some() && self.span(offset - 1).end() == self.span(offset).start()
    }

    /// Whether a token ends a field, a parameter or a statement.
    pub(super) fn ends(&self, offset: isize) -> bool {
        matches!(self.text(offset), "," | ";" | "}" | ")")
    }

    /// The span from one token up to another, which is not included.
    pub(super) fn between(&self, from: isize, to: isize) -> Span {
        self.span(from).to(self.span(to - 1))
    }

    pub(super) fn written(&self, from: isize, to: isize) -> &'t str {
        self.between(from, to).text(self.source.text)
    }

    /// The offset of the token after the type that begins at a token.
    pub(super) fn type_end(&self, from: isize) -> Option<isize> {
        let mut at = from;
        if self.text(at) == "[" {
            return self.closing(at).map(|end| end + 1);
        }
        if !self.is_word(at) {
            return None;
        }
        at += 1;
        while matches!(self.text(at), "." | "::") && self.is_word(at + 1) {
            at += 2;
        }
        if self.text(at) != "<" {
            return Some(at);
        }
        self.closing(at).map(|end| end + 1)
    }

    /// The bracket that closes the one at a token; kinds of brackets are not distinguished.
    pub(super) fn closing(&self, open: isize) -> Option<isize> {
        let mut depth = 0usize;
        for offset in open..open.saturating_add(MAX_DISTANCE) {
            match self.token(offset)?.kind {
                TokenKind::Open(_) | TokenKind::Less => depth += 1,
                TokenKind::Close(_) | TokenKind::Greater => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(offset);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// The innermost bracket that is open before a token.
    pub(super) fn opener(&self, before: isize) -> Option<isize> {
        let mut depth = 0usize;
        for offset in (before.saturating_sub(MAX_DISTANCE)..before).rev() {
            match self.token(offset)?.kind {
                TokenKind::Close(_) => depth += 1,
                TokenKind::Open(_) if depth == 0 => return Some(offset),
                TokenKind::Open(_) => depth -= 1,
                _ => {}
            }
        }
        None
    }

    /// A diagnostic at the unexpected token.
    pub(super) fn error(&self, message: impl Into<String>, label: impl Into<String>) -> Diagnostic {
        let place = Place::new(self.source.path, self.found);
        Diagnostic::error(Code::UnexpectedToken, message, place, label)
    }

    /// A diagnostic from one token up to another, which is not included.
    pub(super) fn error_over(
        &self,
        from: isize,
        to: isize,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> Diagnostic {
        let place = Place::new(self.source.path, self.between(from, to));
        Diagnostic::error(Code::UnexpectedToken, message, place, label)
    }

    pub(super) fn edit(&self, span: Span, replacement: impl Into<String>) -> Edit {
        Edit { place: Place::new(self.source.path, span), replacement: replacement.into() }
    }

    /// Replaces the tokens from one up to another, which is not included.
    pub(super) fn replace(&self, from: isize, to: isize, replacement: impl Into<String>) -> Edit {
        self.edit(self.between(from, to), replacement)
    }

    /// Removes tokens, and the spaces after them.
    pub(super) fn remove(&self, from: isize, to: isize) -> Edit {
        self.edit(Span::new(self.span(from).start(), self.span(to).start()), "")
    }

    /// Replaces everything between the end of one token and the start of another.
    pub(super) fn join(&self, before: isize, after: isize, by: &str) -> Edit {
        self.edit(Span::new(self.span(before).end(), self.span(after).start()), by)
    }

    pub(super) fn insert_before(&self, offset: isize, text: &str) -> Edit {
        self.edit(Span::at(self.span(offset).start()), text)
    }

    pub(super) fn insert_after(&self, offset: isize, text: &str) -> Edit {
        self.edit(Span::at(self.span(offset).end()), text)
    }
}

/// The maximum number of tokens that a search for a bracket inspects.
const MAX_DISTANCE: isize = 256;
