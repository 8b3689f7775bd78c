//! Resolves streams in signatures, and checks attributes that a method's form contradicts.
//!
//! Invariants: a method takes at most one stream. A stream is not a value, so it has no default and no
//! tombstone.

use super::attributes::Target;
use super::data::docs;
use super::members::Names;
use super::resolver::{Resolver, Role};
use crate::ast::{self, Function, TypeKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::location::Span;
use crate::schema::{StreamParameter, Type};

/// A stream parameter as it is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct WrittenStream<'a> {
    pub(super) position: usize,
    pub(super) parameter: &'a ast::Field,
    pub(super) item: &'a ast::Type,
}

impl<'a> Resolver<'a> {
    /// The type of a stream's items.
    pub(super) fn item(&mut self, file: usize, item: &'a ast::Type) -> Option<Type> {
        let ty = self.ty(file, item)?;
        self.add_container(Role::Item, &ty, file, item.span);
        Some(ty)
    }

    /// Resolves a stream parameter. Reports an error if it is the second one.
    pub(super) fn stream_parameter(
        &mut self,
        file: usize,
        written: WrittenStream<'a>,
        names: &mut Names,
        found: &mut Option<(StreamParameter, Span)>,
    ) {
        let WrittenStream { position, parameter, item } = written;
        let item = self.item(file, item);
        let parsed = self.attributes(file, &parameter.attributes, Target::StreamParameter);
        if parameter.tombstone {
            self.stream_tombstone(file, parameter);
        } else {
            self.add_name(names, file, &parameter.name, parsed.selector.as_ref());
        }
        if let Some(value) = &parameter.default {
            let place = self.place(file, value.span);
            let message = format!("the stream `{}` cannot have a default", parameter.name.text);
            self.report(
                Diagnostic::error(Code::StreamInData, message, place, "not a value")
                    .with_help("a caller that has nothing to send passes an empty stream"),
            );
        }
        if let Some((_, first)) = found {
            let first = self.place(file, *first);
            let place = self.place(file, parameter.ty.span);
            self.report(
                Diagnostic::error(
                    Code::SecondStream,
                    "a method takes at most one stream",
                    place,
                    "the second stream",
                )
                .with_label(first, "the first")
                .with_help("use one stream of an `enum` of both kinds of items, or two methods"),
            );
            return;
        }
        let Some(item) = item else { return };
        let stream = StreamParameter {
            position,
            name: parameter.name.text.clone(),
            selector: parsed.schema_selector(),
            docs: docs(&parameter.docs),
            attributes: parsed.attributes,
            item,
            location: self.scope.location(file, parameter.name.span),
        };
        *found = Some((stream, parameter.ty.span));
    }

    fn stream_tombstone(&mut self, file: usize, parameter: &ast::Field) {
        let place = self.place(file, parameter.span);
        let message = format!("the stream `{}` cannot be reserved", parameter.name.text);
        self.report(
            Diagnostic::error(Code::StreamInData, message, place, "a stream has no slot in the arguments")
                .with_help(
                    "a method without its stream is a different method: give it a new name, and \
                    reserve the old one with `reserved fn`",
                ),
        );
    }

    /// A oneway call ends as soon as it is sent, so it has no result, no error, and no stream.
    pub(super) fn check_oneway(&mut self, file: usize, function: &Function, oneway: Span) {
        let streams =
            function.parameters.iter().filter(|parameter| matches!(parameter.ty.kind, TypeKind::Stream(_)));
        let streams = streams.map(|parameter| {
            (
                parameter.ty.span,
                "take a stream",
                "a oneway call ends as soon as it is sent, and its stream would end with it",
            )
        });
        let no_reply = "a oneway call has no reply";
        let result = function.returns.as_ref().map(|(_, span)| (*span, "return a result", no_reply));
        let error = function.throws.as_ref().map(|(_, span)| (*span, "return an error", no_reply));
        let mut extra = streams.chain(result).chain(error);
        let Some((span, what, why)) = extra.next() else { return };
        let place = self.place(file, span);
        let word = self.place(file, oneway);
        let name = &function.name.text;
        let mut diagnostic = Diagnostic::error(
            Code::OnewayWithResult,
            format!("`{name}` is oneway, so it cannot {what}"),
            place,
            why,
        )
        .with_label(word, "declared oneway here");
        for (span, _, _) in extra {
            diagnostic = diagnostic.with_label(self.place(file, span), "not allowed either");
        }
        self.report(
            diagnostic.with_help("remove one of the two; a method without `oneway` can also return nothing"),
        );
    }

    /// Reports attributes that contradict the form of the method.
    pub(super) fn check_attribute_conflicts(&mut self, file: usize, function: &Function) {
        let is_stream = |ty: &ast::Type| matches!(ty.kind, TypeKind::Stream(_));
        let taken = function.parameters.iter().find(|parameter| is_stream(&parameter.ty));
        let taken = taken.map(|parameter| parameter.ty.span);
        let given = function.returns.as_ref().filter(|(ty, _)| is_stream(ty)).map(|(ty, _)| ty.span);
        let conflicts = [
            ("idempotent", function.oneway, "a lost oneway call is not noticed, so it is never repeated"),
            ("idempotent", taken, "a call cannot be repeated after items of its stream were read"),
            ("detached", given, "without the caller, nothing reads this stream"),
        ];
        for (name, span, why) in conflicts {
            let attribute = function.attributes.iter().find(|attribute| attribute.name.text == name);
            let (Some(attribute), Some(span)) = (attribute, span) else { continue };
            let place = self.place(file, attribute.span);
            let message = format!("`{}` cannot be `#[{name}]`", function.name.text);
            let against = self.place(file, span);
            self.report(
                Diagnostic::error(Code::ContradictoryAttribute, message, place, "contradicts the method")
                    .with_label(against, why),
            );
        }
    }
}
