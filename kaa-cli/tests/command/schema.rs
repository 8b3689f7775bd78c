//! `kaa schema` writes the document that `docs/command.md` describes, and nothing if there are errors.

use std::path::Path;

use crate::support::{Folder, command, run};

#[test]
fn every_construct_is_described() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemas");
    let run = run(&mut command(&folder, ["schema", "whole"]), b"");
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false, snapshot_path => "../snapshots" }, {
        insta::assert_snapshot!("schema", run.stdout);
    });
}

#[test]
fn packages_can_be_chosen() {
    let folder = Folder::package();
    folder.write("kaa/a.kaa", "package a;");
    let names = |arguments: &[&str]| {
        let document = folder.kaa([&["schema"], arguments].concat()).json();
        let packages = document["packages"].as_array().expect("a list").clone();
        packages.iter().map(|each| each["name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&[]), ["a", "tv.epg"]);
    assert_eq!(names(&["--package", "tv.epg"]), ["tv.epg"]);
    let run = folder.kaa(["schema", "--package", "tv.nothing"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert!(run.stderr.contains("help: there are a, tv.epg"), "{run:?}");
}

#[test]
fn schema_with_errors_writes_nothing_to_stdout() {
    let folder = Folder::package();
    folder.write("kaa/tv/epg.kaa", "package tv.epg;\nstruct P { x: Nothing }\n");
    let run = folder.kaa(["schema"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(run.stderr.starts_with("error[K0104]"), "{run:?}");
}

#[test]
fn several_schemas_are_rejected() {
    let folder = Folder::new([
        ("Cargo.toml", "[workspace]"),
        ("a/Cargo.toml", "[package]"),
        ("a/kaa/a.kaa", "package a;"),
        ("b/Cargo.toml", "[package]"),
        ("b/kaa/b.kaa", "package b;"),
    ]);
    let run = folder.kaa(["schema"]);
    assert_eq!(run.code, 2);
    assert_eq!(
        run.stderr,
        "error: there are 2 schemas here\nhelp: name one of them, such as `a/kaa` or `b/kaa`\n"
    );
    assert_eq!(folder.kaa(["schema", "a"]).code, 0);
}
