//! Members that should be in snake case, and the change that renames them.
//!
//! Invariants: the change keeps the name on the wire, and with it every fingerprint; it is offered only where the name
//! stands nowhere else in the schema and the new one is free.

use super::linter::Linter;
use super::names::has_upper;
use super::table::Lint;
use crate::ast::{Attribute, Name};
use crate::casing::snake_case;
use crate::diagnostic::{Diagnostic, Edit};
use crate::location::Span;
use crate::parse::{Bracket, TokenKind};

/// A field, parameter or method, whose name stands where it is declared and nowhere else.
#[derive(Debug, Clone, Copy)]
pub(super) struct Renamed<'a> {
    pub(super) lint: Lint,
    pub(super) noun: &'static str,
    pub(super) name: &'a Name,
    pub(super) attributes: &'a [Attribute],
    /// The whole declaration.
    pub(super) span: Span,
    /// Whether it may be renamed here.
    pub(super) free: bool,
}

impl Linter<'_> {
    /// A member whose name is not in snake case, among the names beside it.
    pub(super) fn snake<'n>(&mut self, member: Renamed<'_>, mut beside: impl Iterator<Item = &'n str>) {
        let Renamed { lint, noun, name, attributes, span, free } = member;
        if !has_upper(&name.text) {
            return;
        }
        let better = snake_case(&name.text);
        let taken = beside.any(|other| other == better);
        let place = self.place(name.span);
        let message = format!("the {noun} `{}` should be written `{better}`", name.text);
        let finding = Diagnostic::warning(lint, message, place.clone(), "not in its usual case");
        if taken || !free || better.is_empty() {
            return self.report(lint, finding);
        }
        let mut edits = Vec::new();
        if !attributes.iter().any(|attribute| attribute.name.text == "selector") {
            let start = self.place(Span::at(self.behind_decoration(span.start())));
            edits.push(Edit { place: start, replacement: format!("#[selector(\"{}\")] ", name.text) });
        }
        edits.push(Edit { place, replacement: better });
        self.report(lint, finding.with_edits(edits, "rename it, and keep its name on the wire"));
    }

    /// Where the words of a declaration begin that begins here with docs and attributes.
    fn behind_decoration(&self, start: usize) -> usize {
        let first = self.tokens.partition_point(|token| token.span.start() < start);
        let mut depth = 0usize;
        let mut in_attribute = false;
        for token in self.tokens.iter().skip(first) {
            match token.kind {
                TokenKind::Doc => {}
                TokenKind::Hash if depth == 0 => in_attribute = true,
                TokenKind::Open(_) if in_attribute => depth += 1,
                TokenKind::Close(bracket) if in_attribute => {
                    depth = depth.saturating_sub(1);
                    in_attribute = depth > 0 || bracket != Bracket::Square;
                }
                _ if in_attribute => {}
                _ => return token.span.start(),
            }
        }
        start
    }
}
