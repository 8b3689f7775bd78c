//! The document and its packages, with their constants and aliases.

use kaa_idl::schema::{Alias, Constant, Package, Schema};
use serde::Serialize;

use super::declarations::{At, Attributes};
use super::services::{Interface, Service};
use super::types::Definition;
use super::values::{Type, Value};

/// The version of the document.
pub(super) const VERSION: u32 = 1;

/// A schema.
#[derive(Debug, Serialize)]
pub(crate) struct Document<'a> {
    version: u32,
    packages: Vec<Described<'a>>,
}

#[derive(Debug, Serialize)]
struct Described<'a> {
    name: String,
    docs: &'a [String],
    constants: Vec<DescribedConstant<'a>>,
    aliases: Vec<DescribedAlias<'a>>,
    types: Vec<Definition<'a>>,
    interfaces: Vec<Interface<'a>>,
    services: Vec<Service<'a>>,
}

#[derive(Debug, Serialize)]
struct DescribedConstant<'a> {
    name: &'a str,
    docs: &'a [String],
    attributes: Attributes<'a>,
    #[serde(rename = "type")]
    ty: Type,
    value: Value<'a>,
    location: At<'a>,
}

#[derive(Debug, Serialize)]
struct DescribedAlias<'a> {
    name: &'a str,
    docs: &'a [String],
    attributes: Attributes<'a>,
    #[serde(rename = "type")]
    ty: Type,
    location: At<'a>,
}

impl<'a> Document<'a> {
    /// Describes some packages, or all if none is named.
    pub(crate) fn new(schema: &'a Schema, packages: &[String]) -> Self {
        let wanted = |package: &&Package| packages.is_empty() || packages.contains(&package.name.to_string());
        let packages = schema.packages.iter().filter(wanted);
        Self { version: VERSION, packages: packages.map(|package| described(schema, package)).collect() }
    }
}

fn described<'a>(schema: &'a Schema, package: &'a Package) -> Described<'a> {
    let types = package.types.iter().filter_map(|id| schema.type_definition(*id));
    Described {
        name: package.name.to_string(),
        docs: &package.docs.lines,
        constants: package.constants.iter().map(|constant| described_constant(schema, constant)).collect(),
        aliases: package.aliases.iter().map(|alias| described_alias(schema, alias)).collect(),
        types: types.map(|definition| Definition::new(schema, definition)).collect(),
        interfaces: package.interfaces.iter().map(|interface| Interface::new(schema, interface)).collect(),
        services: package.services.iter().map(|service| Service::new(schema, service)).collect(),
    }
}

fn described_constant<'a>(schema: &'a Schema, constant: &'a Constant) -> DescribedConstant<'a> {
    DescribedConstant {
        name: &constant.name,
        docs: &constant.docs.lines,
        attributes: Attributes::new(&constant.attributes),
        ty: Type::new(schema, &constant.ty),
        value: Value::new(schema, &constant.value),
        location: At::new(&constant.location),
    }
}

fn described_alias<'a>(schema: &'a Schema, alias: &'a Alias) -> DescribedAlias<'a> {
    DescribedAlias {
        name: &alias.name,
        docs: &alias.docs.lines,
        attributes: Attributes::new(&alias.attributes),
        ty: Type::new(schema, &alias.ty),
        location: At::new(&alias.location),
    }
}
