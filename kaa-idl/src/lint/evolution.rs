//! Lints about what is hard to change later: implicit tags, sealed types, boolean parameters.

use super::linter::Linter;
use super::table::Lint;
use crate::ast::{Field, Item, ItemKind, TypeKind, Variant};
use crate::diagnostic::Diagnostic;
use crate::location::Span;

impl Linter<'_> {
    pub(super) fn explicit_tag(&mut self, variant: &Variant, sealed: bool) {
        if sealed || variant.tag.is_some() {
            return;
        }
        let place = self.place(variant.name.span);
        let message = format!("the tag of `{}` depends on the variants before it", variant.name.text);
        let finding = Diagnostic::warning(Lint::EnumExplicitTags, message, place, "without a tag");
        let finding = match self.tag(variant) {
            Some(tag) => {
                let end = self.place(Span::at(variant.span.end()));
                finding.with_fix(end, format!(" = {tag}"), "write its current tag")
            }
            None => finding,
        };
        self.report(Lint::EnumExplicitTags, finding);
    }

    pub(super) fn sealed(&mut self, item: &Item) {
        let sealed = match &item.kind {
            ItemKind::Struct { sealed, .. } | ItemKind::Enum { sealed, .. } => *sealed,
            _ => false,
        };
        if sealed && item.docs.is_empty() {
            let message = format!("`{}` is sealed without a documented reason", item.name.text);
            let place = self.place(item.name.span);
            let finding = Diagnostic::warning(Lint::SealedJustified, message, place, "can never change");
            self.report(
                Lint::SealedJustified,
                finding.with_help("document why it will never change, or remove `sealed`"),
            );
        }
    }

    pub(super) fn bool_parameter(&mut self, parameter: &Field) {
        let is_bool = matches!(&parameter.ty.kind, TypeKind::Path { path, .. } if path.text() == "bool");
        if is_bool {
            let message = format!("the parameter `{}` is a `bool`", parameter.name.text);
            let place = self.place(parameter.ty.span);
            let finding = Diagnostic::warning(Lint::BoolParamSmell, message, place, "unclear in calls");
            self.report(Lint::BoolParamSmell, finding.with_help("an enum with two variants is clearer"));
        }
    }
}
