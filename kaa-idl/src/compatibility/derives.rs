//! Finds derives that a type no longer has.
//!
//! Invariants: if a type lost a derive because a type inside it did, only the inner type is reported.

use super::collector::{Allowed, Collector};
use super::finding::Finding;
use super::pairing::Pairing;
use super::rule::Rule;
use crate::schema::{Schema, Type, TypeDefinition, TypeId, TypeKind};

/// For each type, whether it contains a floating-point number and therefore has no `Eq`, `Ord` and `Hash`.
fn with_floats(schema: &Schema) -> Vec<bool> {
    let mut holders: Vec<Vec<TypeId>> = vec![Vec::new(); schema.types.len()];
    let mut floats = vec![false; schema.types.len()];
    let mut work = Vec::new();
    for definition in &schema.types {
        each_field_type(definition, &mut |ty| {
            ty.each_named(&mut |held| {
                holders.get_mut(held.0).into_iter().for_each(|holders| holders.push(definition.id))
            });
            if ty.contains_float() {
                work.push(definition.id);
            }
        });
    }
    while let Some(id) = work.pop() {
        match floats.get_mut(id.0) {
            Some(float) if !*float => *float = true,
            _ => continue,
        }
        work.extend(holders.get(id.0).into_iter().flatten());
    }
    floats
}

/// Calls a function for the type of every field except tombstones, which do not exist in Rust.
fn each_field_type<'s>(definition: &'s TypeDefinition, found: &mut dyn FnMut(&'s Type)) {
    match &definition.kind {
        TypeKind::Struct(structure) => {
            structure.fields.iter().filter(|field| !field.tombstone).for_each(|field| found(&field.ty));
        }
        TypeKind::Enum(enumeration) => {
            for variant in &enumeration.variants {
                let fields = variant.payload.fields().iter();
                fields.filter(|field| !field.tombstone).for_each(|field| found(&field.ty));
            }
        }
        TypeKind::Flags(_) => {}
        TypeKind::Newtype(newtype) => found(&newtype.inner),
    }
}

/// Compares the derives of all types.
pub(super) fn check(pairing: &Pairing<'_>, collector: &mut Collector<'_>) {
    if !collector.checks(Rule::DerivesNoShrink) {
        return;
    }
    let old_floats = with_floats(pairing.old);
    let new_floats = with_floats(pairing.new);
    let has = |floats: &[bool], id: TypeId| floats.get(id.0).copied().unwrap_or(false);
    let mut lost = vec![false; pairing.new.types.len()];
    let pairs = || pairing.old.types.iter().filter_map(|old| Some((old, pairing.type_of(old.id)?)));
    for (old, new) in pairs() {
        if let Some(lost) = lost.get_mut(new.id.0) {
            *lost = !has(&old_floats, old.id) && has(&new_floats, new.id);
        }
    }
    for (old, new) in pairs() {
        let allowed = Allowed::default().inside(&new.attributes);
        let removed =
            old.attributes.rust_derives.iter().find(|derive| !new.attributes.rust_derives.contains(derive));
        if let Some(derive) = removed {
            let finding =
                Finding::new(Rule::DerivesNoShrink, format!("`{}` no longer derives `{derive}`", new.name))
                    .at(&new.location, "not derived now")
                    .was(&old.location, "derived before");
            collector.report(&allowed, finding);
        }
        let mut is_cause = false;
        each_field_type(new, &mut |ty| {
            is_cause |= ty.contains_float();
            ty.each_named(&mut |id| is_cause |= has(&new_floats, id) && !has(&lost, id));
        });
        if has(&lost, new.id) && is_cause && same_kind(old, new) {
            let message = format!("`{}` can no longer derive `Eq`, `Ord` or `Hash`", new.name);
            let finding = Finding::new(Rule::DerivesNoShrink, message)
                .at(&new.location, "contains a floating-point number now")
                .was(&old.location, "contained none before");
            collector.report(&allowed, finding);
        }
    }
}

fn same_kind(old: &TypeDefinition, new: &TypeDefinition) -> bool {
    std::mem::discriminant(&old.kind) == std::mem::discriminant(&new.kind)
}
