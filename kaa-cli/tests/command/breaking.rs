//! `kaa breaking` compares with a git reference, a folder and frozen schemas, and reports what is missing.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::support::{Folder, command, run};

const OLD: &str =
    "package tv.epg;\n\nstruct Program { id: u64, year: u16 }\nservice Epg { fn list() -> u8; }\n";
const NEW: &str =
    "package tv.epg;\n\nstruct Program { id: u64 }\nservice Epg { fn list() -> u8; fn more(); }\n";

/// Runs git without the user's settings. These tests require git.
fn git(folder: &Path, arguments: &[&str]) {
    let settings =
        ["-c", "user.name=tester", "-c", "user.email=tester@example.invalid", "-c", "commit.gpgsign=false"];
    let status = Command::new("git")
        .args(settings)
        .args(arguments)
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env_remove("GIT_DIR")
        .env_remove("GIT_WORK_TREE")
        .status()
        .expect("git is installed: the tests of `kaa breaking --against git:…` need it");
    assert!(status.success(), "git {arguments:?}");
}

fn commit(folder: &Folder, tag: &str) {
    git(&folder.path(), &["add", "--all", "."]);
    git(&folder.path(), &["commit", "--quiet", "--allow-empty", "--message", tag]);
    git(&folder.path(), &["tag", tag]);
}

/// A package in a repository: the old schema at `v1`, the new one in the folder.
fn repository() -> Folder {
    let folder = Folder::new([("Cargo.toml", "[package]"), ("kaa/tv/epg.kaa", OLD)]);
    git(&folder.path(), &["init", "--quiet", "--initial-branch", "main"]);
    commit(&folder, "v1");
    folder.write("kaa/tv/epg.kaa", NEW);
    folder
}

#[test]
fn findings_show_old_and_new_text() {
    let folder = repository();
    let run = folder.kaa(["breaking", "--against", "v1"]);
    assert_eq!(run.code, 1);
    assert!(run.stdout.starts_with("error[STRUCT_FIELD_NO_DELETE]: "), "{run:?}");
    assert!(run.stdout.contains(" --> kaa/tv/epg.kaa:3:8\n"), "{run:?}");
    assert!(run.stdout.contains(" ::: kaa/tv/epg.kaa (v1):3:27\n"), "{run:?}");
    for against in ["git:v1", "main", "HEAD", "git:HEAD", "git:v1:kaa", "v1:kaa"] {
        let run = folder.kaa(["breaking", "--format", "json", "--against", against]);
        assert_eq!((run.code, run.codes()), (1, vec!["STRUCT_FIELD_NO_DELETE".to_owned()]), "{against}");
    }
    commit(&folder, "v2");
    assert_eq!(folder.kaa(["breaking", "--against", "v2"]).code, 0);
}

#[test]
fn json_has_old_location() {
    let folder = repository();
    let run = folder.kaa(["breaking", "--against", "v1", "--format", "json"]);
    let document = run.json();
    let old = &document["diagnostics"][0]["labels"][0];
    assert_eq!((old["file"].as_str(), old["line"].as_u64()), (Some("kaa/tv/epg.kaa (v1)"), Some(3)));
    let range = |key: &str| usize::try_from(old[key].as_u64().expect("a number")).expect("small");
    assert_eq!(OLD.get(range("byte_start")..range("byte_end")), Some("year"));
}

#[test]
fn subfolders_and_single_files_can_be_compared() {
    let folder = repository();
    folder.write("kaa/ui.kaa", "package ui;\n");
    let below = run(&mut command(&folder.join("kaa/tv"), ["breaking", "--against", "v1"]), b"");
    assert_eq!(below.code, 1);
    assert!(below.stdout.contains(" ::: epg.kaa (v1):3:27\n"), "{below:?}");
    assert_eq!(folder.kaa(["breaking", "--against", "v1", "kaa/tv/epg.kaa"]).code, 1);
    assert_eq!(folder.kaa(["breaking", "--against", "v1", "kaa/ui.kaa"]).code, 0);
}

#[test]
fn rules_and_categories_can_be_chosen() {
    let folder = repository();
    let codes = |arguments: &[&str]| {
        let run = folder.kaa([&["breaking", "--against", "v1", "--format", "json"], arguments].concat());
        (run.code, run.codes().join(" "))
    };
    assert_eq!(codes(&["--category", "source"]).0, 0);
    assert_eq!(codes(&["--category", "additions"]), (0, "METHOD_ADDED".to_owned()));
    assert_eq!(
        codes(&["--category", "wire,additions"]),
        (1, "STRUCT_FIELD_NO_DELETE METHOD_ADDED".to_owned())
    );
    assert_eq!(
        codes(&["--rule", "method_added", "--no-rule", "STRUCT_FIELD_NO_DELETE"]),
        (0, "METHOD_ADDED".to_owned())
    );
    assert_eq!(folder.kaa(["breaking", "--against", "v1", "--category", "taste"]).code, 2);
    assert_eq!(folder.kaa(["breaking", "--against", "v1", "--rule", "NOTHING"]).code, 2);
}

#[test]
fn git_failures_are_reported() {
    let folder = repository();
    let stderr = |arguments: &[&str]| {
        let run = folder.kaa([&["breaking", "--against"], arguments].concat());
        assert_eq!(run.code, 2, "{run:?}");
        run.stderr
    };
    let unknown = stderr(&["v9"]);
    assert!(unknown.starts_with("error: there is no commit `v9` in the repository\nhelp: "), "{unknown}");
    assert!(stderr(&["git:--help"]).starts_with("error: there is no commit `--help`"));
    let moved = stderr(&["git:v1:idl"]);
    assert!(moved.starts_with("error: the folder `idl` did not exist at `v1`\n"), "{moved}");
    let outside = Folder::package();
    let run = outside.kaa(["breaking", "--against", "git:v1"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("is not in a git repository"), "{run:?}");
    let mut without = command(&folder.path(), ["breaking", "--against", "git:v1"]);
    let run = crate::support::run(without.env("PATH", outside.path()), b"");
    assert_eq!(run.code, 2);
    assert!(run.stderr.starts_with("error: the program `git` is not installed\n"), "{run:?}");
}

#[test]
fn new_schema_has_nothing_to_compare_with() {
    let folder = repository();
    git(&folder.path(), &["rm", "-r", "--quiet", "--cached", "kaa"]);
    git(&folder.path(), &["commit", "--quiet", "--message", "nothing"]);
    let run = folder.kaa(["breaking", "--against", "HEAD"]);
    assert_eq!(run.code, 2);
    assert!(
        run.stderr.starts_with(
            "skipped `kaa`, which did not exist\nerror: there is no older schema to compare with\n"
        ),
        "{run:?}"
    );
}

#[test]
fn workspace_packages_are_compared_separately() {
    let folder = Folder::new([
        ("Cargo.toml", "[workspace]"),
        ("a/Cargo.toml", "[package]"),
        ("a/kaa/tv/epg.kaa", OLD),
    ]);
    git(&folder.path(), &["init", "--quiet", "--initial-branch", "main"]);
    commit(&folder, "v1");
    folder.write("a/kaa/tv/epg.kaa", NEW);
    folder.write("b/Cargo.toml", "[package]");
    folder.write("b/kaa/b.kaa", "package b;");
    let run = folder.kaa(["breaking", "--against", "v1", "--format", "json"]);
    assert_eq!((run.code, run.codes().len()), (1, 1));
    assert_eq!(run.stderr, "skipped `b/kaa`, which did not exist\n");
    let run = folder.kaa(["breaking", "--against", "path:a"]);
    assert!(run.code == 2 && run.stderr.contains("cannot compare 2 schemas with one"), "{run:?}");
}

#[test]
fn shallow_clone_is_reported() {
    let folder = repository();
    commit(&folder, "v2");
    let clone = Folder::new([]);
    let url = format!("file://{}", folder.path().display());
    git(&clone.path(), &["clone", "--quiet", "--depth", "1", "--no-tags", &url, "clone"]);
    let run = run(&mut command(&clone.join("clone"), ["breaking", "--against", "v1"]), b"");
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("this is a shallow clone"), "{run:?}");
}

#[test]
fn git_tree_has_the_same_files_as_the_folder() {
    let folder = repository();
    folder.write("texts/epg.text", OLD);
    fs::remove_file(folder.join("kaa/tv/epg.kaa")).expect("the file is removed");
    symlink("../../texts/epg.text", folder.join("kaa/tv/epg.kaa")).expect("a link");
    folder.write("kaa/.old/wrong.kaa", "no schema");
    folder.write("kaa/notes.txt", "no schema");
    commit(&folder, "linked");
    folder.write("texts/epg.text", NEW);
    let run = folder.kaa(["breaking", "--against", "linked", "--format", "json"]);
    assert_eq!((run.code, run.codes()), (1, vec!["STRUCT_FIELD_NO_DELETE".to_owned()]));
    symlink("/dev/null", folder.join("kaa/outside.kaa")).expect("a link");
    commit(&folder, "outside");
    let run = folder.kaa(["breaking", "--against", "outside"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("`outside.kaa` is a link that does not lead to a file"), "{run:?}");
}

#[test]
fn old_schema_with_errors_is_rejected() {
    let folder = repository();
    folder.write("kaa/tv/epg.kaa", "package tv.epg;\nstruct P { x: Nothing }\n");
    commit(&folder, "broken");
    folder.write("kaa/tv/epg.kaa", NEW);
    let run = folder.kaa(["breaking", "--against", "broken"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    assert!(
        run.stderr.starts_with("error[K0104]")
            && run.stderr.ends_with("the schema to compare with (broken) has errors\n"),
        "{run:?}"
    );
}

#[test]
fn prefixes_distinguish_folders_from_references() {
    let folder = repository();
    commit(&folder, "v2");
    folder.write("v1/tv/epg.kaa", NEW);
    assert_eq!(
        folder.kaa(["breaking", "--against", "v1", "kaa"]).code,
        0,
        "an existing folder takes precedence"
    );
    assert_eq!(folder.kaa(["breaking", "--against", "path:v1", "kaa"]).code, 0);
    assert_eq!(folder.kaa(["breaking", "--against", "git:v1", "kaa"]).code, 1);
    let run = folder.kaa(["breaking", "--against", "path:nowhere"]);
    assert!(run.code == 2 && run.stderr.starts_with("error: cannot read `nowhere`"), "{run:?}");
}

#[test]
fn package_can_be_compared_with_another() {
    let old = Folder::new([("Cargo.toml", "[package]"), ("kaa/tv/epg.kaa", OLD)]);
    let new = Folder::new([("Cargo.toml", "[package]"), ("kaa/tv/epg.kaa", NEW)]);
    let old_path = old.path();
    let run = new.kaa(["breaking".as_ref(), "--against".as_ref(), old_path.as_os_str()]);
    assert_eq!(run.code, 1, "{run:?}");
}

#[test]
fn git_dir_variable_is_respected() {
    let folder = repository();
    let mut hook = command(&folder.path(), ["breaking", "--against", "v1"]);
    assert_eq!(run(hook.env("GIT_DIR", ".git"), b"").code, 1);
}
