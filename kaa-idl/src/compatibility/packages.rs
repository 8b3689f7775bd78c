//! Compares whole schemas: packages and constants, then all other elements.
//!
//! Invariants: a renamed package is one finding, including the effects on its items.

use std::collections::HashMap;

use super::collector::{Allowed, Collector};
use super::fields::since_changed;
use super::finding::Finding;
use super::pairing::Pairing;
use super::rule::Rule;
use super::settings::Settings;
use super::{data, derives, services, types, values};
use crate::ids::fingerprint;
use crate::schema::{Constant, Package, PackageId, Schema};

/// Compares two revisions of a schema, and returns everything in the new one that breaks a rule of the
/// settings.
///
/// A rule is not checked on an element if `#[allow(…)]` names it on the element in the new schema, or on its
/// type, method, interface or service. For a deleted element, `#[allow(…)]` on its container counts.
#[must_use]
pub fn compare(old: &Schema, new: &Schema, settings: &Settings) -> Vec<Finding> {
    let pairing = Pairing::new(old, new);
    let mut collector = Collector::new(settings);
    for (index, package) in old.packages.iter().enumerate() {
        check_package(&pairing, &mut collector, PackageId(index), package);
    }
    data::check(&pairing, &mut collector);
    derives::check(&pairing, &mut collector);
    services::check(&pairing, &mut collector);
    if collector.checks(Rule::FrozenMatchesSource) && fingerprint(old) != fingerprint(new) {
        let finding =
            Finding::new(Rule::FrozenMatchesSource, "the sources differ from the newest frozen schema");
        let finding = match new.packages.first() {
            Some(package) => finding.at(&package.location, "changed since then, here or elsewhere"),
            None => finding,
        };
        collector.report(&Allowed::default(), finding);
    }
    collector.finish()
}

fn check_package(pairing: &Pairing<'_>, collector: &mut Collector<'_>, id: PackageId, old: &Package) {
    let Some((_, new)) = pairing.package(id) else { return };
    if old.name != new.name {
        let finding = Finding::new(Rule::PackageSame, format!("package `{}` was renamed", old.name))
            .at(&new.location, format!("`{}` now", new.name))
            .was(&old.location, format!("`{}` before", old.name));
        collector.report(&Allowed::default(), finding);
    }
    let constants: HashMap<&str, &Constant> =
        new.constants.iter().map(|constant| (constant.name.as_str(), constant)).collect();
    for old in &old.constants {
        match constants.get(old.name.as_str()) {
            Some(new) => check_constant(pairing, collector, old, new),
            None => {
                let finding =
                    Finding::new(Rule::ConstNoDelete, format!("constant `{}` was deleted", old.name))
                        .at(&new.location, format!("no `{}` in this package", old.name))
                        .was(&old.location, "defined here");
                collector.report(&Allowed::default(), finding);
            }
        }
    }
}

fn check_constant(pairing: &Pairing<'_>, collector: &mut Collector<'_>, old: &Constant, new: &Constant) {
    let allowed = Allowed::default().inside(&new.attributes);
    if old.attributes.since != new.attributes.since {
        let since = (old.attributes.since, &old.location);
        let what = format!("constant `{}`", new.name);
        collector.report(&allowed, since_changed(&what, since, (new.attributes.since, &new.location)));
    }
    let same_type = types::compare(pairing, &old.ty, &new.ty).change == types::Change::None;
    if same_type && values::same(pairing, Some(&old.value), Some(&new.value)) {
        return;
    }
    let text = |schema: &Schema, constant: &Constant| {
        format!("{} = {}", types::text(schema, &constant.ty), values::text(schema, &constant.value))
    };
    let finding =
        Finding::new(Rule::ConstSameValue, format!("constant `{}` has a different value", new.name))
            .at(&new.location, format!("`{}` now", text(pairing.new, new)))
            .was(&old.location, format!("`{}` before", text(pairing.old, old)));
    collector.report(&allowed, finding);
}
