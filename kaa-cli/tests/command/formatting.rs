//! `kaa fmt` writes files atomically, and reports what it would change.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Folder, Run, command, run};

const MESSY: &str = "package tv.epg;\n\nstruct Program{id:u64,}\n";
const NEAT: &str = "package tv.epg;\n\nstruct Program { id: u64 }\n";

fn messy() -> Folder {
    let folder = Folder::package();
    folder.write("kaa/tv/epg.kaa", MESSY);
    folder
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn files_are_formatted_once() {
    let folder = messy();
    folder.write("kaa/tv/neat.kaa", "package tv.neat;\n");
    let run = folder.kaa(["fmt"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""));
    assert_eq!(run.stderr, "formatted 1 of 2 files\n");
    assert_eq!(folder.read("kaa/tv/epg.kaa"), NEAT);
    assert_eq!(folder.kaa(["fmt"]).stderr, "formatted 0 of 2 files\n");
    assert_eq!(folder.kaa(["fmt", "--check"]).code, 0);
}

#[test]
fn check_reports_the_difference_and_writes_nothing() {
    let folder = messy();
    let run = folder.kaa(["fmt", "--check"]);
    assert_eq!(run.code, 1);
    assert_eq!(
        run.stdout,
        "kaa/tv/epg.kaa:3: would be formatted\n- struct Program{id:u64,}\n+ struct Program { id: u64 }\n\n"
    );
    assert_eq!(folder.read("kaa/tv/epg.kaa"), MESSY);
    let document = folder.kaa(["fmt", "--check", "--format", "json"]).json();
    let finding = &document["diagnostics"][0];
    assert_eq!((finding["code"].as_str(), finding["line"].as_u64()), (Some("FORMAT"), Some(3)));
    let edit = &finding["fixes"][0]["edits"][0];
    let offset = |key: &str| usize::try_from(edit[key].as_u64().expect("an offset")).expect("small");
    let mut fixed = MESSY.to_owned();
    fixed.replace_range(
        offset("byte_start")..offset("byte_end"),
        edit["replacement"].as_str().expect("a text"),
    );
    assert_eq!(fixed, NEAT);
}

#[test]
fn only_selected_files_are_formatted() {
    let folder = messy();
    folder.write("kaa/tv/other.kaa", MESSY);
    assert_eq!(folder.kaa(["fmt", "kaa/tv/epg.kaa"]).code, 0);
    assert_eq!(folder.read("kaa/tv/epg.kaa"), NEAT);
    assert_eq!(folder.read("kaa/tv/other.kaa"), MESSY);
}

#[test]
fn files_with_errors_are_skipped() {
    let folder = messy();
    folder.write("kaa/tv/broken.kaa", "package tv.broken;\nstruct { }}\n");
    let run = folder.kaa(["fmt"]);
    assert_eq!(run.code, 1);
    assert!(run.stdout.starts_with("error[K00"), "{run:?}");
    assert_eq!(folder.read("kaa/tv/broken.kaa"), "package tv.broken;\nstruct { }}\n");
    assert_eq!(folder.read("kaa/tv/epg.kaa"), NEAT);
    folder.write("kaa/tv/broken.kaa", b"package tv.broken; // \xff\n");
    assert_eq!(folder.kaa(["fmt", "--format", "json"]).codes(), ["K0503"]);
}

#[test]
fn stdin_is_formatted_to_stdout() {
    let folder = Folder::new([]);
    let format =
        |arguments: &[&str], text: &str| run(&mut command(&folder.path(), arguments), text.as_bytes());
    let neat = format(&["fmt", "-"], MESSY);
    assert_eq!((neat.code, neat.stdout.as_str()), (0, NEAT));
    let broken = format(&["fmt", "-", "--stdin-path", "kaa/a.kaa"], "struct {");
    assert_eq!((broken.code, broken.stdout.as_str()), (1, ""));
    assert!(broken.stderr.contains(" --> kaa/a.kaa:1:"), "{broken:?}");
    assert_eq!(format(&["fmt", "--check", "-"], MESSY).code, 1);
    assert_eq!(format(&["fmt", "--check", "-"], NEAT).code, 0);
    assert_eq!(format(&["fmt", "-"], "").stdout, "");
}

#[test]
fn permissions_and_links_are_kept() {
    let folder = messy();
    let file = folder.join("kaa/tv/epg.kaa");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("the permissions are set");
    fs::rename(&file, folder.join("real.text")).expect("a move");
    symlink("../../real.text", &file).expect("a link");
    assert_eq!(folder.kaa(["fmt"]).code, 0);
    assert!(file.symlink_metadata().expect("the link").is_symlink());
    assert_eq!(folder.read("real.text"), NEAT);
    assert_eq!(folder.join("real.text").metadata().expect("the file").permissions().mode() & 0o777, 0o640);
    assert_eq!(names(&folder.join("kaa/tv")), ["epg.kaa"]);
}

#[test]
fn old_text_is_never_overwritten_in_place() {
    let folder = messy();
    let mut old = File::open(folder.join("kaa/tv/epg.kaa")).expect("the file");
    assert_eq!(folder.kaa(["fmt"]).code, 0);
    let mut text = String::new();
    old.read_to_string(&mut text).expect("text");
    assert_eq!(text, MESSY);
}

/// Runs `kaa fmt` in a shell that limits files to 512 or 1,024 bytes.
fn limited(folder: &Folder, prelude: &str) -> std::process::Output {
    Command::new("sh")
        .args(["-c", &format!("{prelude} ulimit -f 1; exec \"$0\" fmt"), env!("CARGO_BIN_EXE_kaa")])
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .expect("a shell")
}

#[test]
fn interrupted_or_failed_write_keeps_the_old_text() {
    let folder = messy();
    let fields: String = (0..1_000).map(|number| format!("f{number}:u64,")).collect();
    let large = format!("package tv.epg;\nstruct P{{{fields}}}\n");
    folder.write("kaa/tv/epg.kaa", &large);
    let killed = limited(&folder, "");
    assert!(killed.status.signal().is_some(), "the system kills the command: {killed:?}");
    assert_eq!(folder.read("kaa/tv/epg.kaa"), large);
    assert_eq!(folder.kaa(["check"]).code, 0, "the temporary file is not part of the schema");
    let folder = messy();
    folder.write("kaa/tv/epg.kaa", &large);
    let failed = limited(&folder, "trap '' XFSZ;");
    assert_eq!(failed.status.code(), Some(2), "{failed:?}");
    assert_eq!(folder.read("kaa/tv/epg.kaa"), large);
    assert_eq!(names(&folder.join("kaa/tv")), ["epg.kaa"]);
}

/// Runs the command as an unprivileged user, because permissions do not restrict the superuser.
fn unprivileged(folder: &Folder, arguments: &[&str]) -> Run {
    const UNPRIVILEGED: u32 = 65_534;
    let program = folder.join("program");
    // `cp` copies the program: if this process had it open for writing, a child process of another test might
    // inherit the file, and the copy could not be executed.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_kaa")).arg(&program).status();
    assert!(copied.expect("cp runs").success());
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).expect("the permissions are set");
    let mut command = Command::new(program);
    command.args(arguments).current_dir(folder.path());
    if chown(folder.join("kaa"), Some(UNPRIVILEGED), Some(UNPRIVILEGED)).is_ok() {
        chown(folder.join("kaa/tv"), Some(UNPRIVILEGED), Some(UNPRIVILEGED)).expect("a superuser may");
        chown(folder.join("kaa/tv/epg.kaa"), Some(UNPRIVILEGED), Some(UNPRIVILEGED))
            .expect("a superuser may");
        command.uid(UNPRIVILEGED).gid(UNPRIVILEGED);
    }
    run(&mut command, b"")
}

#[test]
fn read_only_files_and_folders_are_not_written() {
    let mode = |folder: &Folder, path: &str, mode: u32| {
        fs::set_permissions(folder.join(path), fs::Permissions::from_mode(mode))
            .expect("the permissions are set");
    };
    let folder = messy();
    mode(&folder, "kaa/tv", 0o555);
    let run = unprivileged(&folder, &["fmt"]);
    mode(&folder, "kaa/tv", 0o755);
    assert_eq!(run.code, 2);
    assert!(run.stderr.starts_with("error: cannot write `"), "{run:?}");
    assert_eq!((folder.read("kaa/tv/epg.kaa").as_str(), names(&folder.join("kaa/tv")).len()), (MESSY, 1));
    mode(&folder, "kaa/tv/epg.kaa", 0o444);
    let run = unprivileged(&folder, &["fmt"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("the file is read-only"), "{run:?}");
    assert_eq!(folder.read("kaa/tv/epg.kaa"), MESSY);
    mode(&folder, "kaa/tv", 0o000);
    let run = unprivileged(&folder, &["check", "--format", "json"]);
    mode(&folder, "kaa/tv", 0o755);
    assert_eq!((run.code, run.codes()), (1, vec!["K0501".to_owned()]));
}
