//! Written files: the same bytes every time, unchanged files untouched, stale files removed, other files
//! kept.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use kaa_rpc_build::{Config, Error, configure};

const BELL: &str = "package bell;\nservice Bell { fn ring(times: u32); }\n";

fn files(folder: &Path) -> BTreeMap<String, (String, SystemTime)> {
    let mut files = BTreeMap::new();
    for folder in [folder.to_path_buf(), folder.join("kaa")] {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let modified = fs::metadata(&path).unwrap().modified().unwrap();
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                files.insert(name, (fs::read_to_string(&path).unwrap(), modified));
            }
        }
    }
    files
}

fn names(folder: &Path) -> Vec<String> {
    files(folder).into_keys().collect()
}

fn config(folder: &Path) -> Config {
    configure().root(folder.join("idl")).out_dir(folder.join("out"))
}

#[test]
fn second_run_touches_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let config =
        configure().root(support::fixture("hygiene")).include(support::fixture("service")).out_dir(&out);
    config.clone().compile().unwrap();
    let first = files(&out);
    assert_eq!(first.len(), 8, "{:?}", first.keys());
    config.compile().unwrap();
    assert_eq!(files(&out), first);
}

#[test]
fn changed_files_are_written_and_stale_files_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (idl, out) = (folder.path().join("idl"), folder.path().join("out"));
    fs::create_dir(&idl).unwrap();
    fs::write(idl.join("bell.kaa"), BELL).unwrap();
    fs::write(idl.join("gong.kaa"), "package gong;\nstruct Gong { size: u8 }\n").unwrap();
    config(folder.path()).compile().unwrap();
    assert_eq!(names(&out), ["bell.rs", "gong.rs", "kaa.rs"]);
    fs::write(out.join("kaa/mine.rs"), "// mine\n").unwrap();
    let before = files(&out);

    fs::write(idl.join("bell.kaa"), BELL.replace("u32", "u64")).unwrap();
    config(folder.path()).compile().unwrap();
    let after = files(&out);
    assert_eq!(after["gong.rs"], before["gong.rs"]);
    assert_eq!(after["kaa.rs"], before["kaa.rs"]);
    assert_ne!(after["bell.rs"].0, before["bell.rs"].0);

    fs::remove_file(idl.join("gong.kaa")).unwrap();
    config(folder.path()).compile().unwrap();
    assert_eq!(names(&out), ["bell.rs", "kaa.rs", "mine.rs"]);
}

#[test]
fn missing_or_empty_folder_is_reported_with_help() {
    let folder = tempfile::tempdir().unwrap();
    let idl = folder.path().join("idl");
    let error = config(folder.path()).compile().unwrap_err();
    assert!(matches!(&error, Error::MissingFolder { path } if *path == idl));
    let expected = format!(
        "\nerror: there is no folder `{}`\nhelp: put this package's .kaa files there, \
         or set their folder with `kaa_rpc_build::configure().root(\"…\").compile()`",
        idl.display()
    );
    assert_eq!(format!("{error:?}"), expected);

    fs::create_dir(&idl).unwrap();
    fs::write(idl.join("readme.txt"), "nothing here").unwrap();
    let error = config(folder.path()).compile().unwrap_err();
    assert!(matches!(&error, Error::NoFiles { path } if *path == idl), "{error}");
    assert!(error.to_string().contains("help: put `package tv.epg;` into"), "{error}");
}

#[test]
fn schema_errors_print_as_diagnostics_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("idl")).unwrap();
    fs::write(folder.path().join("idl/bell.kaa"), BELL.replace("u32", "Times")).unwrap();
    let error = config(folder.path()).compile().unwrap_err();
    let shown = format!("{error:?}");
    assert!(shown.starts_with("\nerror[K0104]"), "{shown}");
    assert!(shown.contains("bell.kaa:2:31"), "{shown}");
    assert!(!folder.path().join("out").exists());
}

#[test]
fn unusable_output_folder_is_named_in_the_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("idl")).unwrap();
    fs::write(folder.path().join("idl/bell.kaa"), BELL).unwrap();
    fs::write(folder.path().join("out"), "a file").unwrap();
    let error = config(folder.path()).compile().unwrap_err();
    assert!(
        matches!(&error, Error::Write { path, .. } if path.starts_with(folder.path().join("out"))),
        "{error}"
    );
    assert!(std::error::Error::source(&error).is_some());
}
