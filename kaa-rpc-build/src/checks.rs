//! Checks of a schema before code is generated from it.
//!
//! Schemas from the compiler always pass [`check_ids`]; a schema built by hand may not.

use kaa_idl::schema::{Schema, TypeId};

use crate::error::{Error, Result};
use crate::names;
use crate::settings::Settings;
use crate::traverse::{field_types, named_types};

/// Checks that every type id refers to a definition.
pub(crate) fn check_ids(schema: &Schema) -> Result {
    let mut ids: Vec<TypeId> = Vec::new();
    for definition in &schema.types {
        ids.extend(field_types(&definition.kind).into_iter().flat_map(named_types));
    }
    for package in &schema.packages {
        ids.extend(&package.types);
        ids.extend(package.aliases.iter().flat_map(|alias| named_types(&alias.ty)));
        ids.extend(package.constants.iter().flat_map(|constant| named_types(&constant.ty)));
        for method in package.services.iter().flat_map(|service| service.server.iter().chain(&service.client))
        {
            ids.extend(method.parameters.iter().flat_map(|field| named_types(&field.ty)));
            ids.extend(method.stream.iter().flat_map(|stream| named_types(&stream.item)));
            ids.extend(method.returns.ty().into_iter().flat_map(named_types));
            ids.extend(method.throws);
        }
    }
    match ids.into_iter().find(|id| schema.type_definition(*id).is_none()) {
        None => Ok(()),
        Some(id) => Err(Error::Unsupported {
            path: format!("type {}", id.0),
            problem: "is not in the schema that refers to it".to_owned(),
        }),
    }
}

/// Checks that no type or alias has a name that hides a Rust type.
pub(crate) fn check_names(schema: &Schema, settings: &Settings) -> Result {
    let types = schema.types.iter().map(|definition| (schema.qualified_name(definition), &definition.name));
    let aliases = schema.packages.iter().flat_map(|package| {
        package.aliases.iter().map(|alias| (format!("{}.{}", package.name, alias.name), &alias.name))
    });
    for (path, name) in types.filter(|(path, _)| settings.extern_type(path).is_none()).chain(aliases) {
        if names::hides_primitive(name) {
            let problem = "has the name of a Rust type that derived code uses; rename it".to_owned();
            return Err(Error::Unsupported { path, problem });
        }
    }
    Ok(())
}
