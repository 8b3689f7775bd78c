//! Computes fingerprints and tables of services.
//!
//! Invariants: methods are ordered by id, and types by qualified wire name. Every named type that a method
//! uses occurs once, including the types of tombstones, because their bytes are on the wire.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::canonical::{Canonical, Hash};
use super::tables::{HashedType, hash_method, hash_type};
use crate::schema::{Schema, Service, ServiceTable, TypeDefinition, TypeId, TypeKind};

/// How many entries the tables of all services together may have.
const MAX_ENTRIES: usize = 2_000_000;

/// The error for tables that are too large together: the index of the service that exceeds the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TablesTooLarge {
    pub(crate) service: usize,
}

/// Computes the table and the fingerprint of every service of a schema.
pub(crate) fn compute_hashes(schema: &mut Schema) -> Result<(), TablesTooLarge> {
    let types: Vec<HashedType> =
        schema.types.iter().map(|definition| hash_type(schema, definition)).collect();
    let mut graph = Graph::new(schema);
    let mut results = Vec::new();
    let mut entries = 0usize;
    for package in &schema.packages {
        for service in &package.services {
            let name = format!("{}.{}", package.name, service.wire_name());
            let result = hash_service(schema, &name, service, &types, &mut graph);
            entries = result
                .0
                .types
                .iter()
                .fold(entries, |sum, entry| sum.saturating_add(entry.elements.len() + 1));
            if entries > MAX_ENTRIES {
                return Err(TablesTooLarge { service: results.len() });
            }
            results.push(result);
        }
    }
    let services = schema.packages.iter_mut().flat_map(|package| &mut package.services);
    for (service, (table, fingerprint)) in services.zip(results) {
        service.table = table;
        service.fingerprint = fingerprint;
    }
    Ok(())
}

/// The fingerprint of a whole schema: of all its services and all its types, used or not.
#[must_use]
pub fn fingerprint(schema: &Schema) -> [u8; 32] {
    let mut services: BTreeMap<String, &Hash> = BTreeMap::new();
    for package in &schema.packages {
        for service in &package.services {
            services.insert(format!("{}.{}", package.name, service.wire_name()), &service.fingerprint);
        }
    }
    let types: BTreeMap<String, Hash> = schema
        .types
        .iter()
        .map(|definition| hash_type(schema, definition))
        .map(|hashed| (hashed.entry.name.clone(), hashed.hash))
        .collect();
    let mut canonical = Canonical::new("kaa schema").number(count(services.len()));
    for (name, fingerprint) in services {
        canonical = canonical.text(&name).raw(fingerprint);
    }
    canonical = canonical.number(count(types.len()));
    for (name, hash) in types {
        canonical = canonical.text(&name).raw(&hash);
    }
    canonical.finish()
}

fn hash_service(
    schema: &Schema,
    name: &str,
    service: &Service,
    types: &[HashedType],
    graph: &mut Graph,
) -> (ServiceTable, Hash) {
    let mut methods: Vec<_> = service
        .server
        .iter()
        .chain(&service.client)
        .map(|method| hash_method(schema, name, method))
        .collect();
    methods.sort_by_key(|method| method.entry.id);
    let reached = graph.reach(service);
    let by_name: BTreeMap<&str, &HashedType> = reached
        .iter()
        .filter_map(|id| types.get(id.0))
        .map(|hashed| (hashed.entry.name.as_str(), hashed))
        .collect();
    let mut canonical = Canonical::new("kaa service").text(name).number(count(methods.len()));
    for method in &methods {
        canonical = canonical.number(method.entry.id).raw(&method.signature).raw(&method.parameters);
    }
    canonical = canonical.number(count(by_name.len()));
    for hashed in by_name.values() {
        canonical = canonical.text(&hashed.entry.name).raw(&hashed.hash);
    }
    let table = ServiceTable {
        methods: methods.into_iter().map(|method| method.entry).collect(),
        types: by_name.into_values().map(|hashed| Arc::clone(&hashed.entry)).collect(),
    };
    (table, canonical.finish())
}

/// Which types use which other types.
struct Graph {
    uses: Vec<Vec<TypeId>>,
    /// For each type, the last walk that visited it, so that the list need not be cleared between walks.
    seen: Vec<usize>,
    walks: usize,
}

impl Graph {
    fn new(schema: &Schema) -> Self {
        let uses = schema.types.iter().map(types_of_definition).collect();
        Self { uses, seen: vec![0; schema.types.len()], walks: 0 }
    }

    /// The named types that a service's methods use, directly or indirectly.
    fn reach(&mut self, service: &Service) -> Vec<TypeId> {
        let mut work = Vec::new();
        for method in service.server.iter().chain(&service.client) {
            let taken = method.parameters.iter().map(|field| &field.ty);
            let streamed = method.stream.iter().map(|stream| &stream.item);
            for ty in taken.chain(streamed).chain(method.returns.ty()) {
                ty.each_named(&mut |id| work.push(id));
            }
            work.extend(method.throws);
        }
        self.walks += 1;
        let mut reached = Vec::new();
        while let Some(id) = work.pop() {
            match self.seen.get_mut(id.0) {
                Some(seen) if *seen != self.walks => *seen = self.walks,
                _ => continue,
            }
            reached.push(id);
            work.extend(self.uses.get(id.0).into_iter().flatten());
        }
        reached
    }
}

fn types_of_definition(definition: &TypeDefinition) -> Vec<TypeId> {
    let mut types = Vec::new();
    match &definition.kind {
        TypeKind::Struct(structure) => {
            for field in &structure.fields {
                field.ty.each_named(&mut |id| types.push(id));
            }
        }
        TypeKind::Enum(enumeration) => {
            for variant in &enumeration.variants {
                for field in variant.payload.fields() {
                    field.ty.each_named(&mut |id| types.push(id));
                }
            }
        }
        TypeKind::Flags(_) => {}
        TypeKind::Newtype(newtype) => newtype.inner.each_named(&mut |id| types.push(id)),
    }
    types
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
