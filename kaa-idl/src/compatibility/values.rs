//! Compares default values, and shows them as text.
//!
//! Invariants: two defaults are equal if and only if their canonical forms are.

use super::pairing::Pairing;
use crate::schema::{Schema, TypeKind, Value, Variant};

/// Whether a value of the old schema and a value of the new schema are equal on the wire.
pub(super) fn same(pairing: &Pairing<'_>, old: Option<&Value>, new: Option<&Value>) -> bool {
    match (old, new) {
        (Some(Value::Variant { .. }), Some(Value::Variant { .. })) => {
            let tag = |schema, value| variant(schema, value).map(|variant| variant.tag);
            tag(pairing.old, old) == tag(pairing.new, new)
        }
        (Some(Value::Float(old)), Some(Value::Float(new))) => old.to_bits() == new.to_bits(),
        _ => old == new,
    }
}

fn variant<'a>(schema: &'a Schema, value: Option<&Value>) -> Option<&'a Variant> {
    let Value::Variant { id, index } = value? else { return None };
    match &schema.type_definition(*id)?.kind {
        TypeKind::Enum(enumeration) => enumeration.variants.get(*index),
        _ => None,
    }
}

/// A value as it is written in a schema.
pub(super) fn text(schema: &Schema, value: &Value) -> String {
    match value {
        Value::Bool(value) => value.to_string(),
        Value::Unsigned(value) => value.to_string(),
        Value::Negative(value) => value.to_string(),
        Value::Float(value) => format!("{value:?}"),
        Value::String(text) => format!("{text:?}"),
        Value::Variant { .. } => {
            variant(schema, Some(value)).map_or_else(String::new, |variant| variant.name.clone())
        }
        Value::EmptyList => "[]".to_owned(),
        Value::EmptyMap => "{}".to_owned(),
        Value::None => "None".to_owned(),
    }
}
