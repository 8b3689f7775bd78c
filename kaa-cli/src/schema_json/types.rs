//! Named types as JSON: objects with a `kind`.

use kaa_idl::schema::{self, Payload, Schema, TypeDefinition, TypeKind};
use serde::Serialize;

use super::declarations::{Attributes, Location};
use super::values::{Type, Value};

/// A named type.
#[derive(Debug, Serialize)]
pub(super) struct Definition<'a> {
    name: &'a str,
    wire_name: &'a str,
    docs: &'a [String],
    attributes: Attributes<'a>,
    #[serde(flatten)]
    kind: Kind<'a>,
    location: Location<'a>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Kind<'a> {
    Struct { sealed: bool, fields: Vec<Field<'a>> },
    Enum { sealed: bool, variants: Vec<Variant<'a>>, reserved: Vec<Reserved<'a>> },
    Error { variants: Vec<Variant<'a>>, reserved: Vec<Reserved<'a>> },
    Flags { representation: Type, flags: Vec<Flag<'a>> },
    Newtype { inner: Type },
}

/// A field or parameter.
#[derive(Debug, Serialize)]
pub(super) struct Field<'a> {
    name: &'a str,
    wire_name: &'a str,
    docs: &'a [String],
    attributes: Attributes<'a>,
    #[serde(rename = "type")]
    ty: Type,
    default: Option<Value<'a>>,
    default_is_written: bool,
    tombstone: bool,
    location: Location<'a>,
}

#[derive(Debug, Serialize)]
struct Variant<'a> {
    name: &'a str,
    wire_name: &'a str,
    docs: &'a [String],
    attributes: Attributes<'a>,
    tag: u32,
    payload: &'static str,
    fields: Vec<Field<'a>>,
    location: Location<'a>,
}

#[derive(Debug, Serialize)]
struct Reserved<'a> {
    tag: Option<u32>,
    name: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Flag<'a> {
    name: &'a str,
    docs: &'a [String],
    attributes: Attributes<'a>,
    value: String,
    location: Location<'a>,
}

impl<'a> Definition<'a> {
    pub(super) fn new(schema: &'a Schema, definition: &'a TypeDefinition) -> Self {
        Self {
            name: &definition.name,
            wire_name: definition.wire_name(),
            docs: &definition.docs.lines,
            attributes: Attributes::new(&definition.attributes),
            kind: Kind::new(schema, &definition.kind),
            location: Location::new(&definition.location),
        }
    }
}

impl<'a> Kind<'a> {
    fn new(schema: &'a Schema, kind: &'a TypeKind) -> Self {
        match kind {
            TypeKind::Struct(structure) => {
                Self::Struct { sealed: structure.sealed, fields: fields(schema, &structure.fields) }
            }
            TypeKind::Enum(enumeration) => {
                let variants =
                    enumeration.variants.iter().map(|variant| Variant::new(schema, variant)).collect();
                let reserved = enumeration.reserved.iter();
                let reserved = reserved
                    .map(|reserved| Reserved { tag: reserved.tag, name: reserved.name.as_deref() })
                    .collect();
                if enumeration.error {
                    Self::Error { variants, reserved }
                } else {
                    Self::Enum { sealed: enumeration.sealed, variants, reserved }
                }
            }
            TypeKind::Flags(flags) => Self::Flags {
                representation: Type::new(schema, &flags.representation),
                flags: flags.flags.iter().map(Flag::new).collect(),
            },
            TypeKind::Newtype(newtype) => Self::Newtype { inner: Type::new(schema, &newtype.inner) },
        }
    }
}

/// Fields or parameters.
pub(super) fn fields<'a>(schema: &'a Schema, fields: &'a [schema::Field]) -> Vec<Field<'a>> {
    fields.iter().map(|field| Field::new(schema, field)).collect()
}

impl<'a> Field<'a> {
    fn new(schema: &'a Schema, field: &'a schema::Field) -> Self {
        Self {
            name: &field.name,
            wire_name: field.wire_name(),
            docs: &field.docs.lines,
            attributes: Attributes::new(&field.attributes),
            ty: Type::new(schema, &field.ty),
            default: field.default.as_ref().map(|value| Value::new(schema, value)),
            default_is_written: field.default_is_written,
            tombstone: field.tombstone,
            location: Location::new(&field.location),
        }
    }
}

impl<'a> Variant<'a> {
    fn new(schema: &'a Schema, variant: &'a schema::Variant) -> Self {
        let (payload, carried): (_, &[schema::Field]) = match &variant.payload {
            Payload::Unit => ("unit", &[]),
            Payload::Tuple(carried) => ("tuple", carried),
            Payload::Record(carried) => ("record", carried),
        };
        Self {
            name: &variant.name,
            wire_name: variant.wire_name(),
            docs: &variant.docs.lines,
            attributes: Attributes::new(&variant.attributes),
            tag: variant.tag,
            payload,
            fields: fields(schema, carried),
            location: Location::new(&variant.location),
        }
    }
}

impl<'a> Flag<'a> {
    fn new(flag: &'a schema::Flag) -> Self {
        Self {
            name: &flag.name,
            docs: &flag.docs.lines,
            attributes: Attributes::new(&flag.attributes),
            value: flag.value.to_string(),
            location: Location::new(&flag.location),
        }
    }
}
