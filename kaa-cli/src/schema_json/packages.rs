//! The document and its packages, constants and aliases as JSON.

use kaa_idl::schema::{self, Schema};
use serde::Serialize;

use super::declarations::{Attributes, Location};
use super::services::{Interface, Service};
use super::types::Definition;
use super::values::{Type, Value};

/// The version of the document.
pub(super) const VERSION: u32 = 1;

/// A schema.
#[derive(Debug, Serialize)]
pub(crate) struct Document<'a> {
    version: u32,
    packages: Vec<Package<'a>>,
}

#[derive(Debug, Serialize)]
struct Package<'a> {
    name: String,
    docs: &'a [String],
    constants: Vec<Constant<'a>>,
    aliases: Vec<Alias<'a>>,
    types: Vec<Definition<'a>>,
    interfaces: Vec<Interface<'a>>,
    services: Vec<Service<'a>>,
}

#[derive(Debug, Serialize)]
struct Constant<'a> {
    name: &'a str,
    docs: &'a [String],
    attributes: Attributes<'a>,
    #[serde(rename = "type")]
    ty: Type,
    value: Value<'a>,
    location: Location<'a>,
}

#[derive(Debug, Serialize)]
struct Alias<'a> {
    name: &'a str,
    docs: &'a [String],
    attributes: Attributes<'a>,
    #[serde(rename = "type")]
    ty: Type,
    location: Location<'a>,
}

impl<'a> Document<'a> {
    /// The document with these packages, or all packages if `packages` is empty.
    pub(crate) fn new(schema: &'a Schema, packages: &[String]) -> Self {
        let wanted =
            |package: &&schema::Package| packages.is_empty() || packages.contains(&package.name.to_string());
        let packages = schema.packages.iter().filter(wanted);
        Self { version: VERSION, packages: packages.map(|package| Package::new(schema, package)).collect() }
    }
}

impl<'a> Package<'a> {
    fn new(schema: &'a Schema, package: &'a schema::Package) -> Self {
        let types = package.types.iter().filter_map(|id| schema.type_definition(*id));
        Self {
            name: package.name.to_string(),
            docs: &package.docs.lines,
            constants: package.constants.iter().map(|constant| Constant::new(schema, constant)).collect(),
            aliases: package.aliases.iter().map(|alias| Alias::new(schema, alias)).collect(),
            types: types.map(|definition| Definition::new(schema, definition)).collect(),
            interfaces: package
                .interfaces
                .iter()
                .map(|interface| Interface::new(schema, interface))
                .collect(),
            services: package.services.iter().map(|service| Service::new(schema, service)).collect(),
        }
    }
}

impl<'a> Constant<'a> {
    fn new(schema: &'a Schema, constant: &'a schema::Constant) -> Self {
        Self {
            name: &constant.name,
            docs: &constant.docs.lines,
            attributes: Attributes::new(&constant.attributes),
            ty: Type::new(schema, &constant.ty),
            value: Value::new(schema, &constant.value),
            location: Location::new(&constant.location),
        }
    }
}

impl<'a> Alias<'a> {
    fn new(schema: &'a Schema, alias: &'a schema::Alias) -> Self {
        Self {
            name: &alias.name,
            docs: &alias.docs.lines,
            attributes: Attributes::new(&alias.attributes),
            ty: Type::new(schema, &alias.ty),
            location: Location::new(&alias.location),
        }
    }
}
