//! The module that contains generated code: paths to items from there, and names for variables.
//!
//! Invariants: a local name never collides with a name that the package declares.

use std::collections::BTreeSet;

use kaa_idl::schema::{Package, Schema, TypeKind};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use crate::names;

/// The module that contains a piece of generated code.
#[derive(Debug, Clone)]
pub(crate) struct ModuleContext<'a> {
    pub(crate) package: &'a Package,
    /// How many modules it is nested in the package's module.
    depth: usize,
    /// Names that variables cannot have, because patterns would refer to constants or tuple structs.
    values: BTreeSet<String>,
    prefix: String,
}

impl<'a> ModuleContext<'a> {
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

    /// The path to an item of the same package.
    pub(crate) fn own(&self, item: &TokenStream) -> TokenStream {
        self.path_to(self.package, item)
    }

    /// The qualified name of an item of this package, as in settings and on the wire.
    pub(crate) fn qualified(&self, name: &str) -> String {
        format!("{}.{name}", self.package.name)
    }

    /// A name for a variable or module that collides with no declared name.
    pub(crate) fn local(&self, name: &str) -> Ident {
        format_ident!("{}{name}", self.prefix)
    }

    /// A variable for each declared name, in order, and for each `reserved` name, which is changed if it is
    /// taken.
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
