//! The settings of a [`Config`], parsed and checked against a schema.
//!
//! Invariants: every path of a setting matches a declaration; every attribute, derive and type is valid Rust;
//! `derive` attributes are stored as derives, not as attributes.

use std::collections::BTreeSet;

use kaa_idl::schema::{Field, Payload, Role, Schema, TypeKind};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::{Attribute, Path, Token};

use crate::config::{Config, Roles};
use crate::error::{Error, Result};
use crate::names;

/// A parsed and checked [`Config`].
pub(crate) struct Settings {
    pub(crate) runtime: Path,
    pub(crate) roles: Roles,
    pub(crate) default_stubs: bool,
    type_attributes: Vec<Rule<Vec<Attribute>>>,
    field_attributes: Vec<Rule<Vec<Attribute>>>,
    derives: Vec<Rule<Path>>,
    no_derives: Vec<Rule<Path>>,
    extern_types: Vec<Rule<syn::Type>>,
    hash_maps: Vec<Rule<()>>,
}

/// A value that applies to everything that a path matches.
struct Rule<T> {
    path: String,
    value: T,
}

impl<T> Rule<T> {
    fn new(path: &str, value: T) -> Self {
        Self { path: path.strip_prefix('.').unwrap_or(path).to_owned(), value }
    }

    /// An empty path, written `.`, matches everything.
    fn matches(&self, path: &str) -> bool {
        self.path.is_empty()
            || path.strip_prefix(&self.path).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }
}

impl Settings {
    pub(crate) fn new(config: &Config, schema: &Schema) -> Result<Self> {
        let runtime_path = config.runtime_path.as_deref().unwrap_or("::kaa_rpc_runtime");
        let mut settings = Self {
            runtime: parsed("runtime_path", runtime_path)?,
            roles: config.roles,
            default_stubs: config.default_stubs,
            type_attributes: Vec::new(),
            field_attributes: rules("field_attribute", &config.field_attributes, attributes)?,
            derives: rules("derive", &config.derives, parsed)?,
            no_derives: rules("no_derive", &config.no_derives, parsed)?,
            extern_types: rules("extern_type", &config.extern_types, parsed)?,
            hash_maps: config.hash_maps.iter().map(|path| Rule::new(path, ())).collect(),
        };
        for mut rule in rules("type_attribute", &config.type_attributes, attributes)? {
            let derives: Vec<Attribute> =
                rule.value.extract_if(.., |attribute| attribute.path().is_ident("derive")).collect();
            for derive in derives {
                let paths = derive.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated).map_err(
                    |error| {
                        setting_error(
                            "type_attribute",
                            &derive.to_token_stream().to_string(),
                            &error.to_string(),
                        )
                    },
                )?;
                settings
                    .derives
                    .extend(paths.into_iter().map(|value| Rule { path: rule.path.clone(), value }));
            }
            settings.type_attributes.push(rule);
        }
        settings.check_paths(config, schema)?;
        Ok(settings)
    }

    /// Attributes for a type.
    pub(crate) fn type_attributes(&self, path: &str) -> TokenStream {
        let attributes = matching(&self.type_attributes, path).flatten();
        quote!(#(#attributes)*)
    }

    /// Attributes for a field or variant.
    pub(crate) fn field_attributes(&self, path: &str) -> Vec<&Attribute> {
        matching(&self.field_attributes, path).flatten().collect()
    }

    /// Derives to add to a type.
    pub(crate) fn derives(&self, path: &str) -> impl Iterator<Item = &Path> {
        matching(&self.derives, path)
    }

    /// Derives to remove from a type.
    pub(crate) fn no_derives(&self, path: &str) -> impl Iterator<Item = &Path> {
        matching(&self.no_derives, path)
    }

    /// The external type that replaces a declared type.
    pub(crate) fn extern_type(&self, path: &str) -> Option<&syn::Type> {
        self.extern_types.iter().rev().find(|rule| rule.path == path).map(|rule| &rule.value)
    }

    /// Whether a declaration uses hash maps.
    pub(crate) fn hash_map(&self, path: &str) -> bool {
        matching(&self.hash_maps, path).next().is_some()
    }

    /// Whether the program implements this side of a service.
    pub(crate) fn implements(&self, role: Role) -> bool {
        matches!(
            (self.roles, role),
            (Roles::Both, _) | (Roles::Server, Role::Server) | (Roles::Client, Role::Client)
        )
    }

    /// Whether the program calls this side of a service.
    pub(crate) fn calls(&self, role: Role) -> bool {
        matches!(
            (self.roles, role),
            (Roles::Both, _) | (Roles::Server, Role::Client) | (Roles::Client, Role::Server)
        )
    }

    fn check_paths(&self, config: &Config, schema: &Schema) -> Result {
        let known = known_paths(schema);
        for rule in &self.extern_types {
            let is_type =
                schema.types.iter().any(|definition| schema.qualified_name(definition) == rule.path);
            if !is_type {
                return Err(setting_error("extern_type", &rule.path, "there is no type with this name"));
            }
        }
        let settings = [
            ("type_attribute", paths(&config.type_attributes)),
            ("field_attribute", paths(&config.field_attributes)),
            ("derive", paths(&config.derives)),
            ("no_derive", paths(&config.no_derives)),
            ("hash_map", config.hash_maps.iter().map(String::as_str).collect()),
        ];
        for (setting, paths) in settings {
            for path in paths {
                let rule = Rule::new(path, ());
                if !known.iter().any(|known| rule.matches(known)) {
                    return Err(setting_error(
                        setting,
                        path,
                        "no declaration in the .kaa files matches this path",
                    ));
                }
            }
        }
        Ok(())
    }
}

fn paths(pairs: &[(String, String)]) -> Vec<&str> {
    pairs.iter().map(|(path, _)| path.as_str()).collect()
}

fn matching<'r, T>(rules: &'r [Rule<T>], path: &str) -> impl Iterator<Item = &'r T> {
    rules.iter().filter(move |rule| rule.matches(path)).map(|rule| &rule.value)
}

fn rules<T>(
    setting: &'static str,
    pairs: &[(String, String)],
    parse: impl Fn(&'static str, &str) -> Result<T>,
) -> Result<Vec<Rule<T>>> {
    pairs.iter().map(|(path, value)| Ok(Rule::new(path, parse(setting, value)?))).collect()
}

fn parsed<T: syn::parse::Parse>(setting: &'static str, value: &str) -> Result<T> {
    syn::parse_str(value).map_err(|error| setting_error(setting, value, &error.to_string()))
}

fn attributes(setting: &'static str, value: &str) -> Result<Vec<Attribute>> {
    Attribute::parse_outer.parse_str(value).map_err(|error| setting_error(setting, value, &error.to_string()))
}

fn setting_error(setting: &'static str, value: &str, problem: &str) -> Error {
    Error::Setting { setting, value: value.to_owned(), problem: problem.to_owned() }
}

/// The qualified names of all declarations; a setting's path must match one of them.
fn known_paths(schema: &Schema) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for definition in &schema.types {
        let path = schema.qualified_name(definition);
        match &definition.kind {
            TypeKind::Struct(structure) => add_fields(&mut known, &path, &structure.fields),
            TypeKind::Enum(enumeration) => {
                for variant in &enumeration.variants {
                    let path = format!("{path}.{}", variant.name);
                    match &variant.payload {
                        Payload::Unit => {}
                        Payload::Tuple(fields) | Payload::Record(fields) => {
                            add_fields(&mut known, &path, fields)
                        }
                    }
                    known.insert(path);
                }
            }
            TypeKind::Flags(_) | TypeKind::Newtype(_) => {}
        }
        known.insert(path);
    }
    for package in &schema.packages {
        known.extend(package.aliases.iter().map(|alias| format!("{}.{}", package.name, alias.name)));
        for service in &package.services {
            for (role, methods) in [("server", &service.server), ("client", &service.client)] {
                for method in methods {
                    let path = format!("{}.{}.{role}.{}", package.name, service.name, method.name);
                    add_fields(&mut known, &path, &method.parameters);
                    known.extend(method.stream.iter().map(|stream| format!("{path}.{}", stream.name)));
                    known.insert(path);
                    let options = format!("{}.{}", package.name, names::options_name(method));
                    add_fields(&mut known, &options, &method.parameters);
                    known.insert(options);
                }
            }
        }
    }
    known
}

fn add_fields(known: &mut BTreeSet<String>, path: &str, fields: &[Field]) {
    known.extend(fields.iter().map(|field| format!("{path}.{}", field.name)));
}
