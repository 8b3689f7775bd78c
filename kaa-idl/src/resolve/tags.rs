//! Resolves tags of variants: their values, owners and reservations.
//!
//! Invariants: a tag has one owner, a variant or a reservation.

use std::collections::HashMap;

use super::members::Names;
use super::resolver::Resolver;
use crate::ast::{Expression, Reserved, Variant};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::location::Span;

/// The owner of a tag.
#[derive(Debug, Clone)]
pub(super) enum TagOwner {
    Variant(Place),
    Reserved(Place),
}

impl Resolver<'_> {
    /// Reads the `reserved` entries of an enum.
    pub(super) fn reserve(
        &mut self,
        file: usize,
        reserved: &[Reserved],
        names: &mut Names,
    ) -> HashMap<u32, TagOwner> {
        let mut tags: HashMap<u32, TagOwner> = HashMap::new();
        for entry in reserved {
            let place = self.place(file, entry.span);
            if let Some(name) = &entry.name {
                names.reserve(name, place.clone());
            }
            let Some(tag) = entry.tag else { continue };
            let Ok(tag) = u32::try_from(tag) else {
                let message = "a tag must fit in 32 bits";
                self.report(Diagnostic::error(Code::OutOfRange, message, place, "too large"));
                continue;
            };
            if let Some(TagOwner::Reserved(first)) = tags.insert(tag, TagOwner::Reserved(place.clone())) {
                let message = format!("tag {tag} is reserved twice");
                self.report(
                    Diagnostic::error(Code::DuplicateTag, message, place, "reserved again here")
                        .with_label(first, "first reserved here"),
                );
            }
        }
        tags
    }

    /// The value of a written tag.
    pub(super) fn tag(&mut self, file: usize, expression: &Expression) -> Option<u32> {
        let integer = self.integer(file, expression, "a tag")?;
        let tag = integer.unsigned().and_then(|value| u32::try_from(value).ok());
        if tag.is_none() {
            let place = self.place(file, expression.span);
            let message = "a tag must not be negative, and must fit in 32 bits";
            self.report(Diagnostic::error(Code::OutOfRange, message, place, "out of range"));
        }
        tag
    }

    /// Assigns a tag to a variant. Reports an error if the tag has an owner.
    pub(super) fn claim_tag(&mut self, file: usize, tag: u32, span: Span, tags: &mut HashMap<u32, TagOwner>) {
        let place = self.place(file, span);
        let diagnostic = match tags.get(&tag) {
            None => {
                tags.insert(tag, TagOwner::Variant(place));
                return;
            }
            Some(TagOwner::Variant(first)) => {
                let message = format!("tag {tag} is used twice");
                Diagnostic::error(Code::DuplicateTag, message, place, format!("this variant has tag {tag}"))
                    .with_label(first.clone(), "the same tag")
                    .with_help("a variant without an explicit tag has the previous tag plus one")
            }
            Some(TagOwner::Reserved(first)) => {
                let message = format!("tag {tag} is reserved");
                Diagnostic::error(Code::ReservedName, message, place, format!("this variant has tag {tag}"))
                    .with_label(first.clone(), "reserved here")
                    .with_help("an older peer would read it with its old meaning; choose a different tag")
            }
        };
        self.report(diagnostic);
    }

    /// Reports a variant named `Unknown`: generated code uses this name for variants that only newer peers
    /// know.
    pub(super) fn unknown_variant_name(&mut self, file: usize, variant: &Variant) {
        let place = self.place(file, variant.name.span);
        self.report(
            Diagnostic::error(
                Code::ReservedName,
                "`Unknown` is a variant that every open enum has",
                place,
                "choose a different name",
            )
            .with_help("it holds variants that only newer peers know; a `sealed enum` does not have it"),
        );
    }
}
