//! One folder per lint: a bad text with the exact findings, and a good text without findings. If the lint has
//! a certain fix, `fixed.kaa` is the bad text after the fix.
//!
//! To accept new expectations, run with `KAA_BLESS=1` and read the changes.

#![allow(clippy::expect_used, reason = "a test that cannot continue should panic with the reason")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use kaa_idl::diagnostic::{Certainty, Diagnostic, Severity};
use kaa_idl::lint::{Lint, Selection, apply_fixes, fix, lint};
use kaa_idl::{Compilation, MemorySource, RenderStyle, compile};

/// The package that fixtures may import.
const COMMON: &str = r#"//! What others share.
package tv.common;

/// A channel.
newtype ChannelId(u32);
/// A title.
newtype Title(u8);
/// A limit.
const MOST: u32 = 5;
"#;

/// The path for a text, from its `package` line.
fn path(text: &str) -> String {
    let name = text.split_once("package ").and_then(|(_, rest)| rest.split_once(';')).expect("a package").0;
    format!("{name}.kaa")
}

fn texts(text: &str) -> BTreeMap<String, String> {
    BTreeMap::from([(path(text), text.to_owned()), ("tv/common.kaa".to_owned(), COMMON.to_owned())])
}

fn compiled(text: &str) -> Compilation {
    let compilation = compile(&MemorySource::new(texts(text)));
    assert!(!compilation.has_errors(), "{}", compilation.render(RenderStyle::Plain));
    compilation
}

/// A lint in addition to those that are on by default.
fn selection(lint: Lint) -> Selection {
    Selection::default().with(lint)
}

fn folder(lint: Lint) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lint").join(lint.name())
}

fn read(lint: Lint, name: &str) -> String {
    let path = folder(lint).join(name);
    fs::read_to_string(&path).unwrap_or_default()
}

fn expect(lint: Lint, name: &str, text: &str) {
    if std::env::var_os("KAA_BLESS").is_some() {
        fs::write(folder(lint).join(name), text).expect("the expectation is written");
    }
    assert_eq!(read(lint, name), text, "{lint}: {name}");
}

fn names(findings: &[Diagnostic]) -> BTreeSet<&str> {
    findings.iter().map(|finding| finding.rule.as_str()).collect()
}

#[test]
fn every_lint_reports_only_its_bad_text() {
    for found in Lint::ALL.iter().copied() {
        let compilation = compiled(&read(found, "bad.kaa"));
        let findings = lint(&compilation, &selection(found));
        assert_eq!(names(&findings), BTreeSet::from([found.name()]), "{found}");
        assert!(findings.iter().all(|finding| finding.severity == Severity::Warning));
        expect(found, "expected.txt", &compilation.render_diagnostics(&findings, RenderStyle::Plain));
    }
}

#[test]
fn good_texts_have_no_findings() {
    for found in Lint::ALL.iter().copied() {
        let text = read(found, "good.kaa");
        assert!(!text.is_empty(), "{found} has no good text");
        let compilation = compiled(&text);
        let findings = lint(&compilation, &selection(found));
        assert!(findings.is_empty(), "{}", compilation.render_diagnostics(&findings, RenderStyle::Plain));
    }
}

#[test]
fn every_folder_names_a_lint() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lint");
    for entry in fs::read_dir(root).expect("the fixtures") {
        let name = entry.expect("an entry").file_name();
        assert!(Lint::named(&name.to_string_lossy()).is_some(), "{name:?}");
    }
}

fn fingerprints(texts: &BTreeMap<String, String>) -> Vec<[u8; 32]> {
    let compilation = compile(&MemorySource::new(texts.clone()));
    let schema = compilation.schema().expect("a schema");
    schema.packages.iter().flat_map(|package| &package.services).map(|service| service.fingerprint).collect()
}

#[test]
fn certain_fixes_reduce_findings_and_keep_fingerprints() {
    for found in Lint::ALL.iter().copied() {
        let before = texts(&read(found, "bad.kaa"));
        let after = fix(before.clone(), &selection(found));
        let compilation = compile(&MemorySource::new(after.clone()));
        let remaining = lint(&compilation, &selection(found));
        let count = lint(&compile(&MemorySource::new(before.clone())), &selection(found)).len();
        assert_eq!(fingerprints(&before), fingerprints(&after), "{found}");
        if found.fix_description().is_empty() {
            assert_eq!(before, after, "{found}");
            continue;
        }
        assert!(remaining.len() < count, "{found}: {count} findings remain {}", remaining.len());
        let fixed = after.get("demo.kaa").expect("the text");
        assert_eq!(kaa_idl::format("demo.kaa", fixed).as_ref(), Ok(fixed), "{found}");
        expect(found, "fixed.kaa", fixed);
    }
}

#[test]
fn allow_covers_the_construct_and_its_contents() {
    let check = |text: &str, expected: &[&str]| {
        let findings = lint(&compiled(&format!("package demo;\n{text}")), &Selection::default());
        let found: Vec<&str> = findings.iter().map(|finding| finding.rule.as_str()).collect();
        assert_eq!(found, expected, "{text}");
    };
    check("struct A { a: String }", &["STRING_BOUNDED"]);
    check("struct A { #[allow(STRING_BOUNDED)] a: String, b: String }", &["STRING_BOUNDED"]);
    check("#[allow(STRING_BOUNDED)] struct A { a: String, b: Vec<String> }", &["VEC_BOUNDED"]);
    check("#[allow(STRING_BOUNDED, METHOD_SNAKE)] service A { fn aB(c: String); }", &[]);
    check("service A { #[allow(STRING_BOUNDED)] fn a(b: String); fn c(d: String); }", &["STRING_BOUNDED"]);
    check("service A { client { #[allow(CLIENT_ONEWAY_STARTS_WITH_ON)] oneway fn changed(); } }", &[]);
    check("error AError { #[allow(STRING_BOUNDED)] A(String) = 1, B(String) = 2 }", &["STRING_BOUNDED"]);
    check("#[allow(FIELD_NO_DELETE)] struct A {}", &["ALLOW_KNOWN"]);
    check("#[allow(STRUCT_FIELD_NO_DELETE)] struct A {}", &[]);
}

#[test]
fn first_of_overlapping_fixes_is_applied() {
    let compilation = compiled("package demo;\nuse tv.common::{ChannelId, Title};\nstruct A { a: u8 }\n");
    let findings = lint(&compilation, &Selection::default());
    assert_eq!(findings.len(), 2);
    let mut once = texts("package demo;\nuse tv.common::{ChannelId, Title};\nstruct A { a: u8 }\n");
    assert_eq!(apply_fixes(&mut once, &findings), 1);
    let whole = fix(once, &Selection::default());
    assert_eq!(whole.get("demo.kaa").expect("the text"), "package demo;\nstruct A { a: u8 }\n");
}

#[test]
fn likely_fixes_are_not_applied() {
    let text = "package demo;\n#[allow(STRING_BOUNDD)] struct A { a: u8 }\n";
    let findings = lint(&compiled(text), &Selection::default());
    let certainties: Vec<Certainty> =
        findings.iter().filter_map(|finding| Some(finding.fix.as_ref()?.certainty)).collect();
    assert_eq!(certainties, [Certainty::Likely]);
    assert_eq!(fix(texts(text), &Selection::default()), texts(text));
}

#[test]
fn only_files_that_parse_are_linted() {
    let source = MemorySource::new([
        ("a.kaa", "package a;\nstruct A { aB: Missing }\n"),
        ("b.kaa", "package b;\nstruct { aB: u8 }\n"),
    ]);
    let findings = lint(&compile(&source), &Selection::default());
    assert_eq!(names(&findings), BTreeSet::from(["FIELD_SNAKE"]));
}
