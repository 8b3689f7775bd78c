//! The command reads standard input as a schema of one file, or in place of a file, for editors.

use crate::support::{Folder, Run, command, run};

fn kaa(folder: &Folder, arguments: &[&str], input: &str) -> Run {
    run(&mut command(&folder.path(), arguments), input.as_bytes())
}

#[test]
fn stdin_is_checked_alone() {
    let folder = Folder::new([]);
    assert_eq!(kaa(&folder, &["check", "-"], "package a.b;\n").code, 0);
    let run = kaa(&folder, &["check", "-"], "package a.b;\nstruct X { y: Nothing }\n");
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains(" --> <stdin>:2:15\n"), "{run:?}");
}

#[test]
fn stdin_replaces_the_file() {
    let folder = Folder::package();
    folder.write("kaa/tv/common.kaa", "package tv.common;\nnewtype Id(u8);\n");
    let text = "package tv.epg;\nuse tv.common::Id;\nstruct P { id: Id, x: Nothing }\n";
    let arguments = ["check", "-", "--stdin-path", "kaa/tv/epg.kaa", "--format", "json"];
    let run = kaa(&folder, &arguments, text);
    assert_eq!((run.code, run.codes()), (1, vec!["K0104".to_owned()]));
    assert_eq!(run.json()["diagnostics"][0]["file"].as_str(), Some("kaa/tv/epg.kaa"));
    assert_eq!(run.json()["files"].as_u64(), Some(1));
    assert_eq!(folder.kaa(["check"]).code, 0, "the file on disk is unchanged");
    assert_eq!(kaa(&folder, &arguments, &text.replace("Nothing", "u8")).code, 0);
}

#[test]
fn replaced_file_may_not_exist() {
    let folder = Folder::package();
    let arguments = ["check", "-", "--stdin-path", "kaa/tv/new.kaa", "--format", "json"];
    assert_eq!(kaa(&folder, &arguments, "package tv.new;\nstruct P { p: tv.epg::Program }\n").code, 0);
    assert_eq!(kaa(&folder, &arguments, "package tv.old;\n").codes(), ["K0111"]);
    let rooted = ["check", "-", "--root", "kaa", "--stdin-path", "kaa/tv/new.kaa", "--format", "json"];
    assert_eq!(kaa(&folder, &rooted, "package tv.new;\n").code, 0);
}

#[test]
fn stdin_cannot_be_combined_with_paths() {
    let folder = Folder::package();
    assert_eq!(kaa(&folder, &["check", "-", "kaa"], "").code, 2);
    assert_eq!(kaa(&folder, &["check", "kaa", "--stdin-path", "kaa/a.kaa"], "").code, 2);
}

#[test]
fn invalid_utf8_on_stdin_is_a_finding() {
    let folder = Folder::package();
    let arguments = ["check", "-", "--stdin-path", "kaa/tv/epg.kaa", "--format", "json"];
    let run = run(&mut command(&folder.path(), arguments), b"package tv.epg; // \xff");
    assert_eq!((run.code, run.codes()), (1, vec!["K0503".to_owned()]));
}
