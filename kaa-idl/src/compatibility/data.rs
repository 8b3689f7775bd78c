//! Compares named types.
//!
//! Invariants: a type whose kind changed is not compared further.

use super::collector::{Allowed, Collector};
use super::enums::{check_enum, check_flags};
use super::fields::{self, FIELDS, Lists, SEALED_FIELDS, since_changed};
use super::finding::Finding;
use super::pairing::Pairing;
use super::rule::Rule;
use super::types::{self, Typed};
use crate::schema::{Struct, TypeDefinition, TypeKind};

/// Compares all types of the old schema with their new versions.
pub(super) fn check(pairing: &Pairing<'_>, collector: &mut Collector<'_>) {
    for old in &pairing.old.types {
        match pairing.type_of(old.id) {
            Some(new) => check_type(pairing, collector, old, new),
            None => deleted(pairing, collector, old),
        }
    }
}

fn deleted(pairing: &Pairing<'_>, collector: &mut Collector<'_>, old: &TypeDefinition) {
    let finding = Finding::new(Rule::TypeNoDelete, format!("type `{}` was deleted", old.name))
        .was(&old.location, "defined here");
    let finding = match pairing.package(old.package) {
        Some((_, package)) => finding.at(&package.location, format!("no `{}` in this package", old.name)),
        None => finding,
    };
    collector.report(&Allowed::default(), finding);
}

fn check_type<'p>(
    pairing: &Pairing<'p>,
    collector: &mut Collector<'_>,
    old: &'p TypeDefinition,
    new: &'p TypeDefinition,
) {
    let allowed = Allowed::default().inside(&new.attributes);
    let package = |definition: &TypeDefinition, schema: &'p crate::schema::Schema| {
        schema.package(definition.package).map_or_else(String::new, |package| package.name.to_string())
    };
    if old.wire_name() != new.wire_name() {
        let finding =
            Finding::new(Rule::TypeSameName, format!("type `{}` has a different name on the wire", old.name))
                .at(&new.location, format!("`{}` now", new.wire_name()))
                .was(&old.location, format!("`{}` before", old.wire_name()))
                .help(format!("keep the name on the wire: `#[selector(\"{}\")]`", old.wire_name()));
        collector.report(&allowed, finding);
    }
    if pairing.package(old.package).is_none_or(|(id, _)| id != new.package) {
        let finding =
            Finding::new(Rule::PackageSame, format!("type `{}` moved to a different package", old.name))
                .at(&new.location, format!("in `{}` now", package(new, pairing.new)))
                .was(&old.location, format!("in `{}` before", package(old, pairing.old)))
                .help("keep the type in its package; import it in other packages with `use`");
        collector.report(&allowed, finding);
    }
    if old.attributes.since != new.attributes.since {
        let since = (old.attributes.since, &old.location);
        let finding =
            since_changed(&format!("type `{}`", new.name), since, (new.attributes.since, &new.location));
        collector.report(&allowed, finding);
    }
    match (&old.kind, &new.kind) {
        (TypeKind::Struct(before), TypeKind::Struct(after)) => {
            check_struct(pairing, collector, &allowed, (old, before), (new, after));
        }
        (TypeKind::Enum(before), TypeKind::Enum(after)) => {
            check_enum(pairing, collector, &allowed, (old, before), (new, after));
        }
        (TypeKind::Flags(before), TypeKind::Flags(after)) => {
            check_flags(pairing, collector, &allowed, (old, before), (new, after));
        }
        (TypeKind::Newtype(before), TypeKind::Newtype(after)) => {
            let what = || format!("newtype `{}`", new.name);
            let typed = Typed {
                what: &what,
                old: &old.location,
                new: &new.location,
                rule: Rule::NewtypeSameInner,
                optionality: Rule::NewtypeSameInner,
            };
            types::check(pairing, collector, &allowed, typed, (&before.inner, &after.inner));
        }
        (before, after) => {
            let message = format!("`{}` was {} and is now {}", new.name, kind(before), kind(after));
            let finding = Finding::new(Rule::TypeSameKind, message)
                .at(&new.location, format!("{} now", kind(after)))
                .was(&old.location, format!("{} before", kind(before)));
            collector.report(&allowed, finding);
        }
    }
}

fn kind(kind: &TypeKind) -> &'static str {
    match kind {
        TypeKind::Struct(_) => "a struct",
        TypeKind::Enum(_) => "an enum",
        TypeKind::Flags(_) => "flags",
        TypeKind::Newtype(_) => "a newtype",
    }
}

fn check_struct<'p>(
    pairing: &Pairing<'_>,
    collector: &mut Collector<'_>,
    allowed: &Allowed<'p>,
    (old_type, old): (&'p TypeDefinition, &'p Struct),
    (new_type, new): (&'p TypeDefinition, &'p Struct),
) {
    if old.sealed != new.sealed {
        let word = |sealed: bool| if sealed { "sealed" } else { "extensible" };
        let message = format!("`{}` was {} and is now {}", new_type.name, word(old.sealed), word(new.sealed));
        let finding = Finding::new(Rule::StructSameSealed, message)
            .at(&new_type.location, format!("{} now", word(new.sealed)))
            .was(&old_type.location, format!("{} before", word(old.sealed)));
        collector.report(allowed, finding);
    }
    let owner = format!("`{}`", new_type.name);
    let lists = Lists {
        rules: if old.sealed && new.sealed { &SEALED_FIELDS } else { &FIELDS },
        owner: &owner,
        old: (&old.fields, &old_type.location),
        new: (&new.fields, &new_type.location),
    };
    for field in fields::check(pairing, collector, allowed, lists) {
        let finding = Finding::new(Rule::FieldAdded, format!("field `{}` of {owner} was added", field.name))
            .at(&field.location, "appended here")
            .was(&old_type.location, format!("no field `{}` here", field.name));
        collector.report(&allowed.inside(&field.attributes), finding);
    }
}
