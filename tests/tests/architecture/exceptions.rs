//! `exceptions.txt` lists today's faults. A fault that is not listed fails the test; so does a listed
//! fault that no longer exists. The list can only shrink.
//!
//! With `KAA_BLESS=1` the tests remove and lower lines that are no longer needed, but neither add nor
//! raise any: that takes `KAA_BLESS=grow`.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

const HEADER: &str = "\
# Faults that the test `architecture` accepts for now. The list only shrinks; KAA_BLESS=1 removes
# repaired faults.
#
# cycle: CRATE: FILE FILE …    files that import each other
# layer: FILE -> MODULE        an import against the layers in ARCHITECTURE.md
# length: FILE                 a Rust file over 500 lines
# words: FILE COUNT            retired words in a file
";

/// Serializes access to the file: tests run in parallel.
static FILE: Mutex<()> = Mutex::new(());

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Cycle,
    Layer,
    Length,
    Words,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Cycle, Self::Layer, Self::Length, Self::Words];

    fn prefix(self) -> &'static str {
        match self {
            Self::Cycle => "cycle: ",
            Self::Layer => "layer: ",
            Self::Length => "length: ",
            Self::Words => "words: ",
        }
    }
}

/// A violation of one of the rules.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    /// The text of its exception, without kind and count.
    pub(crate) key: String,
    /// Always 1, except for words.
    pub(crate) count: usize,
    pub(crate) report: String,
}

impl Fault {
    fn line(&self) -> String {
        match self.kind {
            Kind::Words => format!("{}{} {}", self.kind.prefix(), self.key, self.count),
            kind => format!("{}{}", kind.prefix(), self.key),
        }
    }
}

/// The differences between faults and exceptions.
#[derive(Debug, Default, PartialEq, Eq)]
struct Difference {
    /// Faults that are not listed, or not as often.
    new: Vec<String>,
    /// Exceptions that are gone or smaller.
    gone: Vec<String>,
}

/// Compares the faults of one kind with their exceptions; rewrites the exceptions if `KAA_BLESS` asks for
/// it.
pub(crate) fn settle(kind: Kind, faults: &[Fault]) -> Result<(), Box<dyn Error>> {
    let _guard = FILE.lock().unwrap_or_else(PoisonError::into_inner);
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/architecture/exceptions.txt");
    let text = fs::read_to_string(&path)?;
    let (listed, others): (Vec<&str>, Vec<&str>) =
        lines(&text)?.into_iter().partition(|line| line.starts_with(kind.prefix()));
    let difference = compare(kind, faults, &listed)?;
    let bless = std::env::var("KAA_BLESS").unwrap_or_default();
    if bless == "grow" || !bless.is_empty() && difference.new.is_empty() {
        let lines = faults.iter().map(Fault::line).chain(others.iter().map(|line| (*line).to_owned()));
        fs::write(path, write(lines.collect()))?;
        return Ok(());
    }
    let mut message = difference.new;
    if !difference.gone.is_empty() {
        message.extend(difference.gone);
        message
            .push("KAA_BLESS=1 cargo test -p kaa-rpc-tests --test architecture shortens the list".to_owned());
    }
    assert!(message.is_empty(), "\n{}", message.join("\n"));
    Ok(())
}

/// The lines that are not comments.
fn lines(text: &str) -> Result<Vec<&str>, String> {
    let lines: Vec<_> = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let is_known = |line: &&&str| Kind::ALL.iter().any(|kind| line.starts_with(kind.prefix()));
    match lines.iter().find(|line| !is_known(line)) {
        Some(line) => Err(format!("exceptions.txt: cannot read {line:?}")),
        None => Ok(lines),
    }
}

/// The whole file: kinds in their order, lines sorted.
fn write(mut lines: Vec<String>) -> String {
    lines.sort();
    let mut text = HEADER.to_owned();
    for kind in Kind::ALL {
        let mut own = lines.iter().filter(|line| line.starts_with(kind.prefix())).peekable();
        if own.peek().is_some() {
            text.push('\n');
        }
        for line in own {
            text += line;
            text.push('\n');
        }
    }
    text
}

fn compare(kind: Kind, faults: &[Fault], listed: &[&str]) -> Result<Difference, String> {
    let listed = listed.iter().map(|line| line.trim_start_matches(kind.prefix()));
    match kind {
        Kind::Cycle => Ok(compare_sets(faults, &listed.collect::<Vec<_>>())),
        Kind::Layer | Kind::Length => compare_counts(faults, &listed.map(|key| (key, 1)).collect()),
        Kind::Words => {
            let count = |line: &'_ str| line.rsplit_once(' ')?.1.parse().ok();
            let entries = listed.map(|line| {
                let count = count(line).ok_or_else(|| format!("exceptions.txt: {line:?} has no count"))?;
                Ok((line.rsplit_once(' ').map_or(line, |(key, _)| key), count))
            });
            compare_counts(faults, &entries.collect::<Result<_, String>>()?)
        }
    }
}

fn compare_counts(faults: &[Fault], listed: &BTreeMap<&str, usize>) -> Result<Difference, String> {
    let mut difference = Difference::default();
    for fault in faults {
        match listed.get(fault.key.as_str()) {
            None => difference.new.push(fault.report.clone()),
            Some(count) if fault.count > *count => {
                let report = format!("{} ({} where {count} are listed)", fault.report, fault.count);
                difference.new.push(report);
            }
            Some(count) if fault.count < *count => {
                let message =
                    format!("exceptions.txt: lower `{}` from {count} to {}", fault.key, fault.count);
                difference.gone.push(message);
            }
            Some(_) => {}
        }
    }
    let found: BTreeSet<&str> = faults.iter().map(|fault| fault.key.as_str()).collect();
    let gone = listed.keys().filter(|key| !found.contains(*key));
    difference.gone.extend(gone.map(|key| format!("exceptions.txt: remove `{key}`, it is repaired")));
    Ok(difference)
}

/// Cycles: a fault may have fewer files than its exception, but no other files.
fn compare_sets(faults: &[Fault], listed: &[&str]) -> Difference {
    let files = |key: &'_ str| -> BTreeSet<String> {
        let (name, files) = key.split_once(": ").unwrap_or(("", key));
        files.split(' ').map(|file| format!("{name}/{file}")).collect()
    };
    let is_new = |fault: &&Fault| !listed.iter().any(|line| files(&fault.key).is_subset(&files(line)));
    let is_gone = |line: &&&str| !faults.iter().any(|fault| files(&fault.key) == files(line));
    let gone =
        |line: &&str| format!("exceptions.txt: remove or shorten `cycle: {line}`, it is gone or smaller");
    Difference {
        new: faults.iter().filter(is_new).map(|fault| fault.report.clone()).collect(),
        gone: listed.iter().filter(is_gone).map(gone).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Difference, Fault, Kind, compare};

    fn differ(kind: Kind, faults: &[(&str, usize)], listed: &[&str]) -> Difference {
        let fault = |(key, count): &(&str, usize)| Fault {
            kind,
            key: (*key).to_owned(),
            count: *count,
            report: format!("{key}!"),
        };
        compare(kind, &faults.iter().map(fault).collect::<Vec<_>>(), listed).unwrap()
    }

    #[test]
    fn count_that_shrank_must_be_lowered() {
        let exact = differ(Kind::Words, &[("a.rs", 3)], &["words: a.rs 3"]);
        assert_eq!(exact, Difference::default());
        let lower = differ(Kind::Words, &[("a.rs", 2)], &["words: a.rs 3"]);
        assert_eq!(lower.gone, ["exceptions.txt: lower `a.rs` from 3 to 2"]);
        assert!(lower.new.is_empty());
        let higher = differ(Kind::Words, &[("a.rs", 4)], &["words: a.rs 3"]);
        assert_eq!(higher.new, ["a.rs! (4 where 3 are listed)"]);
    }

    #[test]
    fn exception_without_fault_must_be_removed() {
        let repaired = differ(Kind::Length, &[("a.rs", 1)], &["length: a.rs", "length: b.rs"]);
        assert_eq!(repaired.gone, ["exceptions.txt: remove `b.rs`, it is repaired"]);
        let unlisted = differ(Kind::Layer, &[("x/src/a.rs -> b", 1)], &[]);
        assert_eq!(unlisted.new, ["x/src/a.rs -> b!"]);
    }

    #[test]
    fn cycle_may_shrink_but_not_take_in_files() {
        let smaller = differ(Kind::Cycle, &[("x: a b", 1)], &["cycle: x: a b c"]);
        assert!(smaller.new.is_empty() && smaller.gone.len() == 1, "{smaller:?}");
        let larger = differ(Kind::Cycle, &[("x: a b c", 1)], &["cycle: x: a b"]);
        assert_eq!(larger.new, ["x: a b c!"]);
        let elsewhere = differ(Kind::Cycle, &[("y: a b", 1)], &["cycle: x: a b"]);
        assert_eq!(elsewhere.new, ["y: a b!"]);
    }
}
