//! Which derives each type allows.
//!
//! Invariants: the result is the greatest set that holds for a type and all it contains (a fixed point, so recursive
//! types keep what they can); supertraits of a derived trait are derived; an open enum is never `Copy`.

use std::collections::{BTreeMap, BTreeSet};

use kaa_idl::schema::{Enum, Field, Schema, Type, TypeDefinition, TypeId, TypeKind};
use proc_macro2::TokenStream;
use quote::quote;
use syn::Path;

use crate::settings::Settings;
use crate::sizes::Sizes;
use crate::traverse::payload_fields;

/// The largest type, in estimated bytes, that is `Copy` without being asked.
const LARGEST_COPY: u64 = 64;

/// The longest array for which the standard library and serde have their traits.
pub(crate) const LONGEST_ARRAY: u32 = 32;

/// A trait that is derived where possible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ability {
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

const EVERY: [Ability; 11] = [
    Ability::Clone,
    Ability::Copy,
    Ability::Debug,
    Ability::Default,
    Ability::PartialEq,
    Ability::Eq,
    Ability::PartialOrd,
    Ability::Ord,
    Ability::Hash,
    Ability::Serialize,
    Ability::Deserialize,
];

impl Ability {
    /// The ability that a derive's path names, as far as it is one of these.
    fn named(path: &Path) -> Option<Self> {
        let first = path.segments.first()?.ident.to_string();
        let last = path.segments.last()?.ident.to_string();
        let home = if path.segments.len() == 1 { "" } else { first.as_str() };
        let ability = match last.as_str() {
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
        let homes: &[&str] = match ability {
            Self::Serialize | Self::Deserialize => &["", "serde"],
            _ => &["", "core", "std"],
        };
        homes.contains(&home).then_some(ability)
    }

    fn bit(self) -> u16 {
        EVERY.iter().zip(0_u32..).find(|(ability, _)| **ability == self).map_or(0, |(_, index)| 1 << index)
    }

    fn needs(self) -> &'static [Self] {
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

/// A set of [`Ability`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Abilities(u16);

impl Abilities {
    pub(crate) fn all() -> Self {
        Self::of(&EVERY)
    }

    fn of(abilities: &[Ability]) -> Self {
        Self(abilities.iter().map(|ability| ability.bit()).fold(0, |bits, bit| bits | bit))
    }

    pub(crate) fn contains(self, ability: Ability) -> bool {
        self.0 & ability.bit() != 0
    }

    pub(crate) fn without(self, abilities: &[Ability]) -> Self {
        Self(self.0 & !Self::of(abilities).0)
    }

    fn with(self, ability: Ability) -> Self {
        Self(self.0 | ability.bit())
    }

    fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is left when a trait without its supertraits is not possible.
    fn consistent(mut self) -> Self {
        for ability in EVERY {
            if !ability.needs().iter().all(|needed| self.contains(*needed)) {
                self = self.without(&[ability]);
            }
        }
        self
    }

    /// Paths for `#[derive(…)]`.
    pub(crate) fn paths(self, codegen: &TokenStream) -> Vec<TokenStream> {
        EVERY.iter().filter(|ability| self.contains(**ability)).map(|ability| ability.path(codegen)).collect()
    }
}

/// The abilities of every declared type.
pub(crate) struct AbilityTable {
    types: BTreeMap<TypeId, Abilities>,
    extras: BTreeMap<TypeId, Vec<Path>>,
}

impl AbilityTable {
    pub(crate) fn new(schema: &Schema, settings: &Settings) -> Self {
        let mut table = Self {
            types: schema.types.iter().map(|definition| (definition.id, Abilities::all())).collect(),
            extras: BTreeMap::new(),
        };
        for definition in &schema.types {
            table.extras.insert(definition.id, extra_derives(schema, settings, definition));
        }
        // Types that could be `Copy` but are too large are known only once all that cannot be are out.
        let mut too_large = BTreeSet::new();
        loop {
            table.settle(schema, settings, &too_large);
            let mut sizes = Sizes::new(schema);
            let before = too_large.len();
            for definition in &schema.types {
                if table.of(definition.id).contains(Ability::Copy)
                    && !requested(schema, settings, definition).contains(Ability::Copy)
                    && sizes.of_type(definition) > LARGEST_COPY
                {
                    too_large.insert(definition.id);
                }
            }
            if too_large.len() == before {
                return table;
            }
        }
    }

    /// What a declared type has.
    pub(crate) fn of(&self, id: TypeId) -> Abilities {
        self.types.get(&id).copied().unwrap_or(Abilities::all())
    }

    /// Derives of a declared type beyond [`Ability`], without repetition.
    pub(crate) fn extras(&self, id: TypeId) -> &[Path] {
        self.extras.get(&id).map_or(&[], Vec::as_slice)
    }

    /// What a value with these fields has, be it a struct, the payload of a variant, or arguments.
    pub(crate) fn of_fields(&self, settings: &Settings, path: &str, fields: &[&Field]) -> Abilities {
        let mut abilities = Abilities::all();
        for field in fields {
            let hashed = settings.hash_map(&format!("{path}.{}", field.name));
            let mut allowed = self.of_held(&field.ty, hashed);
            if field.default.is_some() {
                allowed = allowed.with(Ability::Default);
            }
            abilities = abilities.and(allowed);
        }
        abilities.consistent()
    }

    fn settle(&mut self, schema: &Schema, settings: &Settings, too_large: &BTreeSet<TypeId>) {
        loop {
            let mut changed = false;
            for definition in &schema.types {
                let mut allowed = self.of_definition(schema, settings, definition);
                if too_large.contains(&definition.id) {
                    allowed = allowed.without(&[Ability::Copy]);
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

    fn of_definition(&self, schema: &Schema, settings: &Settings, definition: &TypeDefinition) -> Abilities {
        let path = schema.qualified_name(definition);
        let mut allowed = if settings.extern_type(&path).is_some() {
            Abilities::of(&[
                Ability::Clone,
                Ability::Debug,
                Ability::PartialEq,
                Ability::Serialize,
                Ability::Deserialize,
            ])
        } else {
            match &definition.kind {
                TypeKind::Struct(structure) => {
                    let fields: Vec<&Field> =
                        structure.fields.iter().filter(|field| !field.tombstone).collect();
                    self.of_fields(settings, &path, &fields)
                }
                TypeKind::Enum(enumeration) => self.of_enum(settings, &path, enumeration),
                TypeKind::Flags(_) => Abilities::all(),
                TypeKind::Newtype(newtype) => self.of_held(&newtype.inner, settings.hash_map(&path)),
            }
        };
        let removed: Vec<Ability> = settings.no_derives(&path).filter_map(Ability::named).collect();
        allowed = allowed.without(&removed).consistent();
        Abilities(allowed.0 | requested(schema, settings, definition).0)
    }

    fn of_enum(&self, settings: &Settings, path: &str, enumeration: &Enum) -> Abilities {
        let mut abilities = Abilities::all().without(&[Ability::Default]);
        if !enumeration.sealed {
            abilities = abilities.without(&[Ability::Copy]);
        }
        for variant in &enumeration.variants {
            let fields: Vec<&Field> =
                payload_fields(&variant.payload).iter().filter(|field| !field.tombstone).collect();
            let path = format!("{path}.{}", variant.name);
            abilities = abilities.and(self.of_fields(settings, &path, &fields));
        }
        abilities.consistent()
    }

    /// What a type allows that holds one of this type directly.
    fn of_held(&self, ty: &Type, hashed: bool) -> Abilities {
        let allowed = self.of_expression(ty, hashed);
        if has_serde_detour(ty) {
            allowed.with(Ability::Serialize).with(Ability::Deserialize)
        } else {
            allowed
        }
    }

    fn of_expression(&self, ty: &Type, hashed: bool) -> Abilities {
        let ordered = [Ability::PartialOrd, Ability::Ord, Ability::Hash];
        match ty {
            Type::F32 | Type::F64 => Abilities::all().without(&[Ability::Eq, Ability::Ord, Ability::Hash]),
            Type::String(_) | Type::Bytes(_) => Abilities::all().without(&[Ability::Copy]),
            Type::Option(inner) => self.of_expression(inner, hashed).with(Ability::Default),
            Type::Vec(inner, _) => {
                self.of_expression(inner, hashed).with(Ability::Default).without(&[Ability::Copy])
            }
            Type::Set(inner, _) => {
                let inner = self.of_expression(inner, hashed);
                let set = inner.with(Ability::Default).without(&[Ability::Copy]);
                if hashed { set.without(&ordered) } else { set }
            }
            Type::Map(key, value, _) => {
                let key = self.of_expression(key, hashed);
                let map = key.and(self.of_expression(value, hashed));
                let map = map.with(Ability::Default).without(&[Ability::Copy]);
                if hashed { map.without(&ordered) } else { map }
            }
            Type::Array(inner, length) => {
                let array = self.of_expression(inner, hashed);
                if *length > LONGEST_ARRAY {
                    array.without(&[Ability::Default, Ability::Serialize, Ability::Deserialize])
                } else {
                    array
                }
            }
            Type::Named { id, boxed: true } => self.of(*id).without(&[Ability::Copy]),
            Type::Named { id, boxed: false } => self.of(*id),
            _ => Abilities::all(),
        }
    }
}

/// Whether a field of this type is serialised by generated functions, because serde's own stop at 32 elements.
pub(crate) fn has_serde_detour(ty: &Type) -> bool {
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
    matches!(ty, Type::Array(inner, length) if *length > LONGEST_ARRAY && is_plain(inner))
}

/// Abilities that a `.kaa` file or a setting asks for, possible or not.
fn requested(schema: &Schema, settings: &Settings, definition: &TypeDefinition) -> Abilities {
    let path = schema.qualified_name(definition);
    let written =
        definition.attributes.rust_derives.iter().filter_map(|text| syn::parse_str::<Path>(text).ok());
    let written: Vec<Ability> = written.filter_map(|path| Ability::named(&path)).collect();
    let set: Vec<Ability> = settings.derives(&path).filter_map(Ability::named).collect();
    Abilities(Abilities::of(&written).0 | Abilities::of(&set).0)
}

fn extra_derives(schema: &Schema, settings: &Settings, definition: &TypeDefinition) -> Vec<Path> {
    let path = schema.qualified_name(definition);
    let mut extras: Vec<Path> = Vec::new();
    let written =
        definition.attributes.rust_derives.iter().filter_map(|text| syn::parse_str::<Path>(text).ok());
    for derive in written.chain(settings.derives(&path).cloned()) {
        let text = spelled(&derive);
        if Ability::named(&derive).is_none() && !extras.iter().any(|extra| spelled(extra) == text) {
            extras.push(derive);
        }
    }
    extras.retain(|extra| !settings.no_derives(&path).any(|removed| spelled(removed) == spelled(extra)));
    extras
}

fn spelled(path: &Path) -> String {
    quote!(#path).to_string()
}
