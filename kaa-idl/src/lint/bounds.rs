//! Lints about lengths without a limit.

use super::linter::Linter;
use super::table::Lint;
use crate::ast::{Type, TypeArgument, TypeKind};
use crate::diagnostic::Diagnostic;

impl Linter<'_> {
    /// Checks a type and all types inside it.
    pub(super) fn bounds(&mut self, ty: &Type) {
        match &ty.kind {
            TypeKind::Array { element, .. } => self.bounds(element),
            TypeKind::Stream(inner) => self.bounds(inner),
            TypeKind::Path { path, arguments } => {
                let bounded = arguments.iter().any(|argument| matches!(argument, TypeArgument::Bound(..)));
                let name = path.text();
                if let (false, Some((lint, example))) = (bounded, unbounded(&name)) {
                    let message = format!("this `{name}` can have any length");
                    let finding =
                        Diagnostic::warning(lint, message, self.place(path.span), "without a bound");
                    self.report(lint, finding.with_help(format!("write a bound, as in `{example}`")));
                }
                for argument in arguments {
                    if let TypeArgument::Type(inner) = argument {
                        self.bounds(inner);
                    }
                }
            }
            TypeKind::Unit | TypeKind::Invalid => {}
        }
    }
}

/// The lint for a built-in type that takes a bound, and how one is written.
fn unbounded(name: &str) -> Option<(Lint, &'static str)> {
    Some(match name {
        "String" => (Lint::StringBounded, "String<..=256>"),
        "Bytes" => (Lint::BytesBounded, "Bytes<..=1 << 20>"),
        "Vec" => (Lint::VecBounded, "Vec<T, ..=1000>"),
        "Set" => (Lint::SetBounded, "Set<T, ..=1000>"),
        "Map" => (Lint::MapBounded, "Map<K, V, ..=1000>"),
        _ => return None,
    })
}
