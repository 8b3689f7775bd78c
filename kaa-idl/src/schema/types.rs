//! Named types: structs, enums, errors, flags and newtypes.
//!
//! Invariants: fields and variants are in source order, including tombstones. A variant's tag is unique in
//! its enum.

use super::{Attributes, Docs, Location, PackageId, Type, TypeId, Value};

/// A named type.
#[derive(Debug, Clone, PartialEq)]
pub struct TypeDefinition {
    /// Its own index.
    pub id: TypeId,
    /// The package it belongs to.
    pub package: PackageId,
    /// Its name in the source.
    pub name: String,
    /// Its `#[selector]`, if it has one: [`Self::wire_name`].
    pub selector: Option<Box<str>>,
    /// Its documentation.
    pub docs: Docs,
    /// Its attributes.
    pub attributes: Attributes,
    /// Its kind.
    pub kind: TypeKind,
    /// Where it is declared.
    pub location: Location,
}

/// The kinds of named types.
#[derive(Debug, Clone, PartialEq)]
pub enum TypeKind {
    /// `struct` or `sealed struct`.
    Struct(Struct),
    /// `enum`, `sealed enum` or `error`.
    Enum(Enum),
    /// `flags`.
    Flags(Flags),
    /// `newtype Name(type);`
    Newtype(Newtype),
}

/// A struct.
#[derive(Debug, Clone, PartialEq)]
pub struct Struct {
    /// Whether its layout is fixed, without a length prefix on the wire.
    pub sealed: bool,
    /// Its fields in wire order, including tombstones.
    pub fields: Vec<Field>,
}

/// A field of a struct or variant, or a parameter of a method.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name in the source.
    pub name: String,
    /// Its `#[selector]`, if it has one: [`Self::wire_name`].
    pub selector: Option<Box<str>>,
    /// Its documentation.
    pub docs: Docs,
    /// Its attributes.
    pub attributes: Attributes,
    /// Its type.
    pub ty: Type,
    /// The default that a decoder fills in. An `Option` without a written default has `Some(Value::None)`.
    pub default: Option<Value>,
    /// Whether the default is written in the source. Such parameters are in the options struct.
    pub default_is_written: bool,
    /// Whether this is `reserved name: type`: a deleted field whose slot stays on the wire.
    pub tombstone: bool,
    /// Where it is declared.
    pub location: Location,
}

/// An enum or error.
#[derive(Debug, Clone, PartialEq)]
pub struct Enum {
    /// Whether it is sealed: plain bincode, without unknown variants.
    pub sealed: bool,
    /// Whether it is declared with `error`.
    pub error: bool,
    /// Its variants in source order.
    pub variants: Vec<Variant>,
    /// Reserved tags and names.
    pub reserved: Vec<ReservedVariant>,
}

/// One variant.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// Its name in the source.
    pub name: String,
    /// Its `#[selector]`, if it has one: [`Self::wire_name`].
    pub selector: Option<Box<str>>,
    /// Its documentation.
    pub docs: Docs,
    /// Its attributes, including `#[display]`.
    pub attributes: Attributes,
    /// Its tag on the wire. Without an explicit tag it is the previous tag plus one, starting at 0.
    pub tag: u32,
    /// Its payload.
    pub payload: Payload,
    /// Where it is declared.
    pub location: Location,
}

/// The payload of a variant.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// No payload.
    Unit,
    /// `Name(type, …)`: fields named `0`, `1`, ….
    Tuple(Vec<Field>),
    /// `Name { field: type, … }`.
    Record(Vec<Field>),
}

/// `reserved 4 "Tape";`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReservedVariant {
    /// The tag that must not be used again.
    pub tag: Option<u32>,
    /// The name that must not be used again.
    pub name: Option<String>,
}

/// Flags: named bits of an integer.
#[derive(Debug, Clone, PartialEq)]
pub struct Flags {
    /// The integer type: `u8`, `u16`, `u32` or `u64`.
    pub representation: Type,
    /// The named values in source order.
    pub flags: Vec<Flag>,
}

/// One flag.
#[derive(Debug, Clone, PartialEq)]
pub struct Flag {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub docs: Docs,
    /// Its attributes.
    pub attributes: Attributes,
    /// Its value.
    pub value: u64,
    /// Where it is declared.
    pub location: Location,
}

/// A distinct type that wraps another type.
#[derive(Debug, Clone, PartialEq)]
pub struct Newtype {
    /// The type inside.
    pub inner: Type,
}

impl TypeDefinition {
    /// Its name on the wire: the `#[selector]` if it has one, otherwise the name.
    #[must_use]
    pub fn wire_name(&self) -> &str {
        self.selector.as_deref().unwrap_or(&self.name)
    }
}

impl Field {
    /// Its name on the wire: the `#[selector]` if it has one, otherwise the name.
    #[must_use]
    pub fn wire_name(&self) -> &str {
        self.selector.as_deref().unwrap_or(&self.name)
    }

    /// Whether a parameter is in the options struct of its method.
    #[must_use]
    pub fn is_option(&self) -> bool {
        self.default_is_written && !self.tombstone
    }
}

impl Payload {
    /// The fields in wire order, including tombstones; none for a unit variant.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        match self {
            Self::Unit => &[],
            Self::Tuple(fields) | Self::Record(fields) => fields,
        }
    }

    /// The fields, to be changed.
    pub(crate) fn fields_mut(&mut self) -> &mut [Field] {
        match self {
            Self::Unit => &mut [],
            Self::Tuple(fields) | Self::Record(fields) => fields,
        }
    }
}

impl Variant {
    /// Its name on the wire: the `#[selector]` if it has one, otherwise the name.
    #[must_use]
    pub fn wire_name(&self) -> &str {
        self.selector.as_deref().unwrap_or(&self.name)
    }
}
