//! For any text: nothing panics, and every diagnostic points into the text.

#![allow(clippy::expect_used, reason = "a test that cannot continue should panic with the reason")]

use kaa_idl::diagnostic::Diagnostic;
use kaa_idl::lint::{Selection, lint};
use kaa_idl::{MemorySource, RenderStyle, compile, format, parse};
use proptest::prelude::*;

const VALID: &[&str] = &[
    include_str!("schemas/shop/types.kaa"),
    include_str!("schemas/shop/front.kaa"),
    include_str!("schemas/shop/everything.kaa"),
];

/// Pieces of the language, so that mutations reach more than the first character.
const PIECES: &[&str] = &[
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "<",
    ">",
    ",",
    ";",
    ":",
    "::",
    "=",
    "->",
    "..",
    "..=",
    "#[",
    "///",
    "//!",
    "/*",
    "*/",
    "\"",
    "'",
    "\\",
    "\0",
    "\u{feff}",
    "é",
    "0",
    "1e9",
    "0x",
    "struct",
    "sealed",
    "enum",
    "error",
    "flags",
    "service",
    "client",
    "interface",
    "include",
    "fn",
    "oneway",
    "throws",
    "stream",
    "reserved",
    "const",
    "newtype",
    "type",
    "use",
    "package",
    "as",
    "Vec",
    "Map",
    "Option",
    "String",
    "u8",
    "Unknown",
    "self",
    "\r\n",
    "- ",
    "| ",
    "<< ",
    "* ",
];

fn check(path: &str, text: &[u8]) -> Result<(), TestCaseError> {
    let compilation = compile(&MemorySource::new([(path, text)]));
    let rendered = compilation.render(RenderStyle::Plain);
    prop_assert_eq!(compilation.schema().is_none(), compilation.has_errors());
    prop_assert_eq!(rendered.is_empty(), compilation.diagnostics().is_empty());
    if let Ok(text) = std::str::from_utf8(text) {
        let (_, diagnostics) = parse(path, text);
        for diagnostic in diagnostics.iter().chain(compilation.diagnostics()) {
            points_into(diagnostic, text)?;
        }
        for finding in lint(&compilation, &Selection::all()) {
            points_into(&finding, text)?;
        }
        match format(path, text) {
            Ok(formatted) => prop_assert_eq!(format(path, &formatted), Ok(formatted)),
            Err(errors) => prop_assert_eq!(errors, diagnostics),
        }
    }
    let again = compile(&MemorySource::new([(path, text)]));
    prop_assert_eq!(rendered, again.render(RenderStyle::Plain));
    Ok(())
}

fn points_into(diagnostic: &Diagnostic, text: &str) -> Result<(), TestCaseError> {
    for label in std::iter::once(&diagnostic.primary).chain(&diagnostic.secondary) {
        let span = label.place.span;
        prop_assert!(text.get(span.start()..span.end()).is_some(), "{:?}", diagnostic);
    }
    for edit in diagnostic.fix.iter().flat_map(|fix| &fix.edits) {
        prop_assert!(text.get(edit.place.span.start()..edit.place.span.end()).is_some(), "{:?}", diagnostic);
    }
    Ok(())
}

/// A change to a text: its position, the number of characters to remove, and the piece to insert.
#[derive(Debug, Clone)]
struct Change {
    position: prop::sample::Index,
    remove: usize,
    insert: usize,
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = (any::<prop::sample::Index>(), 0usize..12, 0usize..PIECES.len() * 2);
    prop::collection::vec(change, 1..8).prop_map(|changes| {
        changes.into_iter().map(|(position, remove, insert)| Change { position, remove, insert }).collect()
    })
}

fn apply(text: &str, changes: &[Change]) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for change in changes {
        let start = change.position.index(characters.len() + 1);
        let end = (start + change.remove).min(characters.len());
        let piece = PIECES.get(change.insert).copied().unwrap_or_default();
        characters.splice(start..end, piece.chars());
    }
    characters.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        check("demo.kaa", &bytes)?;
    }

    #[test]
    fn arbitrary_pieces_never_panic(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..60)) {
        check("demo.kaa", pieces.join(" ").as_bytes())?;
        check("demo.kaa", format!("package demo; {}", pieces.concat()).as_bytes())?;
    }

    #[test]
    fn mutated_schemas_never_panic(which in 0..VALID.len(), changes in changes()) {
        let text = apply(VALID.get(which).expect("a valid index"), &changes);
        check("shop/types.kaa", text.as_bytes())?;
    }

    #[test]
    fn truncated_schemas_never_panic(which in 0..VALID.len(), at in any::<prop::sample::Index>()) {
        let text = VALID.get(which).expect("a valid index");
        let end = (0..=at.index(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        check("shop/types.kaa", &text.as_bytes()[..end])?;
    }
}
