//! Walks through the files of a compilation and runs the lints on every construct.
//!
//! Invariants: findings are ordered by file and position; a file with syntax errors is skipped, because the
//! compiler has already reported them.

use std::collections::HashMap;
use std::sync::Arc;

use super::table::{Lint, Selection};
use crate::ast::{
    Attribute, AttributeArgument, ExpressionKind, Field, File, Function, Item, ItemKind, Member, Payload,
    Variant,
};
use crate::compile::Compilation;
use crate::diagnostic::{Diagnostic, Place};
use crate::location::Span;
use crate::parse::{Token, scan};
use crate::schema::TypeKind;
use crate::syntax::parse;

/// Returns the findings of the selected lints in all files as warnings, ordered by file and position.
///
/// ```
/// use kaa_idl::lint::{Selection, lint};
/// use kaa_idl::{MemorySource, compile};
///
/// let source = MemorySource::new([("a.kaa", "package a;\nstruct Point { pointX: i32 }")]);
/// let findings = lint(&compile(&source), &Selection::default());
/// assert_eq!(findings[0].rule.as_str(), "FIELD_SNAKE");
/// ```
#[must_use]
pub fn lint(compilation: &Compilation, selection: &Selection) -> Vec<Diagnostic> {
    let tags = tags(compilation);
    let mut parsed = Vec::new();
    for (path, source) in compilation.sources() {
        let (file, diagnostics) = parse(path, &source.text);
        if diagnostics.is_empty() {
            parsed.push((file, source.text.as_str()));
        }
    }
    let documented: Vec<String> = parsed
        .iter()
        .filter(|(file, _)| !file.docs.is_empty())
        .filter_map(|(file, _)| package(file))
        .collect();
    let mut diagnostics = Vec::new();
    for (file, text) in &parsed {
        let mut linter = Linter {
            path: &file.path,
            text,
            tokens: scan(&file.path, text).tokens,
            selection,
            tags: &tags,
            allowed: Vec::new(),
            diagnostics: Vec::new(),
        };
        linter.file(file, &documented);
        linter.diagnostics.sort_by_key(|diagnostic| (diagnostic.primary.place.span, diagnostic.rule));
        diagnostics.append(&mut linter.diagnostics);
    }
    diagnostics
}

/// The tags of variants by file and offset of the name; empty if the files do not compile.
type Tags = HashMap<(Arc<str>, usize), u32>;

fn tags(compilation: &Compilation) -> Tags {
    let types = compilation.schema().into_iter().flat_map(|schema| &schema.types);
    let variants = types.flat_map(|definition| match &definition.kind {
        TypeKind::Enum(found) => found.variants.as_slice(),
        _ => &[],
    });
    variants
        .map(|variant| ((Arc::clone(&variant.location.path), variant.location.span.start()), variant.tag))
        .collect()
}

/// A file's package as text.
pub(super) fn package(file: &File) -> Option<String> {
    file.package.as_ref().map(|line| crate::ast::dotted(&line.segments))
}

/// The state of linting one file.
#[derive(Debug)]
pub(super) struct Linter<'a> {
    pub(super) path: &'a Arc<str>,
    pub(super) text: &'a str,
    pub(super) tokens: Vec<Token>,
    selection: &'a Selection,
    tags: &'a Tags,
    /// The names that the enclosing constructs allow.
    allowed: Vec<String>,
    diagnostics: Vec<Diagnostic>,
}

impl Linter<'_> {
    fn file(&mut self, file: &File, documented: &[String]) {
        self.package_name(file);
        self.package_docs(file, documented);
        self.imports(file);
        for item in &file.items {
            self.with_allowed(&item.attributes, |linter| linter.item(item));
        }
    }

    fn item(&mut self, item: &Item) {
        self.item_name(item);
        self.item_docs(item);
        self.sealed(item);
        match &item.kind {
            ItemKind::Constant { .. } => {}
            ItemKind::Newtype(ty) | ItemKind::Alias(ty) => self.bounds(ty),
            ItemKind::Struct { fields, .. } => {
                self.fields(fields, |linter, field| {
                    linter.field_name(field, fields, true);
                    linter.field_docs(field);
                });
            }
            ItemKind::Enum { variants, sealed, .. } => {
                for variant in variants {
                    self.with_allowed(&variant.attributes, |linter| {
                        linter.explicit_tag(variant, *sealed);
                        linter.variant(variant);
                    });
                }
            }
            ItemKind::Flags { flags, .. } => {
                for flag in flags {
                    self.with_allowed(&flag.attributes, |linter| {
                        linter.upper_case_name(&flag.name, "flag");
                        linter.flag_docs(flag);
                    });
                }
            }
            ItemKind::Interface(members) | ItemKind::Service(members) => self.members(members, false),
        }
    }

    fn variant(&mut self, variant: &Variant) {
        self.variant_name(&variant.name);
        self.variant_docs(variant);
        let displayed = variant.attributes.iter().any(|attribute| attribute.name.text == "display");
        match &variant.payload {
            Payload::Unit => {}
            Payload::Tuple(fields) => self.fields(fields, |_, _| {}),
            Payload::Record(fields) => self.fields(fields, |linter, field| {
                linter.field_name(field, fields, !displayed);
                linter.field_docs(field);
            }),
        }
    }

    fn members(&mut self, members: &[Member], client: bool) {
        for member in members {
            match member {
                Member::Include(include) => self.with_allowed(&include.attributes, |_| {}),
                Member::Function(function) => {
                    self.with_allowed(&function.attributes, |linter| {
                        linter.method(function, members, client)
                    });
                }
                Member::ReservedFunction(_) => {}
                Member::Client { members, .. } => self.members(members, true),
            }
        }
    }

    fn method(&mut self, function: &Function, members: &[Member], client: bool) {
        self.method_name(function, members);
        self.event_name(function, client);
        self.method_docs(function);
        self.fields(&function.parameters, |linter, parameter| {
            linter.parameter_name(parameter, &function.parameters);
            linter.bool_parameter(parameter);
        });
        if let Some((ty, _)) = &function.returns {
            self.bounds(ty);
        }
    }

    /// Checks fields, parameters or elements, without tombstones.
    fn fields(&mut self, fields: &[Field], mut check: impl FnMut(&mut Self, &Field)) {
        for field in fields.iter().filter(|field| !field.tombstone) {
            self.with_allowed(&field.attributes, |linter| {
                linter.bounds(&field.ty);
                check(linter, field);
            });
        }
    }

    /// Checks a construct with its `#[allow]` in effect.
    fn with_allowed(&mut self, attributes: &[Attribute], check: impl FnOnce(&mut Self)) {
        let outer = self.allowed.len();
        for attribute in attributes.iter().filter(|attribute| attribute.name.text == "allow") {
            self.allowed.extend(allowed_names(attribute).map(|(name, _)| name));
        }
        self.allow(attributes);
        check(self);
        self.allowed.truncate(outer);
    }

    /// Adds a finding, unless its lint is not selected or is allowed here.
    pub(super) fn report(&mut self, lint: Lint, diagnostic: Diagnostic) {
        if self.selection.contains(lint) && !self.allowed.iter().any(|allowed| allowed == lint.name()) {
            self.diagnostics.push(diagnostic);
        }
    }

    pub(super) fn place(&self, span: Span) -> Place {
        Place::new(self.path, span)
    }

    /// The tag of a variant.
    pub(super) fn tag(&self, variant: &Variant) -> Option<u32> {
        self.tags.get(&(Arc::clone(self.path), variant.name.span.start())).copied()
    }
}

/// The names in an `#[allow(…)]`, with their spans.
pub(super) fn allowed_names(attribute: &Attribute) -> impl Iterator<Item = (String, Span)> {
    attribute.arguments.iter().flatten().filter_map(|argument| match argument {
        AttributeArgument::Value(value) => match &value.kind {
            ExpressionKind::Path(path) => Some((path.text(), path.span)),
            _ => None,
        },
        _ => None,
    })
}
