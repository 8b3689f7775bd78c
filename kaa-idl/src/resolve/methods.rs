//! Methods: parameters, results, errors.
//!
//! Invariants: a method is resolved once, in the file where it was written; services then take copies of it.

use super::attributes::{Decorated, Target};
use super::data::{docs, wire_name};
use super::members::{Casing, Names};
use super::resolver::Resolver;
use super::types::{Position, is_built_in};
use crate::ast::{self, Function, ItemKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::location::Span;
use crate::schema::{Field, Method, Role, Type, TypeId};

/// A method with what the checks of its service need.
#[derive(Debug, Clone)]
pub(super) struct Template {
    /// Its id and role are those of no service yet.
    pub(super) method: Method,
    pub(super) file: usize,
    pub(super) name: ast::Name,
    pub(super) selector: Option<(String, Span)>,
    /// Where its options struct gets its name from.
    pub(super) options: Span,
}

impl<'a> Resolver<'a> {
    pub(super) fn method(&mut self, file: usize, function: &'a Function) -> Template {
        let decorated = self.attributes(file, &function.attributes, Target::Method);
        let parameters = self.parameters(file, function);
        let returns = self.returns(file, function);
        let throws = function.throws.as_ref().and_then(|(path, _)| self.throws(file, path));
        if let Some(oneway) = function.oneway {
            self.check_oneway(file, function, oneway);
        }
        let has_options = function.rest.is_some() || parameters.iter().any(is_optional);
        if let Some(span) =
            decorated.options.filter(|_| !has_options && parameters.len() == function.parameters.len())
        {
            let place = self.place(file, span);
            self.report(
                Diagnostic::error(
                    Code::MisplacedAttribute,
                    format!("`{}` has no options to name", function.name.text),
                    place,
                    "misplaced",
                )
                .with_help("parameters with a default, or a trailing `..`, make an options struct"),
            );
        }
        let Decorated { attributes, selector, options, .. } = decorated;
        let named = Decorated { selector: selector.clone(), ..Decorated::default() };
        Template {
            method: Method {
                name: function.name.text.clone(),
                wire_name: wire_name(&function.name, &named),
                docs: docs(&function.docs),
                attributes,
                id: 0,
                role: Role::Server,
                oneway: function.oneway.is_some(),
                parameters,
                options_requested: function.rest.is_some(),
                returns,
                throws,
                interface: None,
                location: self.scope.location(file, function.name.span),
            },
            file,
            name: function.name.clone(),
            selector,
            options: options.unwrap_or(function.name.span),
        }
    }

    fn parameters(&mut self, file: usize, function: &'a Function) -> Vec<Field> {
        let mut names = Names::new("parameter", Casing::Snake);
        for tombstone in function.parameters.iter().filter(|parameter| parameter.tombstone) {
            names.reserve(&tombstone.name.text, self.place(file, tombstone.name.span));
        }
        let mut resolved = Vec::new();
        for parameter in &function.parameters {
            let Some((mut field, decorated)) = self.field(file, parameter, Target::Parameter) else {
                continue;
            };
            if !parameter.tombstone {
                self.add_name(&mut names, file, &parameter.name, decorated.selector.as_ref());
            }
            if let Some(value) = &parameter.default {
                let place = self.place(file, value.span);
                let evaluated = self.evaluate(file, value);
                field.default = evaluated.and_then(|value| self.conform(&value, &field.ty, &place));
            }
            resolved.push(field);
        }
        resolved
    }

    fn returns(&mut self, file: usize, function: &'a Function) -> Option<Type> {
        let (ty, _) = function.returns.as_ref()?;
        if matches!(ty.kind, ast::TypeKind::Unit) {
            return None;
        }
        self.ty(file, ty, Position::Signature)
    }

    fn throws(&mut self, file: usize, path: &'a ast::Path) -> Option<TypeId> {
        if is_built_in(&path.text()) {
            let place = self.place(file, path.span);
            let message = format!("`{}` is no error", path.text());
            self.report(
                Diagnostic::error(Code::ThrowsNonError, message, place, "not an `error`")
                    .with_help(format!("declare an `error` with a variant that holds `{}`", path.text())),
            );
            return None;
        }
        let found = self.find(file, path, "error")?;
        let entry = self.scope.entry(found.item)?;
        let id = match (&entry.item.kind, found.member) {
            (ItemKind::Alias(_), None) => match self.aliases.get(&found.item)? {
                Type::Named { id, .. } => Some(*id),
                _ => None,
            },
            (_, None) => entry.type_id,
            _ => None,
        };
        let is_error = |id: &TypeId| {
            let item = self.scope.type_entry(*id).map(|entry| &entry.item.kind);
            matches!(item, Some(ItemKind::Enum { error: true, .. }))
        };
        if let Some(id) = id.filter(is_error) {
            return Some(id);
        }
        let place = self.place(file, path.span);
        let defined = self.place(entry.file, entry.item.name.span);
        let help = match &entry.item.kind {
            ItemKind::Enum { .. } => format!("declare it with `error {} {{ … }}`", entry.item.name.text),
            _ => format!("declare an `error` with a variant that holds `{}`", entry.item.name.text),
        };
        self.report(
            Diagnostic::error(
                Code::ThrowsNonError,
                format!("`{}` is no error", path.text()),
                place,
                "not an `error`",
            )
            .with_label(defined, "defined here")
            .with_help(help),
        );
        None
    }

    fn check_oneway(&mut self, file: usize, function: &Function, oneway: Span) {
        let result = function.returns.as_ref().map(|(_, span)| (*span, "a result"));
        let error = function.throws.as_ref().map(|(_, span)| (*span, "an error"));
        let mut extra = result.into_iter().chain(error);
        let Some((span, what)) = extra.next() else { return };
        let place = self.place(file, span);
        let word = self.place(file, oneway);
        let name = &function.name.text;
        let mut diagnostic = Diagnostic::error(
            Code::OnewayWithResult,
            format!("`{name}` is oneway, so it cannot give back {what}"),
            place,
            "there is no reply that could carry it",
        )
        .with_label(word, "oneway because of this");
        for (span, _) in extra {
            diagnostic = diagnostic.with_label(self.place(file, span), "nor this");
        }
        self.report(
            diagnostic.with_help("remove one of the two: a method without `oneway` may well return nothing"),
        );
    }
}

/// Whether a parameter goes into the options struct.
pub(super) fn is_optional(parameter: &Field) -> bool {
    parameter.default_is_written && !parameter.tombstone
}
