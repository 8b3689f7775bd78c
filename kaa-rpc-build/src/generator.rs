//! The data that every part of the generator needs.
//!
//! Invariants: after [`Generator::new`] every type id in the schema has a definition; paths to declared types
//! are relative, because users mount the module tree where they like, and all other paths are absolute.

use kaa_idl::schema::{Field, Schema, Type, TypeDefinition, TypeId};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use crate::checks::{check_ids, check_names};
use crate::derives::{DeriveSet, DeriveTable};
use crate::error::Result;
use crate::foreign::Foreign;
use crate::module_context::ModuleContext;
use crate::names;
use crate::settings::Settings;
use crate::zeros::Zeros;

/// A schema with the settings and the results of all analyses.
pub(crate) struct Generator<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) settings: &'a Settings,
    pub(crate) derives: DeriveTable,
    pub(crate) zeros: Zeros,
    pub(crate) foreign: Foreign,
}

impl<'a> Generator<'a> {
    pub(crate) fn new(schema: &'a Schema, settings: &'a Settings) -> Result<Self> {
        check_ids(schema)?;
        check_names(schema, settings)?;
        let derives = DeriveTable::new(schema, settings);
        let zeros = Zeros::new(schema, settings);
        let foreign = Foreign::new(schema, settings);
        Ok(Self { schema, settings, derives, zeros, foreign })
    }

    /// `::kaa_rpc_runtime::codegen`.
    pub(crate) fn codegen(&self) -> TokenStream {
        let runtime = &self.settings.runtime;
        quote!(#runtime::codegen)
    }

    /// [`Self::codegen`] as text, for attributes that take a path in a string.
    pub(crate) fn codegen_text(&self) -> String {
        self.codegen().to_string().replace(' ', "")
    }

    /// The definition of a type, and the external type that replaces it, if there is one.
    pub(crate) fn definition(&self, id: TypeId) -> Option<(&'a TypeDefinition, Option<&'a syn::Type>)> {
        let definition = self.schema.type_definition(id)?;
        Some((definition, self.settings.extern_type(&self.schema.qualified_name(definition))))
    }

    /// The Rust path of a declared type.
    pub(crate) fn path(&self, context: &ModuleContext<'_>, id: TypeId) -> TokenStream {
        let Some((definition, external)) = self.definition(id) else { return quote!(()) };
        if let Some(external) = external {
            return quote!(#external);
        }
        let name = names::identifier(&definition.name);
        let Some(package) = self.schema.package(definition.package) else { return quote!(#name) };
        context.path_to(package, &quote!(#name))
    }

    /// The Rust type of a type expression; `path` is the declaration that uses it, as in settings.
    pub(crate) fn rust_type(&self, context: &ModuleContext<'_>, path: &str, ty: &Type) -> TokenStream {
        let codegen = self.codegen();
        let use_hash_map = self.settings.hash_map(path);
        let inner = |ty| self.rust_type(context, path, ty);
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
                let set = if use_hash_map { format_ident!("HashSet") } else { format_ident!("BTreeSet") };
                quote!(::std::collections::#set<#element>)
            }
            Type::Map(key, value, _) => {
                let (key, value) = (inner(key), inner(value));
                let map = if use_hash_map { format_ident!("HashMap") } else { format_ident!("BTreeMap") };
                quote!(::std::collections::#map<#key, #value>)
            }
            Type::Array(element, length) => {
                let (element, length) = (inner(element), proc_macro2::Literal::u32_unsuffixed(*length));
                quote!([#element; #length])
            }
            Type::Named { id, boxed } => {
                let path = self.path(context, *id);
                if *boxed { quote!(::std::boxed::Box<#path>) } else { path }
            }
            scalar => {
                let name = scalar_name(scalar);
                quote!(#name)
            }
        }
    }

    /// The type that encodes and decodes a type expression. Scalars and declared types encode themselves.
    pub(crate) fn shape(&self, context: &ModuleContext<'_>, path: &str, ty: &Type) -> TokenStream {
        let codegen = self.codegen();
        let use_hash_map = self.settings.hash_map(path);
        let inner = |ty| self.shape(context, path, ty);
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
                let set = if use_hash_map { format_ident!("HashSet") } else { format_ident!("Set") };
                quote!(#codegen::shape::#set<#element, #length>)
            }
            Type::Map(key, value, length) => {
                let (key, value, length) = (inner(key), inner(value), bound(length));
                let map = if use_hash_map { format_ident!("HashMap") } else { format_ident!("Map") };
                quote!(#codegen::shape::#map<#key, #value, #length>)
            }
            Type::Array(element, length) => {
                let (element, length) = (inner(element), proc_macro2::Literal::u32_unsuffixed(*length));
                quote!(#codegen::shape::Array<#element, #length>)
            }
            Type::Named { id, boxed } => {
                let path = self.path(context, *id);
                let external = self.definition(*id).is_some_and(|(_, external)| external.is_some());
                let shape = if external { quote!(#codegen::shape::Extern<#path>) } else { path };
                if *boxed { quote!(#codegen::shape::Boxed<#shape>) } else { shape }
            }
            leaf => self.rust_type(context, path, leaf),
        }
    }

    /// The derives of a generated struct with these fields that the schema does not declare.
    pub(crate) fn derives_of(&self, path: &str, fields: &[&Field]) -> DeriveSet {
        self.derives.of_fields(self.settings, path, fields)
    }
}

/// The name of a type that has the same name in Rust.
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
