//! Lints about missing documentation.

use super::linter::{Linter, package};
use super::table::Lint;
use crate::ast::{Field, File, Flag, Function, Item, ItemKind, Name, Variant};
use crate::diagnostic::Diagnostic;

impl Linter<'_> {
    /// It is enough that one file of a package has documentation.
    pub(super) fn package_docs(&mut self, file: &File, documented: &[String]) {
        let (Some(line), Some(name)) = (&file.package, package(file)) else { return };
        if !documented.contains(&name) {
            let message = format!("the package `{name}` has no documentation");
            let finding =
                Diagnostic::warning(Lint::DocsPackage, message, self.place(line.span), "undocumented");
            self.report(Lint::DocsPackage, finding.with_help("begin a file of the package with `//! …`"));
        }
    }

    pub(super) fn item_docs(&mut self, item: &Item) {
        let (lint, noun) = match &item.kind {
            ItemKind::Constant { .. } => (Lint::DocsConst, "constant"),
            ItemKind::Interface(_) => (Lint::DocsService, "interface"),
            ItemKind::Service(_) => (Lint::DocsService, "service"),
            _ => (Lint::DocsType, "type"),
        };
        self.undocumented(lint, noun, &item.name, &item.docs);
    }

    pub(super) fn field_docs(&mut self, field: &Field) {
        self.undocumented(Lint::DocsField, "field", &field.name, &field.docs);
    }

    pub(super) fn variant_docs(&mut self, variant: &Variant) {
        if !variant.attributes.iter().any(|attribute| attribute.name.text == "display") {
            self.undocumented(Lint::DocsVariant, "variant", &variant.name, &variant.docs);
        }
    }

    pub(super) fn flag_docs(&mut self, flag: &Flag) {
        self.undocumented(Lint::DocsVariant, "flag", &flag.name, &flag.docs);
    }

    pub(super) fn method_docs(&mut self, function: &Function) {
        self.undocumented(Lint::DocsMethod, "method", &function.name, &function.docs);
    }

    fn undocumented(&mut self, lint: Lint, noun: &str, name: &Name, docs: &[String]) {
        if docs.iter().all(|line| line.trim().is_empty()) {
            let message = format!("the {noun} `{}` has no documentation", name.text);
            self.report(lint, Diagnostic::warning(lint, message, self.place(name.span), "undocumented"));
        }
    }
}
