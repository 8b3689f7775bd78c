//! Names as Rust will see them: those it cannot write at all, and those it would take for something else.
//!
//! Invariants: every other keyword of Rust is a legal name, since generated code writes `r#type`.

use std::collections::HashMap;

use super::resolver::Resolver;
use crate::ast::{ItemKind, Name, Payload};
use crate::casing::member_case;
use crate::diagnostic::{Code, Diagnostic, Place};

/// Whether Rust has a type of this name and the language has none: what is derived in Rust spells it without a path.
pub(super) fn is_primitive(name: &str) -> bool {
    matches!(name, "str" | "usize" | "isize" | "f16" | "f128")
}

/// The complaint about a name that Rust cannot write, not even as a raw identifier.
pub(super) fn unwritable(name: &Name, place: Place) -> Option<Diagnostic> {
    let help = match name.text.as_str() {
        "self" => "methods need no `self` parameter, and nothing else can be called so",
        "Self" | "super" | "crate" => "this word can only mean what Rust means by it",
        "_" => "a name is needed; what was deleted is written `reserved old_name: Type`",
        _ => return None,
    };
    let message = format!("`{}` cannot be a name in Rust", name.text);
    Some(Diagnostic::error(Code::NotARustName, message, place, "choose another name").with_help(help))
}

/// The complaint about an item's name that code derived in Rust may use for its own variables.
pub(super) fn derived(name: &Name, place: Place) -> Option<Diagnostic> {
    let without = name.text.trim_start_matches('_');
    if !name.text.starts_with("__") {
        return None;
    }
    let message = format!("`{}` begins with two underscores", name.text);
    let diagnostic =
        Diagnostic::error(Code::NotARustName, message, place, "kept for code that is derived in Rust");
    Some(if without.is_empty() { diagnostic } else { diagnostic.with_help(format!("call it `{without}`")) })
}

impl Resolver<'_> {
    /// Derived code binds the fields of a variant by their names, which Rust would take for a constant of that name.
    pub(super) fn check_variant_bindings(&mut self) {
        let mut values: HashMap<(usize, &str), Place> = HashMap::new();
        for item in 0..self.scope.entries.len() {
            let Some(entry) = self.scope.entry(item) else { continue };
            let is_value = matches!(
                entry.item.kind,
                ItemKind::Constant { .. } | ItemKind::Newtype(_) | ItemKind::Flags { .. }
            );
            // What no field can be called in Rust needs no look.
            let name = entry.item.name.text.as_str();
            if is_value && member_case(name) == name {
                values.insert((entry.package, name), self.place(entry.file, entry.item.name.span));
            }
        }
        if values.is_empty() {
            return;
        }
        for item in 0..self.scope.entries.len() {
            let Some(entry) = self.scope.entry(item) else { continue };
            let ItemKind::Enum { variants, .. } = &entry.item.kind else { continue };
            for variant in variants {
                let Payload::Record(fields) = &variant.payload else { continue };
                for field in fields.iter().filter(|field| !field.tombstone) {
                    let name = member_case(&field.name.text);
                    let Some(other) = values.get(&(entry.package, name.as_str())) else { continue };
                    let place = self.place(entry.file, field.name.span);
                    let message = format!("the field `{name}` of a variant has the name of another value");
                    let diagnostic = Diagnostic::error(
                        Code::NamesCollideInRust,
                        message,
                        place,
                        "not to be told apart in a pattern",
                    )
                    .with_label(other.clone(), "from this")
                    .with_help("rename one of them; constants are usually in capitals, types begin with one");
                    self.diagnostics.push(diagnostic);
                }
            }
        }
    }
}
