//! Compares types.
//!
//! Invariants: named types are equal if they are paired, whatever their names. A change is reported with one
//! rule, the most specific rule that covers it.

use super::collector::{Allowed, Collector};
use super::finding::Finding;
use super::pairing::Pairing;
use super::rule::Rule;
use crate::ids::type_text;
use crate::schema::{Bound, Location, Schema, Type, TypeId};

/// How a type changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing, except possibly bounds.
    None,
    /// It became an `Option`, or is no longer one.
    Optionality,
    /// Only the length of an array.
    ArrayLength(u32, u32),
    /// Only the key of a map.
    MapKey,
    /// Anything else.
    Other,
}

/// A bound that changed: the old one and the new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BoundChange {
    old: Bound,
    new: Bound,
}

impl BoundChange {
    fn narrows(self) -> bool {
        self.new.is_some_and(|new| self.old.is_none_or(|old| new < old))
    }
}

/// A change of a type, with the most harmful change of a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TypeChange {
    pub(super) change: Change,
    bound: Option<BoundChange>,
}

impl TypeChange {
    const SAME: Self = Self { change: Change::None, bound: None };

    fn only(change: Change) -> Self {
        Self { change, bound: None }
    }

    fn with_bound(self, old: Bound, new: Bound) -> Self {
        let own = (old != new).then_some(BoundChange { old, new });
        let bound = match (own, self.bound) {
            (Some(own), Some(inner)) => Some(if inner.narrows() && !own.narrows() { inner } else { own }),
            (own, inner) => own.or(inner),
        };
        Self { bound, ..self }
    }
}

/// Compares two types.
pub(super) fn compare(pairing: &Pairing<'_>, old: &Type, new: &Type) -> TypeChange {
    match (old, new) {
        (Type::Option(_), Type::Option(_)) => compare_inside(pairing, old, new),
        (Type::Option(inner), bare) | (bare, Type::Option(inner)) => {
            let (left, right) =
                if matches!(old, Type::Option(_)) { (&**inner, bare) } else { (bare, &**inner) };
            match compare_inside(pairing, left, right).change {
                Change::None => TypeChange::only(Change::Optionality),
                _ => TypeChange::only(Change::Other),
            }
        }
        _ => compare_inside(pairing, old, new),
    }
}

fn compare_inside(pairing: &Pairing<'_>, old: &Type, new: &Type) -> TypeChange {
    match (old, new) {
        (Type::String(old), Type::String(new)) | (Type::Bytes(old), Type::Bytes(new)) => {
            TypeChange::SAME.with_bound(*old, *new)
        }
        (Type::Option(old), Type::Option(new)) => compare_inside(pairing, old, new),
        (Type::Vec(old, old_bound), Type::Vec(new, new_bound))
        | (Type::Set(old, old_bound), Type::Set(new, new_bound)) => {
            compare_inside(pairing, old, new).with_bound(*old_bound, *new_bound)
        }
        (Type::Map(old_key, old_value, old_bound), Type::Map(new_key, new_value, new_bound)) => {
            let key = compare_inside(pairing, old_key, new_key);
            let value = compare_inside(pairing, old_value, new_value);
            let both = match (key.change, value.change) {
                (Change::None, _) => TypeChange { bound: value.bound.or(key.bound), ..value },
                (_, Change::None) => TypeChange::only(Change::MapKey),
                _ => TypeChange::only(Change::Other),
            };
            both.with_bound(*old_bound, *new_bound)
        }
        (Type::Array(old, old_length), Type::Array(new, new_length)) => {
            let inner = compare_inside(pairing, old, new);
            match inner.change {
                _ if old_length == new_length => inner,
                Change::None => TypeChange::only(Change::ArrayLength(*old_length, *new_length)),
                _ => TypeChange::only(Change::Other),
            }
        }
        (Type::Named { id: old, .. }, Type::Named { id: new, .. }) if pairing.are_paired(*old, *new) => {
            TypeChange::SAME
        }
        (Type::Named { .. }, _) | (_, Type::Named { .. }) => TypeChange::only(Change::Other),
        _ if old == new => TypeChange::SAME,
        _ => TypeChange::only(Change::Other),
    }
}

/// An element with a type: its description, and its places in both schemas.
#[derive(Clone, Copy)]
pub(super) struct Typed<'p> {
    /// Such as "field `title` of `Program`"; called only if there is a finding.
    pub(super) what: &'p dyn Fn() -> String,
    pub(super) old: &'p Location,
    pub(super) new: &'p Location,
    /// The rule for changes without a more specific rule.
    pub(super) rule: Rule,
    /// The rule for a change to or from `Option`.
    pub(super) optionality: Rule,
}

/// Compares the types of an element and reports changes. Returns whether they are equal except for bounds.
pub(super) fn check(
    pairing: &Pairing<'_>,
    collector: &mut Collector<'_>,
    allowed: &Allowed<'_>,
    typed: Typed<'_>,
    (old, new): (&Type, &Type),
) -> bool {
    let TypeChange { change, bound } = compare(pairing, old, new);
    let rule = match change {
        Change::None => {
            if let Some(bound) = bound {
                collector.report(allowed, bound_finding(typed, bound));
            }
            return true;
        }
        Change::Optionality => typed.optionality,
        Change::ArrayLength(..) => Rule::ArraySameLen,
        Change::MapKey => Rule::MapSameKey,
        Change::Other => typed.rule,
    };
    let what = (typed.what)();
    let (old_text, new_text) = (text(pairing.old, old), text(pairing.new, new));
    let message = match change {
        Change::ArrayLength(old, new) => {
            format!("the array in {what} had {old} elements and now has {new}")
        }
        Change::MapKey => format!("the map in {what} has a different key"),
        _ => format!("{what} has a different type"),
    };
    let finding = Finding::new(rule, message)
        .at(typed.new, format!("`{new_text}` now"))
        .was(typed.old, format!("`{old_text}` before"));
    collector.report(allowed, finding);
    false
}

fn bound_finding(typed: Typed<'_>, bound: BoundChange) -> Finding {
    let what = (typed.what)();
    let text = |bound: Bound| bound.map_or_else(|| "unbounded".to_owned(), |max| format!("at most {max}"));
    let verb = if bound.narrows() { "narrowed" } else { "widened" };
    let finding = Finding::new(Rule::BoundNoNarrow, format!("the bound of {what} was {verb}"))
        .at(typed.new, format!("{} now", text(bound.new)))
        .was(typed.old, format!("{} before", text(bound.old)));
    if bound.narrows() {
        return finding;
    }
    finding.warning().help("no change is needed if older peers are never sent values beyond the old bound")
}

/// A type as text, without bounds.
pub(super) fn text(schema: &Schema, ty: &Type) -> String {
    type_text(ty, &|id: TypeId| {
        schema.type_definition(id).map_or_else(String::new, |definition| definition.name.clone())
    })
}
