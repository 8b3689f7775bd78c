//! Finds the first difference between two schemas, compatible or not, for [`Compatibility::Exact`].
//!
//! Invariant: both ends compare methods in ascending order of ids, then types in order of names, so that both
//! report the same difference.

use std::collections::BTreeMap;

use super::compare::Incompatibility;
use super::payload::{Element, Table};
use crate::descriptor::{ElementEntry, ServiceDescriptor};

/// How much the two sides' schemas of a service may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Compatibility {
    /// They may differ by compatible changes (`docs/idl.md`).
    #[default]
    Evolving,
    /// They must be equal: a service that both sides know must have the same fingerprint.
    Exact,
}

/// Finds the first difference between two compatible schemas with different fingerprints.
pub(super) fn first_difference(ours: &ServiceDescriptor, theirs: &Table) -> Incompatibility {
    let (place, difference) = methods(ours, theirs)
        .or_else(|| types(ours, theirs))
        .unwrap_or_else(|| ("its fingerprint".to_owned(), "differs, but no method or type does".to_owned()));
    let difference = format!("{difference}; only equal schemas are accepted");
    Incompatibility { service: ours.name.to_owned(), place, difference }
}

type Difference = (String, String);

fn methods(ours: &ServiceDescriptor, theirs: &Table) -> Option<Difference> {
    let here = ours.table.methods.iter().map(|method| (method.id, method));
    let there = theirs.methods.iter().map(|method| (method.id, method));
    matched(here, there).into_values().find_map(|pair| {
        let (name, difference) = match pair {
            Pair::Here(method) => (method.name, Some("is known here only".to_owned())),
            Pair::There(method) => (method.name.as_str(), Some("is known there only".to_owned())),
            Pair::Both(here, there) => {
                let difference = match (here.throws, there.throws) {
                    (0, 1..) => Some("declares an error there only".to_owned()),
                    (1.., 0) => Some("declares an error here only".to_owned()),
                    _ => longer("parameter", here.parameters, &there.parameters),
                };
                (here.name, difference)
            }
        };
        difference.map(|difference| (format!("method {name}"), difference))
    })
}

fn types(ours: &ServiceDescriptor, theirs: &Table) -> Option<Difference> {
    use crate::descriptor::TypeForm::{Enum, Flags, SealedEnum, SealedStruct, Struct};
    let here = ours.table.types.iter().map(|entry| (entry.name, entry));
    let there = theirs.types.iter().map(|entry| (entry.name.as_str(), entry));
    matched(here, there).into_iter().find_map(|(name, pair)| {
        let difference = match pair {
            Pair::Here(_) => Some("is known here only".to_owned()),
            Pair::There(_) => Some("is known there only".to_owned()),
            Pair::Both(here, there) => match here.form {
                Struct | SealedStruct => longer("field", here.elements, &there.elements),
                Enum | SealedEnum => unmatched("variant", here.elements, &there.elements),
                Flags => unmatched("flag", here.elements, &there.elements),
            },
        };
        difference.map(|difference| (format!("type {name}"), difference))
    })
}

/// An element that one side knows, or both.
enum Pair<A, B> {
    Here(A),
    There(B),
    Both(A, B),
}

fn matched<K: Ord, A, B>(
    here: impl Iterator<Item = (K, A)>,
    there: impl Iterator<Item = (K, B)>,
) -> BTreeMap<K, Pair<A, B>> {
    let mut pairs: BTreeMap<K, Pair<A, B>> = here.map(|(key, value)| (key, Pair::Here(value))).collect();
    for (key, value) in there {
        let pair = match pairs.remove(&key) {
            Some(Pair::Here(here)) => Pair::Both(here, value),
            _ => Pair::There(value),
        };
        pairs.insert(key, pair);
    }
    pairs
}

/// The difference between two lists, one of which is a prefix of the other.
fn longer(what: &str, here: &[ElementEntry], there: &[Element]) -> Option<String> {
    let ours = here.get(there.len()).map(|element| format!("has one more {what} here, `{}`", element.name));
    ours.or_else(|| {
        there.get(here.len()).map(|element| format!("has one more {what} there, `{}`", element.name))
    })
}

/// The difference between two sets whose common elements are equal, in ascending order of tags.
fn unmatched(what: &str, here: &[ElementEntry], there: &[Element]) -> Option<String> {
    let ours = here.iter().map(|element| (element.tag, element.name));
    let theirs = there.iter().map(|element| (element.tag, element.name.as_str()));
    matched(ours, theirs).into_values().find_map(|pair| match pair {
        Pair::Here(name) => Some(format!("has a {what} `{name}` here only")),
        Pair::There(name) => Some(format!("has a {what} `{name}` there only")),
        Pair::Both(..) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::descriptor::{MethodEntry, ServiceTable, TypeEntry, TypeForm};
    use crate::protocol::schema::payload::{decode_table, encode_table};

    const fn element(name: &'static str, tag: u64) -> ElementEntry {
        ElementEntry { name, tag, hash: tag, has_default: true }
    }

    macro_rules! method {
        ($throws:expr, $parameters:expr) => {
            MethodEntry { id: 7, name: "m", signature: 1, throws: $throws, parameters: $parameters }
        };
    }

    macro_rules! ty {
        ($form:ident, $elements:expr) => {
            TypeEntry { name: "a.T", form: TypeForm::$form, elements: $elements }
        };
    }

    const fn service(methods: &'static [MethodEntry], types: &'static [TypeEntry]) -> ServiceDescriptor {
        ServiceDescriptor {
            name: "a.A",
            fingerprint: [0; 32],
            table: ServiceTable { methods, types },
            server_methods: &[],
            client_methods: &[],
        }
    }

    const X: ElementEntry = element("x", 0);
    const Y: ElementEntry = element("y", 1);

    /// Checks the difference that each of two versions reports.
    fn check(before: &ServiceDescriptor, after: &ServiceDescriptor, here: &str, there: &str) {
        let find = |ours, theirs| {
            let found = first_difference(ours, &decode_table(&encode_table(theirs)).unwrap()).to_string();
            found.strip_suffix("; only equal schemas are accepted").unwrap().to_owned()
        };
        assert_eq!(find(before, after), format!("service a.A: {here}"));
        assert_eq!(find(after, before), format!("service a.A: {there}"));
    }

    #[test]
    fn method_differences_are_reported() {
        let plain = service(&[method!(0, &[X])], &[]);
        check(&service(&[], &[]), &plain, "method m is known there only", "method m is known here only");
        check(
            &plain,
            &service(&[method!(9, &[X])], &[]),
            "method m declares an error there only",
            "method m declares an error here only",
        );
        check(
            &plain,
            &service(&[method!(0, &[X, Y])], &[]),
            "method m has one more parameter there, `y`",
            "method m has one more parameter here, `y`",
        );
    }

    #[test]
    fn type_differences_are_reported() {
        let plain = service(&[], &[ty!(Struct, &[X])]);
        check(&service(&[], &[]), &plain, "type a.T is known there only", "type a.T is known here only");
        check(
            &plain,
            &service(&[], &[ty!(Struct, &[X, Y])]),
            "type a.T has one more field there, `y`",
            "type a.T has one more field here, `y`",
        );
        check(
            &service(&[], &[ty!(Enum, &[Y])]),
            &service(&[], &[ty!(Enum, &[X, Y])]),
            "type a.T has a variant `x` there only",
            "type a.T has a variant `x` here only",
        );
        check(
            &service(&[], &[ty!(Flags, &[Y])]),
            &service(&[], &[ty!(Flags, &[X, Y])]),
            "type a.T has a flag `x` there only",
            "type a.T has a flag `x` here only",
        );
    }

    #[test]
    fn fingerprint_is_reported_if_nothing_else_differs() {
        let plain = service(&[method!(0, &[X])], &[ty!(Struct, &[X])]);
        let text = "its fingerprint differs, but no method or type does";
        check(&plain, &plain, text, text);
    }
}
