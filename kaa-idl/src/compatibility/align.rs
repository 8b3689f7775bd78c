//! Which field of the old list is which of the new one: what stayed, moved, was renamed, came or went.
//!
//! Invariants: every field of both lists is in exactly one step, and what an edit shifts is kept, not moved; the cost
//! is that of sorting.

use std::collections::HashMap;

use crate::schema::Field;

/// One step from the old list to the new one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step<'a> {
    /// In both lists, in the same order as the others that were kept.
    Kept(&'a Field, &'a Field),
    /// In both lists, elsewhere.
    Moved(&'a Field, &'a Field),
    /// In both lists in the same place, under another name on the wire.
    Renamed(&'a Field, &'a Field),
    /// Gone; with what stands in its place, if anything does.
    Deleted(&'a Field, Option<&'a Field>),
    /// New, with an old field behind it.
    Inserted(&'a Field),
    /// New, behind all old ones.
    Appended(&'a Field),
}

/// How far ahead a field is looked for that might be a renamed one.
const FARTHEST_RENAME: usize = 32;

/// Aligns two lists; `alike` says whether two fields could be one under different names.
pub(super) fn align<'a>(
    old: &'a [Field],
    new: &'a [Field],
    alike: impl Fn(&Field, &Field) -> bool,
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
    let anchors = longest_rising(&matched);
    let taken: Vec<bool> = {
        let mut taken = vec![false; new.len()];
        for position in matched.iter().flatten() {
            if let Some(taken) = taken.get_mut(*position) {
                *taken = true;
            }
        }
        taken
    };
    let mut gone = Vec::new();
    let mut next = 0;
    for ((field, position), anchored) in old.iter().zip(&matched).zip(anchors) {
        let Some((position, partner)) = position.and_then(|position| Some((position, new.get(position)?)))
        else {
            gone.push(field);
            continue;
        };
        if !anchored {
            steps.push(Step::Moved(field, partner));
            continue;
        }
        let came = free(new, &taken, next, position);
        fill_gap(&mut steps, &gone, &came, &alike, Step::Inserted);
        gone.clear();
        // A field that kept its order may still have another name, if its source name told which it is.
        steps.push(if field.wire_name() == partner.wire_name() {
            Step::Kept(field, partner)
        } else {
            Step::Renamed(field, partner)
        });
        next = position + 1;
    }
    let came = free(new, &taken, next, new.len());
    fill_gap(&mut steps, &gone, &came, &alike, Step::Appended);
    steps
}

/// For each old field the position of the new one of the same name on the wire, else of the same name in the source.
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

/// The new fields from one position up to another that no old field is.
fn free<'a>(new: &'a [Field], taken: &[bool], from: usize, to: usize) -> Vec<&'a Field> {
    let fields = new.iter().zip(taken).take(to).skip(from);
    fields.filter(|(_, taken)| !**taken).map(|(field, _)| field).collect()
}

/// What happened between two fields that were kept.
fn fill_gap<'a>(
    steps: &mut Vec<Step<'a>>,
    gone: &[&'a Field],
    came: &[&'a Field],
    alike: &impl Fn(&Field, &Field) -> bool,
    added: fn(&'a Field) -> Step<'a>,
) {
    let mut rest = came;
    let mut deleted = Vec::new();
    let mut replacing = Vec::new();
    for field in gone {
        match rest.iter().take(FARTHEST_RENAME).position(|other| alike(field, other)) {
            Some(ahead) => {
                let (before, from) = rest.split_at(ahead);
                replacing.extend_from_slice(before);
                steps.extend(from.first().map(|other| Step::Renamed(field, other)));
                rest = from.get(1..).unwrap_or_default();
            }
            None => deleted.push(*field),
        }
    }
    replacing.extend_from_slice(rest);
    let mut replacing = replacing.into_iter();
    for field in deleted {
        steps.push(Step::Deleted(field, replacing.next()));
    }
    steps.extend(replacing.map(added));
}

/// Which of the positions belong to a longest rising sequence: those fields kept their order.
fn longest_rising(positions: &[Option<usize>]) -> Vec<bool> {
    // For each length the place in `positions` at which the sequence of that length with the lowest end ends.
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
    let mut rising = vec![false; positions.len()];
    let mut place = ends.last().map(|(_, place)| *place);
    while let Some(current) = place {
        if let Some(rising) = rising.get_mut(current) {
            *rising = true;
        }
        place = before.get(current).copied().flatten();
    }
    rising
}
