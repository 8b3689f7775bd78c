//! Compares enums and flags.
//!
//! Invariants: variants are matched by name and by tag, flags by name. If adding or deleting a variant shifts
//! several tags, this is one finding.

use std::collections::{HashMap, HashSet};

use super::collector::{Allowed, Collector};
use super::fields::{self, Lists, PAYLOAD, highest_since, since_changed, since_too_low};
use super::finding::Finding;
use super::pairing::Pairing;
use super::rule::Rule;
use super::types;
use crate::schema::{Enum, Flags, Location, Payload, TypeDefinition, Variant};

/// Compares two enums or errors.
pub(super) fn check_enum<'p>(
    pairing: &Pairing<'_>,
    collector: &mut Collector<'_>,
    allowed: &Allowed<'p>,
    (old_type, old): (&'p TypeDefinition, &'p Enum),
    (new_type, new): (&'p TypeDefinition, &'p Enum),
) {
    let name = &new_type.name;
    if old.sealed != new.sealed {
        let word = |sealed: bool| if sealed { "sealed" } else { "open" };
        let finding = Finding::new(
            Rule::EnumSameSealed,
            format!("`{name}` was {} and is now {}", word(old.sealed), word(new.sealed)),
        )
        .at(&new_type.location, format!("{} now", word(new.sealed)))
        .was(&old_type.location, format!("{} before", word(old.sealed)));
        collector.report(allowed, finding);
    }
    if old.error != new.error {
        let word = |error: bool| if error { "an `error`" } else { "an `enum`" };
        let finding = Finding::new(
            Rule::EnumSameError,
            format!("`{name}` was {} and is now {}", word(old.error), word(new.error)),
        )
        .at(&new_type.location, format!("{} now", word(new.error)))
        .was(&old_type.location, format!("{} before", word(old.error)));
        collector.report(allowed, finding);
    }
    let mut check = Enums { pairing, collector, allowed, old_type, old, new_type, new };
    check.variants();
    check.reserved();
}

struct Enums<'c, 's, 'p> {
    pairing: &'c Pairing<'c>,
    collector: &'c mut Collector<'s>,
    allowed: &'c Allowed<'p>,
    old_type: &'p TypeDefinition,
    old: &'p Enum,
    new_type: &'p TypeDefinition,
    new: &'p Enum,
}

impl<'p> Enums<'_, '_, 'p> {
    fn variants(&mut self) {
        let by_name: HashMap<&str, &'p Variant> =
            self.new.variants.iter().map(|variant| (variant.wire_name(), variant)).collect();
        let by_tag: HashMap<u32, &'p Variant> =
            self.new.variants.iter().map(|variant| (variant.tag, variant)).collect();
        let old_names: HashSet<&str> = self.old.variants.iter().map(|variant| variant.wire_name()).collect();
        let reserved: HashSet<u32> = self.new.reserved.iter().filter_map(|reserved| reserved.tag).collect();
        let mut known: HashSet<u32> = HashSet::new();
        let mut shifted = Vec::new();
        for old in &self.old.variants {
            if let Some(new) = by_name.get(old.wire_name()) {
                known.insert(new.tag);
                if old.tag != new.tag {
                    shifted.push((old, *new));
                }
                self.kept(old, new);
                continue;
            }
            match by_tag.get(&old.tag) {
                // The tag now belongs to a variant that had a different one, which is reported as a shift.
                Some(new) if old_names.contains(new.wire_name()) => {}
                Some(new) => {
                    known.insert(new.tag);
                    self.renamed(old, new);
                }
                None => self.deleted(old, reserved.contains(&old.tag)),
            }
        }
        self.shifted(&shifted);
        let old_variants = self.old.variants.iter();
        let highest =
            highest_since(old_variants.map(|variant| (variant.attributes.since, &variant.location)));
        for new in self.new.variants.iter().filter(|variant| !known.contains(&variant.tag)) {
            self.added(new, highest);
        }
    }

    fn what(&self, variant: &Variant) -> String {
        format!("variant `{}` of `{}`", variant.name, self.new_type.name)
    }

    fn kept(&mut self, old: &'p Variant, new: &'p Variant) {
        let allowed = self.allowed.inside(&new.attributes);
        let owner = format!("`{}::{}`", self.new_type.name, new.name);
        if std::mem::discriminant(&old.payload) == std::mem::discriminant(&new.payload) {
            let lists = Lists {
                rules: &PAYLOAD,
                owner: &owner,
                old: (old.payload.fields(), &old.location),
                new: (new.payload.fields(), &new.location),
            };
            fields::check(self.pairing, self.collector, &allowed, lists);
        } else {
            let word = |payload: &Payload| match payload {
                Payload::Unit => "no payload",
                Payload::Tuple(_) => "a tuple",
                Payload::Record(_) => "a record",
            };
            let finding =
                Finding::new(Rule::VariantSamePayload, format!("{} has a different payload", self.what(new)))
                    .at(&new.location, format!("{} now", word(&new.payload)))
                    .was(&old.location, format!("{} before", word(&old.payload)));
            self.collector.report(&allowed, finding);
        }
        if old.attributes.since != new.attributes.since {
            let what = self.what(new);
            let finding = since_changed(
                &what,
                (old.attributes.since, &old.location),
                (new.attributes.since, &new.location),
            );
            self.collector.report(&allowed, finding);
        }
    }

    fn renamed(&mut self, old: &Variant, new: &'p Variant) {
        let message = format!("tag {} of `{}` has a different name on the wire", old.tag, self.new_type.name);
        let finding = Finding::new(Rule::VariantSameName, message)
            .at(&new.location, format!("`{}` now", new.wire_name()))
            .was(&old.location, format!("`{}` before", old.wire_name()))
            .help(format!(
                "if the meaning is the same, keep the name on the wire: `#[selector(\"{}\")]`; if not, use \
                    a new tag and write `reserved {} \"{}\"`",
                old.wire_name(),
                old.tag,
                old.wire_name()
            ));
        self.collector.report(&self.allowed.inside(&new.attributes), finding);
    }

    fn deleted(&mut self, old: &Variant, reserved: bool) {
        let what = self.what(old);
        let finding = if self.old.sealed && self.new.sealed {
            Finding::new(Rule::SealedEnumNoDelete, format!("{what} was deleted"))
        } else if !reserved {
            Finding::new(
                Rule::VariantNoDeleteUnlessReserved,
                format!("{what} was deleted, but its tag is not reserved"),
            )
            .help(format!(
                "reserve its tag and its name: `reserved {} \"{}\"`",
                old.tag,
                old.wire_name()
            ))
        } else if old.attributes.deprecated.is_none() {
            Finding::new(
                Rule::DeprecatedBeforeDelete,
                format!("{what} was deleted without being deprecated first"),
            )
        } else {
            return;
        };
        let is_reserved = finding.rule == Rule::DeprecatedBeforeDelete;
        let label = if is_reserved { "reserved now".to_owned() } else { format!("no `{}` here", old.name) };
        let was = if is_reserved { "not deprecated here" } else { "defined here" };
        let finding = finding.at(&self.new_type.location, label).was(&old.location, was);
        self.collector.report(self.allowed, finding);
    }

    fn shifted(&mut self, shifted: &[(&'p Variant, &'p Variant)]) {
        let Some((old, new)) = shifted.first() else { return };
        let others = match shifted.len() {
            1 => String::new(),
            2 => ", and so does 1 other variant".to_owned(),
            many => format!(", and so do {} other variants", many - 1),
        };
        let message = format!("{} has a different tag{others}", self.what(new));
        let deleted = self.old.variants.iter().find(|other| other.tag == new.tag && other.name != new.name);
        let deleted = deleted
            .filter(|other| self.new.variants.iter().all(|kept| kept.wire_name() != other.wire_name()));
        let help = match deleted {
            Some(deleted) => format!(
                "write the tag, `{} = {}`, and `reserved {} \"{}\"` for the deleted variant",
                new.name,
                old.tag,
                deleted.tag,
                deleted.wire_name()
            ),
            None => format!("write the previous tag: `{} = {}`", new.name, old.tag),
        };
        let finding = Finding::new(Rule::VariantSameTag, message)
            .at(&new.location, format!("tag {} now", new.tag))
            .was(&old.location, format!("tag {} before", old.tag))
            .help(help);
        self.collector.report(&self.allowed.inside(&new.attributes), finding);
    }

    fn added(&mut self, new: &'p Variant, highest: Option<(u32, &Location)>) {
        let allowed = self.allowed.inside(&new.attributes);
        let what = self.what(new);
        let frozen = self.old.sealed && self.new.sealed;
        let rule = if frozen { Rule::SealedEnumNoAdd } else { Rule::VariantAdded };
        let finding = Finding::new(rule, format!("{what} was added"))
            .at(&new.location, "added here")
            .was(&self.old_type.location, format!("no variant `{}` here", new.name));
        self.collector.report(&allowed, finding);
        if let Some(finding) = since_too_low(&what, (new.attributes.since, &new.location), highest) {
            self.collector.report(&allowed, finding);
        }
    }

    /// Checks that reserved tags and names stay reserved. The finding shows a variant that uses one again.
    fn reserved(&mut self) {
        let tags: HashSet<u32> = self.new.reserved.iter().filter_map(|reserved| reserved.tag).collect();
        let names: HashSet<&str> =
            self.new.reserved.iter().filter_map(|reserved| reserved.name.as_deref()).collect();
        for reserved in &self.old.reserved {
            let tag_kept = reserved.tag.is_none_or(|tag| tags.contains(&tag));
            let name_kept = reserved.name.as_deref().is_none_or(|name| names.contains(name));
            if tag_kept && name_kept {
                continue;
            }
            let used = self.new.variants.iter().find(|variant| {
                Some(variant.tag) == reserved.tag || Some(variant.wire_name()) == reserved.name.as_deref()
            });
            let text = match (reserved.tag, &reserved.name) {
                (Some(tag), Some(name)) => format!("{tag} \"{name}\""),
                (Some(tag), None) => tag.to_string(),
                (None, name) => format!("\"{}\"", name.as_deref().unwrap_or_default()),
            };
            let message = format!("`reserved {text}` of `{}` was deleted", self.new_type.name);
            let finding =
                Finding::new(Rule::ReservedNoDelete, message).was(&self.old_type.location, "reserved here");
            let finding = match used {
                Some(variant) => finding.at(&variant.location, "used again here"),
                None => finding.at(&self.new_type.location, "no longer reserved"),
            };
            let allowed = used.map(|variant| self.allowed.inside(&variant.attributes));
            self.collector.report(allowed.as_ref().unwrap_or(self.allowed), finding);
        }
    }
}

/// Compares two sets of flags.
pub(super) fn check_flags<'p>(
    pairing: &Pairing<'_>,
    collector: &mut Collector<'_>,
    allowed: &Allowed<'p>,
    (old_type, old): (&'p TypeDefinition, &'p Flags),
    (new_type, new): (&'p TypeDefinition, &'p Flags),
) {
    let owner = &new_type.name;
    if old.representation != new.representation {
        let finding = Finding::new(Rule::FlagsSameRepr, format!("`{owner}` has a different integer type"))
            .at(&new_type.location, format!("`{}` now", types::text(pairing.new, &new.representation)))
            .was(&old_type.location, format!("`{}` before", types::text(pairing.old, &old.representation)));
        collector.report(allowed, finding);
    }
    let by_name: HashMap<&str, _> = new.flags.iter().map(|flag| (flag.name.as_str(), flag)).collect();
    let by_value: HashMap<u64, _> = new.flags.iter().map(|flag| (flag.value, flag)).collect();
    let old_names: HashSet<&str> = old.flags.iter().map(|flag| flag.name.as_str()).collect();
    for flag in &old.flags {
        let what = format!("flag `{}` of `{owner}`", flag.name);
        if let Some(kept) = by_name.get(flag.name.as_str()) {
            let allowed = allowed.inside(&kept.attributes);
            if kept.value != flag.value {
                let finding = Finding::new(Rule::FlagSameValue, format!("{what} has a different value"))
                    .at(&kept.location, format!("{:#x} now", kept.value))
                    .was(&flag.location, format!("{:#x} before", flag.value));
                collector.report(&allowed, finding);
            }
            if kept.attributes.since != flag.attributes.since {
                let since = (flag.attributes.since, &flag.location);
                collector
                    .report(&allowed, since_changed(&what, since, (kept.attributes.since, &kept.location)));
            }
            continue;
        }
        match by_value.get(&flag.value).filter(|other| !old_names.contains(other.name.as_str())) {
            Some(renamed) => {
                let finding = Finding::new(Rule::FlagSameName, format!("{what} has a different name"))
                    .at(&renamed.location, format!("`{}` now", renamed.name))
                    .was(&flag.location, format!("`{}` before", flag.name));
                collector.report(&allowed.inside(&renamed.attributes), finding);
            }
            None => {
                let finding = Finding::new(Rule::FlagNoDelete, format!("{what} was deleted"))
                    .at(&new_type.location, format!("no `{}` here", flag.name))
                    .was(&flag.location, "defined here");
                collector.report(allowed, finding);
            }
        }
    }
}
