//! Checks the pairs of schemas in `vectors.txt`, which also lists the broken rules and the verdicts of both peers.
//!
//! A vector without a service gets one with a method that takes an `S`. To accept new verdicts, run with `KAA_BLESS=1`
//! and review the difference.

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

fn with_service(text: &str) -> String {
    if text.contains("service ") {
        text.to_owned()
    } else {
        format!("{text}service Demo {{ fn keep(s: Option<S>); }}")
    }
}

/// The lines of a vector with the broken rules and the verdict of each peer.
fn verdicts(vector: &Vector) -> String {
    let compiled =
        |text: &str| schema(&with_service(text)).unwrap_or_else(|error| panic!("{}: {error}", vector.name));
    let (old, new) = (compiled(&vector.old), compiled(&vector.new));
    let findings = wire_findings(&old, &new);
    let refusals = connect(&old, &new);
    let refused = refusals.iter().filter(|refusal| refusal.is_some()).count();
    assert!(refused != 1, "{}: only one peer refuses: {refusals:?}", vector.name);
    let swapped = connect(&new, &old);
    assert_eq!(
        swapped.each_ref().map(Option::is_some),
        [refused == 2; 2],
        "{}: {refusals:?} {swapped:?}",
        vector.name
    );
    let case = || format!("{}: {findings:?} {refusals:?}", vector.name);
    for connect_outcome in findings.iter().map(|finding| finding.rule.connect_outcome()) {
        assert!(connect_outcome != ConnectOutcome::Refused || refused == 2, "{}", case());
    }
    let all_pass = findings.iter().all(|finding| finding.rule.connect_outcome() == ConnectOutcome::Accepted);
    assert!(!all_pass || refused == 0, "{}", case());
    let mut lines = String::new();
    for finding in &findings {
        writeln!(lines, "rule: {}", finding.rule).unwrap();
    }
    for (peer, refusal) in ["old", "new"].iter().zip(refusals) {
        writeln!(lines, "{peer} says: {}", refusal.unwrap_or_else(|| "compatible".to_owned())).unwrap();
    }
    lines
}

#[test]
fn rules_and_peers_match_the_vectors() {
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
