//! One folder per compatibility rule: a pair of schemas that breaks exactly this rule, with the report, and a
//! compatible pair.
//!
//! `old.kaa` and `new.kaa` are compiled as `demo.kaa`; if one file is not enough, they are folders. Rules
//! that are off by default are on in their own folders. To accept new reports, run with `KAA_BLESS=1` and
//! review the changes.

#![allow(clippy::expect_used, reason = "a test that cannot continue must fail")]

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
            (Rule::from_name(&name).expect("the folder has the name of a rule"), entry.path())
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
fn edit_breaks_exactly_its_rule() {
    let bless = std::env::var_os("KAA_BLESS").is_some();
    let mut failures = String::new();
    for (rule, folder) in folders() {
        let (rules, rendered) = compared(rule, &folder.join("breaks"));
        if rules != [rule.name()] {
            failures += &format!("{rule} must be broken once, but {rules:?} are broken:\n{rendered}\n");
        }
        let expected = folder.join("expected.txt");
        if bless {
            fs::write(&expected, &rendered).expect("the expectation is written");
        } else if fs::read_to_string(&expected).ok().as_deref() != Some(&rendered) {
            failures += &format!("{rule} has a different report:\n{rendered}\n");
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn compatible_edit_is_not_reported() {
    let mut failures = String::new();
    for (rule, folder) in folders() {
        let (rules, rendered) = compared(rule, &folder.join("compatible"));
        if !rules.is_empty() {
            failures += &format!("{rule}: {rules:?}\n{rendered}\n");
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn schema_is_compatible_with_itself() {
    for (_, folder) in folders() {
        for (kind, name) in
            [("breaks", "old"), ("breaks", "new"), ("compatible", "old"), ("compatible", "new")]
        {
            let once = compiled(&folder.join(kind), name);
            let again = compiled(&folder.join(kind), name);
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
fn rules_are_ordered_and_explained() {
    assert!(Rule::ALL.is_sorted_by_key(|rule| rule.category()));
    let names: BTreeSet<&str> = Rule::ALL.iter().map(|rule| rule.name()).collect();
    assert_eq!(names.len(), Rule::ALL.len());
    for rule in Rule::ALL {
        assert!(rule.explanation().len() > 20 && rule.explanation().ends_with('.'), "{rule}");
        assert!(!rule.help().ends_with('.') && !rule.help().is_empty(), "{rule}");
        assert_eq!(Rule::from_name(rule.name()), Some(*rule));
    }
}
