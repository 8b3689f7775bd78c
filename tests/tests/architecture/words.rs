//! Retired words: `retired.txt` lists them and documents the syntax of its patterns.

mod regions;

use std::collections::BTreeMap;

use crate::exceptions::{Fault, Kind};
use crate::tree::Files;
use regions::code;

/// Files that are not searched: lists of old and new names, and generated text.
const EXEMPT: &[&str] = &[
    "CHANGELOG.md",
    "docs/glossary.md",
    "kaa-idl/src/parse/generated.rs",
    "tests/tests/architecture/exceptions.txt",
    "tests/tests/architecture/retired.txt",
];

/// One line of `retired.txt`.
#[derive(Debug)]
struct Pattern {
    words: Words,
    instead: String,
    /// The pattern applies to files whose path begins so.
    place: String,
}

#[derive(Debug)]
enum Words {
    /// Lower-case words; one that ends in `*` matches every word that begins so.
    Phrase(Vec<String>),
    /// One identifier, or with `*` at its end every identifier that begins so.
    Identifier(String),
}

#[derive(Debug)]
pub(crate) struct Retired {
    /// Phrases by their first word.
    phrases: BTreeMap<String, Vec<Pattern>>,
    /// Phrases whose first word ends in `*`.
    open: Vec<Pattern>,
    identifiers: Vec<Pattern>,
}

/// A word of a text, or a part of an identifier.
#[derive(Debug)]
struct Word {
    lower: String,
    line: usize,
    /// Whether only blanks, a hyphen or comment markers separate it from the previous word.
    follows: bool,
}

/// A whole identifier in code.
#[derive(Debug)]
struct Identifier<'a> {
    text: &'a str,
    line: usize,
}

/// A retired word in a text.
#[derive(Debug)]
struct Found<'a> {
    line: usize,
    text: String,
    instead: &'a str,
}

/// The replacement that marks a phrase as exempt.
const ALLOWED: &str = "allowed";

impl Retired {
    pub(crate) fn parse(list: &str) -> Result<Self, String> {
        let mut retired = Self { phrases: BTreeMap::new(), open: Vec::new(), identifiers: Vec::new() };
        let mut place = String::new();
        for line in list.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Some(path) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                path.clone_into(&mut place);
                continue;
            }
            let (pattern, instead) =
                line.split_once(" -> ").ok_or_else(|| format!("retired.txt: no ` -> ` in {line:?}"))?;
            let (pattern, instead) = (pattern.trim(), instead.trim().to_owned());
            if let Some(name) = pattern.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')) {
                retired.identifiers.push(Pattern {
                    words: Words::Identifier(name.to_owned()),
                    instead,
                    place: place.clone(),
                });
                continue;
            }
            let words: Vec<String> = pattern.split_whitespace().map(str::to_owned).collect();
            let is_word =
                |word: &String| word.trim_end_matches('*').chars().all(|letter| letter.is_ascii_lowercase());
            let first = words.first().filter(|_| words.iter().all(is_word)).cloned();
            let first =
                first.ok_or_else(|| format!("retired.txt: {pattern:?} is not made of lower-case words"))?;
            let pattern = Pattern { words: Words::Phrase(words), instead, place: place.clone() };
            if first.ends_with('*') {
                retired.open.push(pattern);
            } else {
                retired.phrases.entry(first).or_default().push(pattern);
            }
        }
        Ok(retired)
    }

    /// One fault for each file with retired words; its report lists all of them.
    pub(crate) fn faults(&self, files: &Files) -> Vec<Fault> {
        let searched = files.iter().filter(|(path, _)| !EXEMPT.contains(&path.as_str()));
        searched
            .filter_map(|(path, text)| {
                let found = self.find(path, text);
                let reports: Vec<_> = found
                    .iter()
                    .map(|found| format!("{path}:{}: {}: use {}", found.line, found.text, found.instead))
                    .collect();
                let fault = Fault {
                    kind: Kind::Words,
                    key: path.clone(),
                    count: found.len(),
                    report: reports.join("\n"),
                };
                (fault.count > 0).then_some(fault)
            })
            .collect()
    }

    fn find(&self, path: &str, text: &str) -> Vec<Found<'_>> {
        let mut found = Vec::new();
        let words = words(text);
        let mut rest = words.as_slice();
        while let Some((first, after)) = rest.split_first() {
            let closed = self.phrases.get(&first.lower).into_iter().flatten();
            let patterns = closed.chain(&self.open).filter(|pattern| path.starts_with(&pattern.place));
            let longest = patterns.filter_map(|pattern| Some((pattern.length_at(rest)?, pattern)));
            let Some((length, pattern)) = longest.max_by_key(|(length, _)| *length) else {
                rest = after;
                continue;
            };
            let (matched, after) = rest.split_at(length);
            let text = matched.iter().map(|word| word.lower.as_str()).collect::<Vec<_>>().join(" ");
            if pattern.instead != ALLOWED {
                found.push(Found { line: first.line, text, instead: &pattern.instead });
            }
            rest = after;
        }
        for identifier in identifiers(path, text) {
            let mut patterns = self.identifiers.iter().filter(|pattern| path.starts_with(&pattern.place));
            let fitting = patterns.find(|pattern| pattern.is(identifier.text));
            found.extend(fitting.map(|pattern| Found {
                line: identifier.line,
                text: identifier.text.to_owned(),
                instead: &pattern.instead,
            }));
        }
        found.sort_by_key(|found| found.line);
        found
    }
}

impl Pattern {
    /// The number of words in the phrase, if the text begins with it.
    fn length_at(&self, text: &[Word]) -> Option<usize> {
        let Words::Phrase(words) = &self.words else { return None };
        let begins = text.get(..words.len())?;
        let goes_on = begins.iter().skip(1).all(|word| word.follows);
        let is_same = begins.iter().zip(words).all(|(word, pattern)| is_like(&word.lower, pattern));
        (goes_on && is_same).then_some(words.len())
    }

    fn is(&self, identifier: &str) -> bool {
        matches!(&self.words, Words::Identifier(pattern) if is_like(identifier, pattern))
    }
}

fn is_like(word: &str, pattern: &str) -> bool {
    pattern.strip_suffix('*').map_or(word == pattern, |beginning| word.starts_with(beginning))
}

/// Runs of letters, digits and underscores, with their offsets and lines.
fn runs(text: &str) -> impl Iterator<Item = (usize, usize, &str)> {
    let mut line = 1;
    let mut offset = 0;
    text.split_inclusive(|letter: char| !is_part(letter)).filter_map(move |piece| {
        let (at, here) = (offset, line);
        offset += piece.len();
        line += usize::from(piece.ends_with('\n'));
        let run = piece.trim_end_matches(|letter: char| !is_part(letter));
        (!run.is_empty()).then_some((at, here, run))
    })
}

fn is_part(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn words(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut end = 0;
    for (at, line, run) in runs(text) {
        let mut follows = is_continued(text.get(end..at).unwrap_or_default());
        end = at + run.len();
        for part in run.split('_').filter(|part| !part.is_empty()) {
            for lower in humps(part) {
                words.push(Word { lower, line, follows });
                follows = true;
            }
        }
    }
    words
}

/// Whether a phrase may continue across this gap: blanks, a hyphen, or one line break with comment
/// markers after it.
fn is_continued(gap: &str) -> bool {
    match gap.split_once('\n') {
        None => gap == "-" || gap.chars().all(|letter| letter == ' ' || letter == '\t'),
        Some((before, after)) => {
            before.chars().all(|letter| letter == ' ' || letter == '\\')
                && after.chars().all(|letter| " \t/!#*>".contains(letter))
        }
    }
}

/// The words of `CamelCase`, in lower case; an acronym is one.
fn humps(part: &str) -> Vec<String> {
    let letters: Vec<char> = part.chars().collect();
    let mut words: Vec<String> = Vec::new();
    let mut before = None;
    for (index, letter) in letters.iter().enumerate() {
        let after = letters.get(index + 1);
        let begins = letter.is_uppercase()
            && before.is_none_or(|before: char| {
                !before.is_uppercase() || after.is_some_and(|after| after.is_lowercase())
            });
        match words.last_mut().filter(|_| !begins) {
            Some(word) => word.extend(letter.to_lowercase()),
            None => words.push(letter.to_lowercase().collect()),
        }
        before = Some(*letter);
    }
    words
}

fn identifiers<'a>(path: &str, text: &'a str) -> Vec<Identifier<'a>> {
    let code = code(path, text);
    let mut ranges = code.iter().peekable();
    runs(text)
        .filter(|(at, ..)| {
            while ranges.next_if(|range| range.end <= *at).is_some() {}
            ranges.peek().is_some_and(|range| range.contains(at))
        })
        .map(|(_, line, text)| Identifier { text, line })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::Retired;

    // Invented words: this file is searched, too.
    const LIST: &str = "# comment\n\
        plum* -> pear\n\
        eat plums -> eat pears\n\
        cherry pie -> apple pie\n\
        `top_*` -> `max_*`\n\
        `Fig` -> `Date`\n\
        cherry pie chart -> allowed\n\
        [x/]\n\
        `nut` -> `seed`\n";

    fn find(path: &str, text: &str) -> Vec<String> {
        let retired = Retired::parse(LIST).unwrap();
        let found = retired.find(path, text);
        found
            .into_iter()
            .map(|found| format!("{}: {}: use {}", found.line, found.text, found.instead))
            .collect()
    }

    #[test]
    fn phrase_across_a_line_break_is_found() {
        assert_eq!(find("a.rs", "//! A cherry\n//! pie.\n"), ["1: cherry pie: use apple pie"]);
        assert_eq!(find("a.rs", "x\n    // Cherry\n    /// Pie\n"), ["2: cherry pie: use apple pie"]);
        assert_eq!(find("a.md", "> a cherry\n> pie"), ["1: cherry pie: use apple pie"]);
        assert_eq!(find("a.rs", "\"a cherry \\\n     pie\""), ["1: cherry pie: use apple pie"]);
        assert!(find("a.md", "A cherry.\nPie.\n\nA cherry\n\npie and cherry, pie, cherry pies").is_empty());
    }

    #[test]
    fn identifiers_of_a_phrase_are_found() {
        let found = find("a.rs", "fn cherry_pie() {}\nstruct WarmCherryPie;\nconst CHERRY_PIE: u8 = 0;");
        assert_eq!(found.len(), 3, "{found:?}");
        assert_eq!(find("a.toml", "cherry-pie = 1"), ["1: cherry pie: use apple pie"]);
    }

    #[test]
    fn phrase_of_more_words_counts_once() {
        assert_eq!(find("a.md", "eat plums"), ["1: eat plums: use eat pears"]);
        assert_eq!(find("a.md", "Plummet."), ["1: plummet: use pear"]);
        assert!(find("a.md", "a cherry pie chart").is_empty());
    }

    #[test]
    fn pattern_with_a_path_counts_there_only() {
        assert_eq!(find("x/a.rs", "let nut = 1;").len(), 1);
        assert!(find("y/a.rs", "let nut = 1;").is_empty());
    }

    #[test]
    fn identifier_prefix_is_found_in_code_only() {
        let text =
            "//! The top_ten and `top_five`, a Fig.\nlet s = \"top_six Fig\";\nlet top_seven: Fig = top();";
        assert_eq!(
            find("a.rs", text),
            ["1: top_five: use `max_*`", "3: top_seven: use `max_*`", "3: Fig: use `Date`"]
        );
        assert_eq!(
            find("a.md", "Fig `Fig` [`Fig`](x)\n```rust\nFig // Fig\n```\nFig\n```text\nFig\n```\n").len(),
            3
        );
        assert!(find("a.md", "FigTree, `FigTree`, `on_top_of`").is_empty());
    }
}
