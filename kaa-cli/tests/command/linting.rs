//! `kaa lint` reports the selected lints, and fixes only the selected files.

use crate::support::{Folder, command, run};

fn folder() -> Folder {
    Folder::new([
        ("Cargo.toml", "[package]"),
        ("kaa/a.kaa", "package a;\n\nstruct A { someField: u8, name: String }\n"),
        ("kaa/b.kaa", "package b;\n\nuse a::A;\n\nstruct B { x: u8 }\n"),
    ])
}

fn codes(folder: &Folder, arguments: &[&str]) -> (i32, Vec<String>) {
    let run = folder.kaa([&["lint", "--format", "json"], arguments].concat());
    (run.code, run.codes())
}

#[test]
fn findings_have_names_and_exit_code_one() {
    let folder = folder();
    let run = folder.kaa(["lint"]);
    assert_eq!(run.code, 1);
    assert!(
        run.stdout.contains("warning[FIELD_SNAKE]") && run.stdout.contains("warning[IMPORT_USED]"),
        "{run:?}"
    );
    assert!(run.stderr.starts_with("linted 2 files: 3 warnings\n"), "{run:?}");
    assert_eq!(codes(&Folder::package(), &[]), (0, Vec::new()));
    assert_eq!(codes(&folder, &["kaa/b.kaa"]), (1, vec!["IMPORT_USED".to_owned()]));
}

#[test]
fn lints_and_groups_can_be_chosen() {
    let folder = folder();
    assert_eq!(codes(&folder, &["--no-lint", "names,bounds"]).1, ["IMPORT_USED"]);
    assert_eq!(codes(&folder, &["--no-lint", "names", "--no-lint", "STRING_BOUNDED"]).1, ["IMPORT_USED"]);
    assert!(codes(&folder, &["--lint", "docs"]).1.contains(&"DOCS_TYPE".to_owned()));
    assert!(codes(&folder, &["--lint", "docs_type"]).1.contains(&"DOCS_TYPE".to_owned()));
    assert_eq!(folder.kaa(["lint", "--lint", "nonsense"]).code, 2);
}

#[test]
fn certain_fixes_are_applied_to_selected_files() {
    let folder = folder();
    let run = folder.kaa(["lint", "--fix", "kaa/b.kaa"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{run:?}");
    assert_eq!(folder.read("kaa/b.kaa"), "package b;\n\nstruct B { x: u8 }\n");
    assert!(folder.read("kaa/a.kaa").contains("someField"));
    let run = folder.kaa(["lint", "--fix"]);
    assert_eq!(run.code, 1, "the bound has no certain fix");
    assert!(run.stdout.contains("STRING_BOUNDED") && !run.stdout.contains("FIELD_SNAKE"), "{run:?}");
    assert!(run.stderr.starts_with("fixed 1 file\nlinted 2 files: 1 warning\n"), "{run:?}");
    let text = folder.read("kaa/a.kaa");
    assert!(text.contains("some_field") && text.contains("#[selector(\"someField\")]"), "{text}");
    assert_eq!(folder.kaa(["fmt", "--check"]).code, 0);
}

#[test]
fn schema_with_errors_is_not_linted() {
    let folder = folder();
    folder.write("kaa/b.kaa", "package b;\n\nstruct B { x: Nothing }\n");
    let before = folder.read("kaa/a.kaa");
    assert_eq!(codes(&folder, &["--fix"]), (1, vec!["K0104".to_owned()]));
    assert_eq!(folder.read("kaa/a.kaa"), before);
}

#[test]
fn stdin_is_linted_with_its_schema() {
    let folder = folder();
    let arguments = ["lint", "-", "--stdin-path", "kaa/b.kaa", "--format", "json"];
    let run = run(&mut command(&folder.path(), arguments), b"package b;\n\nuse a::A;\n");
    assert_eq!((run.code, run.codes()), (1, vec!["IMPORT_USED".to_owned()]));
}
