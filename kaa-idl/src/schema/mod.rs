//! The resolved schema: what a set of `.kaa` files means, with every name looked up and every value evaluated.
//!
//! Invariants: every [`TypeId`] and [`PackageId`] indexes the [`Schema`] that handed it out; type aliases and
//! `use` are gone (an alias is kept only so that a generator can name it); includes are flattened; method ids
//! and fingerprints are filled in; nothing here refers to source text but [`Location`].

mod declaration;
mod package;
mod service;
mod table;
mod types;
mod values;

pub use declaration::{Attributes, Deprecated, Docs, Location, PackageId, RareAttributes};
pub use package::{Alias, Constant, Package, PackageName, Schema};
pub use service::{Interface, Method, Returns, Role, Service, StreamParameter};
pub use table::{ElementEntry, MethodEntry, ServiceTable, TypeEntry, TypeForm};
pub use types::{
    Enum, Field, Flag, Flags, Newtype, Payload, ReservedVariant, Struct, TypeDefinition, TypeKind, Variant,
};
pub use values::{Bound, Type, TypeId, Value};
