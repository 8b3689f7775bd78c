//! The resolved schema: the meaning of a set of `.kaa` files, with all names resolved and all values
//! evaluated.
//!
//! Invariants: every [`TypeId`] and [`PackageId`] indexes the [`Schema`] that it belongs to. Aliases and
//! imports are resolved; an alias is kept only so that a generator can name it. Includes are flattened.
//! Method ids and fingerprints are computed. Only [`Location`] refers to source text.

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
