//! `docs/command.md` is correct: its commands have the output that it shows, and it has every subcommand and
//! every key.
//!
//! To update the output, run with `KAA_BLESS=1`. Read the difference before you commit it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{Folder, VARIABLES};

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/command.md")
}

fn document() -> String {
    fs::read_to_string(path()).expect("the document")
}

/// The package in the document, in a repository that has it as `v1`.
fn package(document: &str) -> Folder {
    let folder = Folder::new([("Cargo.toml", "[package]\n"), (".gitignore", "generated\n")]);
    for part in document.split("\n```kaa\n").skip(1).zip(document.split("\n```kaa\n")) {
        let (after, before) = part;
        let name = before.trim_end().rsplit('\n').next().expect("a line");
        let name = name.strip_prefix('`').and_then(|name| name.strip_suffix("`:")).expect("the file's name");
        let text = after.split_once("\n```").expect("an end").0;
        folder.write(name, format!("{text}\n"));
    }
    let commit = "git init --quiet && git add . && git -c user.name=tester -c user.email=tester@example.invalid \
                  -c commit.gpgsign=false commit --quiet --message v1 && git tag v1";
    assert_eq!(shell(&folder, commit), "", "git is installed: the document's examples need it");
    folder
}

/// The output of a line of shell, including standard error, as on a terminal.
fn shell(folder: &Folder, line: &str) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_kaa")).parent().expect("a folder");
    let rest = std::env::var("PATH").expect("a path");
    let mut shell = Command::new("sh");
    for variable in VARIABLES {
        shell.env_remove(variable);
    }
    let output = shell
        .args(["-c", &format!("{{ {line}\n}} 2>&1")])
        .current_dir(folder.path())
        .env("PATH", format!("{}:{rest}", program.display()))
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .stdin(Stdio::null())
        .output()
        .expect("a shell");
    String::from_utf8(output.stdout).expect("text")
}

#[test]
fn commands_have_the_output_shown() {
    let document = document();
    let folder = package(&document);
    let mut written = String::new();
    let mut in_block = false;
    for line in document.lines() {
        match (in_block, line) {
            (false, _) => {
                written += &format!("{line}\n");
                in_block = line == "```console";
            }
            (true, "```") => {
                written += "```\n";
                in_block = false;
            }
            (true, _) => {
                if let Some(command) = line.strip_prefix("$ ") {
                    written += &format!("{line}\n{}", shell(&folder, command));
                }
            }
        }
    }
    if std::env::var_os("KAA_BLESS").is_some() {
        fs::write(path(), &written).expect("the document is written");
    } else {
        for (shown, actual) in document.lines().zip(written.lines()) {
            assert_eq!(shown, actual);
        }
        assert_eq!(document.lines().count(), written.lines().count());
    }
}

#[test]
fn every_code_block_has_a_known_language() {
    for line in document().lines().filter_map(|line| line.strip_prefix("```")) {
        assert!(["", "sh", "kaa", "console"].contains(&line), "{line}");
    }
}

#[test]
fn every_subcommand_has_a_section() {
    let document = document();
    let sections: Vec<&str> = document.lines().filter_map(|line| line.strip_prefix("## kaa ")).collect();
    let known: Vec<&str> =
        crate::help::COMMANDS.iter().copied().filter(|command| !command.is_empty()).collect();
    assert_eq!(sections, known);
}

/// Every key of every object in a document.
fn keys(value: &serde_json::Value, into: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Object(object) => {
            for (key, value) in object {
                into.insert(key.clone());
                keys(value, into);
            }
        }
        serde_json::Value::Array(values) => values.iter().for_each(|value| keys(value, into)),
        _ => {}
    }
}

#[test]
fn every_key_is_documented() {
    let document = document();
    let folder = package(&document);
    folder.write("kaa/tv/epg.kaa", "package tv.epg;\nstruct P { a: u8, a: u8, b: Strng }\n");
    let mut found = BTreeSet::new();
    keys(&folder.kaa(["check", "--format", "json"]).json(), &mut found);
    keys(&folder.kaa(["explain", "--list", "--format", "json"]).json(), &mut found);
    let whole = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemas/whole");
    keys(&folder.kaa(["schema".as_ref(), whole.as_os_str()]).json(), &mut found);
    let missing: Vec<&String> = found
        .iter()
        .filter(|key| {
            !(document.contains(&format!("`{key}`"))
                || document.contains(&format!("`{{\"version\": 1, \"{key}\": […]}}`")))
        })
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}
