//! Computes the hashes of the elements of a type or method, in the form in which peers compare them.
//!
//! Invariants: a chain uses all 32 bytes of each hash. A table contains only the first eight.

use std::sync::Arc;

use super::canonical::{Canonical, Hash, method_name, qualified_wire_name, truncated, type_text};
use crate::schema::{
    ElementEntry, Enum, Field, Flags, Method, MethodEntry, Payload, Role, Schema, TypeDefinition, TypeEntry,
    TypeForm, TypeKind, Variant,
};

/// The entry of a type, and the hash of the whole type.
#[derive(Debug, Clone)]
pub(super) struct HashedType {
    pub(super) entry: Arc<TypeEntry>,
    pub(super) hash: Hash,
}

/// The entry of a method, and the hashes of its signature and of all its parameters.
#[derive(Debug, Clone)]
pub(super) struct HashedMethod {
    pub(super) entry: MethodEntry,
    pub(super) signature: Hash,
    pub(super) parameters: Hash,
}

/// The byte for each form. Newtypes are compared like sealed structs, but have a different byte.
fn form_byte(kind: &TypeKind) -> u8 {
    match kind {
        TypeKind::Struct(structure) if structure.sealed => 1,
        TypeKind::Struct(_) => 0,
        TypeKind::Enum(enumeration) if enumeration.sealed => 3,
        TypeKind::Enum(_) => 2,
        TypeKind::Flags(_) => 4,
        TypeKind::Newtype(_) => 5,
    }
}

/// Hashes one type.
pub(super) fn hash_type(schema: &Schema, definition: &TypeDefinition) -> HashedType {
    let name = qualified_wire_name(schema, definition);
    let start = || Canonical::new("kaa type").byte(form_byte(&definition.kind)).text(&name);
    let (form, elements, hash) = match &definition.kind {
        TypeKind::Struct(structure) => {
            let (elements, hash) = chain(schema, start().finish(), &structure.fields);
            let form = if structure.sealed { TypeForm::SealedStruct } else { TypeForm::Struct };
            (form, elements, hash)
        }
        TypeKind::Newtype(newtype) => {
            let inner = Field {
                name: "0".to_owned(),
                selector: None,
                docs: crate::schema::Docs::default(),
                attributes: crate::schema::Attributes::default(),
                ty: newtype.inner.clone(),
                default: None,
                default_is_written: false,
                tombstone: false,
                location: crate::schema::Location::default(),
            };
            let (elements, hash) = chain(schema, start().finish(), &[inner]);
            (TypeForm::SealedStruct, elements, hash)
        }
        TypeKind::Enum(enumeration) => {
            let (elements, hash) = variants(schema, start, enumeration);
            let form = if enumeration.sealed { TypeForm::SealedEnum } else { TypeForm::Enum };
            (form, elements, hash)
        }
        TypeKind::Flags(set) => {
            let (elements, hash) = flags(start, set);
            (TypeForm::Flags, elements, hash)
        }
    };
    HashedType { entry: Arc::new(TypeEntry { name, form, elements }), hash }
}

/// `h_0 = start`, `h_k = SHA-256(h_(k-1) ‖ field_k)`.
fn chain(schema: &Schema, start: Hash, fields: &[Field]) -> (Vec<ElementEntry>, Hash) {
    let mut hash = start;
    let mut elements = Vec::with_capacity(fields.len());
    for (position, field) in (0u64..).zip(fields) {
        hash = Canonical::default().raw(&hash).field(schema, field).finish();
        elements.push(ElementEntry {
            name: field.wire_name().to_owned(),
            tag: position,
            hash: truncated(&hash),
            has_default: field.default.is_some() || field.tombstone,
        });
    }
    (elements, hash)
}

/// Variants by ascending tag, each with a separate hash.
fn variants(schema: &Schema, start: impl Fn() -> Canonical, enumeration: &Enum) -> (Vec<ElementEntry>, Hash) {
    let mut ordered: Vec<&Variant> = enumeration.variants.iter().collect();
    ordered.sort_by_key(|variant| variant.tag);
    let mut all = start();
    let mut elements = Vec::new();
    for variant in ordered {
        let kind = match &variant.payload {
            Payload::Unit => 0,
            Payload::Tuple(_) => 1,
            Payload::Record(_) => 2,
        };
        let head = start().number(variant.tag).text(variant.wire_name()).byte(kind).finish();
        let (_, hash) = chain(schema, head, variant.payload.fields());
        all = all.number(variant.tag).raw(&hash);
        elements.push(ElementEntry {
            name: variant.wire_name().to_owned(),
            tag: u64::from(variant.tag),
            hash: truncated(&hash),
            has_default: false,
        });
    }
    (elements, all.finish())
}

/// Flags by ascending value, each with a separate hash that includes the integer type.
fn flags(start: impl Fn() -> Canonical, set: &Flags) -> (Vec<ElementEntry>, Hash) {
    let integer = type_text(&set.representation, &|_| String::new());
    let mut ordered: Vec<_> = set.flags.iter().collect();
    ordered.sort_by_key(|flag| flag.value);
    let mut all = start().text(&integer);
    let mut elements = Vec::new();
    for flag in ordered {
        let hash = start().text(&integer).raw(&flag.value.to_be_bytes()).text(&flag.name).finish();
        all = all.raw(&hash);
        elements.push(ElementEntry {
            name: flag.name.clone(),
            tag: flag.value,
            hash: truncated(&hash),
            has_default: false,
        });
    }
    (elements, all.finish())
}

/// Hashes one method of a service.
pub(super) fn hash_method(schema: &Schema, service: &str, method: &Method) -> HashedMethod {
    let type_name =
        |id| schema.type_definition(id).map_or_else(String::new, |ty| qualified_wire_name(schema, ty));
    let returns = method.returns.ty().map_or_else(|| "()".to_owned(), |ty| type_text(ty, &type_name));
    let streams = u8::from(method.returns.is_stream()) | u8::from(method.stream.is_some()) << 1;
    let throws = method.throws.map_or_else(String::new, type_name);
    let signature = |throws: &str| {
        let signature = Canonical::new("kaa method")
            .byte(match method.role {
                Role::Server => 0,
                Role::Client => 1,
            })
            .byte(u8::from(method.oneway))
            .byte(streams)
            .text(&returns)
            .text(throws);
        match &method.stream {
            None => signature.finish(),
            Some(stream) => {
                signature.text(stream.wire_name()).text(&type_text(&stream.item, &type_name)).finish()
            }
        }
    };
    // A reply tells whether it is a result or an error, so a method may gain an error, but not change it.
    let error = Canonical::new("kaa throws").text(&throws).finish();
    let start = Canonical::new("kaa parameters")
        .text(&method_name(service, method.role, method.wire_name()))
        .finish();
    let (elements, parameters) = chain(schema, start, &method.parameters);
    HashedMethod {
        entry: MethodEntry {
            id: method.id,
            name: method.wire_name().to_owned(),
            signature: truncated(&signature("")),
            throws: if method.throws.is_some() { truncated(&error) } else { 0 },
            parameters: elements,
        },
        signature: signature(&throws),
        parameters,
    }
}
