//! Streams in signatures, and what a method may promise about its calls.
//!
//! Invariants: a method takes at most one stream; a stream is no value, so it has no default and leaves no tombstone.

use super::attributes::Target;
use super::data::docs;
use super::members::Names;
use super::resolver::{Resolver, Role};
use crate::ast::{self, Function, TypeKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::location::Span;
use crate::schema::{StreamParameter, Type};

/// A parameter that is a stream, as it was written.
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
        self.note_container(Role::Item, &ty, file, item.span);
        Some(ty)
    }

    /// Takes a parameter that is a stream, unless there was one before.
    pub(super) fn stream_parameter(
        &mut self,
        file: usize,
        written: WrittenStream<'a>,
        names: &mut Names,
        found: &mut Option<(StreamParameter, Span)>,
    ) {
        let WrittenStream { position, parameter, item } = written;
        let item = self.item(file, item);
        let decorated = self.attributes(file, &parameter.attributes, Target::StreamParameter);
        if parameter.tombstone {
            self.stream_tombstone(file, parameter);
        } else {
            self.add_name(names, file, &parameter.name, decorated.selector.as_ref());
        }
        if let Some(value) = &parameter.default {
            let place = self.place(file, value.span);
            let message = format!("the stream `{}` cannot have a default", parameter.name.text);
            self.report(
                Diagnostic::error(Code::StreamInData, message, place, "not a value")
                    .with_help("a caller with nothing to send gives an empty stream"),
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
                    "one too many",
                )
                .with_label(first, "the first")
                .with_help("let one stream carry an `enum` of both kinds of items, or make two methods"),
            );
            return;
        }
        let Some(item) = item else { return };
        let stream = StreamParameter {
            position,
            name: parameter.name.text.clone(),
            selector: decorated.schema_selector(),
            docs: docs(&parameter.docs),
            attributes: decorated.attributes,
            item,
            location: self.scope.location(file, parameter.name.span),
        };
        *found = Some((stream, parameter.ty.span));
    }

    fn stream_tombstone(&mut self, file: usize, parameter: &ast::Field) {
        let place = self.place(file, parameter.span);
        let message = format!("the stream `{}` cannot be reserved", parameter.name.text);
        self.report(
            Diagnostic::error(Code::StreamInData, message, place, "a stream has no slot among the arguments")
                .with_help("a method whose stream is gone is another method: give it a new name, and reserve the old one with `reserved fn`"),
        );
    }

    /// A oneway method ends when it has left, so nothing can come of it, and nothing can follow it.
    pub(super) fn check_oneway(&mut self, file: usize, function: &Function, oneway: Span) {
        let streams =
            function.parameters.iter().filter(|parameter| matches!(parameter.ty.kind, TypeKind::Stream(_)));
        let streams = streams.map(|parameter| {
            (
                parameter.ty.span,
                "take a stream",
                "it could last no longer than the call, which ends when it has left",
            )
        });
        let no_reply = "there is no reply that could carry it";
        let result = function.returns.as_ref().map(|(_, span)| (*span, "give back a result", no_reply));
        let error = function.throws.as_ref().map(|(_, span)| (*span, "give back an error", no_reply));
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
        .with_label(word, "oneway because of this");
        for (span, _, _) in extra {
            diagnostic = diagnostic.with_label(self.place(file, span), "nor this");
        }
        self.report(
            diagnostic.with_help("remove one of the two: a method without `oneway` may well return nothing"),
        );
    }

    /// Reports attributes that say something about calls which no call of this method could keep.
    pub(super) fn check_promises(&mut self, file: usize, function: &Function) {
        let is_stream = |ty: &ast::Type| matches!(ty.kind, TypeKind::Stream(_));
        let taken = function.parameters.iter().find(|parameter| is_stream(&parameter.ty));
        let taken = taken.map(|parameter| parameter.ty.span);
        let given = function.returns.as_ref().filter(|(ty, _)| is_stream(ty)).map(|(ty, _)| ty.span);
        let conflicts = [
            (
                "idempotent",
                function.oneway,
                "nobody learns that a oneway call was lost, so nobody repeats it",
            ),
            ("idempotent", taken, "a call cannot be repeated when its stream has been taken from"),
            ("detached", given, "when its caller is gone, nobody is there to take this stream"),
        ];
        for (name, span, why) in conflicts {
            let attribute = function.attributes.iter().find(|attribute| attribute.name.text == name);
            let (Some(attribute), Some(span)) = (attribute, span) else { continue };
            let place = self.place(file, attribute.span);
            let message = format!("`{}` cannot be `#[{name}]`", function.name.text);
            let against = self.place(file, span);
            self.report(
                Diagnostic::error(Code::EmptyPromise, message, place, "could never be kept")
                    .with_label(against, why),
            );
        }
    }
}
