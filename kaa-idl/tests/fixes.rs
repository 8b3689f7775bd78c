//! Every fix that a diagnostic offers resolves the diagnostic and causes no other.
//!
//! The schemas are those of `tests/diagnostics`, and each fix is applied on its own.

#![allow(clippy::expect_used, reason = "a test that cannot continue should panic with the reason")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use kaa_idl::diagnostic::{Certainty, Diagnostic, Fix};
use kaa_idl::{Compilation, DiskSource, FileSource, MemorySource, RenderStyle, compile};

type Files = BTreeMap<String, Vec<u8>>;

fn bad(folder: &Path) -> Files {
    let file = folder.join("bad.kaa");
    if file.is_file() {
        return [("demo.kaa".to_owned(), fs::read(file).expect("a fixture"))].into();
    }
    let source = DiskSource::new([folder.join("bad")]);
    let paths = source.files().expect("the fixture's files");
    paths.into_iter().map(|path| (path.clone(), source.read(&path).expect("a file"))).collect()
}

fn compiled(files: &Files) -> Compilation {
    compile(&MemorySource::new(files.clone()))
}

fn fixed(files: &Files, fix: &Fix) -> Files {
    let mut files = files.clone();
    let mut edits: Vec<_> = fix.edits.iter().collect();
    edits.sort_by_key(|edit| edit.place.span);
    for edit in edits.into_iter().rev() {
        let text = files.get_mut(&*edit.place.path).expect("the file to be changed");
        text.splice(edit.place.span.start()..edit.place.span.end(), edit.replacement.bytes());
    }
    files
}

/// Counts diagnostics without their places, which move when the text changes.
fn counted(compilation: &Compilation) -> BTreeMap<(String, String), usize> {
    let mut counts = BTreeMap::new();
    for diagnostic in compilation.diagnostics() {
        *counts.entry((diagnostic.rule.as_str().to_owned(), diagnostic.message.clone())).or_default() += 1;
    }
    counts
}

/// What is wrong with the fix of a diagnostic, if anything.
fn problem(files: &Files, before: &Compilation, diagnostic: &Diagnostic) -> Option<String> {
    let fix = diagnostic.fix.as_ref()?;
    let fixed = fixed(files, fix);
    let after = compiled(&fixed);
    let (old, new) = (counted(before), counted(&after));
    let key = (diagnostic.rule.as_str().to_owned(), diagnostic.message.clone());
    let gone = new.get(&key).copied().unwrap_or(0) < old.get(&key).copied().unwrap_or(0);
    let worse = new.iter().any(|(key, count)| old.get(key).is_none_or(|old| count > old));
    (!gone || worse).then(|| {
        let text: String = fixed.values().map(|text| String::from_utf8_lossy(text).into_owned()).collect();
        format!(
            "{:?}\nchanges the text to\n{text}\nwhich reports\n{}",
            diagnostic,
            after.render(RenderStyle::Plain)
        )
    })
}

#[test]
fn every_fix_resolves_its_diagnostic_and_adds_none() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics");
    let (mut certain, mut likely) = (0, 0);
    let mut failures = String::new();
    for entry in fs::read_dir(root).expect("the fixtures") {
        let folder = entry.expect("an entry").path();
        let files = bad(&folder);
        let compilation = compiled(&files);
        for diagnostic in compilation.diagnostics() {
            match diagnostic.fix.as_ref().map(|fix| fix.certainty) {
                Some(Certainty::Certain) => certain += 1,
                Some(Certainty::Likely) => likely += 1,
                None => {}
            }
            if let Some(problem) = problem(&files, &compilation, diagnostic) {
                failures += &format!("\n--- {}: {problem}", folder.display());
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
    assert!(certain > 100 && likely > 15, "{certain} certain and {likely} likely fixes");
}
