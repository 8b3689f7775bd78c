//! `kaa explain` explains every name that a finding can have.

use crate::support::Folder;

#[test]
fn names_are_case_insensitive() {
    let folder = Folder::new([]);
    let run = folder.kaa(["explain", "k0104"]);
    assert_eq!(run.code, 0);
    assert!(run.stdout.starts_with("K0104: unknown name\n\n"), "{run:?}");
    assert!(run.stdout.lines().all(|line| line.chars().count() <= 100), "{run:?}");
    assert_eq!(folder.kaa(["explain", "K0104", "K0105"]).code, 0);
}

#[test]
fn misspelt_name_suggests_the_nearest() {
    let run = Folder::new([]).kaa(["explain", "K010"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("did you mean `K0"), "{run:?}");
    let run = Folder::new([]).kaa(["explain", "nonsense"]);
    assert!(run.stderr.contains("`kaa explain --list` lists all codes and rules"), "{run:?}");
    assert_eq!(Folder::new([]).kaa(["explain"]).code, 2);
}

#[test]
fn list_is_complete_and_every_entry_is_explained() {
    let folder = Folder::new([]);
    let run = folder.kaa(["explain", "--list", "--format", "json"]);
    let document = run.json();
    let rules = document["rules"].as_array().expect("a list");
    let list = folder.kaa(["explain", "--list"]);
    assert_eq!(list.stdout.lines().count(), rules.len());
    for rule in rules {
        let code = rule["code"].as_str().expect("a code");
        assert!(list.stdout.contains(code));
        assert!(rule["explanation"].as_str().expect("a text").len() > 20, "{code}");
        assert!(!rule["title"].as_str().expect("a text").is_empty(), "{code}");
    }
    let names: Vec<&str> = rules.iter().map(|rule| rule["code"].as_str().expect("a code")).collect();
    let explained = folder.kaa([&["explain"], &names[..]].concat());
    assert_eq!(explained.code, 0);
    assert!(names.iter().all(|name| explained.stdout.contains(&format!("{name}: "))));
}
