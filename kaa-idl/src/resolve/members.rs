//! Checks the names within one struct, variant, parameter list, enum or side of a service. They are unique as
//! written, on the wire, and in Rust.
//!
//! Invariants: each name is reported at most once.

use std::collections::HashMap;

use super::resolver::Resolver;
use super::rust_names::invalid_in_rust;
use crate::ast::Name;
use crate::casing::member_case;
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::location::Span;

/// How generated Rust writes the names of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Casing {
    /// As written: variants, flags.
    Unchanged,
    /// In snake case: fields, parameters, methods, packages.
    Snake,
}

/// The names of one list so far.
#[derive(Debug)]
pub(super) struct Names {
    noun: &'static str,
    casing: Casing,
    written: HashMap<String, Place>,
    wire: HashMap<String, Place>,
    rust: HashMap<String, (String, Place)>,
    /// Reserved names, with the places where they are reserved.
    reserved: HashMap<String, Place>,
}

/// One name of a list.
#[derive(Debug, Clone)]
pub(super) struct Member<'n> {
    pub(super) name: &'n Name,
    pub(super) place: Place,
    /// The name on the wire, with the place of its selector.
    pub(super) selector: Option<(&'n str, Place)>,
}

impl Names {
    pub(super) fn new(noun: &'static str, casing: Casing) -> Self {
        Self {
            noun,
            casing,
            written: HashMap::new(),
            wire: HashMap::new(),
            rust: HashMap::new(),
            reserved: HashMap::new(),
        }
    }

    /// Adds a name that must not be used again.
    pub(super) fn reserve(&mut self, name: &str, place: Place) {
        self.reserved.entry(name.to_owned()).or_insert(place);
    }

    /// Where a name is reserved first.
    pub(super) fn reserved(&self, name: &str) -> Option<&Place> {
        self.reserved.get(name)
    }

    /// Adds a name. Returns an error if it conflicts with an earlier one.
    pub(super) fn add(&mut self, member: &Member<'_>) -> Option<Diagnostic> {
        let noun = self.noun;
        let name = member.name.text.as_str();
        if let Some(first) = self.written.get(name) {
            let message = format!("{noun} `{name}` is defined twice");
            return Some(
                Diagnostic::error(Code::DuplicateMember, message, member.place.clone(), "defined again here")
                    .with_label(first.clone(), "first defined here"),
            );
        }
        self.written.insert(name.to_owned(), member.place.clone());
        if let Some(diagnostic) = invalid_in_rust(member.name, member.place.clone()) {
            return Some(diagnostic);
        }
        let (wire, wire_place) = member.selector.clone().unwrap_or((name, member.place.clone()));
        if let Some(place) = self.reserved.get(wire) {
            let message = format!("the name `{wire}` is reserved");
            return Some(
                Diagnostic::error(Code::ReservedName, message, wire_place, "used again here")
                    .with_label(place.clone(), "reserved here")
                    .with_help("an older peer would read it with its old meaning; choose a different name"),
            );
        }
        if let Some(first) = self.wire.insert(wire.to_owned(), wire_place.clone()) {
            let message = format!("two {noun}s have the name `{wire}` on the wire");
            return Some(
                Diagnostic::error(Code::DuplicateMember, message, wire_place, "the second")
                    .with_label(first, "the first"),
            );
        }
        self.collision(name, &member.place)
    }

    fn collision(&mut self, name: &str, place: &Place) -> Option<Diagnostic> {
        if self.casing == Casing::Unchanged {
            return None;
        }
        let form = member_case(name);
        if let Some((other, first)) = self.rust.get(&form) {
            let message = format!("`{other}` and `{name}` are both `{form}` in Rust");
            return Some(
                Diagnostic::error(Code::NamesCollideInRust, message, place.clone(), "the second")
                    .with_label(first.clone(), "the first")
                    .with_help("rename one of them; `#[selector(\"…\")]` keeps its name on the wire"),
            );
        }
        self.rust.insert(form, (name.to_owned(), place.clone()));
        None
    }
}

impl Resolver<'_> {
    /// Adds a name to a list, and reports an error if it conflicts.
    pub(super) fn add_name(
        &mut self,
        names: &mut Names,
        file: usize,
        name: &Name,
        selector: Option<&(String, Span)>,
    ) {
        let selector = selector.map(|(text, span)| (text.as_str(), self.place(file, *span)));
        let member = Member { name, place: self.place(file, name.span), selector };
        let diagnostic = names.add(&member);
        self.diagnostics.extend(diagnostic);
    }
}
