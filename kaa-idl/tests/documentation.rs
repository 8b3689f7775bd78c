//! The language reference is correct: its examples compile, its bad examples report their code, its tables
//! are complete.

#![allow(clippy::expect_used, reason = "a test that cannot continue should panic with the reason")]

use kaa_idl::compatibility::Rule;
use kaa_idl::diagnostic::Code;
use kaa_idl::lint::{Group, Lint};
use kaa_idl::{Compilation, MemorySource, RenderStyle, compile};

fn reference() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/idl.md");
    std::fs::read_to_string(path).expect("the reference")
}

/// A fenced block: its info string and its text.
struct Block {
    info: String,
    text: String,
}

fn blocks(document: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in document.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(info), None) => open = Some(Block { info: info.to_owned(), text: String::new() }),
            (None, Some(block)) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

/// The file for a block: that of the package it declares, or of a package `demo`.
fn file(block: &Block) -> (String, String) {
    let line = block.text.lines().find_map(|line| line.strip_prefix("package ")?.split(';').next());
    match line {
        Some(name) => (format!("{}.kaa", name.replace('.', "/")), block.text.clone()),
        None => ("demo.kaa".to_owned(), format!("package demo;\n{}", block.text)),
    }
}

/// Compiles a block together with all blocks that declare a package.
fn compiled(block: &Block, all: &[Block]) -> Compilation {
    let packages =
        all.iter().filter(|other| other.info == "kaa").map(file).filter(|(path, _)| path != "demo.kaa");
    let mut files: Vec<(String, String)> = packages.collect();
    let own = file(block);
    files.retain(|(path, _)| *path != own.0);
    files.push(own);
    compile(&MemorySource::new(files))
}

#[test]
fn good_examples_compile() {
    let blocks = blocks(&reference());
    let good: Vec<&Block> = blocks.iter().filter(|block| block.info == "kaa").collect();
    assert!(good.len() > 10);
    for block in good {
        let compilation = compiled(block, &blocks);
        assert!(compilation.diagnostics().is_empty(), "{}", compilation.render(RenderStyle::Plain));
    }
}

#[test]
fn bad_examples_report_their_code() {
    let blocks = blocks(&reference());
    let bad: Vec<&Block> = blocks.iter().filter(|block| block.info.starts_with("kaa,bad")).collect();
    assert!(bad.len() > 5);
    for block in bad {
        let compilation = compiled(block, &blocks);
        let codes: Vec<&str> =
            compilation.diagnostics().iter().map(|diagnostic| diagnostic.rule.as_str()).collect();
        let expected = block.info.rsplit(',').next().expect("a code");
        assert_eq!(codes, [expected], "{}", compilation.render(RenderStyle::Plain));
    }
}

#[test]
fn every_block_has_a_known_kind() {
    for block in blocks(&reference()) {
        let known = block.info == "kaa" || block.info == "text" || block.info.starts_with("kaa,bad,K");
        assert!(known, "{}", block.info);
    }
}

#[test]
fn table_of_codes_is_complete() {
    let reference = reference();
    let rows: Vec<&str> = reference.lines().filter(|line| line.starts_with("| K")).collect();
    let expected: Vec<String> = Code::ALL
        .iter()
        .map(|code| format!("| {code} | **{}.** {} |", code.title(), code.summary()))
        .collect();
    assert_eq!(rows, expected);
}

#[test]
fn table_of_rules_is_complete() {
    let reference = reference();
    let rows = reference.lines().filter(|line| {
        let name = line.strip_prefix("| `").and_then(|rest| rest.split_once('`'));
        name.is_some_and(|(name, _)| Rule::from_name(name).is_some())
    });
    let expected = Rule::ALL.iter().map(|rule| {
        let (category, connect_outcome) = (rule.category(), rule.connect_outcome().name());
        format!("| `{rule}` | {category} | {connect_outcome} | {} | {} |", rule.explanation(), rule.help())
    });
    assert_eq!(rows.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

#[test]
fn tables_of_lints_are_complete() {
    let reference = reference();
    for lint in Lint::ALL {
        let change = lint.fix_description();
        let end = if change.is_empty() { "|".to_owned() } else { format!("{change} |") };
        let row = format!("| `{}` | {} | {end}", lint.name(), lint.explanation());
        assert!(reference.lines().any(|line| line == row), "{row}");
    }
    for group in Group::ALL {
        let on = if group.is_on() { "on" } else { "off" };
        let heading = format!("| **{}**, {on} | | |", group.name());
        assert!(reference.lines().any(|line| line == heading), "{heading}");
    }
}
