//! One folder per rule of compatibility: a pair of schemas that breaks exactly this rule, with the report, and a pair
//! that fits.
//!
//! `old.kaa` and `new.kaa` are compiled as `demo.kaa`; where one file cannot show it they are folders. Rules that are
//! off by default are switched on in their own folders. To accept new reports, run with `KAA_BLESS=1` and read what
//! changed.

#![allow(clippy::expect_used, reason = "a test that cannot go on should say so")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use kaa_idl::compatibility::{Report, Rule, Settings};
use kaa_idl::{Compilation, DiskSource, MemorySource, RenderStyle, compile};

fn folders() -> Vec<(Rule, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compatibility");
    let entries = fs::read_dir(root).expect("the fixtures");
    let mut folders: Vec<(Rule, PathBuf)> = entries
        .map(|entry| {
            let entry = entry.expect("an entry");
            let name = entry.file_name().into_string().expect("a name");
            (Rule::named(&name).expect("a folder has the name of a rule"), entry.path())
        })
        .collect();
    folders.sort();
    folders
}

fn compiled(folder: &Path, name: &str) -> Compilation {
    let file = folder.join(format!("{name}.kaa"));
    let compilation = if file.is_file() {
        compile(&MemorySource::new([("demo.kaa", fs::read(file).expect("a fixture"))]))
    } else {
        compile(&DiskSource::new([folder.join(name)]))
    };
    assert!(compilation.diagnostics().is_empty(), "{}", compilation.render(RenderStyle::Plain));
    compilation
}

/// The rules that a pair breaks, and the report.
fn compared(rule: Rule, folder: &Path) -> (Vec<&'static str>, String) {
    let (old, new) = (compiled(folder, "old"), compiled(folder, "new"));
    let settings = Settings::default().with_rule(rule);
    let report = Report::new(&old, &new, "frozen 1", &settings).expect("both compile");
    let rules = report.diagnostics().iter().map(|diagnostic| diagnostic.rule.as_str()).collect();
    (rules, report.render(RenderStyle::Plain))
}

#[test]
fn an_edit_breaks_exactly_its_rule() {
    let bless = std::env::var_os("KAA_BLESS").is_some();
    let mut failures = String::new();
    for (rule, folder) in folders() {
        let (rules, rendered) = compared(rule, &folder.join("breaks"));
        if rules != [rule.name()] {
            failures += &format!("{rule} was to be broken once, and broken are {rules:?}:\n{rendered}\n");
        }
        let expected = folder.join("expected.txt");
        if bless {
            fs::write(&expected, &rendered).expect("the expectation is written");
        } else if fs::read_to_string(&expected).ok().as_deref() != Some(&rendered) {
            failures += &format!("{rule} has another report:\n{rendered}\n");
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn what_fits_is_not_reported() {
    let mut failures = String::new();
    for (rule, folder) in folders() {
        let (rules, rendered) = compared(rule, &folder.join("fits"));
        if !rules.is_empty() {
            failures += &format!("{rule}: {rules:?}\n{rendered}\n");
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn nothing_differs_from_itself() {
    for (_, folder) in folders() {
        for (kind, era) in [("breaks", "old"), ("breaks", "new"), ("fits", "old"), ("fits", "new")] {
            let once = compiled(&folder.join(kind), era);
            let again = compiled(&folder.join(kind), era);
            let settings =
                Rule::ALL.iter().fold(Settings::none(), |settings, rule| settings.with_rule(*rule));
            let report = Report::new(&once, &again, "frozen 1", &settings).expect("both compile");
            assert!(report.diagnostics().is_empty(), "{}", report.render(RenderStyle::Plain));
        }
    }
}

#[test]
fn every_rule_has_a_folder() {
    let have: BTreeSet<Rule> = folders().into_iter().map(|(rule, _)| rule).collect();
    let missing: Vec<&Rule> = Rule::ALL.iter().filter(|rule| !have.contains(rule)).collect();
    assert!(missing.is_empty(), "no fixture for {missing:?}");
}

#[test]
fn rules_are_ordered_named_and_explained() {
    assert!(Rule::ALL.is_sorted_by_key(|rule| rule.category()));
    let names: BTreeSet<&str> = Rule::ALL.iter().map(|rule| rule.name()).collect();
    assert_eq!(names.len(), Rule::ALL.len());
    for rule in Rule::ALL {
        assert!(rule.explanation().len() > 20 && rule.explanation().ends_with('.'), "{rule}");
        assert!(!rule.instead().ends_with('.') && !rule.instead().is_empty(), "{rule}");
        assert_eq!(Rule::named(rule.name()), Some(*rule));
    }
}
