//! Compares lists of fields: of structs, sealed structs and variants, and the parameters of methods.
//!
//! Invariants: any change in a frozen list is reported once, with the rule of the whole list. Exceptions are
//! changes with a separate rule in every list: names, lengths of arrays, keys of maps, bounds.

use super::align::{Step, align};
use super::collector::{Allowed, Collector};
use super::finding::Finding;
use super::pairing::Pairing;
use super::rule::Rule;
use super::types::{self, Change, Typed};
use super::values;
use crate::schema::{Field, Location, Schema};

/// The rules for one kind of list.
#[derive(Debug)]
pub(super) struct ListRules {
    noun: &'static str,
    delete: Rule,
    reorder: Rule,
    insert: Rule,
    ty: Rule,
    optionality: Rule,
    default: Rule,
    name: Rule,
    /// For fields that are appended without a default; in a frozen list, for all appended fields.
    added: Rule,
    frozen: bool,
}

/// Fields of extensible structs.
pub(super) const FIELDS: ListRules = ListRules {
    noun: "field",
    delete: Rule::StructFieldNoDelete,
    reorder: Rule::StructFieldNoReorder,
    insert: Rule::StructFieldNoInsert,
    ty: Rule::StructFieldSameType,
    optionality: Rule::StructFieldSameOptionality,
    default: Rule::StructFieldSameDefault,
    name: Rule::FieldSameName,
    added: Rule::StructFieldAddedHasDefault,
    frozen: false,
};

/// Parameters of methods.
pub(super) const PARAMETERS: ListRules = ListRules {
    noun: "parameter",
    delete: Rule::ParamNoDelete,
    reorder: Rule::ParamNoReorder,
    insert: Rule::ParamNoInsert,
    ty: Rule::ParamSameType,
    optionality: Rule::ParamSameOptionality,
    default: Rule::ParamSameDefault,
    name: Rule::ParamSameName,
    added: Rule::ParamAddedHasDefault,
    frozen: false,
};

/// Fields of sealed structs.
pub(super) const SEALED_FIELDS: ListRules = frozen(Rule::SealedStructFrozen);

/// Payloads of variants.
pub(super) const PAYLOAD: ListRules = frozen(Rule::VariantSamePayload);

const fn frozen(rule: Rule) -> ListRules {
    ListRules {
        noun: "field",
        delete: rule,
        reorder: rule,
        insert: rule,
        ty: rule,
        optionality: rule,
        default: rule,
        name: Rule::FieldSameName,
        added: rule,
        frozen: true,
    }
}

/// A list in both schemas.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lists<'l> {
    pub(super) rules: &'static ListRules,
    /// The element that contains the list, such as "`Program`".
    pub(super) owner: &'l str,
    pub(super) old: (&'l [Field], &'l Location),
    pub(super) new: (&'l [Field], &'l Location),
}

/// Compares two lists. Returns the fields that were appended correctly.
pub(super) fn check<'l>(
    pairing: &Pairing<'_>,
    collector: &mut Collector<'_>,
    allowed: &Allowed<'l>,
    lists: Lists<'l>,
) -> Vec<&'l Field> {
    let similar = |old: &Field, new: &Field| {
        types::compare(pairing, &old.ty, &new.ty).change == Change::None
            && values::same(pairing, old.default.as_ref(), new.default.as_ref())
            && !old.tombstone
            && !new.tombstone
    };
    let highest = highest_since(lists.old.0.iter().map(|field| (field.attributes.since, &field.location)));
    let mut check = Check { pairing, collector, allowed, lists, highest, is_reported: false };
    let mut moved = Vec::new();
    let mut appended = Vec::new();
    for step in align(lists.old.0, lists.new.0, similar) {
        match step {
            Step::Kept(old, new) => check.kept(old, new),
            Step::Moved(old, new) => {
                moved.push((old, new));
                check.kept(old, new);
            }
            Step::Renamed(old, new) => {
                check.renamed(old, new);
                check.kept(old, new);
            }
            Step::Deleted(old, replacement) => check.deleted(old, replacement),
            Step::Inserted(new) => check.inserted(new),
            Step::Appended(new) => {
                if check.appended(new) {
                    appended.push(new);
                }
            }
        }
    }
    check.moved(&moved);
    appended
}

struct Check<'c, 's, 'l> {
    pairing: &'c Pairing<'c>,
    collector: &'c mut Collector<'s>,
    allowed: &'c Allowed<'l>,
    lists: Lists<'l>,
    /// The highest `#[since]` of the old fields.
    highest: Option<(u32, &'l Location)>,
    /// Whether a frozen list has been reported.
    is_reported: bool,
}

impl<'l> Check<'_, '_, 'l> {
    fn what(&self, field: &Field) -> String {
        what(self.lists.rules, field, self.lists.owner)
    }

    fn report(&mut self, field: Option<&'l Field>, finding: Finding) {
        if self.lists.rules.frozen && finding.rule == self.lists.rules.added {
            if self.is_reported {
                return;
            }
            self.is_reported = true;
        }
        let allowed = field.map(|field| self.allowed.inside(&field.attributes));
        self.collector.report(allowed.as_ref().unwrap_or(self.allowed), finding);
    }

    fn kept(&mut self, old: &'l Field, new: &'l Field) {
        let owner = self.lists.owner;
        let rules = self.lists.rules;
        let what = || what(rules, new, owner);
        let same = self.kept_type(old, new, &what);
        if same && !values::same(self.pairing, old.default.as_ref(), new.default.as_ref()) {
            let finding = Finding::new(rules.default, format!("the default of {} changed", what()))
                .at(&new.location, format!("{} now", default_text(self.pairing.new, new)))
                .was(&old.location, format!("{} before", default_text(self.pairing.old, old)));
            let finding = if new.tombstone && !rules.frozen {
                finding.help(format!(
                    "repeat the default in the tombstone: `{}`",
                    tombstone(self.pairing.old, old)
                ))
            } else {
                finding
            };
            self.report(Some(new), finding);
        }
        if old.tombstone && !new.tombstone {
            let finding =
                Finding::new(Rule::ReservedNoDelete, format!("{} was reserved and is used again", what()))
                    .at(&new.location, "peers sent zeros in this slot")
                    .was(&old.location, "reserved here")
                    .help("keep the tombstone, and append a field with a new name");
            self.report(Some(new), finding);
        }
        // A parameter cannot be deprecated.
        let can_be_deprecated = rules.delete != Rule::ParamNoDelete;
        if new.tombstone && !old.tombstone && old.attributes.deprecated.is_none() && can_be_deprecated {
            let finding = Finding::new(
                Rule::DeprecatedBeforeDelete,
                format!("{} was deleted without being deprecated first", what()),
            )
            .at(&new.location, "a tombstone now")
            .was(&old.location, "not deprecated here");
            self.report(Some(new), finding);
        }
        let same_since = old.attributes.since == new.attributes.since;
        if !same_since && !new.tombstone {
            let finding = since_changed(
                &what(),
                (old.attributes.since, &old.location),
                (new.attributes.since, &new.location),
            );
            self.report(Some(new), finding);
        }
    }

    fn kept_type(&mut self, old: &'l Field, new: &'l Field, what: &dyn Fn() -> String) -> bool {
        let rules = self.lists.rules;
        let typed = Typed {
            what,
            old: &old.location,
            new: &new.location,
            rule: rules.ty,
            optionality: rules.optionality,
        };
        let frozen_rule = rules.frozen.then_some(rules.ty);
        let change = types::compare(self.pairing, &old.ty, &new.ty).change;
        let reported_for_list = matches!(change, Change::Optionality | Change::Other);
        if frozen_rule.is_some() && reported_for_list && std::mem::replace(&mut self.is_reported, true) {
            return false;
        }
        let allowed = self.allowed.inside(&new.attributes);
        types::check(self.pairing, self.collector, &allowed, typed, (&old.ty, &new.ty))
    }

    fn renamed(&mut self, old: &'l Field, new: &'l Field) {
        let rules = self.lists.rules;
        let message =
            format!("{} `{}` of {} has a different name on the wire", rules.noun, old.name, self.lists.owner);
        let finding = Finding::new(rules.name, message)
            .at(&new.location, format!("`{}` now", new.wire_name()))
            .was(&old.location, format!("`{}` before", old.wire_name()))
            .help(format!("keep the name on the wire: `#[selector(\"{}\")]`", old.wire_name()));
        self.report(Some(new), finding);
    }

    fn deleted(&mut self, old: &'l Field, replacement: Option<&'l Field>) {
        let rules = self.lists.rules;
        let message = format!("{} was deleted together with its slot", self.what(old));
        let finding = Finding::new(rules.delete, message).was(&old.location, "defined here");
        let finding = match replacement {
            Some(new) => finding.at(&new.location, format!("`{}` is in its slot now", new.name)),
            None => finding.at(self.lists.new.1, format!("no slot for `{}` here", old.name)),
        };
        let finding = if rules.frozen {
            finding
        } else {
            finding.help(format!("leave a tombstone in its slot: `{}`", tombstone(self.pairing.old, old)))
        };
        self.report(replacement, finding);
    }

    fn inserted(&mut self, new: &'l Field) {
        let rules = self.lists.rules;
        let message = format!("{} shifts the {}s after it", self.what(new), rules.noun);
        let finding = Finding::new(rules.insert, message)
            .at(&new.location, "inserted here")
            .was(self.lists.old.1, format!("no {} `{}` here", rules.noun, new.name));
        self.report(Some(new), finding);
    }

    /// Whether the field was appended correctly.
    fn appended(&mut self, new: &'l Field) -> bool {
        let rules = self.lists.rules;
        if !rules.frozen && (new.default.is_some() || new.tombstone) {
            self.since(new);
            return !new.tombstone;
        }
        let message = if rules.frozen {
            format!("{} was added", self.what(new))
        } else {
            format!("{} was appended without a default", self.what(new))
        };
        let finding = Finding::new(rules.added, message)
            .at(&new.location, "appended here")
            .was(self.lists.old.1, format!("no {} `{}` here", rules.noun, new.name));
        self.report(Some(new), finding);
        false
    }

    fn since(&mut self, new: &'l Field) {
        let what = self.what(new);
        if let Some(finding) = since_too_low(&what, (new.attributes.since, &new.location), self.highest) {
            self.report(Some(new), finding);
        }
    }

    fn moved(&mut self, moved: &[(&'l Field, &'l Field)]) {
        let Some((old, new)) = moved.first() else { return };
        let rules = self.lists.rules;
        let others = match moved.len() {
            1 => String::new(),
            many => format!(" and {} more", many - 1),
        };
        let message = format!("{}{others} moved", self.what(new));
        let finding = Finding::new(rules.reorder, message)
            .at(&new.location, format!("{} now", place(self.lists.new.0, new)))
            .was(&old.location, format!("{} before", place(self.lists.old.0, old)));
        self.report(Some(new), finding);
    }
}

/// Such as "field `title` of `Program`".
fn what(rules: &ListRules, field: &Field, owner: &str) -> String {
    format!("{} `{}` of {owner}", rules.noun, field.name)
}

/// Such as "number 3".
fn place(fields: &[Field], field: &Field) -> String {
    let position = fields.iter().position(|other| std::ptr::eq(other, field)).unwrap_or_default();
    format!("number {}", position + 1)
}

fn default_text(schema: &Schema, field: &Field) -> String {
    match &field.default {
        Some(value) => format!("`{}`", values::text(schema, value)),
        None => "no default".to_owned(),
    }
}

fn tombstone(schema: &Schema, field: &Field) -> String {
    let ty = types::text(schema, &field.ty);
    match field.default.as_ref().filter(|_| field.default_is_written) {
        Some(value) => format!("reserved {}: {ty} = {}", field.wire_name(), values::text(schema, value)),
        None => format!("reserved {}: {ty}", field.wire_name()),
    }
}

/// The finding for a changed `#[since]`.
pub(super) fn since_changed(
    what: &str,
    (old, old_location): (Option<u32>, &Location),
    (new, new_location): (Option<u32>, &Location),
) -> Finding {
    let text = |since: Option<u32>| {
        since.map_or_else(|| "without `#[since]`".to_owned(), |since| format!("since {since}"))
    };
    Finding::new(Rule::SinceSame, format!("{what} has a different `#[since]`"))
        .at(new_location, format!("{} now", text(new)))
        .was(old_location, format!("{} before", text(old)))
}

/// The highest `#[since]` in a list, with its place.
pub(super) fn highest_since<'l>(
    list: impl Iterator<Item = (Option<u32>, &'l Location)>,
) -> Option<(u32, &'l Location)> {
    list.filter_map(|(since, location)| Some((since?, location))).max_by_key(|(since, _)| *since)
}

/// The finding for an added element with a lower `#[since]` than an existing one, if it has.
pub(super) fn since_too_low(
    what: &str,
    (since, location): (Option<u32>, &Location),
    highest: Option<(u32, &Location)>,
) -> Option<Finding> {
    let since = since?;
    let (highest, highest_location) = highest?;
    (since < highest).then(|| {
        let message = format!("{what} was added with a lower `#[since]` than an existing element");
        Finding::new(Rule::SinceMonotonic, message)
            .at(location, format!("since {since}"))
            .was(highest_location, format!("existed before, since {highest}"))
            .help(format!("write `#[since({highest})]` or a later version"))
    })
}
