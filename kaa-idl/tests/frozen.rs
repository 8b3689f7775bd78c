//! A frozen schema returns the sources that were frozen, and reports any damage.

#![allow(clippy::expect_used, reason = "a test that cannot continue must fail")]

use kaa_idl::compatibility::{Report, Rule, Settings};
use kaa_idl::frozen::{FrozenError, FrozenSource, History, HistoryError, freeze};
use kaa_idl::ids::fingerprint;
use kaa_idl::{Compilation, FileSource, MemorySource, RenderStyle, compile};

const COMMON: &str = "package tv.common;\n\nnewtype ChannelId(u32);\n";
const EPG: &str = "//! Guide.\npackage tv.epg;\n\nuse tv.common::ChannelId;\n\n// === tv/common.kaa, 3 lines\nstruct Program {\n    channel: ChannelId,\n}\n\nservice Epg {\n    fn list() -> Vec<Program>;\n}\n";

fn compiled(files: &[(&str, &str)]) -> Compilation {
    let compilation = compile(&MemorySource::new(files.iter().copied()));
    assert!(compilation.diagnostics().is_empty(), "{}", compilation.render(RenderStyle::Plain));
    compilation
}

fn frozen() -> String {
    freeze(&compiled(&[("tv/common.kaa", COMMON), ("tv/epg.kaa", EPG)]), 3).expect("a schema")
}

/// Later versions must read an old frozen schema, so its file is never regenerated.
#[test]
fn old_frozen_schema_is_readable() {
    let source =
        FrozenSource::read(include_str!("frozen/unformatted.frozen")).expect("a valid frozen schema");
    assert_eq!(compile(&source).schema().map(fingerprint), Some(source.fingerprint()));
}

#[test]
fn format_is_stable() {
    let golden = include_str!("frozen/formatted.frozen");
    assert_eq!(frozen(), golden);
    assert_eq!(frozen(), frozen());
}

#[test]
fn frozen_sources_are_read_back() {
    let source = FrozenSource::read(&frozen()).expect("a valid frozen schema");
    assert_eq!((source.number(), source.revision().as_str()), (3, "frozen 3"));
    let files = source.files().expect("files");
    assert_eq!(files, ["tv/common.kaa", "tv/epg.kaa"]);
    let old = compile(&source);
    let new = compiled(&[("tv/common.kaa", COMMON), ("tv/epg.kaa", EPG)]);
    assert_eq!(old.schema().map(fingerprint), Some(source.fingerprint()));
    let settings = Settings::default().with_rule(Rule::FrozenMatchesSource);
    let report = Report::new(&old, &new, &source.revision(), &settings).expect("both compile");
    assert!(report.diagnostics().is_empty(), "{}", report.render(RenderStyle::Plain));
}

#[test]
fn line_ends_and_byte_order_marks_are_ignored() {
    let windows = |text: &str| format!("\u{feff}{}", text.replace('\n', "\r\n"));
    let (common, epg) = (windows(COMMON), windows(EPG));
    let text = freeze(&compiled(&[("tv/common.kaa", &common), ("tv/epg.kaa", &epg)]), 3);
    assert_eq!(text.expect("a schema"), frozen());
    let checked_out = frozen().replace('\n', "\r\n");
    assert_eq!(FrozenSource::read(&checked_out).expect("read").number(), 3);
    let without_end = compiled(&[("tv/common.kaa", COMMON.trim_end()), ("tv/epg.kaa", EPG)]);
    assert_eq!(freeze(&without_end, 3).expect("a schema"), frozen());
}

#[test]
fn source_layout_is_ignored() {
    let loose = EPG.replace("channel: ChannelId,\n", "channel  :  ChannelId\n");
    assert_eq!(
        freeze(&compiled(&[("tv/common.kaa", COMMON), ("tv/epg.kaa", &loose)]), 3).expect("a schema"),
        frozen()
    );
}

#[test]
fn schema_with_errors_is_not_frozen() {
    assert_eq!(freeze(&compile(&MemorySource::new([("a.kaa", "package a;\nstruct S { b: B }")])), 1), None);
}

#[test]
fn damage_is_reported() {
    let text = frozen();
    let error = |text: &str| FrozenSource::read(text).expect_err("damaged");
    assert_eq!(error(""), FrozenError::NotFrozen);
    assert_eq!(error(EPG), FrozenError::NotFrozen);
    assert_eq!(error(&text.replace("format=1", "format=2")), FrozenError::NewerFormat { format: 2 });
    assert_eq!(error(&text.replace("number=3", "number=x")), FrozenError::Header { key: "number" });
    assert_eq!(
        error(&text.replace("fingerprint=", "fingerprint=0")),
        FrozenError::Header { key: "fingerprint" }
    );
    assert_eq!(error(&text.replace(" sha256=", " sha255=")), FrozenError::Header { key: "sha256" });
    assert_eq!(error(&text.replace("number=3", "number=4")), FrozenError::Altered);
    assert_eq!(error(&text.replace("channel:", "station:")), FrozenError::Altered);
    assert_eq!(
        error(&text.replace("3 lines\npackage", "4 lines\npackage")),
        FrozenError::Section { line: 7 }
    );
    let (head, _) = text.rsplit_once("    fn list").expect("the method");
    let truncated = FrozenError::Truncated { path: "tv/epg.kaa".to_owned(), missing: 2 };
    assert_eq!(error(head), truncated);
    assert_eq!(error(&text.replacen("=== ", "== ", 1)), FrozenError::Section { line: 2 });
}

#[test]
fn every_truncation_and_change_is_detected() {
    let text = frozen();
    for end in 0..text.len() {
        assert!(text.get(..end).is_none_or(|beginning| FrozenSource::read(beginning).is_err()), "{end}");
    }
    for place in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        let byte = bytes.get_mut(place).expect("a byte");
        *byte = if *byte == b'7' { b'8' } else { b'7' };
        let changed = String::from_utf8(bytes).expect("text");
        assert!(FrozenSource::read(&changed).is_err(), "{place}");
    }
}

#[test]
fn history_is_ordered_by_number() {
    let compilation = compiled(&[("tv/common.kaa", COMMON)]);
    let file = |number| (format!("{number}.frozen"), freeze(&compilation, number).expect("a schema"));
    let history = History::read([file(10), file(2), file(1)]).expect("three");
    let numbers: Vec<u32> = history.revisions().iter().map(|frozen| frozen.source.number()).collect();
    assert_eq!((numbers.as_slice(), history.next_number()), (&[1, 2, 10][..], 11));
    assert_eq!(History::default().next_number(), 1);
    let twice = History::read([file(1), ("copy.frozen".to_owned(), file(1).1)]);
    assert!(matches!(twice, Err(HistoryError::SameNumber { number: 1, .. })), "{twice:?}");
    let damaged = History::read([("1.frozen".to_owned(), String::new())]);
    assert!(matches!(damaged, Err(HistoryError::Unusable { .. })), "{damaged:?}");
}
