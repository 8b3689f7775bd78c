//! Converts evaluated values to their declared types: constants, flags and defaults.
//!
//! Invariants: a value is never converted to another kind of value. A mismatch is reported with the expected
//! type.

use super::evaluated::{Evaluated, range, width};
use super::resolver::Resolver;
use crate::ast::{self, ItemKind};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::location::Span;
use crate::schema::{Field, Type, TypeId, TypeKind, Value};

/// How many nested newtypes are looked through.
const MAX_NEWTYPE_DEPTH: usize = 64;

impl<'a> Resolver<'a> {
    /// The value in the form of the type. Reports an error and returns `None` if it does not match.
    pub(super) fn conform(&mut self, value: &Evaluated, ty: &Type, place: &Place) -> Option<Value> {
        match ty {
            Type::Option(inner) => return self.conform(value, inner, place),
            Type::Named { id, .. } => return self.conform_named(value, *id, place),
            _ => {}
        }
        match (value, ty) {
            (Evaluated::Integer(integer), _) if width(ty).is_some() => {
                let fitted = integer.fit(ty);
                if fitted.is_none() {
                    let message = format!("this value does not fit in `{}`", self.type_text(ty));
                    self.report(Diagnostic::error(Code::OutOfRange, message, place.clone(), range(ty)));
                }
                fitted
            }
            (Evaluated::Float(number), Type::F64) => Some(Value::Float(*number)),
            (Evaluated::Float(number), Type::F32) => {
                if number.abs() <= f64::from(f32::MAX) {
                    return Some(Value::Float(*number));
                }
                let message = "this value does not fit in `f32`";
                self.report(Diagnostic::error(Code::OutOfRange, message, place.clone(), "out of range"));
                None
            }
            (Evaluated::Boolean(value), Type::Bool) => Some(Value::Bool(*value)),
            (Evaluated::Character(value), Type::Char) => Some(Value::String(value.to_string())),
            (Evaluated::String(text), Type::String(bound)) => {
                let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
                if let Some(bound) = bound.filter(|bound| length > *bound) {
                    let message =
                        format!("this string has {length} bytes, but its type allows at most {bound}");
                    self.report(Diagnostic::error(Code::OutOfRange, message, place.clone(), "too long"));
                    return None;
                }
                Some(Value::String(text.clone()))
            }
            (Evaluated::EmptyList, Type::Vec(..) | Type::Set(..) | Type::Bytes(_)) => Some(Value::EmptyList),
            (Evaluated::EmptyMap, Type::Map(..)) => Some(Value::EmptyMap),
            _ => {
                self.wrong_type(value, ty, place);
                None
            }
        }
    }

    fn conform_named(&mut self, value: &Evaluated, id: TypeId, place: &Place) -> Option<Value> {
        let mut id = id;
        for _ in 0..MAX_NEWTYPE_DEPTH {
            let Some(TypeKind::Newtype(newtype)) = self.definition(id).map(|definition| &definition.kind)
            else {
                return self.conform_item(value, id, place);
            };
            if self.incomplete.contains(&id) {
                return None;
            }
            match newtype.inner.clone() {
                Type::Named { id: inner, .. } => id = inner,
                inner => return self.conform(value, &inner, place),
            }
        }
        None
    }

    fn conform_item(&mut self, value: &Evaluated, id: TypeId, place: &Place) -> Option<Value> {
        let item = self.scope.type_entry(id)?.item;
        match (value, &item.kind) {
            (Evaluated::Variant { id: found, index }, ItemKind::Enum { variants, .. }) if *found == id => {
                let variant = variants.get(*index)?;
                if variant.payload == ast::Payload::Unit {
                    return Some(Value::Variant { id, index: *index });
                }
                let message =
                    format!("`{}` has a payload, so it cannot be a value in a schema", variant.name.text);
                self.report(
                    Diagnostic::error(
                        Code::WrongDefault,
                        message,
                        place.clone(),
                        "expected a variant without a payload",
                    )
                    .with_help("an `Option` without a default is absent"),
                );
                None
            }
            (Evaluated::Flags { id: found, bits }, ItemKind::Flags { .. }) if *found == id => {
                Some(Value::Unsigned(u128::from(*bits)))
            }
            (Evaluated::Integer(integer), ItemKind::Flags { .. }) if integer.unsigned() == Some(0) => {
                Some(Value::Unsigned(0))
            }
            (Evaluated::EmptyMap, ItemKind::Struct { .. }) => self.conform_struct(id, place),
            _ => {
                self.wrong_type(value, &Type::Named { id, boxed: false }, place);
                None
            }
        }
    }

    fn conform_struct(&mut self, id: TypeId, place: &Place) -> Option<Value> {
        let TypeKind::Struct(structure) = &self.definition(id)?.kind else { return None };
        let mut fields = structure.fields.iter().filter(|field| !field.tombstone);
        let Some(required) = fields.find(|field| !has_default(field)) else { return Some(Value::EmptyMap) };
        let message =
            format!("`{{}}` requires that every field has a default, but `{}` has none", required.name);
        self.report(Diagnostic::error(Code::WrongDefault, message, place.clone(), "not a complete value"));
        None
    }

    fn wrong_type(&mut self, value: &Evaluated, ty: &Type, place: &Place) {
        let shown = self.type_text(ty);
        let message = format!("expected a value of type `{shown}`, found {}", value.noun());
        let diagnostic =
            Diagnostic::error(Code::WrongDefault, message, place.clone(), format!("expected `{shown}`"));
        let length = place.span.end() - place.span.start();
        // If the lengths are equal, the source has these digits, not the name of a constant or a sum.
        let digits = match value {
            Evaluated::Integer(integer) => integer.unsigned().map(|value| value.to_string()),
            _ => None,
        };
        let digits = digits.filter(|digits| digits.len() == length);
        let help = match (value, ty) {
            (Evaluated::Integer(_), Type::F32 | Type::F64) if digits.is_some() => {
                let right = format!("{}.0", digits.unwrap_or_default());
                let help = "write a floating-point number";
                return self.report(diagnostic.with_suggestion(place.clone(), right, help));
            }
            (Evaluated::Integer(_), Type::Bool) if length == 1 && digits.is_some() => {
                let right = if digits.as_deref() == Some("0") { "false" } else { "true" };
                let help = format!("write `{right}`");
                return self.report(diagnostic.with_suggestion(place.clone(), right, help));
            }
            (Evaluated::String(text), Type::Char) if text.len() == 1 && length == 3 => {
                let help = "write a character in single quotes";
                return self.report(diagnostic.with_suggestion(place.clone(), format!("'{text}'"), help));
            }
            (_, Type::Named { id, .. }) if self.first_value(*id).is_some() => {
                let help =
                    self.first_value(*id).map(|first| format!("write a value with its type: `{first}`"));
                return self.report(diagnostic.with_optional_help(help));
            }
            (_, Type::Duration | Type::Timestamp | Type::Uuid | Type::Array(..)) => {
                Some("this type has no literals; an `Option` without a default is absent")
            }
            (Evaluated::String(_), Type::Bytes(_)) => Some("the only default of `Bytes` is `[]`"),
            (Evaluated::String(_), Type::Char) => Some("write a character in single quotes"),
            (Evaluated::EmptyMap, Type::Vec(..) | Type::Set(..)) => Some("write an empty list as `[]`"),
            (Evaluated::EmptyList, Type::Map(..)) => Some("write an empty map as `{}`"),
            _ => None,
        };
        self.report(diagnostic.with_optional_help(help.map(str::to_owned)));
    }

    /// The first variant or flag of a type, written as a value.
    pub(super) fn first_value(&self, id: TypeId) -> Option<String> {
        let item = self.scope.type_entry(id)?.item;
        let first = match &item.kind {
            ItemKind::Enum { variants, .. } => &variants.first()?.name.text,
            ItemKind::Flags { flags, .. } => &flags.first()?.name.text,
            _ => return None,
        };
        Some(format!("{}::{first}", item.name.text))
    }

    /// A type as it is written in the source, without its bounds.
    pub(super) fn type_text(&self, ty: &Type) -> String {
        let name = |id: TypeId| {
            self.scope.type_entry(id).map_or_else(String::new, |entry| entry.item.name.text.clone())
        };
        crate::ids::type_text(ty, &name)
    }

    /// Whether a constant can have this type.
    pub(super) fn check_constant_type(&mut self, file: usize, span: Span, ty: &Type) -> bool {
        let plain = match ty {
            Type::Bool | Type::Char | Type::F32 | Type::F64 | Type::String(_) => true,
            Type::Named { id, .. } => self.scope.type_entry(*id).is_some_and(|entry| {
                matches!(entry.item.kind, ItemKind::Enum { .. } | ItemKind::Flags { .. })
            }),
            ty => width(ty).is_some(),
        };
        if !plain {
            let place = self.place(file, span);
            let message = format!("a constant cannot have the type `{}`", self.type_text(ty));
            self.report(
                Diagnostic::error(Code::WrongDefault, message, place, "not allowed for constants").with_help(
                    "a constant is an integer, floating-point number, `bool`, `char`, `String`, \
                        enum or flags",
                ),
            );
        }
        plain
    }

    /// The values of flags, in order; `None` for an invalid value, which is reported.
    pub(super) fn evaluate_flags(
        &mut self,
        item: usize,
        file: usize,
        representation: &'a ast::Type,
        flags: &'a [ast::Flag],
    ) -> Vec<Option<u64>> {
        let representation_type = self.ty(file, representation);
        let integer =
            representation_type.filter(|ty| matches!(ty, Type::U8 | Type::U16 | Type::U32 | Type::U64));
        if let (None, ast::TypeKind::Path { path, .. }) = (&integer, &representation.kind)
            && crate::suggest::is_built_in(&path.text())
        {
            let place = self.place(file, representation.span);
            let message = format!("flags cannot have the type `{}`", path.text());
            self.report(Diagnostic::error(
                Code::BadRepresentation,
                message,
                place,
                "expected `u8`, `u16`, `u32` or `u64`",
            ));
        }
        let value_type = integer.clone().unwrap_or(Type::U64);
        if let Some(integer) = integer {
            self.representations.insert(item, integer);
        }
        let mut seen: std::collections::HashMap<u64, &ast::Flag> = std::collections::HashMap::new();
        let mut values = Vec::new();
        for flag in flags {
            let place = self.place(file, flag.value.span);
            let value =
                self.evaluate(file, &flag.value).and_then(|value| self.conform(&value, &value_type, &place));
            let bits = match value {
                Some(Value::Unsigned(bits)) => u64::try_from(bits).ok(),
                _ => None,
            };
            if let Some(first) = bits.and_then(|bits| seen.insert(bits, flag)) {
                let message = format!("`{}` and `{}` have the same value", first.name.text, flag.name.text);
                let first = self.place(file, first.value.span);
                self.report(
                    Diagnostic::error(Code::DuplicateTag, message, place, "the same value")
                        .with_label(first, "first used here"),
                );
            }
            values.push(bits);
        }
        values
    }

    /// Evaluates the defaults of all fields.
    pub(super) fn evaluate_defaults(&mut self) {
        for pending in std::mem::take(&mut self.pending_defaults) {
            let Some(ty) = self.type_at(pending.address).cloned() else { continue };
            let place = self.place(pending.file, pending.value.span);
            let value = self.evaluate(pending.file, pending.value);
            let value = value.and_then(|value| self.conform(&value, &ty, &place));
            if let Some(field) = self.field_mut(pending.address) {
                field.default = value;
            }
        }
    }
}

/// Whether a decoder can fill in the field if the peer did not send it.
pub(super) fn has_default(field: &Field) -> bool {
    field.default_is_written || matches!(field.ty, Type::Option(_))
}
