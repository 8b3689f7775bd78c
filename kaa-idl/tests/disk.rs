//! Files on disk: which files are found, and which errors are reported for files that cannot be read.

#![cfg(unix)]
#![allow(clippy::expect_used, reason = "a test that cannot continue should panic with the reason")]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use kaa_idl::{Compilation, DiskSource, FileSource, SourceError, compile};
use tempfile::TempDir;

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is created");
    fs::write(path, text).expect("the file is written");
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

fn codes(compilation: &Compilation) -> Vec<&'static str> {
    compilation.diagnostics().iter().map(|diagnostic| diagnostic.rule.as_str()).collect()
}

#[test]
fn files_and_folders_are_listed() {
    let root = folder();
    write(root.path(), "tv/epg.kaa", "package tv.epg;");
    write(root.path(), "tv/common/a.kaa", "package tv.common;");
    write(root.path(), "readme.txt", "no schema");
    write(root.path(), ".git/x.kaa", "no schema");
    let source = DiskSource::new([root.path()]);
    assert_eq!(source.files().expect("files"), ["tv/common/a.kaa", "tv/epg.kaa"]);
    let paths = source.paths().expect("paths");
    let expected =
        ["", "tv", "tv/common", "tv/common/a.kaa", "tv/epg.kaa"].map(|path| root.path().join(path));
    let expected = expected.map(|path| path.components().collect::<std::path::PathBuf>());
    assert_eq!(paths, expected);
    assert_eq!(codes(&compile(&source)), [""; 0]);
}

#[test]
fn several_roots_form_one_tree() {
    let (first, second) = (folder(), folder());
    write(first.path(), "a.kaa", "package a; use b::B; struct A { b: B }");
    write(second.path(), "b.kaa", "package b; struct B {}");
    assert!(compile(&DiskSource::new([first.path(), second.path()])).schema().is_some());
    write(second.path(), "a.kaa", "package a;");
    let compilation = compile(&DiskSource::new([first.path(), second.path()]));
    assert_eq!(codes(&compilation), ["K0111"]);
}

#[test]
fn symlink_loop_is_reported() {
    let root = folder();
    write(root.path(), "a/b.kaa", "package a.b;");
    symlink(root.path(), root.path().join("a/again")).expect("a link");
    let source = DiskSource::new([root.path()]);
    assert!(matches!(source.files(), Err(SourceError::SymlinkLoop { .. })));
    assert_eq!(codes(&compile(&source)), ["K0504"]);
}

#[test]
fn symlink_to_another_folder_is_followed() {
    let (root, other) = (folder(), folder());
    write(other.path(), "b.kaa", "package a.b;");
    symlink(other.path(), root.path().join("a")).expect("a link");
    let compilation = compile(&DiskSource::new([root.path()]));
    assert_eq!(compilation.schema().expect("a schema").packages.len(), 1);
}

#[test]
fn unreadable_files_do_not_hide_other_errors() {
    let root = folder();
    fs::create_dir_all(root.path().join("folder.kaa")).expect("a folder");
    symlink("nowhere", root.path().join("gone.kaa")).expect("a link");
    write(root.path(), "good.kaa", "package good; struct A { a: Nope }");
    write(root.path(), "text.kaa", "package text;");
    fs::write(root.path().join("text.kaa"), [0xff]).expect("the file is written");
    assert_eq!(codes(&compile(&DiskSource::new([root.path()]))), ["K0505", "K0501", "K0104", "K0503"]);
}

#[test]
fn missing_root_is_reported() {
    let compilation = compile(&DiskSource::new(["/there/is/no/such/folder"]));
    assert_eq!(codes(&compilation), ["K0501"]);
    assert!(compilation.render(kaa_idl::RenderStyle::Plain).contains("/there/is/no/such/folder"));
}

#[test]
fn path_cannot_leave_its_root() {
    let root = folder();
    write(root.path(), "in/a.kaa", "package a;");
    write(root.path(), "secret.kaa", "package secret;");
    let source = DiskSource::new([root.path().join("in")]);
    for path in ["../secret.kaa", "/etc/passwd", "a/../../secret.kaa", "", "."] {
        assert!(matches!(source.read(path), Err(SourceError::Missing { .. })), "{path}");
    }
    assert!(source.read("a.kaa").is_ok());
}

#[test]
fn large_file_is_rejected_before_reading() {
    let root = folder();
    let file = fs::File::create(root.path().join("a.kaa")).expect("a file");
    file.set_len(kaa_idl::MAXIMUM_FILE_SIZE + 1).expect("a length");
    assert_eq!(codes(&compile(&DiskSource::new([root.path()]))), ["K0502"]);
}

#[test]
fn paths_are_displayed_relative_to_the_current_directory() {
    let here = std::env::current_dir().expect("a current directory");
    let root = folder();
    write(root.path(), "tv/epg.kaa", "package tv.epg; struct A { a: Nope }");
    let shown = |root: &Path| compile(&DiskSource::new([root])).render(kaa_idl::RenderStyle::Plain);
    let elsewhere = shown(root.path());
    assert!(elsewhere.contains(&format!("--> {}/tv/epg.kaa:1:31\n", root.path().display())), "{elsewhere}");

    let fixtures = Path::new("tests/diagnostics/K0105_unknown_package/bad");
    for root in [fixtures.to_owned(), here.join(fixtures), Path::new(".").join(fixtures)] {
        let source = DiskSource::new([&root]);
        assert_eq!(source.display_path("tv/epg.kaa"), format!("{}/tv/epg.kaa", fixtures.display()));
        assert!(shown(&root).contains(&format!("--> {}/tv/", fixtures.display())));
    }
}

/// Reading a pipe would wait for a writer, and reading a device might never end.
#[test]
fn special_files_are_not_read() {
    let root = folder();
    let status =
        std::process::Command::new("mkfifo").arg(root.path().join("pipe.kaa")).status().expect("mkfifo");
    assert!(status.success());
    let _listener = std::os::unix::net::UnixListener::bind(root.path().join("socket.kaa")).expect("a socket");
    symlink("/dev/zero", root.path().join("zero.kaa")).expect("a link");
    symlink("itself.kaa", root.path().join("itself.kaa")).expect("a link");
    write(root.path(), "good.kaa", "package good; struct A { a: Nope }");
    let compilation = compile(&DiskSource::new([root.path()]));
    assert_eq!(codes(&compilation), ["K0104", "K0501", "K0501", "K0501", "K0501"]);
}

/// Permissions do not stop root. The memory file of a process can be opened, but reading its start fails.
#[test]
#[cfg(target_os = "linux")]
fn failed_read_is_reported() {
    let root = folder();
    symlink("/proc/self/mem", root.path().join("memory.kaa")).expect("a link");
    write(root.path(), "good.kaa", "package good;");
    assert_eq!(codes(&compile(&DiskSource::new([root.path()]))), ["K0501"]);
}

#[test]
fn hundred_megabyte_file_is_not_read() {
    let root = folder();
    let file = fs::File::create(root.path().join("a.kaa")).expect("a file");
    file.set_len(100 * 1024 * 1024).expect("a length");
    assert_eq!(codes(&compile(&DiskSource::new([root.path()]))), ["K0502"]);
}
