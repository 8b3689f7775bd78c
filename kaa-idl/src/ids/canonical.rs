//! The canonical form of types, values and fields as bytes.
//!
//! Invariants: every part has a fixed length or is preceded by its length, so no two forms have the same
//! bytes.

use std::fmt;

use hmac_sha256::Hash as Sha256;

use crate::schema::{Field, Role, Schema, Type, TypeDefinition, TypeId, TypeKind, Value};

/// A complete SHA-256 hash.
pub(super) type Hash = [u8; 32];

/// The id of a method: the first four bytes, big-endian, of SHA-256 over `package.Service/role/selector`.
#[must_use]
pub fn method_id(service: &str, role: Role, selector: &str) -> u32 {
    let digest = Canonical::default().raw(method_name(service, role, selector).as_bytes()).finish();
    digest.iter().take(4).fold(0, |id, byte| (id << 8) | u32::from(*byte))
}

/// `package.Service/role/selector`.
pub(super) fn method_name(service: &str, role: Role, selector: &str) -> String {
    let role = match role {
        Role::Server => "server",
        Role::Client => "client",
    };
    format!("{service}/{role}/{selector}")
}

/// The first eight bytes of a hash, big-endian: the part that tables contain.
pub(super) fn truncated(hash: &Hash) -> u64 {
    hash.iter().take(8).fold(0, |truncated, byte| (truncated << 8) | u64::from(*byte))
}

/// A type as text, without bounds. `name` gives the text of a named type.
pub(crate) fn type_text(ty: &Type, name: &dyn Fn(TypeId) -> String) -> String {
    let plain = match ty {
        Type::Bool => "bool",
        Type::U8 => "u8",
        Type::U16 => "u16",
        Type::U32 => "u32",
        Type::U64 => "u64",
        Type::U128 => "u128",
        Type::I8 => "i8",
        Type::I16 => "i16",
        Type::I32 => "i32",
        Type::I64 => "i64",
        Type::I128 => "i128",
        Type::F32 => "f32",
        Type::F64 => "f64",
        Type::Char => "char",
        Type::Duration => "Duration",
        Type::Timestamp => "Timestamp",
        Type::Uuid => "Uuid",
        Type::String(_) => "String",
        Type::Bytes(_) => "Bytes",
        Type::Option(inner) => return format!("Option<{}>", type_text(inner, name)),
        Type::Vec(inner, _) => return format!("Vec<{}>", type_text(inner, name)),
        Type::Set(inner, _) => return format!("Set<{}>", type_text(inner, name)),
        Type::Map(key, value, _) => {
            return format!("Map<{}, {}>", type_text(key, name), type_text(value, name));
        }
        Type::Array(inner, length) => return format!("[{}; {length}]", type_text(inner, name)),
        Type::Named { id, .. } => return name(*id),
    };
    plain.to_owned()
}

/// The name of a type on the wire, with its package.
pub(super) fn qualified_wire_name(schema: &Schema, definition: &TypeDefinition) -> String {
    match schema.package(definition.package) {
        Some(package) => format!("{}.{}", package.name, definition.wire_name()),
        None => definition.wire_name().to_owned(),
    }
}

/// A hash that is computed part by part.
#[derive(Clone, Default)]
pub(super) struct Canonical {
    digest: Sha256,
}

impl fmt::Debug for Canonical {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Canonical").finish_non_exhaustive()
    }
}

impl Canonical {
    /// Begins with a label that is unique for a kind of form.
    pub(super) fn new(label: &str) -> Self {
        Self::default().text(label)
    }

    pub(super) fn raw(mut self, bytes: &[u8]) -> Self {
        self.digest.update(bytes);
        self
    }

    pub(super) fn byte(self, byte: u8) -> Self {
        self.raw(&[byte])
    }

    /// Four bytes, big-endian.
    pub(super) fn number(self, number: u32) -> Self {
        self.raw(&number.to_be_bytes())
    }

    /// The length as a number, then the bytes.
    pub(super) fn text(self, text: &str) -> Self {
        self.number(u32::try_from(text.len()).unwrap_or(u32::MAX)).raw(text.as_bytes())
    }

    /// Name, type, default.
    pub(super) fn field(self, schema: &Schema, field: &Field) -> Self {
        let name =
            |id| schema.type_definition(id).map_or_else(String::new, |ty| qualified_wire_name(schema, ty));
        self.text(field.wire_name())
            .text(&type_text(&field.ty, &name))
            .default_value(schema, field.default.as_ref())
    }

    fn default_value(self, schema: &Schema, value: Option<&Value>) -> Self {
        match value {
            None => self.byte(0),
            Some(Value::None) => self.byte(1),
            Some(Value::Bool(value)) => self.byte(2).byte(u8::from(*value)),
            Some(Value::Unsigned(value)) => self.byte(3).raw(&value.to_be_bytes()),
            Some(Value::Negative(value)) => self.byte(4).raw(&value.to_be_bytes()),
            Some(Value::Float(value)) => self.byte(5).raw(&value.to_bits().to_be_bytes()),
            Some(Value::String(text)) => self.byte(6).text(text),
            Some(Value::Variant { id, index }) => self.byte(7).number(tag(schema, *id, *index)),
            Some(Value::EmptyList) => self.byte(8),
            Some(Value::EmptyMap) => self.byte(9),
        }
    }

    pub(super) fn finish(self) -> Hash {
        self.digest.finalize()
    }
}

fn tag(schema: &Schema, id: TypeId, index: usize) -> u32 {
    match schema.type_definition(id).map(|definition| &definition.kind) {
        Some(TypeKind::Enum(enumeration)) => enumeration.variants.get(index).map_or(0, |variant| variant.tag),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::{method_id, type_text};
    use crate::schema::{Role, Type};

    #[test]
    fn method_id_is_the_start_of_the_hash() {
        // printf 'tv.epg.Epg/server/search' | sha256sum
        assert_eq!(method_id("tv.epg.Epg", Role::Server, "search"), EXPECTED);
        assert_ne!(method_id("tv.epg.Epg", Role::Client, "search"), EXPECTED);
    }

    const EXPECTED: u32 = 0x33eb_e3f4;

    #[test]
    fn type_text_has_no_bounds() {
        let map =
            Type::Map(Box::new(Type::String(Some(5))), Box::new(Type::Array(Box::new(Type::U8), 3)), Some(9));
        assert_eq!(type_text(&map, &|_| String::new()), "Map<String, [u8; 3]>");
    }
}
