//! Aligns two lists of fields: which fields were kept, moved, renamed, deleted or added.
//!
//! Invariants: every field of both lists is in exactly one step. Fields that an edit only shifts are kept,
//! not moved. The cost is that of sorting.

use std::collections::HashMap;

use crate::schema::Field;

/// One step from the old list to the new one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step<'a> {
    /// In both lists, in the same order as the other kept fields.
    Kept(&'a Field, &'a Field),
    /// In both lists, at a different position.
    Moved(&'a Field, &'a Field),
    /// In both lists at the same position, with a different name on the wire.
    Renamed(&'a Field, &'a Field),
    /// Only in the old list; with the new field at its position, if there is one.
    Deleted(&'a Field, Option<&'a Field>),
    /// Only in the new list, before an old field.
    Inserted(&'a Field),
    /// Only in the new list, after all old fields.
    Appended(&'a Field),
}

/// How many of the following new fields are considered as the new name of an old one.
const MAX_RENAME_DISTANCE: usize = 32;

/// Aligns two lists. `similar` tells whether two fields may be the same field with different names.
pub(super) fn align<'a>(
    old: &'a [Field],
    new: &'a [Field],
    similar: impl Fn(&Field, &Field) -> bool,
) -> Vec<Step<'a>> {
    let same = old.iter().zip(new).take_while(|(old, new)| old.wire_name() == new.wire_name()).count();
    let ((kept_old, old), (kept_new, new)) = match (old.split_at_checked(same), new.split_at_checked(same)) {
        (Some(old), Some(new)) => (old, new),
        _ => ((Default::default(), old), (Default::default(), new)),
    };
    let mut steps: Vec<Step<'a>> =
        kept_old.iter().zip(kept_new).map(|(old, new)| Step::Kept(old, new)).collect();
    if old.is_empty() {
        steps.extend(new.iter().map(Step::Appended));
        return steps;
    }
    let matched = matches(old, new);
    let anchors = increasing_subsequence(&matched);
    let taken: Vec<bool> = {
        let mut taken = vec![false; new.len()];
        for position in matched.iter().flatten() {
            if let Some(taken) = taken.get_mut(*position) {
                *taken = true;
            }
        }
        taken
    };
    let mut deleted = Vec::new();
    let mut next = 0;
    for ((field, position), anchored) in old.iter().zip(&matched).zip(anchors) {
        let Some((position, partner)) = position.and_then(|position| Some((position, new.get(position)?)))
        else {
            deleted.push(field);
            continue;
        };
        if !anchored {
            steps.push(Step::Moved(field, partner));
            continue;
        }
        let added = unmatched(new, &taken, next, position);
        fill_gap(&mut steps, &deleted, &added, &similar, Step::Inserted);
        deleted.clear();
        // A kept field may have a new name on the wire, if it was matched by its name in the source.
        steps.push(if field.wire_name() == partner.wire_name() {
            Step::Kept(field, partner)
        } else {
            Step::Renamed(field, partner)
        });
        next = position + 1;
    }
    let added = unmatched(new, &taken, next, new.len());
    fill_gap(&mut steps, &deleted, &added, &similar, Step::Appended);
    steps
}

/// For each old field, the position of the new field with the same name on the wire, otherwise in the source.
fn matches(old: &[Field], new: &[Field]) -> Vec<Option<usize>> {
    let by_wire: HashMap<&str, usize> =
        new.iter().enumerate().map(|(position, field)| (field.wire_name(), position)).collect();
    let mut matched: Vec<Option<usize>> =
        old.iter().map(|field| by_wire.get(field.wire_name()).copied()).collect();
    let taken: std::collections::HashSet<usize> = matched.iter().flatten().copied().collect();
    let mut by_name: HashMap<&str, usize> = HashMap::new();
    for (position, field) in new.iter().enumerate() {
        if !taken.contains(&position) && !field.tombstone {
            by_name.insert(&field.name, position);
        }
    }
    for (field, place) in old.iter().zip(&mut matched) {
        if place.is_none() {
            *place = by_name.remove(field.name.as_str());
        }
    }
    matched
}

/// The new fields between two positions that match no old field.
fn unmatched<'a>(new: &'a [Field], taken: &[bool], from: usize, to: usize) -> Vec<&'a Field> {
    let fields = new.iter().zip(taken).take(to).skip(from);
    fields.filter(|(_, taken)| !**taken).map(|(field, _)| field).collect()
}

/// Adds the steps between two kept fields.
fn fill_gap<'a>(
    steps: &mut Vec<Step<'a>>,
    deleted: &[&'a Field],
    new: &[&'a Field],
    similar: &impl Fn(&Field, &Field) -> bool,
    added: fn(&'a Field) -> Step<'a>,
) {
    let mut rest = new;
    let mut unmatched = Vec::new();
    let mut replacing = Vec::new();
    for field in deleted {
        match rest.iter().take(MAX_RENAME_DISTANCE).position(|other| similar(field, other)) {
            Some(ahead) => {
                let (before, from) = rest.split_at(ahead);
                replacing.extend_from_slice(before);
                steps.extend(from.first().map(|other| Step::Renamed(field, other)));
                rest = from.get(1..).unwrap_or_default();
            }
            None => unmatched.push(*field),
        }
    }
    replacing.extend_from_slice(rest);
    let mut replacing = replacing.into_iter();
    for field in unmatched {
        steps.push(Step::Deleted(field, replacing.next()));
    }
    steps.extend(replacing.map(added));
}

/// Marks the positions of a longest increasing subsequence: these fields kept their order.
fn increasing_subsequence(positions: &[Option<usize>]) -> Vec<bool> {
    // For each length: the lowest end of a sequence of that length, and its index in `positions`.
    let mut ends: Vec<(usize, usize)> = Vec::new();
    let mut before: Vec<Option<usize>> = vec![None; positions.len()];
    for (place, position) in positions.iter().enumerate() {
        let Some(position) = *position else { continue };
        let length = ends.partition_point(|(end, _)| *end < position);
        if let Some(before) = before.get_mut(place) {
            *before = length.checked_sub(1).and_then(|shorter| ends.get(shorter)).map(|(_, place)| *place);
        }
        match ends.get_mut(length) {
            Some(end) => *end = (position, place),
            None => ends.push((position, place)),
        }
    }
    let mut increasing = vec![false; positions.len()];
    let mut place = ends.last().map(|(_, place)| *place);
    while let Some(current) = place {
        if let Some(increasing) = increasing.get_mut(current) {
            *increasing = true;
        }
        place = before.get(current).copied().flatten();
    }
    increasing
}
