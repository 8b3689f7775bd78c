//! The resolved schema: what a set of `.kaa` files means, with every name looked up and every value evaluated.
//!
//! Invariants: every [`TypeId`] and [`PackageId`] indexes the [`Schema`] that handed it out; type aliases and
//! `use` are gone (an alias is kept only so that a generator can name it); includes are flattened; method ids
//! and fingerprints are filled in; nothing here refers to source text but [`Location`].

use std::fmt;
use std::time::Duration;

/// A whole resolved schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// Packages, ordered by their dotted names.
    pub packages: Vec<Package>,
    /// All named types of all packages.
    pub types: Vec<TypeDefinition>,
}

impl Schema {
    /// The definition behind a type id; `None` for an id of another schema.
    #[must_use]
    pub fn type_definition(&self, id: TypeId) -> Option<&TypeDefinition> {
        self.types.get(id.0)
    }

    /// The package behind a package id; `None` for an id of another schema.
    #[must_use]
    pub fn package(&self, id: PackageId) -> Option<&Package> {
        self.packages.get(id.0)
    }

    /// A type's qualified name, such as `tv.epg.Program`.
    #[must_use]
    pub fn qualified_name(&self, definition: &TypeDefinition) -> String {
        match self.package(definition.package) {
            Some(package) => format!("{}.{}", package.name, definition.name),
            None => definition.name.clone(),
        }
    }
}

/// Index of a named type in [`Schema::types`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(pub usize);

/// Index of a package in [`Schema::packages`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageId(pub usize);

/// A dotted package name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PackageName {
    /// The segments, outermost first; never empty.
    pub segments: Vec<String>,
}

impl fmt::Display for PackageName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.segments.join("."))
    }
}

/// Where something was declared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Location {
    /// The file's path as the file source names it.
    pub path: String,
    /// One-based line.
    pub line: usize,
}

/// One package with its items in source order (files of a package in the order of their paths).
#[derive(Debug, Clone, PartialEq)]
pub struct Package {
    /// The package's name.
    pub name: PackageName,
    /// Text of its `//!` lines.
    pub docs: Docs,
    /// Constants.
    pub constants: Vec<Constant>,
    /// Type aliases; references to them are already resolved everywhere else.
    pub aliases: Vec<Alias>,
    /// Structs, enums, errors, flags and newtypes.
    pub types: Vec<TypeId>,
    /// Interfaces: kept for tools; services have their methods flattened in.
    pub interfaces: Vec<Interface>,
    /// Services.
    pub services: Vec<Service>,
}

/// Documentation lines without their comment markers and without one leading space.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Docs {
    /// The lines.
    pub lines: Vec<String>,
}

/// `const NAME: type = value;`
#[derive(Debug, Clone, PartialEq)]
pub struct Constant {
    /// The constant's name.
    pub name: String,
    /// Its documentation.
    pub docs: Docs,
    /// Its type.
    pub ty: Type,
    /// Its evaluated value.
    pub value: Value,
    /// Where it was declared.
    pub location: Location,
}

/// `type Name = …;`
#[derive(Debug, Clone, PartialEq)]
pub struct Alias {
    /// The alias's name.
    pub name: String,
    /// Its documentation.
    pub docs: Docs,
    /// What it stands for.
    pub ty: Type,
    /// Where it was declared.
    pub location: Location,
}

/// A named type.
#[derive(Debug, Clone, PartialEq)]
pub struct TypeDefinition {
    /// Its own index.
    pub id: TypeId,
    /// The package it belongs to.
    pub package: PackageId,
    /// Its name in the source.
    pub name: String,
    /// Its name on the wire: the `#[selector]` if there is one, else the name.
    pub wire_name: String,
    /// Its documentation.
    pub docs: Docs,
    /// Its attributes.
    pub attributes: Attributes,
    /// What it is.
    pub kind: TypeKind,
    /// Where it was declared.
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
    /// Whether its layout is frozen: no length prefix on the wire.
    pub sealed: bool,
    /// Its fields in wire order, tombstones included.
    pub fields: Vec<Field>,
}

/// A field of a struct or variant, or a parameter of a method.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name in the source.
    pub name: String,
    /// Its name on the wire (`#[selector]`, else the name).
    pub wire_name: String,
    /// Its documentation.
    pub docs: Docs,
    /// Its attributes.
    pub attributes: Attributes,
    /// Its type.
    pub ty: Type,
    /// The default a decoder fills in. An `Option` without a written default has `Some(Value::None)`.
    pub default: Option<Value>,
    /// Whether the default was written in the source (parameters with one move to the options struct).
    pub default_is_written: bool,
    /// Whether this is `reserved name: type`: the slot stays on the wire, the field is gone.
    pub tombstone: bool,
    /// Where it was declared.
    pub location: Location,
}

/// An enum or error.
#[derive(Debug, Clone, PartialEq)]
pub struct Enum {
    /// Whether it is closed: plain bincode, no unknown variants.
    pub sealed: bool,
    /// Whether it was declared with `error`.
    pub error: bool,
    /// Its variants in source order.
    pub variants: Vec<Variant>,
    /// Reserved tags, with the name that had each if one was given.
    pub reserved: Vec<ReservedVariant>,
}

/// One variant.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// Its name in the source.
    pub name: String,
    /// Its name on the wire (`#[selector]`, else the name).
    pub wire_name: String,
    /// Its documentation.
    pub docs: Docs,
    /// Its attributes (`#[display]` among them).
    pub attributes: Attributes,
    /// Its tag on the wire; without a written one, the previous tag plus one, starting at 0.
    pub tag: u32,
    /// What it carries.
    pub payload: Payload,
    /// Where it was declared.
    pub location: Location,
}

/// What a variant carries.
#[derive(Debug, Clone, PartialEq)]
pub enum Payload {
    /// Nothing.
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

/// A set of named bits.
#[derive(Debug, Clone, PartialEq)]
pub struct Flags {
    /// The integer that carries it: one of the unsigned types up to `u64`.
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
    /// Where it was declared.
    pub location: Location,
}

/// A distinct type around another.
#[derive(Debug, Clone, PartialEq)]
pub struct Newtype {
    /// The type inside.
    pub inner: Type,
}

/// A type expression with aliases resolved.
#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    /// `bool`.
    Bool,
    /// `u8`.
    U8,
    /// `u16`.
    U16,
    /// `u32`.
    U32,
    /// `u64`.
    U64,
    /// `u128`.
    U128,
    /// `i8`.
    I8,
    /// `i16`.
    I16,
    /// `i32`.
    I32,
    /// `i64`.
    I64,
    /// `i128`.
    I128,
    /// `f32`.
    F32,
    /// `f64`.
    F64,
    /// `char`.
    Char,
    /// `Duration`.
    Duration,
    /// `Timestamp`.
    Timestamp,
    /// `Uuid`.
    Uuid,
    /// `String`, its bound in bytes of UTF-8.
    String(Bound),
    /// `Bytes`, its bound in bytes.
    Bytes(Bound),
    /// `Option<T>`.
    Option(Box<Type>),
    /// `Vec<T>`, its bound in elements.
    Vec(Box<Type>, Bound),
    /// `Set<T>`, its bound in elements.
    Set(Box<Type>, Bound),
    /// `Map<K, V>`, its bound in entries.
    Map(Box<Type>, Box<Type>, Bound),
    /// `[T; N]`.
    Array(Box<Type>, u32),
    /// A named type.
    Named {
        /// Which one.
        id: TypeId,
        /// Whether this very reference closes a cycle without a collection between, so that Rust needs a `Box` here.
        boxed: bool,
    },
}

/// An upper bound on a length; `None` where none was written.
pub type Bound = Option<u64>;

/// An evaluated constant or default.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A boolean.
    Bool(bool),
    /// An integer of zero or more.
    Unsigned(u128),
    /// A negative integer.
    Negative(i128),
    /// A floating-point number.
    Float(f64),
    /// A string, or a char with one character.
    String(String),
    /// A unit variant of an enum.
    Variant {
        /// The enum.
        id: TypeId,
        /// Index into its variants.
        index: usize,
    },
    /// `[]`: an empty `Vec`, `Set`, or `Bytes`.
    EmptyList,
    /// `{}`: an empty `Map`, or a struct all of whose fields have defaults.
    EmptyMap,
    /// The absent `Option`. A present one is written as its inner value.
    None,
}

/// `interface Name { … }`
#[derive(Debug, Clone, PartialEq)]
pub struct Interface {
    /// Its name.
    pub name: String,
    /// Its documentation.
    pub docs: Docs,
    /// Its methods, those of interfaces it includes after its own; ids and roles are those of no service (0, server).
    pub methods: Vec<Method>,
    /// Where it was declared.
    pub location: Location,
}

/// A service: both directions of one contract.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    /// Its name in the source.
    pub name: String,
    /// Its name on the wire without the package (`#[selector]`, else the name).
    pub wire_name: String,
    /// Its documentation.
    pub docs: Docs,
    /// Its attributes.
    pub attributes: Attributes,
    /// Methods that the accepting peer serves, included ones flattened in where their `include` stands.
    pub server: Vec<Method>,
    /// Methods that the connecting peer serves.
    pub client: Vec<Method>,
    /// Qualified names of the interfaces included on the server's side, in order.
    pub server_includes: Vec<String>,
    /// Qualified names of the interfaces included on the client's side, in order.
    pub client_includes: Vec<String>,
    /// SHA-256 of the canonical form of this service and all it reaches.
    pub fingerprint: [u8; 32],
    /// What peers compare where fingerprints differ.
    pub table: ServiceTable,
    /// Where it was declared.
    pub location: Location,
}

/// Which side serves a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// The accepting peer.
    Server,
    /// The connecting peer.
    Client,
}

/// A method of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct Method {
    /// Its name in the source.
    pub name: String,
    /// Its name on the wire (`#[selector]`, else the name).
    pub wire_name: String,
    /// Its documentation.
    pub docs: Docs,
    /// Its attributes.
    pub attributes: Attributes,
    /// First four bytes, big-endian, of SHA-256 over `package.Service/role/selector`.
    pub id: u32,
    /// Who serves it.
    pub role: Role,
    /// Whether it has no reply.
    pub oneway: bool,
    /// Its parameters in wire order, tombstones included; those with a written default form the options struct.
    pub parameters: Vec<Field>,
    /// Whether a trailing `..` asked for an options struct before there is a defaulted parameter.
    pub options_requested: bool,
    /// What it returns; `None` is `()`.
    pub returns: Option<Type>,
    /// The error type it declares.
    pub throws: Option<TypeId>,
    /// Qualified name of the interface it came from, if it was included.
    pub interface: Option<String>,
    /// Where it was declared.
    pub location: Location,
}

/// Attributes that are legal on more than one construct. Unset where absent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes {
    /// `#[since(N)]`.
    pub since: Option<u32>,
    /// `#[deprecated(since = N, note = "…")]`.
    pub deprecated: Option<Deprecated>,
    /// `#[idempotent]`.
    pub idempotent: bool,
    /// `#[detached]`.
    pub detached: bool,
    /// `#[timeout("5s")]`.
    pub timeout: Option<Duration>,
    /// `#[display("…")]` on a variant of an error: text with `{field}` places (`{0}` in tuples), already checked.
    pub display: Option<String>,
    /// `#[allow(lint_name, …)]`.
    pub allow: Vec<String>,
    /// `#[rust(derive(A, b::C))]`: paths as written.
    pub rust_derives: Vec<String>,
    /// `#[rust(options = "Name")]`: the name of a method's options struct.
    pub rust_options: Option<String>,
}

/// `#[deprecated(…)]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Deprecated {
    /// The schema version since which it is.
    pub since: Option<u32>,
    /// What to use instead.
    pub note: Option<String>,
}

/// What two peers compare when their fingerprints differ: everything hashed so that the first difference has a name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServiceTable {
    /// Every method of both sides, by ascending id.
    pub methods: Vec<MethodEntry>,
    /// Every named type that the methods reach, by qualified wire name.
    pub types: Vec<TypeEntry>,
}

/// A method in a [`ServiceTable`]: its parameters and results are chains like those of types.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodEntry {
    /// Its id.
    pub id: u32,
    /// Its wire name, for messages.
    pub name: String,
    /// Hash of role, oneway, streaming, return type and error type.
    pub signature: u64,
    /// Chain over the parameters, in order.
    pub parameters: Vec<ElementEntry>,
}

/// A type in a [`ServiceTable`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeEntry {
    /// Qualified wire name.
    pub name: String,
    /// How its elements are compared.
    pub form: TypeForm,
    /// Fields (as a chain), or variants or flags (by tag).
    pub elements: Vec<ElementEntry>,
}

/// How the elements of a [`TypeEntry`] are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeForm {
    /// An extensible struct: the shorter chain must be a prefix of the longer.
    Struct,
    /// A sealed struct or newtype: the chains must be equal.
    SealedStruct,
    /// An open enum or error: the hashes of tags that both know must be equal.
    Enum,
    /// A sealed enum: the sets must be equal.
    SealedEnum,
    /// Flags: like an open enum, with the representation in every hash.
    Flags,
}

/// One field, parameter, variant or flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ElementEntry {
    /// Its wire name.
    pub name: String,
    /// The variant's tag or the flag's value; the position in a chain.
    pub tag: u64,
    /// `h_k`: for chains the hash of this element and all before it; for variants and flags of this one alone.
    pub hash: u64,
    /// Whether a peer that lacks the element can fill it in (it has a default, or is an `Option`).
    pub has_default: bool,
}
