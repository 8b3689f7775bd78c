//! Tags of variants: their values, who has which, and which are reserved.
//!
//! Invariants: a tag has one owner, a variant or a reservation.

use std::collections::HashMap;

use super::evaluated::Evaluated;
use super::members::Names;
use super::resolver::Resolver;
use crate::ast::{Expression, Reserved, Variant};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::location::Span;

/// Who has a tag.
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
                let message = "a tag has at most 32 bits";
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
        let value = self.evaluate(file, expression)?;
        let place = self.place(file, expression.span);
        let Evaluated::Integer(integer) = value else {
            let message = format!("a tag must be an integer, not {}", value.noun());
            self.report(Diagnostic::error(Code::WrongDefault, message, place, "not an integer"));
            return None;
        };
        let tag = integer.unsigned().and_then(|value| u32::try_from(value).ok());
        if tag.is_none() {
            let message = "a tag is zero or more and has at most 32 bits";
            self.report(Diagnostic::error(Code::OutOfRange, message, place, "out of range"));
        }
        tag
    }

    /// Gives a tag to a variant, unless it has an owner.
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
                    .with_label(first.clone(), "and so has this")
                    .with_help("a variant without a written tag takes the previous one's plus one")
            }
            Some(TagOwner::Reserved(first)) => {
                let message = format!("tag {tag} is reserved");
                Diagnostic::error(Code::ReservedName, message, place, format!("this variant has tag {tag}"))
                    .with_label(first.clone(), "reserved here")
                    .with_help("an older peer would take it for what it was; choose another tag")
            }
        };
        self.report(diagnostic);
    }

    /// `Unknown` is what generated code calls the arm for variants of newer peers.
    pub(super) fn unknown_variant_name(&mut self, file: usize, variant: &Variant) {
        let place = self.place(file, variant.name.span);
        self.report(
            Diagnostic::error(
                Code::ReservedName,
                "`Unknown` is the arm that every open enum has",
                place,
                "choose another name",
            )
            .with_help("it holds variants that only newer peers know; a `sealed enum` has no such arm"),
        );
    }
}
