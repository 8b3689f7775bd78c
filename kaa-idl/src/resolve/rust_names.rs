//! Names as Rust will see them: those it cannot write at all.
//!
//! Invariants: every other keyword of Rust is a legal name, since generated code writes `r#type`.

use crate::ast::Name;
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
