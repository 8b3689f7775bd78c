//! `kaa check` reports diagnostics about the selected files, in every format, and has a matching exit code.

use crate::support::Folder;

const BROKEN: &str = "package tv.epg;\n\nstruct Programme { when: Tiem, digest: [u8; 0] }\n";

#[test]
fn exit_code_matches_outcome() {
    let folder = Folder::package();
    assert_eq!(folder.kaa(["check"]).code, 0);
    assert_eq!(folder.kaa(["check", "--frobnicate"]).code, 2);
    assert_eq!(folder.kaa(["check", "nowhere"]).code, 2);
    assert_eq!(folder.kaa(["check", "Cargo.toml"]).code, 2);
    folder.write("kaa/tv/epg.kaa", BROKEN);
    assert_eq!(folder.kaa(["check"]).code, 1);
}

#[test]
fn findings_go_to_stdout_and_summary_to_stderr() {
    let folder = Folder::package();
    let run = folder.kaa(["check"]);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", "checked 1 file: no errors\n"));
    assert_eq!(folder.kaa(["check", "--quiet"]).stderr, "");
    folder.write("kaa/tv/epg.kaa", BROKEN);
    let run = folder.kaa(["check"]);
    assert!(
        run.stdout.starts_with("error[K0104]: there is no type `Tiem`\n --> kaa/tv/epg.kaa:3:26\n"),
        "{run:?}"
    );
    assert_eq!(
        run.stderr,
        "checked 1 file: 2 errors\nfor more information about the first, run `kaa explain K0104`\n"
    );
}

#[test]
fn json_has_every_documented_key() {
    let folder = Folder::package();
    folder.write("kaa/tv/epg.kaa", "package tv.epg; // →\n\n/* → */ struct P { a: u8, a: u8, b: Strng }\n");
    let run = folder.kaa(["check", "--format", "json"]);
    let document = run.json();
    assert_eq!((document["version"].as_u64(), document["command"].as_str()), (Some(1), Some("check")));
    assert_eq!((document["files"].as_u64(), document["errors"].as_u64()), (Some(1), Some(2)));
    assert_eq!(document["warnings"].as_u64(), Some(0));
    let expected = serde_json::json!({
        "code": "K0102", "severity": "error", "message": "the name `a` is taken",
        "file": "kaa/tv/epg.kaa", "line": 3, "column": 27, "end_line": 3, "end_column": 28,
        "byte_start": 52, "byte_end": 53, "label": "", "labels": [], "help": [], "fixes": [],
    });
    let duplicate = document["diagnostics"][0].as_object().expect("a diagnostic");
    let keys =
        |value: &serde_json::Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&document["diagnostics"][0]), keys(&expected));
    for key in
        ["code", "severity", "file", "line", "column", "end_line", "end_column", "byte_start", "byte_end"]
    {
        assert_eq!(duplicate[key], expected[key], "{key}");
    }
    let first = &duplicate["labels"][0];
    assert_eq!((first["line"].as_u64(), first["column"].as_u64()), (Some(3), Some(20)));
    let edit = &document["diagnostics"][1]["fixes"][0]["edits"][0];
    assert_eq!(edit["replacement"].as_str(), Some("String"));
    let text = folder.read("kaa/tv/epg.kaa");
    let range = edit["byte_start"].as_u64().expect("a start")..edit["byte_end"].as_u64().expect("an end");
    let range = usize::try_from(range.start).expect("small")..usize::try_from(range.end).expect("small");
    assert_eq!(text.get(range), Some("Strng"));
}

#[test]
fn github_annotations_are_single_escaped_lines() {
    let folder = Folder::package();
    folder.write("kaa/tv/a,b:c.kaa", "package tv.epg;\n");
    folder.write("kaa/tv/epg.kaa", BROKEN);
    let run = folder.kaa(["check", "--format", "github"]);
    assert_eq!(run.code, 1);
    assert!(run.stdout.contains("::error title=K0111,file=kaa/tv/a%2Cb%3Ac.kaa,line=1,"), "{run:?}");
    assert!(run.stdout.lines().all(|line| line.starts_with("::error title=K0")), "{run:?}");
    assert!(run.stdout.contains("%0Ahelp: "), "{run:?}");
}

#[test]
fn colours_require_a_terminal_or_a_setting() {
    let folder = Folder::package();
    folder.write("kaa/tv/epg.kaa", BROKEN);
    let colored = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = crate::support::command(&folder.path(), arguments);
        command.envs(variables.iter().copied());
        crate::support::run(&mut command, b"").stdout.contains("\u{1b}[")
    };
    assert!(!colored(&["check"], &[]));
    assert!(colored(&["check", "--color", "always"], &[("NO_COLOR", "1")]));
    assert!(colored(&["check"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!colored(&["check"], &[("CLICOLOR_FORCE", "0")]));
    assert!(!colored(&["check"], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(!colored(&["check", "--color", "never"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!colored(&["check", "--format", "json"], &[("CLICOLOR_FORCE", "1")]));
    assert!(colored(&["--help"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!colored(&["--help"], &[]));
}

#[test]
fn file_is_checked_with_the_packages_it_uses() {
    let folder = Folder::new([
        ("Cargo.toml", "[package]"),
        ("kaa/alone.kaa", "package alone; struct A { x: Nothing }"),
        ("kaa/base.kaa", "package base; struct B { x: Nowhere }"),
        ("kaa/middle.kaa", "package middle; use base::B; struct M { b: B }"),
        ("kaa/top.kaa", "package top; struct T { m: middle::M }"),
    ]);
    let files = |arguments: &[&str]| {
        let run = folder.kaa([&["check", "--format", "json"], arguments].concat());
        let document = run.json();
        let diagnostics = document["diagnostics"].as_array().expect("a list").clone();
        let files = diagnostics.iter().map(|each| each["file"].as_str().expect("a file").to_owned());
        (run.code, files.collect::<Vec<_>>())
    };
    let (alone, base) = ("kaa/alone.kaa".to_owned(), "kaa/base.kaa".to_owned());
    assert_eq!(files(&[]), (1, vec![alone.clone(), base.clone()]));
    assert_eq!(files(&["kaa/top.kaa"]), (1, vec![base.clone()]));
    assert_eq!(files(&["kaa/alone.kaa"]), (1, vec![alone.clone()]));
    assert_eq!(files(&["kaa/alone.kaa", "kaa/top.kaa"]), (1, vec![alone, base]));
    folder.write("kaa/base.kaa", "package base; struct B {}");
    assert_eq!(files(&["kaa/top.kaa"]), (0, vec![]));
    folder.write("kaa/stray.kaa", "package lost; struct A {}");
    folder.write("kaa/other.kaa", "package lost; struct B { x: Nothing }");
    assert_eq!(
        files(&["kaa/stray.kaa"]),
        (1, vec!["kaa/stray.kaa".to_owned()]),
        "neither path matches `package lost`"
    );
}
