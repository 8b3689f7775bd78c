//! What every part of the generator needs to know, and where in the module tree a piece of code stands.
//!
//! Invariants: after [`Generator::new`] every id in the schema leads somewhere; paths to declared types are relative,
//! because users mount the tree where they like, and all others are absolute; a local name never collides with one that
//! its package declares.

use std::collections::BTreeSet;

use kaa_idl::schema::{Field, Package, Payload, Schema, Type, TypeDefinition, TypeId, TypeKind};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use crate::abilities::{Abilities, AbilityTable};
use crate::error::{Error, Result};
use crate::foreign::Foreign;
use crate::names;
use crate::settings::Settings;
use crate::zeros::Zeros;

/// A schema with all that was found out about it.
pub(crate) struct Generator<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) settings: &'a Settings,
    pub(crate) abilities: AbilityTable,
    pub(crate) zeros: Zeros,
    pub(crate) foreign: Foreign,
}

/// Where generated code stands.
#[derive(Debug, Clone)]
pub(crate) struct Site<'a> {
    pub(crate) package: &'a Package,
    /// How many modules below the package's own.
    depth: usize,
    /// What no binding may be called.
    values: BTreeSet<String>,
    prefix: String,
}

impl<'a> Generator<'a> {
    pub(crate) fn new(schema: &'a Schema, settings: &'a Settings) -> Result<Self> {
        check_ids(schema)?;
        check_names(schema, settings)?;
        let abilities = AbilityTable::new(schema, settings);
        let zeros = Zeros::new(schema, settings);
        let foreign = Foreign::new(schema, settings);
        Ok(Self { schema, settings, abilities, zeros, foreign })
    }

    /// `::kaa_rpc_runtime::codegen`.
    pub(crate) fn codegen(&self) -> TokenStream {
        let runtime = &self.settings.runtime;
        quote!(#runtime::codegen)
    }

    /// The text of [`Self::codegen`], for attributes that take paths as strings.
    pub(crate) fn codegen_text(&self) -> String {
        self.codegen().to_string().replace(' ', "")
    }

    /// The definition behind an id, and the user's own type if that stands for it.
    pub(crate) fn definition(&self, id: TypeId) -> Option<(&'a TypeDefinition, Option<&'a syn::Type>)> {
        let definition = self.schema.type_definition(id)?;
        Some((definition, self.settings.extern_type(&self.schema.qualified_name(definition))))
    }

    /// The Rust path of a declared type.
    pub(crate) fn path(&self, site: &Site<'_>, id: TypeId) -> TokenStream {
        let Some((definition, external)) = self.definition(id) else { return quote!(()) };
        if let Some(external) = external {
            return quote!(#external);
        }
        let name = names::identifier(&definition.name);
        let Some(package) = self.schema.package(definition.package) else { return quote!(#name) };
        site.path_to(package, &quote!(#name))
    }

    /// The Rust type of a type expression, at a place that settings know by `path`.
    pub(crate) fn rust_type(&self, site: &Site<'_>, path: &str, ty: &Type) -> TokenStream {
        let codegen = self.codegen();
        let hashed = self.settings.hash_map(path);
        let inner = |ty| self.rust_type(site, path, ty);
        match ty {
            Type::Duration => quote!(::core::time::Duration),
            Type::Timestamp => quote!(#codegen::Timestamp),
            Type::Uuid => quote!(#codegen::Uuid),
            Type::String(_) => quote!(::std::string::String),
            Type::Bytes(_) => quote!(#codegen::Bytes),
            Type::Option(element) => {
                let element = inner(element);
                quote!(::core::option::Option<#element>)
            }
            Type::Vec(element, _) => {
                let element = inner(element);
                quote!(::std::vec::Vec<#element>)
            }
            Type::Set(element, _) => {
                let element = inner(element);
                let set = if hashed { format_ident!("HashSet") } else { format_ident!("BTreeSet") };
                quote!(::std::collections::#set<#element>)
            }
            Type::Map(key, value, _) => {
                let (key, value) = (inner(key), inner(value));
                let map = if hashed { format_ident!("HashMap") } else { format_ident!("BTreeMap") };
                quote!(::std::collections::#map<#key, #value>)
            }
            Type::Array(element, length) => {
                let (element, length) = (inner(element), proc_macro2::Literal::u32_unsuffixed(*length));
                quote!([#element; #length])
            }
            Type::Named { id, boxed } => {
                let path = self.path(site, *id);
                if *boxed { quote!(::std::boxed::Box<#path>) } else { path }
            }
            scalar => {
                let name = scalar_name(scalar);
                quote!(#name)
            }
        }
    }

    /// The type that encodes and decodes a type expression: scalars and declared types do it themselves.
    pub(crate) fn shape(&self, site: &Site<'_>, path: &str, ty: &Type) -> TokenStream {
        let codegen = self.codegen();
        let hashed = self.settings.hash_map(path);
        let inner = |ty| self.shape(site, path, ty);
        let bound = |bound: &Option<u64>| match bound {
            Some(bound) => {
                let bound = proc_macro2::Literal::u64_unsuffixed(*bound);
                quote!(#bound)
            }
            None => quote!({ #codegen::shape::UNBOUNDED }),
        };
        match ty {
            Type::String(length) => {
                let length = bound(length);
                quote!(#codegen::shape::String<#length>)
            }
            Type::Bytes(length) => {
                let length = bound(length);
                quote!(#codegen::shape::Bytes<#length>)
            }
            Type::Option(element) => {
                let element = inner(element);
                quote!(#codegen::shape::Option<#element>)
            }
            Type::Vec(element, length) => {
                let (element, length) = (inner(element), bound(length));
                quote!(#codegen::shape::Vec<#element, #length>)
            }
            Type::Set(element, length) => {
                let (element, length) = (inner(element), bound(length));
                let set = if hashed { format_ident!("HashSet") } else { format_ident!("Set") };
                quote!(#codegen::shape::#set<#element, #length>)
            }
            Type::Map(key, value, length) => {
                let (key, value, length) = (inner(key), inner(value), bound(length));
                let map = if hashed { format_ident!("HashMap") } else { format_ident!("Map") };
                quote!(#codegen::shape::#map<#key, #value, #length>)
            }
            Type::Array(element, length) => {
                let (element, length) = (inner(element), proc_macro2::Literal::u32_unsuffixed(*length));
                quote!(#codegen::shape::Array<#element, #length>)
            }
            Type::Named { id, boxed } => {
                let path = self.path(site, *id);
                let external = self.definition(*id).is_some_and(|(_, external)| external.is_some());
                let shape = if external { quote!(#codegen::shape::Extern<#path>) } else { path };
                if *boxed { quote!(#codegen::shape::Boxed<#shape>) } else { shape }
            }
            leaf => self.rust_type(site, path, leaf),
        }
    }

    /// The derives of a value with these fields that is no declared type itself.
    pub(crate) fn abilities_of(&self, path: &str, fields: &[&Field]) -> Abilities {
        self.abilities.of_fields(self.settings, path, fields)
    }
}

impl<'a> Site<'a> {
    /// The module of a package.
    pub(crate) fn package(schema: &Schema, package: &'a Package) -> Self {
        let mut values: BTreeSet<String> =
            package.constants.iter().map(|constant| constant.name.clone()).collect();
        let tuples = package
            .types
            .iter()
            .filter_map(|id| schema.type_definition(*id))
            .filter(|definition| matches!(definition.kind, TypeKind::Newtype(_) | TypeKind::Flags(_)));
        values.extend(tuples.map(|definition| definition.name.clone()));
        let aliases = package.aliases.iter().map(|alias| &alias.name);
        let definitions = package.types.iter().filter_map(|id| schema.type_definition(*id));
        let types: Vec<&String> = aliases.chain(definitions.map(|definition| &definition.name)).collect();
        let mut prefix = String::from("kaa_");
        while values.iter().chain(types.iter().copied()).any(|name| name.starts_with(&prefix)) {
            prefix.push('_');
        }
        Self { package, depth: 0, values, prefix }
    }

    /// The module of a service.
    pub(crate) fn service_module(&self) -> Self {
        Self { depth: 1, ..self.clone() }
    }

    /// The modules of a service's two sides.
    pub(crate) fn service_side(&self) -> Self {
        Self { depth: 2, ..self.clone() }
    }

    /// The path to an item of a package.
    pub(crate) fn path_to(&self, package: &Package, item: &TokenStream) -> TokenStream {
        let here = &self.package.name.segments;
        let there = &package.name.segments;
        let shared = here.iter().zip(there).take_while(|(here, there)| here == there).count();
        let up = std::iter::repeat_n(quote!(super::), here.len() - shared + self.depth);
        let down = there.iter().skip(shared).map(|segment| names::module_identifier(segment));
        quote!(#(#up)* #(#down::)* #item)
    }

    /// The path to an item of this very package.
    pub(crate) fn own(&self, item: &TokenStream) -> TokenStream {
        self.path_to(self.package, item)
    }

    /// The qualified name of an item of this package, as settings and the wire know it.
    pub(crate) fn qualified(&self, name: &str) -> String {
        format!("{}.{name}", self.package.name)
    }

    /// A name for a variable or module that nobody declared.
    pub(crate) fn local(&self, name: &str) -> Ident {
        format_ident!("{}{name}", self.prefix)
    }

    /// A binding for each declared name, in order; `reserved` names come after them and give way to them.
    pub(crate) fn bindings<'n>(
        &self,
        declared: impl IntoIterator<Item = &'n str>,
        reserved: &[&str],
    ) -> (Vec<Ident>, Vec<Ident>) {
        let mut taken = self.values.clone();
        let mut bind = |name: &str| names::identifier(&names::distinct(name, &mut taken));
        let declared = declared.into_iter().map(|name| bind(&kaa_idl::casing::member_case(name))).collect();
        (declared, reserved.iter().map(|name| bind(name)).collect())
    }
}

/// The name of a type that Rust and the language call alike.
pub(crate) fn scalar_name(ty: &Type) -> Ident {
    let name = match ty {
        Type::Bool => "bool",
        Type::U8 => "u8",
        Type::U16 => "u16",
        Type::U32 => "u32",
        Type::U64 => "u64",
        Type::U128 => "u128",
        Type::I8 => "i8",
        Type::I16 => "i16",
        Type::I32 => "i32",
        Type::I64 => "i64",
        Type::I128 => "i128",
        Type::F32 => "f32",
        Type::F64 => "f64",
        _ => "char",
    };
    names::identifier(name)
}

/// The fields of a payload.
pub(crate) fn payload_fields(payload: &Payload) -> &[Field] {
    match payload {
        Payload::Unit => &[],
        Payload::Tuple(fields) | Payload::Record(fields) => fields,
    }
}

/// A schema that the compiler made has no loose ends; one built by hand may.
fn check_ids(schema: &Schema) -> Result {
    fn named(ty: &Type, check: &mut dyn FnMut(TypeId)) {
        match ty {
            Type::Option(inner) | Type::Vec(inner, _) | Type::Set(inner, _) | Type::Array(inner, _) => {
                named(inner, check);
            }
            Type::Map(key, value, _) => {
                named(key, check);
                named(value, check);
            }
            Type::Named { id, .. } => check(*id),
            _ => {}
        }
    }
    let mut loose: Option<TypeId> = None;
    let mut check = |id: TypeId| {
        if schema.type_definition(id).is_none() {
            loose.get_or_insert(id);
        }
    };
    for definition in &schema.types {
        match &definition.kind {
            TypeKind::Struct(structure) => {
                structure.fields.iter().for_each(|field| named(&field.ty, &mut check))
            }
            TypeKind::Enum(enumeration) => {
                let payloads =
                    enumeration.variants.iter().flat_map(|variant| payload_fields(&variant.payload));
                payloads.for_each(|field| named(&field.ty, &mut check));
            }
            TypeKind::Flags(_) => {}
            TypeKind::Newtype(newtype) => named(&newtype.inner, &mut check),
        }
    }
    for package in &schema.packages {
        package.types.iter().for_each(|id| check(*id));
        package.aliases.iter().for_each(|alias| named(&alias.ty, &mut check));
        package.constants.iter().for_each(|constant| named(&constant.ty, &mut check));
        for method in package.services.iter().flat_map(|service| service.server.iter().chain(&service.client))
        {
            method.parameters.iter().for_each(|field| named(&field.ty, &mut check));
            method.stream.iter().for_each(|stream| named(&stream.item, &mut check));
            method.returns.ty().into_iter().for_each(|ty| named(ty, &mut check));
            method.throws.iter().for_each(|id| check(*id));
        }
    }
    match loose {
        None => Ok(()),
        Some(id) => Err(Error::Unsupported {
            path: format!("type {}", id.0),
            problem: "is not in the schema that refers to it".to_owned(),
        }),
    }
}

fn check_names(schema: &Schema, settings: &Settings) -> Result {
    let types = schema.types.iter().map(|definition| (schema.qualified_name(definition), &definition.name));
    let aliases = schema.packages.iter().flat_map(|package| {
        package.aliases.iter().map(|alias| (format!("{}.{}", package.name, alias.name), &alias.name))
    });
    for (path, name) in types.filter(|(path, _)| settings.extern_type(path).is_none()).chain(aliases) {
        if names::hides_primitive(name) {
            let problem =
                "has the name of a Rust type that derived code needs; call it something else".to_owned();
            return Err(Error::Unsupported { path, problem });
        }
    }
    Ok(())
}
