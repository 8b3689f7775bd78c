//! Estimated sizes in memory, which decide whether a type is small enough to be `Copy`.
//!
//! Invariants: an estimate is never much too small; a type that contains itself has the maximum size.

use std::collections::BTreeMap;

use kaa_idl::schema::{Field, Schema, Type, TypeDefinition, TypeId, TypeKind};

use crate::traverse::payload_fields;

/// Estimated sizes in memory of `Copy` types, which never contain themselves.
pub(crate) struct Sizes<'a> {
    schema: &'a Schema,
    known: BTreeMap<TypeId, u64>,
}

impl<'a> Sizes<'a> {
    pub(crate) fn new(schema: &'a Schema) -> Self {
        Self { schema, known: BTreeMap::new() }
    }

    /// The size of a declared type, in bytes.
    pub(crate) fn of_type(&mut self, definition: &TypeDefinition) -> u64 {
        if let Some(size) = self.known.get(&definition.id) {
            return *size;
        }
        // If a type does contain itself, the recursion finds this size and ends.
        self.known.insert(definition.id, u64::MAX);
        let size = match &definition.kind {
            TypeKind::Struct(structure) => {
                self.of_fields(structure.fields.iter().filter(|field| !field.tombstone))
            }
            TypeKind::Enum(enumeration) => {
                let variants = enumeration.variants.iter();
                let largest =
                    variants.map(|variant| self.of_fields(payload_fields(&variant.payload).iter())).max();
                largest.unwrap_or(0).saturating_add(8)
            }
            TypeKind::Flags(_) => 8,
            TypeKind::Newtype(newtype) => self.of_expression(&newtype.inner),
        };
        self.known.insert(definition.id, size);
        size
    }

    fn of_fields<'f>(&mut self, fields: impl Iterator<Item = &'f Field>) -> u64 {
        fields.map(|field| self.of_expression(&field.ty)).fold(0, u64::saturating_add)
    }

    fn of_expression(&mut self, ty: &Type) -> u64 {
        match ty {
            Type::Bool | Type::U8 | Type::I8 => 1,
            Type::U16 | Type::I16 => 2,
            Type::U32 | Type::I32 | Type::F32 | Type::Char => 4,
            Type::U64 | Type::I64 | Type::F64 => 8,
            Type::U128 | Type::I128 | Type::Duration | Type::Timestamp | Type::Uuid => 16,
            Type::String(_) | Type::Vec(..) | Type::Set(..) | Type::Map(..) => 24,
            Type::Bytes(_) => 32,
            Type::Option(inner) => self.of_expression(inner).saturating_add(8),
            Type::Array(inner, length) => self.of_expression(inner).saturating_mul(u64::from(*length)),
            Type::Named { id, .. } => {
                let schema = self.schema;
                schema.type_definition(*id).map_or(0, |definition| self.of_type(definition))
            }
        }
    }
}
