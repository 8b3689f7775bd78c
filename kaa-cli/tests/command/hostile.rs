//! Unusual files, folders, pipes and disks cause neither a panic nor a wrong result.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;

use crate::support::{Folder, command};

#[test]
fn closed_pipe_ends_output_silently() {
    let folder = Folder::package();
    for arguments in [&["--help"][..], &["completions", "bash"], &["schema"], &["explain", "--list"]] {
        let mut child = command(&folder.path(), arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        drop(child.stdout.take());
        let mut stderr = String::new();
        child.stderr.take().expect("a pipe").read_to_string(&mut stderr).expect("text");
        let status = child.wait().expect("the command ends");
        assert_eq!((status.code(), stderr.as_str()), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn closed_pipe_keeps_the_exit_code() {
    let folder = Folder::package();
    folder.write("kaa/tv/epg.kaa", "package tv.epg;\nstruct P { x: Nothing }\n");
    let mut child = command(&folder.path(), ["check", "--quiet"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the command starts");
    drop(child.stdout.take());
    assert_eq!(child.wait().expect("the command ends").code(), Some(1));
}

#[test]
fn full_disk_is_a_failure() {
    let folder = Folder::package();
    for arguments in [&["--help"][..], &["schema"], &["explain", "--list"], &["check", "--format", "json"]] {
        let output = command(&folder.path(), arguments)
            .stdout(File::options().write(true).open("/dev/full").expect("the device"))
            .output()
            .expect("the command runs");
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.starts_with("error: cannot write to standard output: "), "{stderr}");
    }
}

#[test]
fn non_unicode_names_are_handled() {
    let folder = Folder::new([]);
    let package = folder.join(OsStr::from_bytes(b"caf\xe9"));
    folder.write(package.join("Cargo.toml"), "[package]");
    folder.write(package.join("kaa/a.kaa"), "package a;\nstruct A { x: Nothing }\n");
    let run = folder.kaa(["check".as_ref(), "--format".as_ref(), "json".as_ref(), package.as_os_str()]);
    assert_eq!((run.code, run.codes()), (1, vec!["K0104".to_owned()]));
    let inside = package.join("kaa").join(OsStr::from_bytes(b"\xff.kaa"));
    folder.write(&inside, "package a;");
    let run = folder.kaa(["check".as_ref(), inside.as_os_str()]);
    assert_eq!(run.code, 2, "{run:?}");
    let run = folder.kaa(["check".as_ref(), "--format".as_ref(), "json".as_ref(), package.as_os_str()]);
    assert_eq!((run.code, run.codes()), (1, vec!["K0501".to_owned()]));
}

#[test]
fn special_files_do_not_block() {
    let folder = Folder::new([("Cargo.toml", "[package]")]);
    fs::create_dir(folder.join("kaa")).expect("a folder");
    let pipe = folder.join("kaa/pipe.kaa");
    let status = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs");
    assert!(status.success());
    let run = folder.kaa(["check", "kaa/pipe.kaa", "--format", "json"]);
    assert_eq!((run.code, run.codes()), (1, vec!["K0501".to_owned()]));
    assert_eq!(folder.kaa(["check", "/dev/null"]).code, 2);
}

#[test]
fn long_line_with_many_errors_is_handled() {
    let folder = Folder::package();
    let fields: String = (0..20_000).map(|number| format!("f{number}: Nothing{number}, ")).collect();
    folder.write("kaa/tv/epg.kaa", format!("package tv.epg; struct P {{ {fields} }}"));
    let run = folder.kaa(["check", "--format", "json"]);
    assert_eq!((run.code, run.codes().len()), (1, 20_000));
    assert_eq!(folder.kaa(["check"]).code, 1);
}
