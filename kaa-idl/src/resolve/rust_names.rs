//! Checks names against Rust: names that Rust cannot write, and names that it would confuse with others.
//!
//! Invariants: all other keywords of Rust are valid names, because generated code writes `r#type`.

use std::collections::HashMap;

use super::resolver::Resolver;
use crate::ast::{ItemKind, Name, Payload};
use crate::casing::member_case;
use crate::diagnostic::{Code, Diagnostic, Place};

/// Whether this is a primitive type of Rust that the language does not have. Derived code names it without a
/// path.
pub(super) fn is_primitive(name: &str) -> bool {
    matches!(name, "str" | "usize" | "isize" | "f16" | "f128")
}

/// An error if Rust cannot write a name, not even as a raw identifier.
pub(super) fn invalid_in_rust(name: &Name, place: Place) -> Option<Diagnostic> {
    let help = match name.text.as_str() {
        "self" => "methods have no `self` parameter, and nothing else can have this name",
        "Self" | "super" | "crate" => "this keyword has a fixed meaning in Rust",
        "_" => "a name is required; write a deleted field as `reserved old_name: Type`",
        _ => return None,
    };
    let message = format!("`{}` cannot be a name in Rust", name.text);
    Some(Diagnostic::error(Code::NotARustName, message, place, "choose a different name").with_help(help))
}

/// An error if derived code in Rust may use the name of an item for its own variables.
pub(super) fn reserved_for_derives(name: &Name, place: Place) -> Option<Diagnostic> {
    let without = name.text.trim_start_matches('_');
    if !name.text.starts_with("__") {
        return None;
    }
    let message = format!("`{}` begins with two underscores", name.text);
    let diagnostic =
        Diagnostic::error(Code::NotARustName, message, place, "reserved for derived code in Rust");
    Some(if without.is_empty() {
        diagnostic
    } else {
        diagnostic.with_help(format!("rename it to `{without}`"))
    })
}

impl Resolver<'_> {
    /// Reports fields of variants named like a constant: derived code binds them in a pattern, where Rust
    /// would read the name as the constant.
    pub(super) fn check_variant_bindings(&mut self) {
        let mut values: HashMap<(usize, &str), Place> = HashMap::new();
        for item in 0..self.scope.entries.len() {
            let Some(entry) = self.scope.entry(item) else { continue };
            let is_value = matches!(
                entry.item.kind,
                ItemKind::Constant { .. } | ItemKind::Newtype(_) | ItemKind::Flags { .. }
            );
            // Names that a field cannot have in Rust do not conflict.
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
                    let message =
                        format!("the field `{name}` of a variant has the same name as another value");
                    let diagnostic =
                        Diagnostic::error(Code::NamesCollideInRust, message, place, "ambiguous in a pattern")
                            .with_label(other.clone(), "the other value")
                            .with_help(
                                "rename one of them; constants usually have capital letters, and types begin \
                        with one",
                            );
                    self.diagnostics.push(diagnostic);
                }
            }
        }
    }
}
