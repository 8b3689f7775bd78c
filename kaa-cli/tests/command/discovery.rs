//! The command finds the schema in a package, in a workspace, in a folder of files, and for a single file.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::{Folder, command, run};

fn workspace() -> Folder {
    Folder::new([
        ("Cargo.toml", "[workspace]\nmembers = [\"server\", \"client\"]\n"),
        ("server/Cargo.toml", "[package]"),
        ("server/src/main.rs", ""),
        ("server/kaa/tv/epg.kaa", "package tv.epg;"),
        ("server/kaa/tv/common.kaa", "package tv.common;"),
        ("client/Cargo.toml", "[package]"),
        ("client/kaa/ui.kaa", "package ui;"),
        ("plain/Cargo.toml", "[package]"),
        ("plain/src/lib.rs", ""),
        ("target/package/Cargo.toml", "[package]"),
        ("target/package/kaa/wrong.kaa", "no schema"),
        (".hidden/Cargo.toml", "[package]"),
        (".hidden/kaa/wrong.kaa", "no schema"),
        ("docs/kaa/wrong.kaa", "beside no Cargo.toml"),
    ])
}

/// Runs `kaa check` in a folder, and returns the summary, which has the number of files.
fn checked(folder: &Folder, place: &str, arguments: &[&str]) -> String {
    let run = run(&mut command(&folder.join(place), [&["check"], arguments].concat()), b"");
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{run:?}");
    run.stderr
}

#[test]
fn workspace_includes_all_packages() {
    let folder = workspace();
    assert_eq!(checked(&folder, "", &[]), "checked 3 files: no errors\n");
    assert_eq!(checked(&folder, "plain/src", &[]), "checked 3 files: no errors\n");
    assert_eq!(checked(&folder, "", &["server", "client"]), "checked 3 files: no errors\n");
    assert_eq!(checked(&folder, "", &["."]), "checked 3 files: no errors\n");
}

#[test]
fn nearest_package_is_selected() {
    let folder = workspace();
    assert_eq!(checked(&folder, "client", &[]), "checked 1 file: no errors\n");
    assert_eq!(checked(&folder, "server/src", &[]), "checked 2 files: no errors\n");
    assert_eq!(checked(&folder, "server/kaa/tv", &[]), "checked 2 files: no errors\n");
    assert_eq!(checked(&folder, "server/src", &["../../client"]), "checked 1 file: no errors\n");
}

#[test]
fn only_selected_files_are_counted() {
    let folder = workspace();
    assert_eq!(checked(&folder, "", &["server/kaa/tv/epg.kaa"]), "checked 1 file: no errors\n");
    assert_eq!(checked(&folder, "server/kaa/tv", &["epg.kaa"]), "checked 1 file: no errors\n");
    assert_eq!(checked(&folder, "server/src", &["../kaa/tv"]), "checked 2 files: no errors\n");
    let twice = ["server/kaa/tv/epg.kaa", "server/kaa/tv/epg.kaa", "client"];
    assert_eq!(checked(&folder, "", &twice), "checked 2 files: no errors\n");
    assert_eq!(checked(&folder, "", &["server/kaa/tv/epg.kaa", "server"]), "checked 2 files: no errors\n");
}

#[test]
fn package_lines_determine_the_root_outside_packages() {
    let folder = Folder::new([
        ("idl/tv/epg.kaa", "package tv.epg; use tv.common::Id; struct P { id: Id }"),
        ("idl/tv/common/ids.kaa", "package tv.common; newtype Id(u8);"),
    ]);
    assert_eq!(checked(&folder, "", &["idl"]), "checked 2 files: no errors\n");
    assert_eq!(checked(&folder, "", &["idl/tv/epg.kaa"]), "checked 1 file: no errors\n");
    assert_eq!(checked(&folder, "", &["idl/tv/common"]), "checked 1 file: no errors\n");
    assert_eq!(checked(&folder, "idl/tv/common", &["ids.kaa"]), "checked 1 file: no errors\n");
    assert_eq!(checked(&folder, "idl/tv", &[]), "checked 2 files: no errors\n");
}

#[test]
fn named_roots_form_one_schema() {
    let folder = Folder::new([
        ("idl/tv/epg.kaa", "package tv.epg; use tv.common::Id; struct P { id: Id }"),
        ("shared/tv/common.kaa", "package tv.common; newtype Id(u8);"),
    ]);
    let roots = ["--root", "idl", "--root", "shared"];
    assert_eq!(checked(&folder, "", &roots), "checked 2 files: no errors\n");
    assert_eq!(
        checked(&folder, "", &[&roots[..], &["shared/tv/common.kaa"]].concat()),
        "checked 1 file: no errors\n"
    );
    let run = folder.kaa([&["check"], &roots[..], &["elsewhere.kaa"]].concat());
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("is not in any folder given with --root"), "{run:?}");
    assert_eq!(folder.kaa(["check", "--root", "nowhere"]).code, 2);
}

#[test]
fn displayed_paths_are_relative_to_the_current_folder() {
    let folder = Folder::package();
    folder.write("kaa/tv/epg.kaa", "package tv.epg; struct P { x: Nothing }");
    folder.write("src/main.rs", "");
    let shown = |place: &str| {
        let run = run(&mut command(&folder.join(place), ["check", "--format", "json"]), b"");
        run.json()["diagnostics"][0]["file"].as_str().expect("a file").to_owned()
    };
    assert_eq!(shown(""), "kaa/tv/epg.kaa");
    assert_eq!(shown("kaa/tv"), "epg.kaa");
    assert_eq!(shown("src"), "../kaa/tv/epg.kaa");
}

#[test]
fn links_are_followed_to_files_but_not_to_packages() {
    let folder = workspace();
    symlink(".", folder.join("loop")).expect("a link");
    assert_eq!(checked(&folder, "", &[]), "checked 3 files: no errors\n");
    symlink(folder.join("server"), folder.join("alias")).expect("a link");
    assert_eq!(checked(&folder, "", &["alias"]), "checked 2 files: no errors\n");
    assert_eq!(checked(&folder, "", &["alias/kaa/tv/epg.kaa"]), "checked 1 file: no errors\n");
}

#[test]
fn missing_files_are_reported() {
    let folder = Folder::new([("readme.txt", "nothing")]);
    let run = folder.kaa(["check"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.starts_with("error: there are no .kaa files in `"), "{run:?}");
    fs::create_dir(folder.join("empty")).expect("a folder");
    assert_eq!(folder.kaa(["check", "empty"]).code, 2);
    let run = folder.kaa(["check", "nowhere.kaa"]);
    assert_eq!((run.code, run.stderr.as_str()), (2, "error: there is no file or folder `nowhere.kaa`\n"));
}
