//! Formats all available `.kaa` files: those of the project, of the reference, and of a corpus if there is
//! one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use kaa_idl::{DiskSource, FileSource, MemorySource, compile};

use crate::comparison::check;

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The `.kaa` files below a folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "kaa") {
            found.push(path);
        }
    }
}

#[test]
fn project_files_are_formatted() {
    let mut found = Vec::new();
    for folder in ["examples", "tests/kaa", "benches/instructions/kaa", "fuzz/kaa"] {
        files(&project().join(folder), &mut found);
    }
    assert!(found.len() > 10, "{found:?}");
    for path in found {
        let text = fs::read_to_string(&path).expect("a file");
        let formatted = check(&text);
        if std::env::var_os("KAA_BLESS").is_some() {
            fs::write(&path, formatted).expect("the file is written");
        } else {
            assert_eq!(text, formatted, "{} is not formatted", path.display());
        }
    }
}

#[test]
fn good_fixtures_keep_their_meaning() {
    let mut found = Vec::new();
    files(&project().join("kaa-idl/tests/diagnostics"), &mut found);
    found.retain(|path| path.components().any(|part| part.as_os_str().to_string_lossy().starts_with("good")));
    assert!(found.len() > 50);
    for path in found {
        check(&fs::read_to_string(&path).expect("a file"));
    }
}

#[test]
fn reference_examples_keep_their_meaning() {
    let reference = fs::read_to_string(project().join("docs/idl.md")).expect("the reference");
    let blocks = reference.split("```kaa\n").skip(1).filter_map(|block| block.split("```").next());
    assert!(blocks.map(check).count() > 10);
}

#[test]
fn formatting_keeps_fingerprints() {
    let corpus = std::env::var_os("KAA_CORPUS").map(PathBuf::from);
    for root in [Some(project().join("kaa-idl/tests/schemas")), corpus].into_iter().flatten() {
        let source = DiskSource::new([&root]);
        let texts: BTreeMap<String, String> = source
            .files()
            .expect("a list of files")
            .into_iter()
            .map(|path| {
                let text = String::from_utf8(source.read(&path).expect("a file")).expect("UTF-8");
                (path, text)
            })
            .collect();
        let formatted: BTreeMap<String, String> =
            texts.iter().map(|(path, text)| (path.clone(), check(text))).collect();
        let before = fingerprints(&MemorySource::new(texts.clone()));
        assert!(!before.is_empty());
        assert_eq!(before, fingerprints(&MemorySource::new(formatted)));
    }
}

fn fingerprints(source: &dyn FileSource) -> BTreeMap<String, [u8; 32]> {
    let compilation = compile(source);
    let schema = compilation.schema().expect("a schema");
    let services = schema.packages.iter().flat_map(|package| &package.services);
    services.map(|service| (service.wire_name().to_owned(), service.fingerprint)).collect()
}
