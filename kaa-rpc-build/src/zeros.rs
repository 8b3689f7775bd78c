//! The encoded zero value of every type, which fills a tombstone's slot on the wire.
//!
//! Invariants: a zero is a valid encoding of its type; zeros of recursive types are finite (the table is a
//! least fixed point); none is longer than [`MAX_ZERO_SIZE`]; leaf values use bincode's standard
//! configuration.

use std::collections::BTreeMap;

use kaa_idl::schema::{Enum, Field, Schema, Type, TypeDefinition, TypeId, TypeKind};

use crate::settings::Settings;
use crate::traverse::payload_fields;

/// The maximum size of a zero, in bytes; types with a larger zero have none.
const MAX_ZERO_SIZE: usize = 64 * 1024;

/// The zeros of all declared types that have one.
#[derive(Debug)]
pub(crate) struct Zeros {
    types: BTreeMap<TypeId, Vec<u8>>,
}

impl Zeros {
    pub(crate) fn new(schema: &Schema, settings: &Settings) -> Self {
        let mut zeros = Self { types: BTreeMap::new() };
        loop {
            let before = zeros.types.len();
            for definition in &schema.types {
                // The encoding of an external type is not known.
                let external = settings.extern_type(&schema.qualified_name(definition)).is_some();
                if !external
                    && !zeros.types.contains_key(&definition.id)
                    && let Some(zero) = zeros.of_definition(definition)
                {
                    zeros.types.insert(definition.id, zero);
                }
            }
            if zeros.types.len() == before {
                return zeros;
            }
        }
    }

    /// The encoded zero value of a type, if it has one.
    pub(crate) fn of(&self, ty: &Type) -> Option<Vec<u8>> {
        let zero = match ty {
            Type::F32 => vec![0; 4],
            Type::F64 => vec![0; 8],
            Type::Duration | Type::Timestamp => vec![0; 2],
            Type::Uuid => vec![0; 16],
            Type::Array(inner, length) => {
                let element = self.of(inner)?;
                let length = usize::try_from(*length).ok()?;
                if element.len().checked_mul(length)? > MAX_ZERO_SIZE {
                    return None;
                }
                element.repeat(length)
            }
            Type::Named { id, .. } => self.types.get(id)?.clone(),
            // Integers, `bool` and `char` take one byte, as do an empty sequence and an absent `Option`.
            _ => vec![0],
        };
        (zero.len() <= MAX_ZERO_SIZE).then_some(zero)
    }

    fn of_definition(&self, definition: &TypeDefinition) -> Option<Vec<u8>> {
        match &definition.kind {
            TypeKind::Struct(structure) => {
                let body = self.of_fields(&structure.fields)?;
                Some(if structure.sealed { body } else { with_length(body) })
            }
            TypeKind::Enum(enumeration) => self.of_enum(enumeration),
            TypeKind::Flags(_) => Some(vec![0]),
            TypeKind::Newtype(newtype) => self.of(&newtype.inner),
        }
    }

    /// The first variant without a payload, else the first whose payload already has a zero.
    fn of_enum(&self, enumeration: &Enum) -> Option<Vec<u8>> {
        let unit =
            enumeration.variants.iter().find(|variant| variant.payload == kaa_idl::schema::Payload::Unit);
        if let Some(variant) = unit {
            let tag = u64::from(variant.tag);
            return Some(varint(if enumeration.sealed { tag } else { tag << 1 }));
        }
        if enumeration.variants.is_empty() {
            return (!enumeration.sealed).then(|| vec![0]);
        }
        enumeration.variants.iter().find_map(|variant| {
            let body = self.of_fields(payload_fields(&variant.payload))?;
            let tag = u64::from(variant.tag);
            let mut zero = varint(if enumeration.sealed { tag } else { tag << 1 | 1 });
            zero.extend(if enumeration.sealed { body } else { with_length(body) });
            Some(zero)
        })
    }

    fn of_fields(&self, fields: &[Field]) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        for field in fields {
            body.extend(self.of(&field.ty)?);
            if body.len() > MAX_ZERO_SIZE {
                return None;
            }
        }
        Some(body)
    }
}

fn with_length(body: Vec<u8>) -> Vec<u8> {
    let mut bytes = varint(u64::try_from(body.len()).unwrap_or(u64::MAX));
    bytes.extend(body);
    bytes
}

/// An unsigned integer in bincode's variable-length encoding.
fn varint(value: u64) -> Vec<u8> {
    let marked = |mark: u8, bytes: &[u8]| std::iter::once(mark).chain(bytes.iter().copied()).collect();
    if let Ok(byte) = u8::try_from(value)
        && byte <= 250
    {
        vec![byte]
    } else if let Ok(value) = u16::try_from(value) {
        marked(251, &value.to_le_bytes())
    } else if let Ok(value) = u32::try_from(value) {
        marked(252, &value.to_le_bytes())
    } else {
        marked(253, &value.to_le_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::varint;

    #[test]
    fn varint_sizes_match_bincode() {
        assert_eq!(varint(0), [0]);
        assert_eq!(varint(250), [250]);
        assert_eq!(varint(251), [251, 251, 0]);
        assert_eq!(varint(65_536), [252, 0, 0, 1, 0]);
        assert_eq!(varint(1 << 32), [253, 0, 0, 0, 0, 1, 0, 0, 0]);
    }
}
