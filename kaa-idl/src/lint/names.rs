//! Lints about the case of names, and the fix that renames a member.
//!
//! Invariants: a name is only reported for characters that its case excludes, so that both `HTTPServer` and
//! `HttpServer` pass; the fix keeps the name on the wire, and with it every fingerprint; it is only offered
//! if the old name is used nowhere else in the schema and the new one is free.

use super::linter::Linter;
use super::table::Lint;
use crate::ast::{Attribute, Field, File, Function, Item, ItemKind, Member, Name};
use crate::casing::{has_upper, pascal_case, snake_case};
use crate::diagnostic::{Diagnostic, Edit};
use crate::location::Span;
use crate::parse::after_decoration;

/// A field, parameter or method, whose name is used only in its declaration.
#[derive(Debug, Clone, Copy)]
struct RenameCandidate<'a> {
    lint: Lint,
    noun: &'static str,
    name: &'a Name,
    attributes: &'a [Attribute],
    /// The span of the whole declaration.
    span: Span,
    /// Whether the fix may rename it.
    can_rename: bool,
}

impl Linter<'_> {
    pub(super) fn package_name(&mut self, file: &File) {
        let segments = file.package.iter().flat_map(|line| &line.segments);
        for segment in segments.filter(|segment| has_upper(&segment.text)) {
            let better = snake_case(&segment.text);
            self.wrong_case(Lint::PackageLower, segment, "part of a package's name", &better);
        }
    }

    pub(super) fn item_name(&mut self, item: &Item) {
        let noun = match &item.kind {
            ItemKind::Constant { .. } => return self.upper_case_name(&item.name, "constant"),
            ItemKind::Newtype(_) => "newtype",
            ItemKind::Alias(_) => "alias",
            ItemKind::Struct { .. } => "struct",
            ItemKind::Enum { error: true, .. } => "error",
            ItemKind::Enum { .. } => "enum",
            ItemKind::Flags { .. } => "set of flags",
            ItemKind::Interface(_) => "interface",
            ItemKind::Service(_) => "service",
        };
        if !is_pascal(&item.name.text) {
            self.wrong_case(Lint::TypePascal, &item.name, noun, &pascal_case(&item.name.text));
        }
        if noun == "error" && !item.name.text.ends_with("Error") {
            let place = self.place(item.name.span);
            let message = format!("the name of the error `{}` does not end in `Error`", item.name.text);
            let better = format!(
                "call it `{}Error`, and keep its name on the wire with `#[selector(\"{0}\")]`",
                item.name.text
            );
            let finding = Diagnostic::warning(Lint::ErrorSuffix, message, place, "should end in `Error`");
            self.report(Lint::ErrorSuffix, finding.with_help(better));
        }
    }

    pub(super) fn variant_name(&mut self, name: &Name) {
        if !is_pascal(&name.text) {
            self.wrong_case(Lint::VariantPascal, name, "variant", &pascal_case(&name.text));
        }
    }

    /// Checks the name of a constant or a flag.
    pub(super) fn upper_case_name(&mut self, name: &Name, noun: &str) {
        if name.text.contains(|character: char| character.is_ascii_lowercase()) {
            let better = snake_case(&name.text).to_ascii_uppercase();
            self.wrong_case(Lint::ConstUpper, name, noun, &better);
        }
    }

    /// Checks the name of a field. It cannot be renamed if its name is used in a `#[display]`.
    pub(super) fn field_name(&mut self, field: &Field, fields: &[Field], can_rename: bool) {
        let names = fields.iter().map(|field| field.name.text.as_str());
        self.snake_case_name(renamed(Lint::FieldSnake, "field", field, can_rename), names);
    }

    pub(super) fn parameter_name(&mut self, field: &Field, fields: &[Field]) {
        let names = fields.iter().map(|field| field.name.text.as_str());
        self.snake_case_name(renamed(Lint::ParamSnake, "parameter", field, true), names);
    }

    pub(super) fn method_name(&mut self, function: &Function, members: &[Member]) {
        let names = members.iter().filter_map(|member| match member {
            Member::Function(function) => Some(function.name.text.as_str()),
            _ => None,
        });
        let Function { name, attributes, span, .. } = function;
        let (lint, span) = (Lint::MethodSnake, *span);
        self.snake_case_name(
            RenameCandidate { lint, noun: "method", name, attributes, span, can_rename: true },
            names,
        );
    }

    /// Checks that the name of an event begins with `on_`.
    pub(super) fn event_name(&mut self, function: &Function, client: bool) {
        let Function { name, oneway, .. } = function;
        if !client || oneway.is_none() || name.text.starts_with("on_") || has_upper(&name.text) {
            return;
        }
        let place = self.place(name.span);
        let message = format!("`{}` is an event, but does not begin with `on_`", name.text);
        let finding =
            Diagnostic::warning(Lint::ClientOnewayStartsWithOn, message, place, "should begin with `on_`")
                .with_help(format!(
                    "call it `on_{0}`, and keep its name on the wire with `#[selector(\"{0}\")]`",
                    name.text
                ));
        self.report(Lint::ClientOnewayStartsWithOn, finding);
    }

    /// Checks that a member's name is in snake case. `siblings` are the names of the members beside it.
    fn snake_case_name<'n>(
        &mut self,
        member: RenameCandidate<'_>,
        mut siblings: impl Iterator<Item = &'n str>,
    ) {
        let RenameCandidate { lint, noun, name, attributes, span, can_rename } = member;
        if !has_upper(&name.text) {
            return;
        }
        let better = snake_case(&name.text);
        let taken = siblings.any(|other| other == better);
        let place = self.place(name.span);
        let message = format!("the {noun} `{}` should be written `{better}`", name.text);
        let finding = Diagnostic::warning(lint, message, place.clone(), "not in its usual case");
        if taken || !can_rename || better.is_empty() {
            return self.report(lint, finding);
        }
        let mut edits = Vec::new();
        if !attributes.iter().any(|attribute| attribute.name.text == "selector") {
            let start = self.place(Span::at(self.end_of_decoration(span.start())));
            edits.push(Edit { place: start, replacement: format!("#[selector(\"{}\")] ", name.text) });
        }
        edits.push(Edit { place, replacement: better });
        self.report(lint, finding.with_edits(edits, "rename it and keep its name on the wire"));
    }

    /// The start of the first word of a declaration, after its docs and attributes.
    fn end_of_decoration(&self, start: usize) -> usize {
        let first = self.tokens.partition_point(|token| token.span.start() < start);
        let rest = after_decoration(self.tokens.get(first..).unwrap_or_default());
        rest.first().map_or(start, |token| token.span.start())
    }

    fn wrong_case(&mut self, lint: Lint, name: &Name, noun: &str, better: &str) {
        let place = self.place(name.span);
        let message = format!("the {noun} `{}` should be written `{better}`", name.text);
        self.report(lint, Diagnostic::warning(lint, message, place, "not in its usual case"));
    }
}

fn renamed<'a>(lint: Lint, noun: &'static str, field: &'a Field, can_rename: bool) -> RenameCandidate<'a> {
    let Field { name, attributes, span, .. } = field;
    RenameCandidate { lint, noun, name, attributes, span: *span, can_rename }
}

fn is_pascal(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_uppercase()) && !name.contains('_')
}
