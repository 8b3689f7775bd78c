//! The rules of compatibility between two versions of a schema: appended elements with a default are
//! compatible, reordered elements and changed types are not.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use super::payload::{Element, Table};
use crate::descriptor::{ElementEntry, ServiceDescriptor, TypeForm};

/// The first difference that makes two schemas incompatible. Both ends report the same one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Incompatibility {
    /// The service.
    pub service: String,
    /// The method or type that differs, with its name.
    pub place: String,
    /// How it differs.
    pub difference: String,
}

impl fmt::Display for Incompatibility {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "service {}: {} {}", self.service, self.place, self.difference)
    }
}

/// Finds the first incompatible difference.
pub(super) fn compare(ours: &ServiceDescriptor, theirs: &Table) -> Result<(), Incompatibility> {
    let incompatible = |place: String, difference: String| Incompatibility {
        service: ours.name.to_owned(),
        place,
        difference,
    };
    let methods: HashMap<u32, _> = theirs.methods.iter().map(|method| (method.id, method)).collect();
    for method in ours.table.methods {
        let Some(other) = methods.get(&method.id) else { continue };
        let place = || format!("method {}", method.name);
        if method.signature != other.signature {
            return Err(incompatible(
                place(),
                "differs in its result, its streams or in being oneway".to_owned(),
            ));
        }
        // A reply names its kind: a side that declares no error receives the other's as a fault.
        if method.throws != other.throws && method.throws != 0 && other.throws != 0 {
            return Err(incompatible(place(), "declares another error".to_owned()));
        }
        compare_chains("parameter", method.parameters, &other.parameters)
            .map_err(|difference| incompatible(place(), difference))?;
    }
    let types: HashMap<&str, _> = theirs.types.iter().map(|entry| (entry.name.as_str(), entry)).collect();
    for entry in ours.table.types {
        let Some(other) = types.get(entry.name) else { continue };
        let outcome = match (entry.form, other.form) {
            (TypeForm::Struct, TypeForm::Struct) => compare_chains("field", entry.elements, &other.elements),
            (TypeForm::SealedStruct, TypeForm::SealedStruct) => {
                compare_sealed(entry.elements, &other.elements)
            }
            (TypeForm::Enum, TypeForm::Enum) => compare_tags(VARIANTS, entry.elements, &other.elements),
            (TypeForm::Flags, TypeForm::Flags) => compare_tags(FLAGS, entry.elements, &other.elements),
            (TypeForm::SealedEnum, TypeForm::SealedEnum) => {
                compare_tags(VARIANTS, entry.elements, &other.elements)
                    .and_then(|()| same_tags(entry.elements, &other.elements))
            }
            (here, there) => Err(format!("is {} here and {} there", form_name(here), form_name(there))),
        };
        outcome.map_err(|difference| incompatible(format!("type {}", entry.name), difference))?;
    }
    Ok(())
}

/// The shorter list must be a prefix of the longer one, and all further elements must have a default.
fn compare_chains(what: &str, ours: &[ElementEntry], theirs: &[Element]) -> Result<(), String> {
    let common = ours.len().min(theirs.len());
    first_difference(what, ours, theirs)?;
    let ours_more = ours.iter().skip(common).map(|element| (element.name, element.has_default, "here"));
    let theirs_more =
        theirs.iter().skip(common).map(|element| (element.name.as_str(), element.has_default, "there"));
    for (name, has_default, side) in ours_more.chain(theirs_more) {
        if !has_default {
            return Err(format!("has one more {what} {side}, `{name}`, which has no default"));
        }
    }
    Ok(())
}

fn first_difference(what: &str, ours: &[ElementEntry], theirs: &[Element]) -> Result<(), String> {
    for (position, (here, there)) in ours.iter().zip(theirs).enumerate() {
        if here.hash != there.hash {
            let number = position + 1;
            if here.name == there.name {
                let name = here.name;
                return Err(format!(
                    "differs in {what} {number}, `{name}`: its type or default is not the same"
                ));
            }
            return Err(format!("differs in {what} {number}: `{}` here, `{}` there", here.name, there.name));
        }
    }
    Ok(())
}

fn compare_sealed(ours: &[ElementEntry], theirs: &[Element]) -> Result<(), String> {
    first_difference("field", ours, theirs)?;
    let here = ours.get(theirs.len()).map(|element| (element.name, "here"));
    let there = theirs.get(ours.len()).map(|element| (element.name.as_str(), "there"));
    match here.or(there) {
        Some((name, side)) => Err(format!("is sealed and has one more field {side}, `{name}`")),
        None => Ok(()),
    }
}

/// The terms for the elements of a set.
#[derive(Debug, Clone, Copy)]
struct Terms {
    what: &'static str,
    tag: &'static str,
    same: &'static str,
}

const VARIANTS: Terms = Terms { what: "variant", tag: "tag", same: "its fields are not the same" };
const FLAGS: Terms = Terms { what: "flag", tag: "value", same: "its integer is not the same" };

/// Elements that both sides know must have the same tag, name and content.
fn compare_tags(terms: Terms, ours: &[ElementEntry], theirs: &[Element]) -> Result<(), String> {
    let Terms { what, tag: tag_word, same } = terms;
    // Sorted by name, so that both ends report the same element.
    let names: BTreeMap<&str, u64> = ours.iter().map(|element| (element.name, element.tag)).collect();
    let their_names: HashMap<&str, u64> =
        theirs.iter().map(|element| (element.name.as_str(), element.tag)).collect();
    let theirs: HashMap<u64, &Element> = theirs.iter().map(|element| (element.tag, element)).collect();
    for here in ours {
        let Some(there) = theirs.get(&here.tag) else { continue };
        if here.hash != there.hash {
            let tag = here.tag;
            if here.name == there.name {
                return Err(format!("differs in {what} {tag}, `{}`: {same}", here.name));
            }
            return Err(format!("differs in {what} {tag}: `{}` here, `{}` there", here.name, there.name));
        }
    }
    for (name, here) in names {
        if let Some(there) = their_names.get(name).filter(|there| **there != here) {
            return Err(format!("differs in {what} `{name}`: its {tag_word} is {here} here, {there} there"));
        }
    }
    Ok(())
}

fn same_tags(ours: &[ElementEntry], theirs: &[Element]) -> Result<(), String> {
    let here = ours.iter().find(|here| theirs.iter().all(|there| there.tag != here.tag));
    let there = theirs.iter().find(|there| ours.iter().all(|here| here.tag != there.tag));
    match (here.map(|element| element.name), there.map(|element| element.name.as_str())) {
        (Some(name), _) => Err(format!("is sealed and has a variant `{name}` here only")),
        (None, Some(name)) => Err(format!("is sealed and has a variant `{name}` there only")),
        (None, None) => Ok(()),
    }
}

fn form_name(form: TypeForm) -> &'static str {
    match form {
        TypeForm::Struct => "a struct",
        TypeForm::SealedStruct => "a sealed struct or newtype",
        TypeForm::Enum => "an enum",
        TypeForm::SealedEnum => "a sealed enum",
        TypeForm::Flags => "a set of flags",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ours(name: &'static str, tag: u64, hash: u64, has_default: bool) -> ElementEntry {
        ElementEntry { name, tag, hash, has_default }
    }

    fn theirs(name: &str, tag: u64, hash: u64, has_default: bool) -> Element {
        Element { name: name.to_owned(), tag, hash, has_default }
    }

    #[test]
    fn appended_fields_need_defaults() {
        let old = [ours("a", 0, 10, false)];
        let pass = [theirs("a", 0, 10, false), theirs("b", 1, 20, true)];
        assert_eq!(compare_chains("field", &old, &pass), Ok(()));
        let fail = [theirs("a", 0, 10, false), theirs("b", 1, 21, false)];
        let error = compare_chains("field", &old, &fail).unwrap_err();
        assert_eq!(error, "has one more field there, `b`, which has no default");
    }

    #[test]
    fn changed_type_and_order_are_reported() {
        let here = [ours("a", 0, 10, false), ours("b", 1, 20, false)];
        let retyped = [theirs("a", 0, 10, false), theirs("b", 1, 21, false)];
        let error = compare_chains("field", &here, &retyped).unwrap_err();
        assert_eq!(error, "differs in field 2, `b`: its type or default is not the same");
        let reordered = [theirs("b", 0, 30, false), theirs("a", 1, 40, false)];
        let error = compare_chains("field", &here, &reordered).unwrap_err();
        assert_eq!(error, "differs in field 1: `a` here, `b` there");
    }

    #[test]
    fn open_enums_can_grow_and_sealed_ones_cannot() {
        let here = [ours("A", 1, 10, false)];
        let grown = [theirs("A", 1, 10, false), theirs("B", 2, 20, false)];
        assert_eq!(compare_tags(VARIANTS, &here, &grown), Ok(()));
        let error = same_tags(&here, &grown).unwrap_err();
        assert_eq!(error, "is sealed and has a variant `B` there only");
        let changed = [theirs("A", 1, 11, false)];
        let error = compare_tags(VARIANTS, &here, &changed).unwrap_err();
        assert_eq!(error, "differs in variant 1, `A`: its fields are not the same");
    }

    #[test]
    fn name_must_keep_its_tag() {
        let here = [ours("A", 1, 10, false), ours("B", 2, 20, false), ours("C", 3, 30, false)];
        let moved = [theirs("A", 1, 10, false), theirs("C", 4, 40, false), theirs("B", 5, 50, false)];
        let error = compare_tags(VARIANTS, &here, &moved).unwrap_err();
        assert_eq!(error, "differs in variant `B`: its tag is 2 here, 5 there");
        let error = compare_tags(FLAGS, &here, &moved).unwrap_err();
        assert_eq!(error, "differs in flag `B`: its value is 2 here, 5 there");
    }
}
