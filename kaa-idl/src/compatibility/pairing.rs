//! Pairs the packages, types and services of the old schema with those of the new one.
//!
//! Elements are paired by name on the wire first. The rest is paired by similarity: packages by common items,
//! types by form, services by methods.
//!
//! Invariants: no element is paired twice. Elements are paired by similarity only if there is exactly one
//! candidate.

use std::collections::{HashMap, HashSet};

use crate::ids::type_text;
use crate::schema::{Package, PackageId, Schema, Service, Type, TypeDefinition, TypeId, TypeKind};

/// Which elements of two schemas correspond.
#[derive(Debug)]
pub(super) struct Pairing<'a> {
    pub(super) old: &'a Schema,
    pub(super) new: &'a Schema,
    packages: Vec<Option<PackageId>>,
    types: Vec<Option<TypeId>>,
}

/// A renamed package is recognized by its items. An item that more packages have is ignored.
const MAX_CANDIDATES: usize = 8;

impl<'a> Pairing<'a> {
    pub(super) fn new(old: &'a Schema, new: &'a Schema) -> Self {
        let packages = pair_packages(old, new);
        let mut pairing = Self { old, new, packages, types: Vec::new() };
        pairing.types = pairing.pair_types();
        pairing
    }

    /// The new package for an old one.
    pub(super) fn package(&self, old: PackageId) -> Option<(PackageId, &'a Package)> {
        let id = self.packages.get(old.0).copied().flatten()?;
        Some((id, self.new.package(id)?))
    }

    /// The new type for an old one.
    pub(super) fn type_of(&self, old: TypeId) -> Option<&'a TypeDefinition> {
        self.new.type_definition(self.types.get(old.0).copied().flatten()?)
    }

    pub(super) fn are_paired(&self, old: TypeId, new: TypeId) -> bool {
        self.types.get(old.0) == Some(&Some(new))
    }

    fn pair_types(&self) -> Vec<Option<TypeId>> {
        let mut by_name: HashMap<(PackageId, &str), TypeId> = HashMap::new();
        for definition in &self.new.types {
            by_name.insert((definition.package, definition.wire_name()), definition.id);
        }
        let mut taken = HashSet::new();
        let mut types: Vec<Option<TypeId>> = Vec::new();
        for definition in &self.old.types {
            let package = self.packages.get(definition.package.0).copied().flatten();
            let found = package.and_then(|package| by_name.get(&(package, definition.wire_name())).copied());
            taken.extend(found);
            types.push(found);
        }
        let key_by_name = |package: PackageId, definition: &TypeDefinition| {
            Some(format!("{} {}", package.0, definition.name))
        };
        self.pair_rest(&mut types, &mut taken, true, key_by_name);
        let key_by_shape = |package: PackageId, definition: &TypeDefinition| {
            shape(&definition.kind).map(|shape| format!("{} {shape}", package.0))
        };
        self.pair_rest(&mut types, &mut taken, true, key_by_shape);
        let key_elsewhere = |_: PackageId, definition: &TypeDefinition| {
            shape(&definition.kind).map(|shape| format!("{} {shape}", definition.wire_name()))
        };
        self.pair_rest(&mut types, &mut taken, false, key_elsewhere);
        types
    }

    /// Pairs the remaining types if exactly one on each side has a key.
    fn pair_rest(
        &self,
        types: &mut [Option<TypeId>],
        taken: &mut HashSet<TypeId>,
        in_package: bool,
        key: impl Fn(PackageId, &TypeDefinition) -> Option<String>,
    ) {
        let mut candidates: HashMap<String, (usize, Option<TypeId>)> = HashMap::new();
        for definition in self.new.types.iter().filter(|definition| !taken.contains(&definition.id)) {
            let Some(key) = key(definition.package, definition) else { continue };
            let entry = candidates.entry(key).or_insert((0, None));
            *entry = (entry.0 + 1, Some(definition.id));
        }
        if candidates.is_empty() {
            return;
        }
        let mut unpaired: HashMap<String, Vec<TypeId>> = HashMap::new();
        for (definition, _) in self.old.types.iter().zip(types.iter()).filter(|(_, found)| found.is_none()) {
            let package = self.packages.get(definition.package.0).copied().flatten();
            let package = if in_package { package } else { Some(definition.package) };
            if let Some(key) = package.and_then(|package| key(package, definition)) {
                unpaired.entry(key).or_default().push(definition.id);
            }
        }
        for (key, old) in unpaired {
            let ([old], Some((1, Some(new)))) = (old.as_slice(), candidates.get(&key)) else { continue };
            if let Some(found) = types.get_mut(old.0) {
                *found = Some(*new);
                taken.insert(*new);
            }
        }
    }
}

/// Pairs packages by name. A missing package is paired with a new one that has at least half of its items.
fn pair_packages(old: &Schema, new: &Schema) -> Vec<Option<PackageId>> {
    let by_name: HashMap<String, PackageId> = new
        .packages
        .iter()
        .enumerate()
        .map(|(index, package)| (package.name.to_string(), PackageId(index)))
        .collect();
    let mut pairs: Vec<Option<PackageId>> =
        old.packages.iter().map(|package| by_name.get(&package.name.to_string()).copied()).collect();
    let mut taken: HashSet<PackageId> = pairs.iter().flatten().copied().collect();
    let mut holders: HashMap<&str, Vec<PackageId>> = HashMap::new();
    for (index, package) in new.packages.iter().enumerate() {
        let id = PackageId(index);
        if !taken.contains(&id) {
            for item in items(new, package) {
                holders.entry(item).or_default().push(id);
            }
        }
    }
    for (package, pair) in old.packages.iter().zip(&mut pairs) {
        if pair.is_some() || holders.is_empty() {
            continue;
        }
        let mut shared: HashMap<PackageId, usize> = HashMap::new();
        let mut count = 0;
        for item in items(old, package) {
            count += 1;
            let holders = holders.get(item).filter(|holders| holders.len() <= MAX_CANDIDATES);
            for holder in holders.into_iter().flatten().filter(|holder| !taken.contains(holder)) {
                *shared.entry(*holder).or_default() += 1;
            }
        }
        let best = shared.into_iter().max_by_key(|(id, shared)| (*shared, std::cmp::Reverse(id.0)));
        if let Some((id, _)) = best.filter(|(_, shared)| shared * 2 >= count) {
            *pair = Some(id);
            taken.insert(id);
        }
    }
    pairs
}

fn items<'s>(schema: &'s Schema, package: &'s Package) -> impl Iterator<Item = &'s str> {
    let types = package.types.iter().filter_map(|id| schema.type_definition(*id));
    let types = types.map(|definition| definition.wire_name());
    let services = package.services.iter().map(|service| service.wire_name());
    let constants = package.constants.iter().map(|constant| constant.name.as_str());
    types.chain(services).chain(constants)
}

/// A key of the elements of a type, equal for two types that may be the same with different names. `None` if
/// the type has too few elements.
fn shape(kind: &TypeKind) -> Option<String> {
    let names = |names: Vec<&str>| (!names.is_empty()).then(|| names.join(","));
    match kind {
        TypeKind::Struct(structure) => {
            names(structure.fields.iter().map(|field| field.wire_name()).collect())
                .map(|names| format!("struct {} {names}", structure.sealed))
        }
        TypeKind::Enum(enumeration) => {
            let variants = enumeration.variants.iter().map(|variant| {
                let fields = variant.payload.fields().len();
                format!("{}={}({fields})", variant.wire_name(), variant.tag)
            });
            let variants: Vec<String> = variants.collect();
            (!variants.is_empty()).then(|| format!("enum {} {}", enumeration.sealed, variants.join(",")))
        }
        TypeKind::Flags(flags) => names(flags.flags.iter().map(|flag| flag.name.as_str()).collect())
            .map(|names| format!("flags {names}")),
        TypeKind::Newtype(newtype) => match newtype.inner {
            Type::Named { .. } => None,
            _ => Some(format!("newtype {}", type_text(&newtype.inner, &|_| "_".to_owned()))),
        },
    }
}

/// Pairs the services of two packages: by name on the wire, then by name in the source, then by their
/// methods.
pub(super) fn pair_services<'s>(
    old: &'s Package,
    new: &'s Package,
) -> Vec<(&'s Service, Option<&'s Service>)> {
    let mut pairs: Vec<(&Service, Option<&Service>)> =
        old.services.iter().map(|service| (service, None)).collect();
    let mut rest: Vec<&Service> = new.services.iter().collect();
    let keys: [fn(&Service) -> Option<String>; 3] =
        [|service| Some(service.wire_name().to_owned()), |service| Some(service.name.clone()), methods_of];
    for key in keys {
        let mut candidates: HashMap<String, Vec<&Service>> = HashMap::new();
        for service in &rest {
            if let Some(key) = key(service) {
                candidates.entry(key).or_default().push(service);
            }
        }
        for (service, pair) in pairs.iter_mut().filter(|(_, pair)| pair.is_none()) {
            let found = key(service).and_then(|key| candidates.remove(&key));
            if let Some([found]) = found.as_deref() {
                *pair = Some(*found);
            }
        }
        let taken: HashSet<&str> =
            pairs.iter().filter_map(|(_, pair)| Some(pair.as_ref()?.name.as_str())).collect();
        rest.retain(|service| !taken.contains(service.name.as_str()));
    }
    pairs
}

fn methods_of(service: &Service) -> Option<String> {
    let mut names: Vec<&str> =
        service.server.iter().chain(&service.client).map(|method| method.wire_name()).collect();
    names.sort_unstable();
    (!names.is_empty()).then(|| names.join(","))
}
