//! The formatter's entry.
//!
//! Invariants: what is returned was compared with what came in.

use std::sync::Arc;

use super::check::same;
use super::imports::sort_imports;
use super::items::print;
use super::outline::Outline;
use super::tokens::tokens;
use crate::diagnostic::{Diagnostic, Place, RuleName};
use crate::location::Span;
use crate::parse::{parse, scan};

/// A text in the one layout of the language.
///
/// The path is only for the diagnostics; text that comes from a pipe may be called `<stdin>`.
///
/// # Errors
/// The errors of the file, if it does not parse; only a text that means something can be laid out. Names and types need
/// not resolve.
///
/// ```
/// let text = "package a;\nstruct Point{x:i32,y:i32,}";
/// let formatted = kaa_idl::format("a.kaa", text).expect("it parses");
/// assert_eq!(formatted, "package a;\n\nstruct Point { x: i32, y: i32 }\n");
/// ```
pub fn format(path: &str, text: &str) -> Result<String, Vec<Diagnostic>> {
    let (file, diagnostics) = parse(path, text);
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    let scan = scan(&file.path, text);
    let mut tokens = tokens(text, &scan.tokens);
    sort_imports(&mut tokens);
    let outline = Outline::new(&tokens);
    let output = print(&tokens, &outline);
    if same(&tokens, &output) { Ok(output) } else { Err(vec![text_was_lost(&file.path)]) }
}

/// Said instead of handing out a damaged text.
fn text_was_lost(path: &Arc<str>) -> Diagnostic {
    let place = Place::new(path, Span::default());
    let message = "the formatter would have lost something of this file, and left it as it is";
    Diagnostic::error(RuleName::new("FORMATTER_GAVE_UP"), message, place, "")
        .with_help("this is a fault of the formatter: please report it, with the file")
}
