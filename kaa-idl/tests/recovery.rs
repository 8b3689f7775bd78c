//! One slip makes one complaint, in the right place: no cascades.
//!
//! One token of a valid schema is deleted, doubled, or replaced by another, everywhere in turn. The schemas are the
//! project's own, or those of the folder that `KAA_CORPUS` names.

#![allow(clippy::expect_used, reason = "a test that cannot go on should say so")]
#![allow(
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "the text is of this test, and its tokens are"
)]

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use kaa_idl::diagnostic::Diagnostic;
use kaa_idl::{Compilation, DiskSource, FileSource, LineTable, MemorySource, RenderStyle, compile};

type Files = BTreeMap<String, String>;

/// How many damages are tried, spread evenly, and how many bytes are compiled for them at most.
const TRIALS: usize = 500;
const EFFORT: usize = 8_000_000;
/// Generous, as in `hostile.rs`.
const TIME_LIMIT: Duration = Duration::from_secs(20);

fn schemas() -> Files {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemas");
    let root = std::env::var_os("KAA_CORPUS").map_or(own, Into::into);
    let source = DiskSource::new([root]);
    let paths = source.files().expect("the schemas");
    let read = |path: &String| String::from_utf8(source.read(path).expect("a file")).expect("text");
    paths.iter().map(|path| (path.clone(), read(path))).collect()
}

/// The places of words, numbers, strings and single signs; comments are left alone.
fn tokens(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &text[at..];
        let length = match bytes[at] {
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            b'/' if rest.starts_with("//") => {
                at += rest.find('\n').unwrap_or(rest.len());
                continue;
            }
            b'/' if rest.starts_with("/*") => {
                at += rest.find("*/").map_or(rest.len(), |end| end + 2);
                continue;
            }
            quote @ (b'"' | b'\'') => closing(rest.as_bytes(), quote),
            byte if byte.is_ascii_alphanumeric() || byte == b'_' => {
                let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
                rest.bytes().take_while(|byte| word(*byte)).count()
            }
            _ => rest.chars().next().map_or(1, char::len_utf8),
        };
        tokens.push(at..at + length);
        at += length;
    }
    tokens
}

/// The length of a literal with its quotes.
fn closing(bytes: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// Other tokens to put in a token's place.
const OTHERS: &[&str] = &[
    ",", ";", ":", "::", ".", "{", "}", "(", ")", "<", ">", "[", "]", "=", "->", "#", "fn", "struct", "5",
    "\"a\"", "Oops",
];

/// The text with its `index`th token damaged in the `way`th way, and the bytes of it that stand for the damage.
fn damaged(text: &str, token: &Range<usize>, way: usize) -> (String, Range<usize>) {
    let written = &text[token.clone()];
    let replacement = match way {
        0 => String::new(),
        1 => format!("{written} {written}"),
        other => OTHERS[other % OTHERS.len()].to_owned(),
    };
    let damaged = format!("{}{replacement}{}", &text[..token.start], &text[token.end..]);
    (damaged, token.start..token.start + replacement.len())
}

#[derive(Debug, Default)]
struct Tally {
    trials: usize,
    accepted: usize,
    near: usize,
    alone: usize,
    few: usize,
    worst: usize,
}

/// Whether a diagnostic lies on the lines of the damage, or on that of a token beside it.
fn is_near(diagnostic: &Diagnostic, path: &str, text: &str, damage: &Range<usize>) -> bool {
    let lines = LineTable::new(text);
    let before = text[..damage.start].trim_end().len();
    let after =
        damage.end + text[damage.end..].find(|character: char| !character.is_whitespace()).unwrap_or(0);
    let labels = std::iter::once(&diagnostic.primary).chain(&diagnostic.secondary);
    labels.filter(|label| &*label.place.path == path).any(|label| {
        let (first, last) = (lines.line(label.place.span.start()), lines.line(label.place.span.end()));
        first <= lines.line(after) && last >= lines.line(before.saturating_sub(1))
    })
}

fn count(tally: &mut Tally, compilation: &Compilation, path: &str, text: &str, damage: &Range<usize>) {
    tally.trials += 1;
    let diagnostics = compilation.diagnostics();
    if diagnostics.is_empty() {
        tally.accepted += 1;
        return;
    }
    let near = diagnostics.iter().any(|diagnostic| is_near(diagnostic, path, text, damage));
    tally.near += usize::from(near);
    tally.alone += usize::from(diagnostics.len() == 1);
    tally.few += usize::from(diagnostics.len() <= 4);
    tally.worst = tally.worst.max(diagnostics.len());
}

#[test]
fn one_error_reports_few_diagnostics_near_it() {
    let files = schemas();
    let all: Vec<(&String, Range<usize>)> = files
        .iter()
        .flat_map(|(path, text)| tokens(text).into_iter().map(move |token| (path, token)))
        .collect();
    let ways = OTHERS.len() + 2;
    let size: usize = files.values().map(String::len).sum();
    let trials = TRIALS.min(EFFORT / size).max(20);
    let step = (all.len() * ways / trials).max(1) | 1;
    let mut tally = Tally::default();
    for trial in (0..all.len() * ways).step_by(step) {
        let ((path, token), way) = (&all[trial / ways], trial % ways);
        let mut files = files.clone();
        let text = files.get_mut(*path).expect("the file");
        let (changed, damage) = damaged(text, token, way);
        text.clone_from(&changed);
        let start = Instant::now();
        let compilation = compile(&MemorySource::new(files));
        assert!(start.elapsed() < TIME_LIMIT, "{path}: {changed}");
        assert_eq!(compilation.render(RenderStyle::Plain).is_empty(), compilation.diagnostics().is_empty());
        count(&mut tally, &compilation, path, &changed, &damage);
    }
    let wrong = tally.trials - tally.accepted;
    let share = |count: usize| count * 100 / wrong.max(1);
    // A name that is damaged where it is defined is missed elsewhere, once per file: neither near nor alone.
    assert!(share(tally.near) >= 95, "{tally:?}");
    assert!(share(tally.alone) >= 75, "{tally:?}");
    assert!(share(tally.few) >= 98, "{tally:?}");
    assert!(tally.worst <= 3 + files.len(), "{tally:?}");
    assert!(tally.accepted * 10 < tally.trials, "{tally:?}");
}
