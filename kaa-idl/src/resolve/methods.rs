//! Resolves methods: parameters, results and errors. Streams are in `streams`.
//!
//! Invariants: a method is resolved once, in the file where it is written. Services copy the result.

use super::attributes::{ParsedAttributes, Target};
use super::data::docs;
use super::members::{Casing, Names};
use super::resolver::Resolver;
use super::streams::WrittenStream;
use crate::ast::{self, Function, ItemKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::location::Span;
use crate::schema::{Field, Method, Returns, Role, StreamParameter, Type, TypeId};
use crate::suggest::is_built_in;

/// A method, with the data that the checks of its service need.
#[derive(Debug, Clone)]
pub(super) struct Template {
    /// Its id and role are placeholders until a service copies it.
    pub(super) method: Method,
    pub(super) file: usize,
    pub(super) name: ast::Name,
    pub(super) selector: Option<(String, Span)>,
    /// Where the name of its options struct comes from.
    pub(super) options: Span,
}

impl<'a> Resolver<'a> {
    pub(super) fn method(&mut self, file: usize, function: &'a Function) -> Template {
        let parsed = self.attributes(file, &function.attributes, Target::Method);
        let (parameters, stream) = self.parameters(file, function);
        let returns = self.returns(file, function);
        let throws = function.throws.as_ref().and_then(|(path, _)| self.throws(file, path));
        if let Some(oneway) = function.oneway {
            self.check_oneway(file, function, oneway);
        }
        self.check_attribute_conflicts(file, function);
        let has_options = function.rest.is_some() || parameters.iter().any(Field::is_option);
        let whole = parameters.len() + usize::from(stream.is_some()) == function.parameters.len();
        if let Some(span) = parsed.options.filter(|_| !has_options && whole) {
            let place = self.place(file, span);
            self.report(
                Diagnostic::error(
                    Code::MisplacedAttribute,
                    format!("`{}` has no options struct to name", function.name.text),
                    place,
                    "not allowed here",
                )
                .with_help(
                    "a method has an options struct if a parameter has a default, or with a trailing `..`",
                ),
            );
        }
        let schema_selector = parsed.schema_selector();
        let ParsedAttributes { attributes, selector, options, .. } = parsed;
        Template {
            method: Method {
                name: function.name.text.clone(),
                selector: schema_selector,
                docs: docs(&function.docs),
                attributes,
                id: 0,
                role: Role::Server,
                oneway: function.oneway.is_some(),
                parameters,
                options_requested: function.rest.is_some(),
                stream: stream.map(Box::new),
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

    /// The parameters that are values, and the stream parameter.
    fn parameters(&mut self, file: usize, function: &'a Function) -> (Vec<Field>, Option<StreamParameter>) {
        let mut names = Names::new("parameter", Casing::Snake);
        for tombstone in function.parameters.iter().filter(|parameter| parameter.tombstone) {
            names.reserve(&tombstone.name.text, self.place(file, tombstone.name.span));
        }
        let mut resolved = Vec::with_capacity(function.parameters.len());
        let mut stream: Option<(StreamParameter, Span)> = None;
        for (position, parameter) in function.parameters.iter().enumerate() {
            if let ast::TypeKind::Stream(item) = &parameter.ty.kind {
                let written = WrittenStream { position, parameter, item };
                self.stream_parameter(file, written, &mut names, &mut stream);
                continue;
            }
            let Some((mut field, parsed)) = self.field(file, parameter, Target::Parameter) else {
                continue;
            };
            if !parameter.tombstone {
                self.add_name(&mut names, file, &parameter.name, parsed.selector.as_ref());
            }
            if let Some(value) = &parameter.default {
                let place = self.place(file, value.span);
                let evaluated = self.evaluate(file, value);
                field.default = evaluated.and_then(|value| self.conform(&value, &field.ty, &place));
            }
            resolved.push(field);
        }
        (resolved, stream.map(|(stream, _)| stream))
    }

    fn returns(&mut self, file: usize, function: &'a Function) -> Returns {
        let resolved = match function.returns.as_ref().map(|(ty, _)| (ty, &ty.kind)) {
            None | Some((_, ast::TypeKind::Unit)) => None,
            Some((_, ast::TypeKind::Stream(item))) => self.item(file, item).map(Returns::Stream),
            Some((ty, _)) => self.ty(file, ty).map(Returns::Value),
        };
        resolved.unwrap_or(Returns::Unit)
    }

    fn throws(&mut self, file: usize, path: &'a ast::Path) -> Option<TypeId> {
        if is_built_in(&path.text()) {
            let place = self.place(file, path.span);
            let message = format!("`{}` is not an `error`", path.text());
            self.report(
                Diagnostic::error(Code::ThrowsNonError, message, place, "not an `error`")
                    .with_help(format!("declare an `error` with a variant that contains `{}`", path.text())),
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
            ItemKind::Enum { .. } => format!("declare it as `error {} {{ … }}`", entry.item.name.text),
            _ => format!("declare an `error` with a variant that contains `{}`", entry.item.name.text),
        };
        self.report(
            Diagnostic::error(
                Code::ThrowsNonError,
                format!("`{}` is not an `error`", path.text()),
                place,
                "not an `error`",
            )
            .with_label(defined, "defined here")
            .with_help(help),
        );
        None
    }
}
