//! Which traits each type can derive.
//!
//! Invariants: a type gets the largest set that its contents allow (a fixed point, so that recursive types
//! are not restricted without need); supertraits of a derived trait are derived; an open enum is never
//! `Copy`.

use std::collections::{BTreeMap, BTreeSet};

use kaa_idl::schema::{Enum, Field, Schema, Type, TypeDefinition, TypeId, TypeKind};
use proc_macro2::TokenStream;
use quote::quote;
use syn::Path;

use crate::settings::Settings;
use crate::sizes::Sizes;
use crate::traverse::payload_fields;

/// The largest estimated size, in bytes, of a type that derives `Copy` by default.
const MAX_COPY_SIZE: u64 = 64;

/// The longest array that implements `Default` and serde's traits.
pub(crate) const MAX_TRAIT_ARRAY_LENGTH: u32 = 32;

/// A trait that is derived where possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Derive {
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
}

const ALL: [Derive; 11] = [
    Derive::Clone,
    Derive::Copy,
    Derive::Debug,
    Derive::Default,
    Derive::PartialEq,
    Derive::Eq,
    Derive::PartialOrd,
    Derive::Ord,
    Derive::Hash,
    Derive::Serialize,
    Derive::Deserialize,
];

impl Derive {
    /// The derive with this path, if it is one of these.
    fn from_path(path: &Path) -> Option<Self> {
        let first = path.segments.first()?.ident.to_string();
        let last = path.segments.last()?.ident.to_string();
        let root = if path.segments.len() == 1 { "" } else { first.as_str() };
        let derive = match last.as_str() {
            "Clone" => Self::Clone,
            "Copy" => Self::Copy,
            "Debug" => Self::Debug,
            "Default" => Self::Default,
            "PartialEq" => Self::PartialEq,
            "Eq" => Self::Eq,
            "PartialOrd" => Self::PartialOrd,
            "Ord" => Self::Ord,
            "Hash" => Self::Hash,
            "Serialize" => Self::Serialize,
            "Deserialize" => Self::Deserialize,
            _ => return None,
        };
        let roots: &[&str] = match derive {
            Self::Serialize | Self::Deserialize => &["", "serde"],
            _ => &["", "core", "std"],
        };
        roots.contains(&root).then_some(derive)
    }

    fn bit(self) -> u16 {
        ALL.iter().zip(0_u32..).find(|(derive, _)| **derive == self).map_or(0, |(_, index)| 1 << index)
    }

    fn supertraits(self) -> &'static [Self] {
        match self {
            Self::Copy => &[Self::Clone],
            Self::Eq | Self::PartialOrd => &[Self::PartialEq],
            Self::Ord => &[Self::Eq, Self::PartialOrd],
            _ => &[],
        }
    }

    fn path(self, codegen: &TokenStream) -> TokenStream {
        match self {
            Self::Clone => quote!(::core::clone::Clone),
            Self::Copy => quote!(::core::marker::Copy),
            Self::Debug => quote!(::core::fmt::Debug),
            Self::Default => quote!(::core::default::Default),
            Self::PartialEq => quote!(::core::cmp::PartialEq),
            Self::Eq => quote!(::core::cmp::Eq),
            Self::PartialOrd => quote!(::core::cmp::PartialOrd),
            Self::Ord => quote!(::core::cmp::Ord),
            Self::Hash => quote!(::core::hash::Hash),
            Self::Serialize => quote!(#codegen::serde::Serialize),
            Self::Deserialize => quote!(#codegen::serde::Deserialize),
        }
    }
}

/// A set of [`Derive`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DeriveSet(u16);

impl DeriveSet {
    pub(crate) fn all() -> Self {
        Self::of(&ALL)
    }

    fn of(derives: &[Derive]) -> Self {
        Self(derives.iter().map(|derive| derive.bit()).fold(0, |bits, bit| bits | bit))
    }

    pub(crate) fn contains(self, derive: Derive) -> bool {
        self.0 & derive.bit() != 0
    }

    pub(crate) fn without(self, derives: &[Derive]) -> Self {
        Self(self.0 & !Self::of(derives).0)
    }

    fn with(self, derive: Derive) -> Self {
        Self(self.0 | derive.bit())
    }

    fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Removes every trait whose supertraits are not in the set.
    fn without_missing_supertraits(mut self) -> Self {
        for derive in ALL {
            if !derive.supertraits().iter().all(|supertrait| self.contains(*supertrait)) {
                self = self.without(&[derive]);
            }
        }
        self
    }

    /// Paths for `#[derive(…)]`.
    pub(crate) fn paths(self, codegen: &TokenStream) -> Vec<TokenStream> {
        ALL.iter().filter(|derive| self.contains(**derive)).map(|derive| derive.path(codegen)).collect()
    }
}

/// The derives of every declared type.
pub(crate) struct DeriveTable {
    types: BTreeMap<TypeId, DeriveSet>,
    extras: BTreeMap<TypeId, Vec<Path>>,
}

impl DeriveTable {
    pub(crate) fn new(schema: &Schema, settings: &Settings) -> Self {
        let mut table = Self {
            types: schema.types.iter().map(|definition| (definition.id, DeriveSet::all())).collect(),
            extras: BTreeMap::new(),
        };
        for definition in &schema.types {
            table.extras.insert(definition.id, extra_derives(schema, settings, definition));
        }
        // Sizes are estimated for `Copy` types only, so types that cannot be `Copy` must be excluded first.
        let mut too_large = BTreeSet::new();
        loop {
            table.find_fixed_point(schema, settings, &too_large);
            let mut sizes = Sizes::new(schema);
            let before = too_large.len();
            for definition in &schema.types {
                if table.of(definition.id).contains(Derive::Copy)
                    && !requested(schema, settings, definition).contains(Derive::Copy)
                    && sizes.of_type(definition) > MAX_COPY_SIZE
                {
                    too_large.insert(definition.id);
                }
            }
            if too_large.len() == before {
                return table;
            }
        }
    }

    /// The derives of a declared type.
    pub(crate) fn of(&self, id: TypeId) -> DeriveSet {
        self.types.get(&id).copied().unwrap_or(DeriveSet::all())
    }

    /// Other derives of a declared type than those in [`Derive`], without duplicates.
    pub(crate) fn extras(&self, id: TypeId) -> &[Path] {
        self.extras.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The derives that these fields allow: fields of a struct, a variant or a call struct.
    pub(crate) fn of_fields(&self, settings: &Settings, path: &str, fields: &[&Field]) -> DeriveSet {
        let mut derives = DeriveSet::all();
        for field in fields {
            let use_hash_map = settings.hash_map(&format!("{path}.{}", field.name));
            let mut allowed = self.of_field_type(&field.ty, use_hash_map);
            if field.default.is_some() {
                allowed = allowed.with(Derive::Default);
            }
            derives = derives.and(allowed);
        }
        derives.without_missing_supertraits()
    }

    fn find_fixed_point(&mut self, schema: &Schema, settings: &Settings, too_large: &BTreeSet<TypeId>) {
        loop {
            let mut changed = false;
            for definition in &schema.types {
                let mut allowed = self.of_definition(schema, settings, definition);
                if too_large.contains(&definition.id) {
                    allowed = allowed.without(&[Derive::Copy]);
                }
                if allowed != self.of(definition.id) {
                    self.types.insert(definition.id, allowed);
                    changed = true;
                }
            }
            if !changed {
                return;
            }
        }
    }

    fn of_definition(&self, schema: &Schema, settings: &Settings, definition: &TypeDefinition) -> DeriveSet {
        let path = schema.qualified_name(definition);
        let mut allowed = if settings.extern_type(&path).is_some() {
            DeriveSet::of(&[
                Derive::Clone,
                Derive::Debug,
                Derive::PartialEq,
                Derive::Serialize,
                Derive::Deserialize,
            ])
        } else {
            match &definition.kind {
                TypeKind::Struct(structure) => {
                    let fields: Vec<&Field> =
                        structure.fields.iter().filter(|field| !field.tombstone).collect();
                    self.of_fields(settings, &path, &fields)
                }
                TypeKind::Enum(enumeration) => self.of_enum(settings, &path, enumeration),
                TypeKind::Flags(_) => DeriveSet::all(),
                TypeKind::Newtype(newtype) => self.of_field_type(&newtype.inner, settings.hash_map(&path)),
            }
        };
        let removed: Vec<Derive> = settings.no_derives(&path).filter_map(Derive::from_path).collect();
        allowed = allowed.without(&removed).without_missing_supertraits();
        DeriveSet(allowed.0 | requested(schema, settings, definition).0)
    }

    fn of_enum(&self, settings: &Settings, path: &str, enumeration: &Enum) -> DeriveSet {
        let mut derives = DeriveSet::all().without(&[Derive::Default]);
        if !enumeration.sealed {
            derives = derives.without(&[Derive::Copy]);
        }
        for variant in &enumeration.variants {
            let fields: Vec<&Field> =
                payload_fields(&variant.payload).iter().filter(|field| !field.tombstone).collect();
            let path = format!("{path}.{}", variant.name);
            derives = derives.and(self.of_fields(settings, &path, &fields));
        }
        derives.without_missing_supertraits()
    }

    /// The derives that a field of this type allows.
    fn of_field_type(&self, ty: &Type, use_hash_map: bool) -> DeriveSet {
        let allowed = self.of_expression(ty, use_hash_map);
        if is_long_array(ty) { allowed.with(Derive::Serialize).with(Derive::Deserialize) } else { allowed }
    }

    fn of_expression(&self, ty: &Type, use_hash_map: bool) -> DeriveSet {
        let ordered = [Derive::PartialOrd, Derive::Ord, Derive::Hash];
        match ty {
            Type::F32 | Type::F64 => DeriveSet::all().without(&[Derive::Eq, Derive::Ord, Derive::Hash]),
            Type::String(_) | Type::Bytes(_) => DeriveSet::all().without(&[Derive::Copy]),
            Type::Option(inner) => self.of_expression(inner, use_hash_map).with(Derive::Default),
            Type::Vec(inner, _) => {
                self.of_expression(inner, use_hash_map).with(Derive::Default).without(&[Derive::Copy])
            }
            Type::Set(inner, _) => {
                let inner = self.of_expression(inner, use_hash_map);
                let set = inner.with(Derive::Default).without(&[Derive::Copy]);
                if use_hash_map { set.without(&ordered) } else { set }
            }
            Type::Map(key, value, _) => {
                let key = self.of_expression(key, use_hash_map);
                let map = key.and(self.of_expression(value, use_hash_map));
                let map = map.with(Derive::Default).without(&[Derive::Copy]);
                if use_hash_map { map.without(&ordered) } else { map }
            }
            Type::Array(inner, length) => {
                let array = self.of_expression(inner, use_hash_map);
                if *length > MAX_TRAIT_ARRAY_LENGTH {
                    array.without(&[Derive::Default, Derive::Serialize, Derive::Deserialize])
                } else {
                    array
                }
            }
            Type::Named { id, boxed: true } => self.of(*id).without(&[Derive::Copy]),
            Type::Named { id, boxed: false } => self.of(*id),
            _ => DeriveSet::all(),
        }
    }
}

/// Whether generated functions serialize a field of this type, because serde supports at most 32 elements.
pub(crate) fn is_long_array(ty: &Type) -> bool {
    fn is_plain(ty: &Type) -> bool {
        !matches!(
            ty,
            Type::Option(_)
                | Type::Vec(..)
                | Type::Set(..)
                | Type::Map(..)
                | Type::Array(..)
                | Type::Named { .. }
        )
    }
    matches!(ty, Type::Array(inner, length) if *length > MAX_TRAIT_ARRAY_LENGTH && is_plain(inner))
}

/// The derives that a `.kaa` file or a setting requests, whether or not the fields allow them.
fn requested(schema: &Schema, settings: &Settings, definition: &TypeDefinition) -> DeriveSet {
    let path = schema.qualified_name(definition);
    let written =
        definition.attributes.rust_derives.iter().filter_map(|text| syn::parse_str::<Path>(text).ok());
    let written: Vec<Derive> = written.filter_map(|path| Derive::from_path(&path)).collect();
    let set: Vec<Derive> = settings.derives(&path).filter_map(Derive::from_path).collect();
    DeriveSet(DeriveSet::of(&written).0 | DeriveSet::of(&set).0)
}

fn extra_derives(schema: &Schema, settings: &Settings, definition: &TypeDefinition) -> Vec<Path> {
    let path = schema.qualified_name(definition);
    let mut extras: Vec<Path> = Vec::new();
    let written =
        definition.attributes.rust_derives.iter().filter_map(|text| syn::parse_str::<Path>(text).ok());
    for derive in written.chain(settings.derives(&path).cloned()) {
        let text = path_text(&derive);
        if Derive::from_path(&derive).is_none() && !extras.iter().any(|extra| path_text(extra) == text) {
            extras.push(derive);
        }
    }
    extras.retain(|extra| !settings.no_derives(&path).any(|removed| path_text(removed) == path_text(extra)));
    extras
}

fn path_text(path: &Path) -> String {
    quote!(#path).to_string()
}
