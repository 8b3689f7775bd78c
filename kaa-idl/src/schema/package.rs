//! The whole schema: packages, with their constants and aliases.
//!
//! Invariants: packages are ordered by name. Items keep the order of the source.

use std::fmt;

use super::{Attributes, Docs, Interface, Location, PackageId, Service, Type, TypeDefinition, TypeId, Value};

/// A whole resolved schema.
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// Packages, ordered by their dotted names.
    pub packages: Vec<Package>,
    /// All named types of all packages.
    pub types: Vec<TypeDefinition>,
}

impl Schema {
    /// The definition of a type id; `None` for an id of a different schema.
    #[must_use]
    pub fn type_definition(&self, id: TypeId) -> Option<&TypeDefinition> {
        self.types.get(id.0)
    }

    /// The package of a package id; `None` for an id of a different schema.
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

/// One package with its items in source order (files of a package in the order of their paths).
#[derive(Debug, Clone, PartialEq)]
pub struct Package {
    /// The package's name.
    pub name: PackageName,
    /// Text of its `//!` lines.
    pub docs: Docs,
    /// Constants.
    pub constants: Vec<Constant>,
    /// Type aliases. References to them are already resolved everywhere.
    pub aliases: Vec<Alias>,
    /// Structs, enums, errors, flags and newtypes.
    pub types: Vec<TypeId>,
    /// Interfaces, kept for tools. Services already contain their methods.
    pub interfaces: Vec<Interface>,
    /// Services.
    pub services: Vec<Service>,
    /// The `package` line of its first file.
    pub location: Location,
}

/// `const NAME: type = value;`
#[derive(Debug, Clone, PartialEq)]
pub struct Constant {
    /// The constant's name.
    pub name: String,
    /// Its documentation.
    pub docs: Docs,
    /// Its attributes.
    pub attributes: Attributes,
    /// Its type.
    pub ty: Type,
    /// Its evaluated value.
    pub value: Value,
    /// Where it is declared.
    pub location: Location,
}

/// `type Name = …;`
#[derive(Debug, Clone, PartialEq)]
pub struct Alias {
    /// The alias's name.
    pub name: String,
    /// Its documentation.
    pub docs: Docs,
    /// Its attributes.
    pub attributes: Attributes,
    /// The type that it stands for.
    pub ty: Type,
    /// Where it is declared.
    pub location: Location,
}
