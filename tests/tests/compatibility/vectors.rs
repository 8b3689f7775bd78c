//! Pairs of schemas with the verdicts of both sides, in `vectors.txt`.
//!
//! A vector that names no service has one whose method takes an `S`. To accept new verdicts, run with `KAA_BLESS=1`
//! and read what changed.

use std::fmt::Write;

use super::generations::{connect, schema, wire_findings};
use kaa_idl::compatibility::ConnectOutcome;

struct Vector {
    name: String,
    verdicts: String,
    old: String,
    new: String,
}

fn path() -> &'static str {
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/compatibility/vectors.txt")
}

fn vectors() -> Vec<Vector> {
    let text = std::fs::read_to_string(path()).unwrap();
    let parts = text.split("== ").skip(1);
    parts
        .map(|part| {
            let (name, rest) = part.split_once('\n').unwrap();
            let (verdicts, rest) = rest.split_once("-- old\n").unwrap();
            let (old, new) = rest.split_once("-- new\n").unwrap();
            let owned = str::to_owned;
            Vector {
                name: owned(name),
                verdicts: owned(verdicts),
                old: owned(old),
                new: owned(new.trim_end()) + "\n",
            }
        })
        .collect()
}

fn served(text: &str) -> String {
    if text.contains("service ") {
        text.to_owned()
    } else {
        format!("{text}service Demo {{ fn keep(s: Option<S>); }}")
    }
}

/// The lines that say what was found.
fn verdicts(vector: &Vector) -> String {
    let compiled =
        |text: &str| schema(&served(text)).unwrap_or_else(|error| panic!("{}: {error}", vector.name));
    let (old, new) = (compiled(&vector.old), compiled(&vector.new));
    let findings = wire_findings(&old, &new);
    let said = connect(&old, &new);
    let refused = said.iter().filter(|said| said.is_some()).count();
    assert!(refused != 1, "{}: only one end refuses: {said:?}", vector.name);
    assert_eq!(connect(&new, &old).map(|said| said.is_some()), [refused == 2; 2], "{}", vector.name);
    let expected = findings.iter().map(|finding| finding.rule.connect_outcome());
    for connect_outcome in expected {
        assert!(
            connect_outcome != ConnectOutcome::Refused || refused == 2,
            "{}: {findings:?} {said:?}",
            vector.name
        );
    }
    let harmless = findings.iter().all(|finding| finding.rule.connect_outcome() == ConnectOutcome::Accepted);
    assert!(!harmless || refused == 0, "{}: {findings:?} {said:?}", vector.name);
    let mut lines = String::new();
    for finding in &findings {
        writeln!(lines, "rule: {}", finding.rule).unwrap();
    }
    for (end, said) in ["old", "new"].iter().zip(said) {
        writeln!(lines, "{end} says: {}", said.unwrap_or_else(|| "fits".to_owned())).unwrap();
    }
    lines
}

#[test]
fn both_come_to_the_verdicts_of_the_vectors() {
    let vectors = vectors();
    assert!(vectors.len() > 40);
    if std::env::var_os("KAA_BLESS").is_some() {
        let written = vectors.iter().map(|vector| {
            format!("== {}\n{}-- old\n{}-- new\n{}\n", vector.name, verdicts(vector), vector.old, vector.new)
        });
        std::fs::write(path(), written.collect::<String>()).unwrap();
        return;
    }
    for vector in &vectors {
        assert_eq!(verdicts(vector), vector.verdicts, "{}", vector.name);
    }
}
