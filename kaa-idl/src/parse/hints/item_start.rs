//! What stands at the top of a file and begins as no item does.
//!
//! Invariants: as in [`super`]; the tokens are those of one chunk, behind its docs and attributes.

use crate::diagnostic::{Diagnostic, Edit, Place};
use crate::location::Span;
use crate::parse::tokens::{ScannedFile, Token, TokenKind, is_item_keyword};

/// Adds to a diagnostic what is known about how the chunk begins; `None` if nothing is.
pub(crate) fn recognize_item_start(
    source: ScannedFile<'_>,
    head: &[Token],
    diagnostic: &Diagnostic,
) -> Option<Diagnostic> {
    let text = |index: usize| head.get(index).map_or("", |token| token.span.text(source.text));
    let kind = |index: usize| head.get(index).map(|token| token.kind);
    let diagnostic = diagnostic.clone();
    let first = head.first()?.span;
    let edit = |span, replacement: &str| Edit {
        place: Place::new(source.path, span),
        replacement: replacement.to_owned(),
    };
    let known = match (text(0), text(1)) {
        ("pub" | "public" | "private" | "export" | "internal" | "abstract" | "final" | "extern" | "data", _) => {
            let words = head.iter().position(|token| is_item_keyword(token.span.text(source.text)))?;
            if words > 4 {
                return None;
            }
            let end = head.get(words)?.span.start();
            diagnostic.with_edits(
                vec![edit(Span::new(first.start(), end), "")],
                "everything in a schema is public: remove it",
            )
        }
        ("import" | "include" | "require" | "from" | "using", _) if kind(1) == Some(TokenKind::Quoted) => {
            let path = text(1).trim_matches(['"', '\'']);
            let package = path.rsplit_once('.').map_or(path, |(stem, _)| stem).replace('/', ".");
            diagnostic.with_help(format!(
                "packages are used by name, not by file: `use {package};`, or `use {package}::{{…}};` with names"
            ))
        }
        ("syntax" | "edition" | "option", _) => diagnostic.with_edits(
            vec![edit(whole(head)?, "")],
            "a schema names neither its language nor options: remove the line",
        ),
        ("[", name) if kind(1) == Some(TokenKind::Word) => diagnostic.with_edits(
            vec![edit(Span::at(first.start()), "#")],
            format!("an attribute begins with `#`: `#[{name}…]`"),
        ),
        ("impl", _) => diagnostic.with_help("a schema declares what there is; the program implements it"),
        ("mod" | "module", name) => diagnostic.with_help(format!(
            "every file is a package: `{name}` would be a file `{name}.kaa` that begins with its `package` line"
        )),
        ("server", "{") => {
            diagnostic.with_help("what the accepting peer serves stands directly in a `service`")
        }
        _ => return None,
    };
    Some(known)
}

fn whole(head: &[Token]) -> Option<Span> {
    Some(head.first()?.span.to(head.last()?.span))
}
