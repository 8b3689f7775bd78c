//! Resolves type expressions.
//!
//! Invariants: the parser's bracket limit and [`MAX_TYPE_DEPTH`] bound the recursion. A type has at most
//! [`MAX_TYPE_PARTS`] parts after aliases are replaced, so aliases cannot grow exponentially.

use super::resolver::{Container, Resolver, Role};
use super::scope::Found;
use crate::ast::{self, ItemKind, TypeArgument, TypeKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::location::Span;
use crate::schema::Type;
use crate::suggest::is_built_in;

/// How deep a type may nest, after aliases are replaced.
const MAX_TYPE_DEPTH: usize = 32;
/// How many parts a type may have, after aliases are replaced.
const MAX_TYPE_PARTS: usize = 1024;
/// How many elements an array may have, with nested arrays multiplied.
const MAX_ARRAY_ELEMENTS: u64 = 65_536;

impl<'a> Resolver<'a> {
    /// Resolves a type. Reports an error and returns `None` if it is invalid.
    pub(super) fn ty(&mut self, file: usize, ty: &'a ast::Type) -> Option<Type> {
        let resolved = self.part(file, ty)?;
        let (depth, parts) = measure(&resolved);
        if depth > MAX_TYPE_DEPTH || parts > MAX_TYPE_PARTS {
            let place = self.place(file, ty.span);
            let what = if depth > MAX_TYPE_DEPTH {
                format!("this type nests deeper than {MAX_TYPE_DEPTH} levels")
            } else {
                format!("this type has more than {MAX_TYPE_PARTS} parts")
            };
            self.report(
                Diagnostic::error(Code::TooDeep, what, place, "counted with its aliases replaced")
                    .with_help("name parts of it with a `struct` or a `newtype`"),
            );
            return None;
        }
        Some(resolved)
    }

    fn part(&mut self, file: usize, ty: &'a ast::Type) -> Option<Type> {
        match &ty.kind {
            TypeKind::Path { path, arguments } => self.named(file, ty.span, path, arguments),
            TypeKind::Array { element, length } => {
                let element_type = self.part(file, element);
                let length = self.array_length(file, length);
                let element_type = element_type?;
                self.add_container(Role::Element, &element_type, file, element.span);
                let array = Type::Array(Box::new(element_type), length?);
                self.check_array(file, ty.span, &array)?;
                Some(array)
            }
            TypeKind::Unit => {
                let place = self.place(file, ty.span);
                self.report(
                    Diagnostic::error(Code::UnitAsData, "`()` cannot be a value", place, "not a value")
                        .with_help("a method without a result has no `->`"),
                );
                None
            }
            TypeKind::Stream(inner) => {
                let place = self.place(file, ty.span);
                let message = "a stream cannot be part of data";
                self.report(
                    Diagnostic::error(Code::StreamInData, message, place, "`stream` inside data").with_help(
                        "`stream T` is the whole type of a parameter or a result; data contains a `Vec<T>`",
                    ),
                );
                self.part(file, inner)
            }
            TypeKind::Invalid => None,
        }
    }

    fn named(
        &mut self,
        file: usize,
        span: Span,
        path: &'a ast::Path,
        arguments: &'a [TypeArgument],
    ) -> Option<Type> {
        if let ([name], []) = (path.dotted.as_slice(), path.rest.as_slice())
            && is_built_in(&name.text)
        {
            return self.built_in(file, span, &name.text, arguments);
        }
        let found = self.find(file, path, "type");
        if !arguments.is_empty() {
            // Check the arguments for errors of their own.
            for argument in arguments {
                if let TypeArgument::Type(ty) = argument {
                    self.part(file, ty);
                }
            }
            if found.is_some() {
                self.wrong_argument_count(file, span, &path.text(), "0 type arguments", arguments.len());
            }
            return None;
        }
        self.item_as_type(file, path, found?)
    }

    fn item_as_type(&mut self, file: usize, path: &ast::Path, found: Found<'_>) -> Option<Type> {
        let place = self.place(file, path.span);
        let entry = self.scope.entry(found.item)?;
        if let Some(member) = found.member {
            let message = format!("`{}` is not a type", path.text());
            let help = match &entry.item.kind {
                ItemKind::Enum { .. } => {
                    format!(
                        "`{}` is the type, and `{}` is one of its values",
                        entry.item.name.text, member.text
                    )
                }
                _ => format!("`{}` does not contain types", entry.item.name.text),
            };
            self.report(Diagnostic::error(Code::UnknownType, message, place, "not a type").with_help(help));
            return None;
        }
        if let Some(id) = entry.type_id {
            return Some(Type::Named { id, boxed: false });
        }
        let (code, what, help) = match &entry.item.kind {
            ItemKind::Alias(_) => return self.aliases.get(&found.item).cloned(),
            ItemKind::Service(_) => (
                Code::ServiceAsType,
                "a service",
                "declare the methods of the connecting peer in a `client { }` block",
            ),
            ItemKind::Interface(_) => (
                Code::ServiceAsType,
                "an interface",
                "a service takes the methods of an interface with `include`",
            ),
            _ => (Code::UnknownType, "a constant", "a constant is a value; use it in bounds and defaults"),
        };
        let message = format!("`{}` is {what}, not a type", path.text());
        let defined = self.place(entry.file, entry.item.name.span);
        self.report(
            Diagnostic::error(code, message, place, "not a type")
                .with_label(defined, "defined here")
                .with_help(help),
        );
        None
    }

    /// Records a key or element for the checks that need all types.
    pub(super) fn add_container(&mut self, role: Role, ty: &Type, file: usize, span: Span) {
        let place = self.place(file, span);
        self.containers.push(Container { role, ty: ty.clone(), place });
    }

    pub(super) fn argument_type(&mut self, file: usize, ty: &'a ast::Type) -> Option<Type> {
        self.part(file, ty)
    }

    fn array_length(&mut self, file: usize, length: &'a ast::Expression) -> Option<u32> {
        let value = self.unsigned(file, length, "an array's length")?;
        let fitting = u32::try_from(value).ok().filter(|_| (1..=MAX_ARRAY_ELEMENTS).contains(&value));
        if fitting.is_none() {
            let place = self.place(file, length.span);
            self.report(
                Diagnostic::error(
                    Code::BadArrayLength,
                    format!("an array cannot have {value} elements"),
                    place,
                    format!("must be 1 to {MAX_ARRAY_ELEMENTS}"),
                )
                .with_help("use a `Vec` for a variable number of elements"),
            );
        }
        fitting
    }

    fn check_array(&mut self, file: usize, span: Span, array: &Type) -> Option<()> {
        let mut elements = 1u64;
        let mut inner = array;
        while let Type::Array(element, length) = inner {
            elements = elements.saturating_mul(u64::from(*length));
            inner = element;
        }
        if elements <= MAX_ARRAY_ELEMENTS {
            return Some(());
        }
        let place = self.place(file, span);
        let message = format!("these nested arrays have {elements} elements in total");
        self.report(
            Diagnostic::error(
                Code::BadArrayLength,
                message,
                place,
                format!("must be at most {MAX_ARRAY_ELEMENTS}"),
            )
            .with_help("use a `Vec` for more elements"),
        );
        None
    }
}

/// The depth of a type, and its number of parts.
fn measure(ty: &Type) -> (usize, usize) {
    let inner = match ty {
        Type::Option(inner) | Type::Vec(inner, _) | Type::Set(inner, _) | Type::Array(inner, _) => {
            measure(inner)
        }
        Type::Map(key, value, _) => {
            let (key, value) = (measure(key), measure(value));
            (key.0.max(value.0), key.1.saturating_add(value.1))
        }
        _ => (0, 0),
    };
    (inner.0 + 1, inner.1.saturating_add(1))
}
