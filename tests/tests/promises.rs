//! `docs/promises.md` lists every clause of the specification, and every test that it names exists.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use kaa_rpc_tests::fixture::TestResult;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn page(name: &str) -> TestResult<String> {
    Ok(std::fs::read_to_string(root().join("docs").join(name))?)
}

/// The first cell of each row, and the tests in the row.
fn rows(page: &str) -> Vec<(&str, Vec<&str>)> {
    page.lines()
        .filter_map(|line| {
            let (clause, rest) = line.strip_prefix("| ")?.split_once(" | ")?;
            let (_promise, tests) = rest.rsplit_once(" | ")?;
            let tests = tests.split('`').filter(|part| part.contains("::")).collect();
            clause.starts_with(|letter: char| letter.is_ascii_digit()).then_some((clause, tests))
        })
        .collect()
}

/// The numbers of the clauses, and the names in the table of limits.
fn clauses(page: &str) -> BTreeSet<String> {
    let numbered = page.lines().filter_map(|line| {
        let number = line.strip_prefix("**")?.split([' ', '*']).next()?;
        number.starts_with(|letter: char| letter.is_ascii_digit()).then(|| number.to_owned())
    });
    let limits = page.split_once("\n## 6 Limits\n").map_or("", |(_, rest)| rest);
    let limits = limits.lines().skip_while(|line| !line.starts_with("|---")).skip(1);
    let limits = limits
        .take_while(|line| line.starts_with("| "))
        .filter_map(|line| Some(format!("6 {}", line.strip_prefix("| ")?.split(" | ").next()?)));
    numbered.chain(limits).collect()
}

#[test]
fn every_clause_of_the_specification_has_tests() -> TestResult {
    let (specification, promises) = (page("wire.md")?, page("promises.md")?);
    let clauses = clauses(&specification);
    assert!(clauses.len() > 60, "{clauses:?}");
    let tested: BTreeSet<String> =
        rows(&promises).iter().filter(|row| !row.1.is_empty()).map(|row| row.0.to_owned()).collect();
    let missing: Vec<_> = clauses.difference(&tested).collect();
    assert!(missing.is_empty(), "docs/promises.md names no test for {missing:?}");
    let unknown: Vec<_> = tested.difference(&clauses).filter(|clause| *clause != "6 fairness").collect();
    assert!(unknown.is_empty(), "docs/wire.md has no clauses {unknown:?}");
    Ok(())
}

#[test]
fn every_test_on_the_page_exists() -> TestResult {
    let promises = page("promises.md")?;
    let mut sources: BTreeMap<PathBuf, String> = BTreeMap::new();
    let mut missing = Vec::new();
    for (clause, tests) in rows(&promises) {
        for test in tests {
            let (path, name) = test.split_once("::").ok_or("a test without a name")?;
            let folder = match path.split_once('/') {
                Some(("tests", _)) => "",
                Some(("src", _)) => "kaa-rpc-runtime",
                _ => "kaa-rpc-runtime/tests",
            };
            let file = root().join(folder).join(format!("{path}.rs"));
            if !sources.contains_key(&file) {
                sources.insert(file.clone(), std::fs::read_to_string(&file).unwrap_or_default());
            }
            let definition = format!("fn {name}(");
            if !sources.get(&file).is_some_and(|source| source.contains(&definition)) {
                missing.push(format!("{clause}: {test}"));
            }
        }
    }
    assert!(missing.is_empty(), "docs/promises.md names tests that do not exist:\n{}", missing.join("\n"));
    Ok(())
}
