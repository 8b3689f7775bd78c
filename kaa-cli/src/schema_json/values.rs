//! Type expressions and values as JSON: objects with a `kind`.

use kaa_idl::schema::{self, Bound, Schema, TypeId, TypeKind};
use serde::Serialize;

/// A type expression.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Type {
    Bool,
    U8,
    U16,
    U32,
    U64,
    U128,
    I8,
    I16,
    I32,
    I64,
    I128,
    F32,
    F64,
    Char,
    Duration,
    Timestamp,
    Uuid,
    String { bound: Option<String> },
    Bytes { bound: Option<String> },
    Option { item: Box<Type> },
    Vec { item: Box<Type>, bound: Option<String> },
    Set { item: Box<Type>, bound: Option<String> },
    Map { key: Box<Type>, value: Box<Type>, bound: Option<String> },
    Array { item: Box<Type>, length: u32 },
    Named { name: String },
}

impl Type {
    pub(super) fn new(schema: &Schema, ty: &schema::Type) -> Self {
        let inner = |ty: &schema::Type| Box::new(Self::new(schema, ty));
        let bound = |bound: &Bound| bound.map(|bound| bound.to_string());
        match ty {
            schema::Type::Bool => Self::Bool,
            schema::Type::U8 => Self::U8,
            schema::Type::U16 => Self::U16,
            schema::Type::U32 => Self::U32,
            schema::Type::U64 => Self::U64,
            schema::Type::U128 => Self::U128,
            schema::Type::I8 => Self::I8,
            schema::Type::I16 => Self::I16,
            schema::Type::I32 => Self::I32,
            schema::Type::I64 => Self::I64,
            schema::Type::I128 => Self::I128,
            schema::Type::F32 => Self::F32,
            schema::Type::F64 => Self::F64,
            schema::Type::Char => Self::Char,
            schema::Type::Duration => Self::Duration,
            schema::Type::Timestamp => Self::Timestamp,
            schema::Type::Uuid => Self::Uuid,
            schema::Type::String(most) => Self::String { bound: bound(most) },
            schema::Type::Bytes(most) => Self::Bytes { bound: bound(most) },
            schema::Type::Option(item) => Self::Option { item: inner(item) },
            schema::Type::Vec(item, most) => Self::Vec { item: inner(item), bound: bound(most) },
            schema::Type::Set(item, most) => Self::Set { item: inner(item), bound: bound(most) },
            schema::Type::Map(key, value, most) => {
                Self::Map { key: inner(key), value: inner(value), bound: bound(most) }
            }
            schema::Type::Array(item, length) => Self::Array { item: inner(item), length: *length },
            schema::Type::Named { id, .. } => Self::Named { name: name(schema, *id) },
        }
    }
}

/// An evaluated constant or default.
#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Value<'a> {
    Bool {
        value: bool,
    },
    Integer {
        value: String,
    },
    Float {
        value: f64,
    },
    String {
        value: &'a str,
    },
    Variant {
        #[serde(rename = "type")]
        ty: String,
        variant: &'a str,
    },
    EmptyList,
    EmptyMap,
    None,
}

impl<'a> Value<'a> {
    pub(super) fn new(schema: &'a Schema, value: &'a schema::Value) -> Self {
        match value {
            schema::Value::Bool(value) => Self::Bool { value: *value },
            schema::Value::Unsigned(value) => Self::Integer { value: value.to_string() },
            schema::Value::Negative(value) => Self::Integer { value: value.to_string() },
            schema::Value::Float(value) => Self::Float { value: *value },
            schema::Value::String(value) => Self::String { value },
            schema::Value::Variant { id, index } => {
                Self::Variant { ty: name(schema, *id), variant: variant(schema, *id, *index) }
            }
            schema::Value::EmptyList => Self::EmptyList,
            schema::Value::EmptyMap => Self::EmptyMap,
            schema::Value::None => Self::None,
        }
    }
}

/// A type's qualified name.
pub(super) fn name(schema: &Schema, id: TypeId) -> String {
    schema.type_definition(id).map(|definition| schema.qualified_name(definition)).unwrap_or_default()
}

fn variant(schema: &Schema, id: TypeId, index: usize) -> &str {
    match schema.type_definition(id).map(|definition| &definition.kind) {
        Some(TypeKind::Enum(enumeration)) => {
            enumeration.variants.get(index).map_or("", |variant| variant.name.as_str())
        }
        _ => "",
    }
}
