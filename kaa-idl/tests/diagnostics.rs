//! One folder per diagnostic: a bad schema with the exact text that the compiler renders for it, and a good
//! schema.
//!
//! `bad.kaa` and `good.kaa` are compiled as `demo.kaa`; if one file is not enough, they are folders. To
//! accept new texts, run with `KAA_BLESS=1` and review the changes.

#![allow(clippy::expect_used, reason = "a test that cannot continue must fail")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use kaa_idl::diagnostic::Code;
use kaa_idl::{Compilation, DiskSource, MemorySource, RenderStyle, compile};

fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics");
    let entries = fs::read_dir(root).expect("the fixtures");
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    folders.sort();
    folders
}

fn compiled(folder: &Path, name: &str) -> Compilation {
    let file = folder.join(format!("{name}.kaa"));
    if file.is_file() {
        return compile(&MemorySource::new([("demo.kaa", fs::read(file).expect("a fixture"))]));
    }
    compile(&DiskSource::new([folder.join(name)]))
}

fn code(folder: &Path) -> String {
    let name = folder.file_name().and_then(|name| name.to_str()).expect("a name");
    name.split('_').next().expect("a code").to_owned()
}

#[test]
fn bad_schema_renders_expected_text() {
    let bless = std::env::var_os("KAA_BLESS").is_some();
    let mut failures = String::new();
    for folder in folders() {
        let compilation = compiled(&folder, "bad");
        let rendered = compilation.render(RenderStyle::Plain);
        let code = code(&folder);
        if !compilation.diagnostics().iter().any(|diagnostic| diagnostic.rule.as_str() == code) {
            failures += &format!("{} does not show {code}:\n{rendered}\n", folder.display());
        }
        if !compilation.has_errors() || compilation.schema().is_some() {
            failures += &format!("{} compiles without an error\n", folder.display());
        }
        let expected = folder.join("expected.txt");
        if bless {
            fs::write(&expected, &rendered).expect("the expectation is written");
        } else if fs::read_to_string(&expected).ok().as_deref() != Some(&rendered) {
            failures += &format!("{} renders a different text:\n{rendered}\n", folder.display());
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn good_schema_has_no_diagnostics() {
    let mut failures = String::new();
    for folder in folders() {
        let compilation = compiled(&folder, "good");
        if !compilation.diagnostics().is_empty() || compilation.schema().is_none() {
            failures += &format!("{}:\n{}\n", folder.display(), compilation.render(RenderStyle::Plain));
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

/// Diagnostics that a text file cannot cause are tested in `hostile.rs` and `disk.rs`.
#[test]
fn every_code_has_a_folder() {
    let have: BTreeSet<String> = folders().iter().map(|folder| code(folder)).collect();
    let elsewhere = ["K0501", "K0502", "K0503", "K0504", "K0505"];
    let missing: Vec<&str> = Code::ALL
        .iter()
        .map(|code| code.as_str())
        .filter(|code| !have.contains(*code) && !elsewhere.contains(code))
        .collect();
    assert!(missing.is_empty(), "no fixture for {missing:?}");
}

#[test]
fn codes_are_ordered_and_unique() {
    let numbers: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let mut sorted = numbers.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(numbers, sorted);
}
