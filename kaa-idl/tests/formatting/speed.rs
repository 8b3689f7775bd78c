//! Formatting takes time linear in the length of the text, for any content.

use std::fmt::Write;
use std::time::{Duration, Instant};

use kaa_idl::format;

/// Generous: a debug build on a busy machine takes a few seconds, quadratic time would take hours.
const TIME_LIMIT: Duration = Duration::from_secs(120);

fn check(mut entry: impl FnMut(&mut String, usize) -> std::fmt::Result, end: &str) {
    let mut text = "package demo;\n".to_owned();
    for number in 0..50_000 {
        entry(&mut text, number).expect("writing to a string cannot fail");
    }
    text.push_str(end);
    let start = Instant::now();
    format("demo.kaa", &text).expect("it parses");
    assert!(start.elapsed() < TIME_LIMIT, "took {:?}", start.elapsed());
}

#[test]
fn many_items_format_in_time() {
    check(|text, number| writeln!(text, "struct S{number} {{ a: u8, // b\n c: Vec<u8> }}"), "");
}

#[test]
fn many_imports_format_in_time() {
    check(|text, number| writeln!(text, "use b{}::{{C{number}, B, A}};", number * 7919 % 50_000), "");
}

#[test]
fn struct_with_many_fields_formats_in_time() {
    check(
        |text, number| write!(text, "{} f{number}: [u8; 3]", if number == 0 { "struct S {" } else { "," }),
        "}",
    );
}

#[test]
fn long_expression_formats_in_time() {
    check(
        |text, number| write!(text, "{} 0x{number:x}", if number == 0 { "const A: u8 =" } else { "|" }),
        ";",
    );
}

#[test]
fn token_with_many_comments_formats_in_time() {
    check(
        |text, number| writeln!(text, "{} /* {number} */", if number == 0 { "struct S" } else { "" }),
        "{}",
    );
}
