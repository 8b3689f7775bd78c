//! Lints about what has no effect: unused imports, and unknown names in `#[allow(…)]`.
//!
//! Invariants: an import is used if its name begins a path outside of attributes; a fix never removes a
//! comment.

use std::collections::HashSet;

use super::linter::{Linter, allowed_names};
use super::table::Lint;
use crate::ast::{
    Attribute, Expression, ExpressionKind, Field, File, ItemKind, Member, Path, Payload, Type, TypeArgument,
    TypeKind, Use,
};
use crate::compatibility::Rule;
use crate::diagnostic::{Diagnostic, Edit};
use crate::location::Span;
use crate::parse::TokenKind;
use crate::suggest::nearest;

impl Linter<'_> {
    pub(super) fn imports(&mut self, file: &File) {
        if file.uses.is_empty() {
            return;
        }
        let mut used = Used::default();
        used.file(file);
        let is_used = |import: &Use| local_name(import).is_none_or(|name| used.names.contains(name));
        for import in file.uses.iter().filter(|import| !is_used(import)) {
            let name = local_name(import).unwrap_or_default();
            let span =
                import.alias.as_ref().or(import.item.as_ref()).map_or(import.package_span, |name| name.span);
            let message = format!("`{name}` is not used in this file");
            let finding = Diagnostic::warning(Lint::ImportUsed, message, self.place(span), "unused import");
            let finding = match self.removal(import) {
                Some(span) => {
                    let place = self.place(span);
                    finding.with_edits(vec![Edit { place, replacement: String::new() }], "remove it")
                }
                None => finding,
            };
            self.report(Lint::ImportUsed, finding);
        }
    }

    pub(super) fn allow(&mut self, attributes: &[Attribute]) {
        for attribute in attributes.iter().filter(|attribute| attribute.name.text == "allow") {
            for (name, span) in allowed_names(attribute) {
                if !known().any(|known| known == name) {
                    let place = self.place(span);
                    let message = format!("there is no lint or compatibility rule `{name}`");
                    let finding =
                        Diagnostic::warning(Lint::AllowKnown, message, place.clone(), "allows nothing");
                    let upper = name.to_ascii_uppercase();
                    let finding = match known().find(|known| *known == upper) {
                        Some(known) => finding.with_fix(place, known, "names are in capitals"),
                        None => match nearest(&upper, known()) {
                            Some(near) => {
                                finding.with_suggestion(place, near, format!("did you mean `{near}`?"))
                            }
                            None => finding,
                        },
                    };
                    self.report(Lint::AllowKnown, finding);
                }
            }
        }
    }

    /// The text to remove with an import: its whole line, or its name in a list with the comma.
    fn removal(&self, import: &Use) -> Option<Span> {
        let first = self.tokens.partition_point(|token| token.span.start() < import.span.start());
        let last =
            self.tokens.partition_point(|token| token.span.end() <= import.span.end()).checked_sub(1)?;
        let text = |index: usize| self.tokens.get(index).map_or("", |token| token.span.text(self.text));
        let before = first.checked_sub(1)?;
        let in_list = matches!(text(before), "{" | ",") && import.item.is_some();
        let alone = text(before) == "{"
            && (text(last + 1) == "}" || (text(last + 1) == "," && text(last + 2) == "}"));
        let span = if in_list && !alone {
            let (from, to) = if text(last + 1) == "," { (first, last + 1) } else { (before, last) };
            let end = self.tokens.get(to)?.span.end();
            let next = self.tokens.get(to + 1)?.span.start();
            let end = if from == first { next.min(end + spaces(self.text, end)) } else { end };
            Span::new(self.tokens.get(from)?.span.start(), end)
        } else {
            let line = self.tokens.get(..=first)?;
            let start = line
                .iter()
                .rposition(|token| token.span.text(self.text) == "use" && token.kind == TokenKind::Word)?;
            let semicolon =
                self.tokens.get(last..)?.iter().find(|token| token.kind == TokenKind::Semicolon)?;
            let end = semicolon.span.end();
            let rest = self.text.get(end..)?;
            let newline = rest.strip_prefix("\r\n").map(|_| 2).or(rest.strip_prefix('\n').map(|_| 1));
            Span::new(self.tokens.get(start)?.span.start(), end + newline.unwrap_or(0))
        };
        let removed = span.text(self.text);
        (!removed.contains("//") && !removed.contains("/*")).then_some(span)
    }
}

/// The names that `#[allow(…)]` takes.
fn known() -> impl Iterator<Item = &'static str> {
    let lints = Lint::ALL.iter().map(|lint| lint.name());
    lints.chain(Rule::ALL.iter().map(|rule| rule.name()))
}

/// The number of spaces and tabs at an offset.
fn spaces(text: &str, offset: usize) -> usize {
    let rest = text.get(offset..).unwrap_or_default();
    rest.len() - rest.trim_start_matches([' ', '\t']).len()
}

/// The name of an import in its file.
fn local_name(import: &Use) -> Option<&str> {
    let name = import.alias.as_ref().or(import.item.as_ref()).or(import.package.last());
    name.map(|name| name.text.as_str())
}

/// The names that begin the paths of a file.
#[derive(Debug, Default)]
struct Used<'a> {
    names: HashSet<&'a str>,
}

impl<'a> Used<'a> {
    fn file(&mut self, file: &'a File) {
        for item in &file.items {
            match &item.kind {
                ItemKind::Constant { ty, value } => {
                    self.ty(ty);
                    self.value(value);
                }
                ItemKind::Newtype(ty) | ItemKind::Alias(ty) => self.ty(ty),
                ItemKind::Struct { fields, .. } => self.fields(fields),
                ItemKind::Enum { variants, .. } => {
                    for variant in variants {
                        match &variant.payload {
                            Payload::Unit => {}
                            Payload::Tuple(fields) | Payload::Record(fields) => self.fields(fields),
                        }
                        variant.tag.iter().for_each(|tag| self.value(tag));
                    }
                }
                ItemKind::Flags { representation, flags } => {
                    self.ty(representation);
                    flags.iter().for_each(|flag| self.value(&flag.value));
                }
                ItemKind::Interface(members) | ItemKind::Service(members) => self.members(members),
            }
        }
    }

    fn members(&mut self, members: &'a [Member]) {
        for member in members {
            match member {
                Member::Include(include) => self.path(&include.path),
                Member::Function(function) => {
                    self.fields(&function.parameters);
                    function.returns.iter().for_each(|(ty, _)| self.ty(ty));
                    function.throws.iter().for_each(|(path, _)| self.path(path));
                }
                Member::ReservedFunction(_) => {}
                Member::Client { members, .. } => self.members(members),
            }
        }
    }

    fn fields(&mut self, fields: &'a [Field]) {
        for field in fields {
            self.ty(&field.ty);
            field.default.iter().for_each(|value| self.value(value));
        }
    }

    fn ty(&mut self, ty: &'a Type) {
        match &ty.kind {
            TypeKind::Path { path, arguments } => {
                self.path(path);
                for argument in arguments {
                    match argument {
                        TypeArgument::Type(inner) => self.ty(inner),
                        TypeArgument::Bound(value, _) => self.value(value),
                    }
                }
            }
            TypeKind::Array { element, length } => {
                self.ty(element);
                self.value(length);
            }
            TypeKind::Stream(inner) => self.ty(inner),
            TypeKind::Unit | TypeKind::Invalid => {}
        }
    }

    fn value(&mut self, value: &'a Expression) {
        match &value.kind {
            ExpressionKind::Path(path) => self.path(path),
            ExpressionKind::Negation(operand) => self.value(operand),
            ExpressionKind::Operation { first, rest } => {
                self.value(first);
                rest.iter().for_each(|(_, operand)| self.value(operand));
            }
            _ => {}
        }
    }

    fn path(&mut self, path: &'a Path) {
        self.names.extend(path.dotted.first().map(|name| name.text.as_str()));
    }
}
