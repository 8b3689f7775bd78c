//! `kaa freeze` saves versions of a schema, and `kaa breaking` compares with all of them.

use std::os::unix::fs::PermissionsExt;

use crate::support::Folder;

fn frozen() -> Folder {
    let folder = Folder::new([
        ("Cargo.toml", "[package]"),
        ("kaa/demo.kaa", "package demo;\nstruct A { x: u8 }\nstruct B { x: u8 }\n"),
    ]);
    let run = folder.kaa(["freeze"]);
    assert_eq!((run.code, run.stderr.as_str()), (0, "froze the schema as `frozen/1.frozen`\n"));
    folder
}

#[test]
fn frozen_schemas_are_numbered_and_kept() {
    let folder = frozen();
    let first = folder.read("frozen/1.frozen");
    assert!(first.starts_with("kaa-frozen format=1 number=1 "));
    let again = folder.kaa(["freeze"]);
    assert_eq!((again.code, again.stderr.as_str()), (0, "nothing has changed since `frozen/1.frozen`\n"));
    folder.write("kaa/demo.kaa", "package demo;\nstruct A { x: u8, y: u8 = 0 }\nstruct B { x: u8 }\n");
    let check = folder.kaa(["freeze", "--check"]);
    let differs = "the schema differs from `frozen/1.frozen`; `kaa freeze` freezes it\n";
    assert_eq!((check.code, check.stderr.as_str()), (1, differs));
    assert_eq!(folder.kaa(["freeze"]).stderr, "froze the schema as `frozen/2.frozen`\n");
    assert_eq!(folder.kaa(["freeze", "--check"]).code, 0);
    assert_eq!(folder.read("frozen/1.frozen"), first);
    let mode = |path: &str| folder.join(path).metadata().expect("the file").permissions().mode();
    assert_eq!(mode("frozen/1.frozen"), mode("kaa/demo.kaa"));
    assert_eq!(
        folder.join("frozen").read_dir().expect("a folder").count(),
        2,
        "no temporary file is left over"
    );
}

#[test]
fn breaking_schema_is_frozen_only_on_request() {
    let folder = frozen();
    folder.write("kaa/demo.kaa", "package demo;\nstruct A {}\nstruct B { x: u8 }\n");
    let run = folder.kaa(["freeze"]);
    assert_eq!(run.code, 1);
    assert!(run.stdout.starts_with("error[STRUCT_FIELD_NO_DELETE]"), "{run:?}");
    assert!(run.stderr.contains("--allow-breaking"), "{run:?}");
    assert!(!folder.join("frozen/2.frozen").exists());
    assert_eq!(folder.kaa(["freeze", "--allow-breaking"]).code, 0);
    assert!(folder.join("frozen/2.frozen").exists());
}

#[test]
fn source_breaking_schema_is_frozen_with_a_warning() {
    let folder = frozen();
    folder.write(
        "kaa/demo.kaa",
        "package demo;\nconst MOST: u8 = 1;\nstruct A { x: u8 }\nstruct B { x: u8 }\n",
    );
    assert_eq!(folder.kaa(["freeze"]).code, 0);
    folder.write(
        "kaa/demo.kaa",
        "package demo;\nconst MOST: u8 = 2;\nstruct A { x: u8 }\nstruct B { x: u8 }\n",
    );
    let run = folder.kaa(["freeze"]);
    assert!(run.stdout.starts_with("warning[CONST_SAME_VALUE]"), "{run:?}");
    assert_eq!(run.code, 0);
    assert!(folder.join("frozen/3.frozen").exists());
}

#[test]
fn all_frozen_schemas_are_compared_and_an_edit_is_reported_once() {
    let folder = frozen();
    folder.write("kaa/demo.kaa", "package demo;\nstruct A { x: u8, y: u8 = 0 }\nstruct B { x: u8 }\n");
    folder.kaa(["freeze"]);
    let codes = |against: &str, text: &str| {
        folder.write("kaa/demo.kaa", text);
        folder.kaa(["breaking", "--format", "json", "--against", against]).codes()
    };
    let without_x = "package demo;\nstruct A { y: u8 = 0 }\nstruct B { x: u8 }\n";
    assert_eq!(codes("frozen", without_x), ["STRUCT_FIELD_NO_DELETE"]);
    let without_y = "package demo;\nstruct A { x: u8 }\nstruct B { x: u8 }\n";
    assert_eq!(codes("frozen/1.frozen", without_y), [""; 0]);
    assert_eq!(codes("frozen/2.frozen", without_y), ["STRUCT_FIELD_NO_DELETE"]);
    assert_eq!(codes("frozen", without_y), ["STRUCT_FIELD_NO_DELETE"]);
}

#[test]
fn frozen_matches_source_checks_only_the_newest() {
    let folder = frozen();
    let arguments =
        ["breaking", "--against", "frozen", "--rule", "FROZEN_MATCHES_SOURCE", "--format", "json"];
    assert_eq!(folder.kaa(arguments).codes(), [""; 0]);
    folder.write("kaa/demo.kaa", "package demo;\nstruct A { x: u8, y: u8 = 0 }\nstruct B { x: u8 }\n");
    assert_eq!(folder.kaa(arguments).codes(), ["FROZEN_MATCHES_SOURCE"]);
}

#[test]
fn changed_frozen_schema_is_detected() {
    let folder = frozen();
    let text = folder.read("frozen/1.frozen");
    folder.write("frozen/1.frozen", text.replace("u8", "u9"));
    for arguments in
        [&["breaking", "--against", "frozen"][..], &["breaking", "--against", "frozen/1.frozen"], &["freeze"]]
    {
        let run = folder.kaa(arguments);
        assert_eq!(run.code, 2);
        assert!(run.stderr.contains("was changed after it was written"), "{run:?}");
    }
    let run = folder.kaa(["breaking", "--against", "kaa/demo.kaa"]);
    assert!(run.code == 2 && run.stderr.contains("this is not a frozen schema"), "{run:?}");
}

#[test]
fn line_breaks_may_change() {
    let folder = frozen();
    let text = folder.read("frozen/1.frozen");
    folder.write("frozen/1.frozen", text.replace('\n', "\r\n"));
    assert_eq!(folder.kaa(["breaking", "--against", "frozen"]).code, 0);
    assert_eq!(folder.kaa(["freeze", "--check"]).code, 0);
}

#[test]
fn schema_with_errors_is_not_frozen() {
    let folder = Folder::new([
        ("Cargo.toml", "[package]"),
        ("kaa/demo.kaa", "package demo;\nstruct A { x: Nothing }\n"),
    ]);
    let run = folder.kaa(["freeze", "--into", "elsewhere"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert!(!folder.join("elsewhere").exists());
}
