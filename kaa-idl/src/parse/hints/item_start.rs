//! Hints for the start of an item in the syntax of other languages.
//!
//! Invariants: as in [`super`]; the tokens are those of one chunk, after its docs and attributes.

use crate::diagnostic::{Diagnostic, Edit, Place};
use crate::location::Span;
use crate::parse::tokens::{ScannedFile, Token, TokenKind, is_item_keyword};

/// Adds a hint about the start of the chunk to a diagnostic; `None` if there is none.
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
        (
            "pub" | "public" | "private" | "export" | "internal" | "abstract" | "final" | "extern" | "data",
            _,
        ) => {
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
                "packages are imported by name, not by file: `use {package};`, or `use {package}::{{…}};` \
                with names"
            ))
        }
        ("syntax" | "edition" | "option", _) => diagnostic.with_edits(
            vec![edit(whole(head)?, "")],
            "a schema does not declare a language version or options: remove the line",
        ),
        ("[", name) if kind(1) == Some(TokenKind::Word) => diagnostic.with_edits(
            vec![edit(Span::at(first.start()), "#")],
            format!("an attribute begins with `#`: `#[{name}…]`"),
        ),
        ("impl", _) => {
            diagnostic.with_help("a schema contains only declarations; the program implements them")
        }
        ("mod" | "module", name) => diagnostic.with_help(format!(
            "every file is a package: put `{name}` into a file `{name}.kaa` that begins with a `package` line"
        )),
        ("server", "{") => {
            diagnostic.with_help("methods that the server serves go directly into a `service`")
        }
        _ => return None,
    };
    Some(known)
}

fn whole(head: &[Token]) -> Option<Span> {
    Some(head.first()?.span.to(head.last()?.span))
}
