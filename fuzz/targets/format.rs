//! Every text that parses can be formatted: the formatted text has the same syntax tree, and formatting it again changes
//! nothing.
#![no_main]

use kaa_idl::{format, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(formatted) = format("fuzz.kaa", text) else {
        assert!(!parse("fuzz.kaa", text).1.is_empty(), "a text that parses was not formatted");
        return;
    };
    assert_eq!(format("fuzz.kaa", &formatted).as_deref(), Ok(&*formatted));
    assert_eq!(tree(text), tree(&formatted));
});

/// The syntax tree as text, without spans, with sorted imports.
fn tree(text: &str) -> String {
    let (mut file, diagnostics) = parse("fuzz.kaa", text);
    assert!(diagnostics.is_empty());
    let mut uses: Vec<String> =
        file.uses.drain(..).map(|import| without_spans(&format!("{import:?}"))).collect();
    uses.sort();
    without_spans(&format!("{file:?}")) + &uses.join("\n")
}

fn without_spans(debug: &str) -> String {
    let mut text = String::new();
    let mut rest = debug;
    while let Some((before, span)) = rest.split_once("Span {") {
        text.push_str(before);
        rest = span.split_once('}').map_or("", |(_, after)| after);
    }
    text + rest
}
