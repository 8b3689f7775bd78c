//! The command reports every code of the compiler, with the text that the compiler's own tests expect.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::support::{Folder, Run, command, run};

fn fixtures() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../kaa-idl/tests/diagnostics");
    let entries = fs::read_dir(root).expect("the fixtures");
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    folders.sort();
    folders
}

/// Checks a fixture as the compiler's test does: a file as `demo.kaa`, a folder from the compiler's package.
fn checked(folder: &Path, name: &str, format: &str) -> Run {
    let file = folder.join(format!("{name}.kaa"));
    if file.is_file() {
        let place = Folder::new([]);
        place.write("demo.kaa", fs::read(file).expect("a fixture"));
        return place.kaa(["check", "--root", ".", "--format", format]);
    }
    let package =
        fs::canonicalize(Path::new(env!("CARGO_MANIFEST_DIR")).join("../kaa-idl")).expect("the compiler");
    let fixture = folder.file_name().expect("a name");
    let root = Path::new("tests/diagnostics").join(fixture).join(name);
    let arguments =
        ["check".as_ref(), "--root".as_ref(), root.as_os_str(), "--format".as_ref(), format.as_ref()];
    run(&mut command(&package, arguments), b"")
}

#[test]
fn bad_fixtures_report_their_code_and_text() {
    let mut failures = String::new();
    for folder in fixtures() {
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        let code = name.split('_').next().expect("a code").to_owned();
        let json = checked(&folder, "bad", "json");
        if json.code != 1 || !json.codes().contains(&code) {
            failures += &format!("{name}: {json:?}\n");
        }
        let human = checked(&folder, "bad", "human");
        let expected = fs::read_to_string(folder.join("expected.txt")).expect("the text");
        if human.code != 1 || human.stdout.trim_end() != expected.trim_end() {
            failures += &format!("{name} reports another text:\n{}\n", human.stdout);
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn good_fixtures_have_no_findings() {
    for folder in fixtures() {
        let run = checked(&folder, "good", "json");
        assert_eq!((run.code, run.codes()), (0, Vec::new()), "{}: {run:?}", folder.display());
    }
}

#[test]
fn unreadable_files_report_their_codes() {
    let check = |prepare: &dyn Fn(&Folder)| {
        let folder = Folder::package();
        prepare(&folder);
        let run = folder.kaa(["check", "--format", "json"]);
        assert_eq!(run.code, 1, "{run:?}");
        run.codes()
    };
    let dangling = |folder: &Folder| symlink("nowhere", folder.join("kaa/a.kaa")).expect("a link");
    assert_eq!(check(&dangling), ["K0501"]);
    let large = |folder: &Folder| {
        let file = fs::File::create(folder.join("kaa/a.kaa")).expect("a file");
        file.set_len(17 * 1024 * 1024).expect("a hole");
    };
    assert_eq!(check(&large), ["K0502"]);
    assert_eq!(check(&|folder| folder.write("kaa/a.kaa", b"package a; // \xff")), ["K0503"]);
    let circle = |folder: &Folder| symlink("..", folder.join("kaa/tv/again")).expect("a link");
    assert_eq!(check(&circle), ["K0504"]);
    assert_eq!(check(&|folder| fs::create_dir(folder.join("kaa/a.kaa")).expect("a folder")), ["K0505"]);
}
