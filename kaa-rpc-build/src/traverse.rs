//! Walks over the types of a schema.

use kaa_idl::schema::{Field, Payload, Type, TypeId, TypeKind};

/// The fields of a payload.
pub(crate) fn payload_fields(payload: &Payload) -> &[Field] {
    match payload {
        Payload::Unit => &[],
        Payload::Tuple(fields) | Payload::Record(fields) => fields,
    }
}

/// The types of the fields of a declared type, tombstones included.
pub(crate) fn field_types(kind: &TypeKind) -> Vec<&Type> {
    match kind {
        TypeKind::Struct(structure) => structure.fields.iter().map(|field| &field.ty).collect(),
        TypeKind::Enum(enumeration) => {
            let fields = enumeration.variants.iter().flat_map(|variant| payload_fields(&variant.payload));
            fields.map(|field| &field.ty).collect()
        }
        TypeKind::Flags(_) => Vec::new(),
        TypeKind::Newtype(newtype) => vec![&newtype.inner],
    }
}

/// The declared types that a type expression names.
pub(crate) fn named_types(ty: &Type) -> Vec<TypeId> {
    match ty {
        Type::Option(inner) | Type::Vec(inner, _) | Type::Set(inner, _) | Type::Array(inner, _) => {
            named_types(inner)
        }
        Type::Map(key, value, _) => [named_types(key), named_types(value)].concat(),
        Type::Named { id, .. } => vec![*id],
        _ => Vec::new(),
    }
}
