//! The state of lowering one chunk, and the diagnostics that several constructs share.
//!
//! Invariants: [`Lowering::span`] never includes the whitespace that the grammar consumes after an optional
//! part.

use pest::Parser;
use pest::iterators::Pair;

use crate::ast::Name;
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::location::Span;
use crate::parse::{Construct, Grammar, MAX_ERRORS, Rule, ScannedFile, unexpected};

/// A pair of this grammar.
pub(crate) type Node<'i> = Pair<'i, Rule>;

/// The state of lowering one chunk.
#[derive(Debug)]
pub(crate) struct Lowering<'t, 'd> {
    pub(super) source: ScannedFile<'t>,
    base: usize,
    pub(super) diagnostics: &'d mut Vec<Diagnostic>,
    /// Whether something inside the current item could not be parsed.
    pub(super) incomplete: bool,
    /// Names of items that were declared inside the current item.
    pub(super) recovered_names: Vec<String>,
}

impl<'t, 'd> Lowering<'t, 'd> {
    pub(crate) fn new(source: ScannedFile<'t>, base: usize, diagnostics: &'d mut Vec<Diagnostic>) -> Self {
        Self { source, base, diagnostics, incomplete: false, recovered_names: Vec::new() }
    }

    pub(super) fn span(&self, node: &Node<'_>) -> Span {
        let span = node.as_span();
        let length = node.as_str().trim_end().len();
        Span::new(self.base + span.start(), self.base + span.start() + length)
    }

    pub(super) fn place(&self, span: Span) -> Place {
        Place::new(self.source.path, span)
    }

    /// The original text, with strings and docs unmasked.
    pub(super) fn text(&self, node: &Node<'_>) -> &'t str {
        self.span(node).text(self.source.text)
    }

    pub(super) fn name(&self, node: &Node<'_>) -> Name {
        Name { text: node.as_str().to_owned(), span: self.span(node) }
    }

    pub(super) fn doc(&self, node: &Node<'_>) -> String {
        let line = self.source.text.get(self.span(node).start()..).unwrap_or_default();
        let line = line.split('\n').next().unwrap_or_default().trim_end_matches('\r');
        let line = line.strip_prefix("///").unwrap_or(line);
        line.strip_prefix(' ').unwrap_or(line).to_owned()
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() >= MAX_ERRORS {
            self.incomplete = true;
            return;
        }
        self.diagnostics.push(diagnostic);
    }

    /// Reports a missing separator, directly after the token before it.
    pub(super) fn missing(&mut self, node: &Node<'_>, separator: &str) {
        let offset = self.span(node).start();
        self.report(crate::parse::missing(self.source, offset, separator));
    }

    /// Reports a separator of the wrong kind.
    pub(super) fn wrong_separator(&mut self, node: &Node<'_>, separator: &str, why: &str) {
        let place = self.place(self.span(node));
        let found = node.as_str();
        self.report(
            Diagnostic::error(
                Code::MissingSeparator,
                format!("expected `{separator}`, found `{found}`"),
                place.clone(),
                why,
            )
            .with_fix(place, separator, format!("write `{separator}`")),
        );
    }

    pub(super) fn dangling_doc(&mut self, node: &Node<'_>) {
        let place = self.place(self.span(node));
        self.report(crate::parse::dangling_doc(place));
    }

    /// The error for the name of a type of another language.
    pub(super) fn unknown_type(&self, name: &Name) -> Diagnostic {
        let message = format!("there is no type `{}`", name.text);
        Diagnostic::error(Code::UnknownType, message, self.place(name.span), "unknown type")
    }

    /// Reports an error node: parses it again on its own, to find the place of the error and what was
    /// expected.
    pub(super) fn error_node(&mut self, node: &Node<'_>, rule: Rule, separator: &[char]) {
        self.incomplete = true;
        let inside = self.span(node);
        self.recovered_names.extend(self.source.declared(self.source.tokens_in(inside)).map(str::to_owned));
        let text = node.as_str().trim_end().trim_end_matches(separator);
        let base = self.span(node).start();
        let diagnostic = match Grammar::parse(rule, text) {
            Err(error) => unexpected(self.source, construct(rule), base, &error),
            Ok(_) => {
                let place = self.place(Span::new(base, base + text.len()));
                Diagnostic::error(Code::UnexpectedToken, "this is not allowed here", place, "unexpected")
            }
        };
        self.report(diagnostic);
    }
}

/// The construct that a standalone rule reads.
fn construct(rule: Rule) -> Construct {
    match rule {
        Rule::variant_alone => Construct::Variant,
        Rule::flag_alone => Construct::Flag,
        Rule::member_alone => Construct::Member,
        _ => Construct::Field,
    }
}
