//! One syntax error produces one diagnostic in the right place, and no follow-up errors.
//!
//! Each trial deletes, doubles or replaces one token of a valid schema. The schemas are the project's own, or
//! those in the folder `KAA_CORPUS`.

#![allow(clippy::expect_used, reason = "a test that cannot continue should panic with the reason")]
#![allow(
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "the offsets are those of the test's own tokens"
)]

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::time::{Duration, Instant};

use kaa_idl::diagnostic::Diagnostic;
use kaa_idl::{Compilation, DiskSource, FileSource, LineTable, MemorySource, RenderStyle, compile};

type Files = BTreeMap<String, String>;

/// The number of trials, spread evenly over all changes, and the maximum number of bytes to compile for them.
const MAX_TRIALS: usize = 500;
const MAX_BYTES: usize = 8_000_000;
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

/// The ranges of words, numbers, strings and punctuation characters, without comments.
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

/// The length of a literal, including its quotes.
fn closing(bytes: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// Tokens that replace a token.
const OTHERS: &[&str] = &[
    ",", ";", ":", "::", ".", "{", "}", "(", ")", "<", ">", "[", "]", "=", "->", "#", "fn", "struct", "5",
    "\"a\"", "Oops",
];

/// The text with one token changed in the `way`th way, and the range of the change in the new text.
fn change_token(text: &str, token: &Range<usize>, way: usize) -> (String, Range<usize>) {
    let written = &text[token.clone()];
    let replacement = match way {
        0 => String::new(),
        1 => format!("{written} {written}"),
        other => OTHERS[other % OTHERS.len()].to_owned(),
    };
    let changed = format!("{}{replacement}{}", &text[..token.start], &text[token.end..]);
    (changed, token.start..token.start + replacement.len())
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

/// Whether a diagnostic is on a line of the change, or on the line of a token next to it.
fn is_near(diagnostic: &Diagnostic, path: &str, text: &str, change: &Range<usize>) -> bool {
    let lines = LineTable::new(text);
    let before = text[..change.start].trim_end().len();
    let after =
        change.end + text[change.end..].find(|character: char| !character.is_whitespace()).unwrap_or(0);
    let labels = std::iter::once(&diagnostic.primary).chain(&diagnostic.secondary);
    labels.filter(|label| &*label.place.path == path).any(|label| {
        let (first, last) = (lines.line(label.place.span.start()), lines.line(label.place.span.end()));
        first <= lines.line(after) && last >= lines.line(before.saturating_sub(1))
    })
}

fn count(tally: &mut Tally, compilation: &Compilation, path: &str, text: &str, change: &Range<usize>) {
    tally.trials += 1;
    let diagnostics = compilation.diagnostics();
    if diagnostics.is_empty() {
        tally.accepted += 1;
        return;
    }
    let near = diagnostics.iter().any(|diagnostic| is_near(diagnostic, path, text, change));
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
    let trials = MAX_TRIALS.min(MAX_BYTES / size).max(20);
    let step = (all.len() * ways / trials).max(1) | 1;
    let mut tally = Tally::default();
    for trial in (0..all.len() * ways).step_by(step) {
        let ((path, token), way) = (&all[trial / ways], trial % ways);
        let mut files = files.clone();
        let text = files.get_mut(*path).expect("the file");
        let (changed, change) = change_token(text, token, way);
        text.clone_from(&changed);
        let start = Instant::now();
        let compilation = compile(&MemorySource::new(files));
        assert!(start.elapsed() < TIME_LIMIT, "{path}: {changed}");
        assert_eq!(compilation.render(RenderStyle::Plain).is_empty(), compilation.diagnostics().is_empty());
        count(&mut tally, &compilation, path, &changed, &change);
    }
    let wrong = tally.trials - tally.accepted;
    let share = |count: usize| count * 100 / wrong.max(1);
    // A name that is changed where it is defined is unknown elsewhere, once per file: neither near nor alone.
    assert!(share(tally.near) >= 95, "{tally:?}");
    assert!(share(tally.alone) >= 75, "{tally:?}");
    assert!(share(tally.few) >= 98, "{tally:?}");
    assert!(tally.worst <= 3 + files.len(), "{tally:?}");
    assert!(tally.accepted * 10 < tally.trials, "{tally:?}");
}
