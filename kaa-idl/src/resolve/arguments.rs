//! Resolves built-in types and their arguments in angle brackets.
//!
//! Invariants: all arguments are checked even if their number is wrong, so that errors inside them are found.

use super::resolver::{Resolver, Role};
use crate::ast::{self, TypeArgument};
use crate::diagnostic::{Code, Diagnostic};
use crate::location::Span;
use crate::schema::{Bound, Type};

impl<'a> Resolver<'a> {
    /// A built-in type with its arguments.
    pub(super) fn built_in(
        &mut self,
        file: usize,
        span: Span,
        name: &str,
        arguments: &'a [TypeArgument],
    ) -> Option<Type> {
        let mut types: Vec<(Option<Type>, Span)> = Vec::new();
        let mut bounds: Vec<(&'a ast::Expression, Span)> = Vec::new();
        for argument in arguments {
            match argument {
                TypeArgument::Type(ty) => {
                    if let Some((_, bound)) = bounds.first() {
                        let place = self.place(file, *bound);
                        let message = "a bound comes after the types";
                        self.report(Diagnostic::error(
                            Code::BoundOnUnbounded,
                            message,
                            place,
                            "must come last",
                        ));
                    }
                    types.push((self.argument_type(file, ty), ty.span));
                }
                TypeArgument::Bound(value, span) => bounds.push((value, *span)),
            }
        }
        let bound = self.bound(file, name, &bounds)?;
        let expected_count = match name {
            "Option" | "Vec" | "Set" => 1,
            "Map" => 2,
            _ => 0,
        };
        if types.len() != expected_count {
            let expected = match expected_count {
                0 => "0 type arguments",
                1 => "1 type argument",
                _ => "2 type arguments",
            };
            self.wrong_argument_count(file, span, name, expected, types.len());
            return None;
        }
        let mut types = types.into_iter();
        match name {
            "Option" => self.option(file, types.next()?),
            "Vec" => {
                let (element, span) = types.next()?;
                let element = element?;
                self.add_container(Role::Element, &element, file, span);
                Some(Type::Vec(Box::new(element), bound))
            }
            "Set" => {
                let (element, span) = types.next()?;
                let element = element?;
                self.add_container(Role::Key, &element, file, span);
                Some(Type::Set(Box::new(element), bound))
            }
            "Map" => {
                let (key, span) = types.next()?;
                let (value, _) = types.next()?;
                if let Some(key) = &key {
                    self.add_container(Role::Key, key, file, span);
                }
                Some(Type::Map(Box::new(key?), Box::new(value?), bound))
            }
            "String" => Some(Type::String(bound)),
            "Bytes" => Some(Type::Bytes(bound)),
            _ => plain(name),
        }
    }

    fn option(&mut self, file: usize, (inner, span): (Option<Type>, Span)) -> Option<Type> {
        let inner = inner?;
        if matches!(inner, Type::Option(_)) {
            let place = self.place(file, span);
            self.report(
                Diagnostic::error(
                    Code::NestedOption,
                    "`Option` inside `Option`",
                    place,
                    "this is already an `Option`",
                )
                .with_help("if the two absent cases differ, name them with an enum"),
            );
            return None;
        }
        Some(Type::Option(Box::new(inner)))
    }

    /// The bound of a type, if it has one. Reports an error and returns the outer `None` if it is invalid.
    fn bound(&mut self, file: usize, name: &str, bounds: &[(&'a ast::Expression, Span)]) -> Option<Bound> {
        let Some((value, span)) = bounds.first() else { return Some(None) };
        if let Some((_, second)) = bounds.get(1) {
            let first = self.place(file, *span);
            let place = self.place(file, *second);
            self.report(
                Diagnostic::error(
                    Code::BoundOnUnbounded,
                    "a type with two bounds",
                    place,
                    "the second bound",
                )
                .with_label(first, "the first bound"),
            );
            return None;
        }
        if !matches!(name, "String" | "Bytes" | "Vec" | "Set" | "Map") {
            let place = self.place(file, *span);
            self.report(
                Diagnostic::error(
                    Code::BoundOnUnbounded,
                    format!("`{name}` has no length to bound"),
                    place,
                    "not allowed here",
                )
                .with_help("only `String`, `Bytes`, `Vec`, `Set` and `Map` can have a bound"),
            );
            return None;
        }
        let bound = self.unsigned(file, value, "a bound")?;
        if bound == 0 {
            let place = self.place(file, value.span);
            let message = format!("a `{name}` with this bound is always empty");
            self.report(
                Diagnostic::error(Code::OutOfRange, message, place, "must be at least 1")
                    .with_help("to delete a field, write `reserved name: Type`"),
            );
            return None;
        }
        Some(Some(bound))
    }

    pub(super) fn wrong_argument_count(
        &mut self,
        file: usize,
        span: Span,
        name: &str,
        expected: &str,
        count: usize,
    ) {
        let place = self.place(file, span);
        let example = match name {
            "Map" => Some("write `Map<Key, Value>`".to_owned()),
            "Option" | "Vec" | "Set" => Some(format!("write `{name}<Type>`")),
            _ => None,
        };
        let message = format!("`{name}` takes {expected}, not {count}");
        self.report(
            Diagnostic::error(Code::WrongArguments, message, place, format!("expected {expected}"))
                .with_optional_help(example),
        );
    }
}

fn plain(name: &str) -> Option<Type> {
    let ty = match name {
        "bool" => Type::Bool,
        "u8" => Type::U8,
        "u16" => Type::U16,
        "u32" => Type::U32,
        "u64" => Type::U64,
        "u128" => Type::U128,
        "i8" => Type::I8,
        "i16" => Type::I16,
        "i32" => Type::I32,
        "i64" => Type::I64,
        "i128" => Type::I128,
        "f32" => Type::F32,
        "f64" => Type::F64,
        "char" => Type::Char,
        "Duration" => Type::Duration,
        "Timestamp" => Type::Timestamp,
        "Uuid" => Type::Uuid,
        _ => return None,
    };
    Some(ty)
}
