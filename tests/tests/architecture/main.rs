//! Rules for all sources: imports form no cycle and follow the layers of `ARCHITECTURE.md`, files stay
//! short, and retired words are not used. `exceptions.txt` lists the known violations.

mod cycles;
mod exceptions;
mod imports;
mod layers;
mod modules;
mod tree;
mod words;

use std::error::Error;

use exceptions::{Fault, Kind, settle};
use layers::Layers;
use modules::Crate;
use tree::Files;

/// The generated table of the grammar, a line for each state.
const GENERATED: &str = "kaa-idl/src/parse/generated.rs";

const MAX_LINES: usize = 500;

type TestResult = Result<(), Box<dyn Error>>;

fn document(files: &Files) -> Result<&str, String> {
    files.get("ARCHITECTURE.md").map(String::as_str).ok_or_else(|| "ARCHITECTURE.md is missing".to_owned())
}

/// The crates that `ARCHITECTURE.md` lists, with their modules.
fn crates(files: &Files) -> Result<Vec<(String, Crate)>, String> {
    let names = layers::directions(document(files)?)?.into_keys();
    let read = |name: String| {
        let roots = [format!("{name}/src/lib.rs"), format!("{name}/src/main.rs")];
        let root = roots.iter().find(|root| files.contains_key(*root));
        let modules = Crate::read(root.ok_or_else(|| format!("{name} has no sources"))?, files)?;
        Ok((name, modules))
    };
    names.map(read).collect()
}

fn long_files(files: &Files) -> Vec<Fault> {
    let sources = files.iter().filter(|(path, _)| path.ends_with(".rs") && *path != GENERATED);
    let long =
        sources.map(|(path, text)| (path, text.lines().count())).filter(|(_, lines)| *lines > MAX_LINES);
    long.map(|(path, lines)| Fault {
        kind: Kind::Length,
        key: path.clone(),
        count: 1,
        report: format!("{path} has {lines} lines, more than {MAX_LINES}"),
    })
    .collect()
}

#[test]
fn files_import_without_cycles() -> TestResult {
    let files = tree::read()?;
    let mut faults = Vec::new();
    for (name, modules) in crates(&files)? {
        faults.extend(cycles::faults(&name, &imports::imports(&modules)));
    }
    settle(Kind::Cycle, &faults)
}

#[test]
fn imports_follow_the_layers() -> TestResult {
    let files = tree::read()?;
    let mut faults = Vec::new();
    let mut missing = Vec::new();
    for (name, modules) in crates(&files)? {
        let layers = Layers::parse(document(&files)?, &name)?;
        missing.extend(layers.missing(&name, &modules));
        faults.extend(layers.faults(&name, &imports::imports(&modules)));
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
    settle(Kind::Layer, &faults)
}

#[test]
fn crates_import_in_the_written_direction() -> TestResult {
    let files = tree::read()?;
    let directions = layers::directions(document(&files)?)?;
    let manifests = files.keys().filter_map(|path| path.strip_suffix("/Cargo.toml"));
    for name in manifests.filter(|name| name.starts_with("kaa-") && !name.contains('/')) {
        assert!(directions.contains_key(name), "ARCHITECTURE.md does not list crate {name}");
    }
    for (name, modules) in crates(&files)? {
        let wrong = layers::wrong_directions(&name, &directions, &modules, &files)?;
        assert!(wrong.is_empty(), "against the direction of crates:\n{}", wrong.join("\n"));
    }
    Ok(())
}

#[test]
fn rust_files_stay_short() -> TestResult {
    settle(Kind::Length, &long_files(&tree::read()?))
}

#[test]
fn long_file_is_a_fault() {
    let text = |lines: usize| "//\n".repeat(lines);
    let sources = [("a.rs", text(500)), ("b.rs", text(501)), ("b.md", text(501)), (GENERATED, text(501))];
    let files: Files = sources.into_iter().map(|(path, text)| (path.to_owned(), text)).collect();
    let found: Vec<_> = long_files(&files).into_iter().map(|fault| fault.report).collect();
    assert_eq!(found, ["b.rs has 501 lines, more than 500"]);
}

#[test]
fn retired_words_stay_out() -> TestResult {
    let retired = words::Retired::parse(include_str!("retired.txt"))?;
    settle(Kind::Words, &retired.faults(&tree::read()?))
}
