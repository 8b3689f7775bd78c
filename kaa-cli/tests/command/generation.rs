//! `kaa generate rust` writes the files that a build script would generate.

use std::fs;

use crate::support::Folder;

#[test]
fn generated_files_are_written_and_others_are_kept() {
    let folder = Folder::package();
    folder.write("out/mine.rs", "// mine");
    let run = folder.kaa(["generate", "rust", "--out", "out"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{run:?}");
    assert_eq!(run.stderr, "generated 2 files in `out`, 2 of them changed\n");
    assert!(folder.read("out/kaa.rs").contains("pub mod epg"));
    assert!(folder.read("out/kaa/tv.epg.rs").contains("pub struct Program"));
    assert_eq!(folder.read("out/mine.rs"), "// mine");
    let again = folder.kaa(["generate", "rust", "--out", "out"]);
    assert_eq!(again.stderr, "generated 2 files in `out`, 0 of them changed\n");
}

#[test]
fn check_lists_stale_files_and_writes_nothing() {
    let folder = Folder::package();
    let arguments = ["generate", "rust", "--out", "out", "--check"];
    let run = folder.kaa(arguments);
    assert_eq!((run.code, run.stdout.as_str()), (1, "out/kaa.rs\nout/kaa/tv.epg.rs\n"));
    assert!(!folder.join("out").exists());
    folder.kaa(["generate", "rust", "--out", "out"]);
    assert_eq!(folder.kaa(arguments).code, 0);
    folder.write("kaa/tv/epg.kaa", "package tv.epg;\nstruct Programme { id: u64 }\n");
    assert_eq!(folder.kaa(arguments).stdout, "out/kaa/tv.epg.rs\n");
}

#[test]
fn settings_reach_the_generator() {
    let folder = Folder::package();
    folder.write("kaa/tv/epg.kaa", "package tv.epg;\nsealed enum Order { Start, Title }\n");
    let arguments = ["generate", "rust", "--out", "out", "--derive", "tv.epg.Order=Default"];
    assert_eq!(folder.kaa(arguments).code, 0);
    assert!(folder.read("out/kaa/tv.epg.rs").contains("Default"));
    let run = folder.kaa(["generate", "rust", "--out", "out", "--derive", "tv.epg.Nothing=Default"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.starts_with("error: invalid value `tv.epg.Nothing` of setting `derive`"), "{run:?}");
    assert_eq!(folder.kaa(["generate", "rust", "--out", "out", "--derive", "nonsense"]).code, 2);
}

#[test]
fn schema_with_errors_is_not_generated() {
    let folder = Folder::package();
    folder.write("kaa/tv/epg.kaa", "package tv.epg;\nstruct P { x: Nothing }\n");
    let run = folder.kaa(["generate", "rust", "--out", "out"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(run.stderr.starts_with("error[K0104]"), "{run:?}");
    assert!(!folder.join("out").exists());
    folder.write("kaa/tv/epg.kaa", "package tv.epg;\n");
    fs::write(folder.join("out"), "a file").expect("the file is written");
    assert_eq!(folder.kaa(["generate", "rust", "--out", "out"]).code, 2);
}
