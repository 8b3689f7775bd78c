//! The schema is compared with frozen schemas. An edit that breaks the wire fails the build with a report.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use kaa_idl::frozen::{file_name, freeze};
use kaa_idl::{MemorySource, compile};
use kaa_rpc_build::{Error, Result, configure};

const FIRST: &str = "package bell;\nstruct Ring { times: u8 }\nservice Bell { fn ring(ring: Ring); }\n";
const SECOND: &str =
    "package bell;\nstruct Ring { times: u8, tone: Option<u8> }\nservice Bell { fn ring(ring: Ring); }\n";

/// Compiles a package with the source `new` and the frozen schemas `frozen`, numbered from 1.
fn build(frozen: &[&str], new: &str) -> (Result, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("kaa")).unwrap();
    fs::write(path("kaa/bell.kaa"), new).unwrap();
    if !frozen.is_empty() {
        fs::create_dir(path("schema")).unwrap();
    }
    for (number, text) in (1..).zip(frozen) {
        let compilation = compile(&MemorySource::new([("bell.kaa", *text)]));
        fs::write(path("schema").join(file_name(number)), freeze(&compilation, number).unwrap()).unwrap();
    }
    (compiled(folder.path()), folder)
}

fn compiled(folder: &Path) -> Result {
    let out = folder.join("out");
    configure().root(folder.join("kaa")).out_dir(out).frozen(folder.join("schema")).compile()
}

#[test]
fn compatible_edits_build() {
    build(&[FIRST], SECOND).0.unwrap();
    build(&[FIRST, SECOND], SECOND).0.unwrap();
}

#[test]
fn breaking_edit_fails_and_is_reported_once() {
    let broken = SECOND.replace("times: u8", "times: u16");
    let (result, folder) = build(&[FIRST, SECOND], &broken);
    let Err(Error::Breaking { rendered }) = result else { panic!("{result:?}") };
    assert_eq!(rendered.matches("error[").count(), 1, "{rendered}");
    assert!(rendered.starts_with("error[STRUCT_FIELD_SAME_TYPE]: field `times` of `Ring`"), "{rendered}");
    assert!(rendered.contains("bell.kaa (frozen 2):3:15"), "{rendered}");
    assert!(!folder.path().join("out").exists(), "nothing is generated");
    let (result, _folder) = build(&[FIRST, SECOND], FIRST);
    let Err(Error::Breaking { rendered }) = result else { panic!("{result:?}") };
    assert!(rendered.contains("STRUCT_FIELD_NO_DELETE") && rendered.contains("frozen 2"), "{rendered}");
}

#[test]
fn same_breaking_edit_in_two_packages_is_reported_twice() {
    let packages = |text: &str| {
        ["bell", "gong"]
            .map(|name| (format!("{name}.kaa"), text.replace("package bell", &format!("package {name}"))))
    };
    let folder = tempfile::tempdir().unwrap();
    for name in ["kaa", "schema"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    for (name, text) in packages(&SECOND.replace("times: u8", "times: u16")) {
        fs::write(folder.path().join("kaa").join(name), text).unwrap();
    }
    let frozen = freeze(&compile(&MemorySource::new(packages(SECOND))), 1).unwrap();
    fs::write(folder.path().join("schema").join(file_name(1)), frozen).unwrap();
    let result = compiled(folder.path());
    let Err(Error::Breaking { rendered }) = result else { panic!("{result:?}") };
    assert_eq!(rendered.matches("error[STRUCT_FIELD_SAME_TYPE]").count(), 2, "{rendered}");
}

#[test]
fn edits_that_only_affect_rust_code_build() {
    let kept = format!("{SECOND}const MAX: u8 = 1;\n");
    build(&[FIRST, &kept], SECOND).0.unwrap();
}

#[test]
fn missing_or_damaged_frozen_schema_is_reported_with_help() {
    let (result, _folder) = build(&[], FIRST);
    let error = result.unwrap_err();
    assert!(
        matches!(error, Error::NoFrozenSchema { .. }) && error.to_string().contains("`kaa freeze`"),
        "{error}"
    );
    let (result, folder) = build(&[FIRST], FIRST);
    result.unwrap();
    let file = folder.path().join("schema/1.frozen");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("times", "tunes")).unwrap();
    let error = compiled(folder.path()).unwrap_err();
    assert!(
        error.to_string().contains("schema/1.frozen` cannot be used: this frozen schema was changed"),
        "{error}"
    );
    fs::write(folder.path().join("schema/copy.frozen"), &text).unwrap();
    fs::write(&file, &text).unwrap();
    let error = compiled(folder.path()).unwrap_err();
    assert!(error.to_string().contains("are both frozen schema 1"), "{error}");
}
