//! Malicious files: each is compiled or rejected with a diagnostic, and none causes a crash or a hang.

#![allow(clippy::expect_used, reason = "a test that cannot continue should panic with the reason")]

use std::fmt::Write;
use std::time::{Duration, Instant};

use kaa_idl::diagnostic::Code;
use kaa_idl::{Compilation, MAXIMUM_FILE_SIZE, MemorySource, RenderStyle, compile};

/// Generous: a debug build on a busy machine takes a few seconds, quadratic time would take hours.
const TIME_LIMIT: Duration = Duration::from_secs(120);

fn check(body: impl Into<Vec<u8>>, expected: Option<Code>) -> Compilation {
    let mut bytes = b"package demo;\n".to_vec();
    bytes.extend(body.into());
    let start = Instant::now();
    let compilation = compile(&MemorySource::new([("demo.kaa", bytes)]));
    let rendered = compilation.render(RenderStyle::Plain);
    assert!(start.elapsed() < TIME_LIMIT, "took {:?}", start.elapsed());
    let codes: Vec<_> = compilation.diagnostics().iter().map(|diagnostic| diagnostic.rule).collect();
    match expected {
        Some(code) => assert!(codes.contains(&code.into()), "{:.2000}", rendered),
        None => assert!(compilation.schema().is_some(), "{:.2000}", rendered),
    }
    assert_eq!(compilation.schema().is_none(), expected.is_some());
    compilation
}

/// Writes `count` lines or words, each from its number.
fn many(count: usize, mut write: impl FnMut(&mut String, usize) -> std::fmt::Result) -> String {
    let mut text = String::new();
    for number in 0..count {
        write(&mut text, number).expect("writing to a string cannot fail");
    }
    text
}

#[test]
fn brackets_nested_a_hundred_thousand_deep_are_rejected() {
    for bracket in ["(", "[", "{", "([{", "Vec<", "Map<u8, ["] {
        let text = format!("const X: u32 = {};", bracket.repeat(100_000));
        let compilation = check(text, Some(Code::TooDeep));
        assert_eq!(compilation.diagnostics().len(), 1, "{bracket}");
    }
    check("}".repeat(100_000), Some(Code::UnclosedDelimiter));
    check("/*".repeat(100_000), Some(Code::UnclosedComment));
    check(format!("const X: i32 = {}1;", "-".repeat(100_000)), Some(Code::UnexpectedToken));
}

#[test]
fn unclosed_angle_brackets_are_rejected() {
    let signs = [
        "<", "<<", "< <", "<-", "<->", "<=>", "<<-", "<a", "<a,", "<a>>", "<(", "<[1]", "<{}", ">", ">>",
        "<//\n",
    ];
    for signs in signs {
        for count in [1, 2, 30, 31, 60, 63, 120] {
            let signs = signs.repeat(count);
            for text in [
                format!("struct A {{ a{signs}: u8 }}"),
                format!("struct A {{ a: {signs} }}"),
                format!("enum A {{ {signs} }}"),
                format!("flags A: u8 {{ {signs} }}"),
                format!("service A {{ fn a{signs}(); client {{ r{signs}eserved fn \"a\"; }} }}"),
                format!("service A {{ fn a(a{signs}: u8) -> u8; }}"),
                format!("const A: u8 = {signs};"),
            ] {
                let compilation =
                    compile(&MemorySource::new([("demo.kaa", format!("package demo;\n{text}"))]));
                assert!(compilation.has_errors(), "{text}");
            }
        }
    }
}

#[test]
fn binary_bytes_are_rejected() {
    check(vec![0; 100_000], Some(Code::BadCharacter));
    check("struct A { a: u8,\0 b: u8 }", Some(Code::BadCharacter));
    check(b"struct A { a: \xff }".to_vec(), Some(Code::NotUtf8));
    check("\u{feff}struct A {}", Some(Code::BadCharacter));
    check("\u{1}\u{7f}\u{202e}", Some(Code::BadCharacter));
}

#[test]
fn byte_order_mark_and_carriage_returns_are_accepted() {
    let text = "\u{feff}//! Docs.\r\npackage demo;\r\n\r\n\
                /// One.\r\nstruct A {\r\n    /// Two.\r\n    a: u8,\r\n}\r\n";
    let compilation = compile(&MemorySource::new([("demo.kaa", text)]));
    let schema = compilation.schema().expect("no errors");
    assert_eq!(schema.packages[0].docs.lines, ["Docs."]);
    assert_eq!(schema.types[0].docs.lines, ["One."]);
    assert_eq!(schema.types[0].location.line, 5);
}

#[test]
fn oversized_file_is_rejected() {
    let size = usize::try_from(MAXIMUM_FILE_SIZE).expect("it fits");
    let compilation = check(vec![b' '; size], Some(Code::FileTooLarge));
    assert!(compilation.render(RenderStyle::Plain).contains("demo.kaa"));
}

#[test]
fn broken_file_does_not_hide_errors_of_other_files() {
    let compilation = compile(&MemorySource::new([
        ("a.kaa", b"package a;\nstruct A { a: \xff }".to_vec()),
        ("b.kaa", b"package b;\nstruct B { a: Nope, b: a::A }".to_vec()),
    ]));
    let codes: Vec<&str> =
        compilation.diagnostics().iter().map(|diagnostic| diagnostic.rule.as_str()).collect();
    assert_eq!(codes, ["K0503", "K0104"], "{}", compilation.render(RenderStyle::Plain));
}

#[test]
fn long_chains_compile_or_are_rejected() {
    let count = 5_000;
    check(many(count, |text, n| writeln!(text, "struct S{n} {{ a: S{} }}", n + 1)) + "struct S5000 {}", None);
    check(
        many(count, |text, n| writeln!(text, "struct S{n} {{ a: S{} }}", (n + 1) % 5_000)),
        Some(Code::InfiniteRecursion),
    );
    check(many(count, |text, n| writeln!(text, "newtype S{n}(S{});", n + 1)) + "newtype S5000(u8);", None);
    check(
        many(count, |text, n| writeln!(text, "const C{n}: u32 = C{};", n + 1)) + "const C5000: u32 = 1;",
        None,
    );
    check(many(count, |text, n| writeln!(text, "type T{n} = T{};", n + 1)) + "type T5000 = u8;", None);
    check(
        many(40, |text, n| writeln!(text, "type T{} = Map<u8, Map<T{n}, T{n}>>;", n + 1)) + "type T0 = u8;",
        Some(Code::TooDeep),
    );
    check(
        many(12, |text, n| writeln!(text, "type T{} = Map<u8, Map<T{n}, T{n}>>;", n + 1)) + "type T0 = u8;",
        Some(Code::TooDeep),
    );
    check(
        many(3_000, |text, n| writeln!(text, "interface I{} {{ include I{n}; fn m{n}(); }}", n + 1))
            + "interface I0 {}",
        Some(Code::TooDeep),
    );
}

#[test]
fn many_errors_are_reported_in_time() {
    let count = 5_000;
    check(many(count, |text, n| writeln!(text, "struct S{n} {{ a: Foo{n}x }}")), Some(Code::UnknownType));
    let compilation = check(
        format!("struct A {{\n{}}}", many(count, |text, n| writeln!(text, "f{n}: u8"))),
        Some(Code::MissingSeparator),
    );
    assert_eq!(compilation.diagnostics().len(), count - 1);
    assert!(compilation.render(RenderStyle::Plain).contains("4899 more diagnostics are not shown"));
    check(format!("struct A {{\n{}}}", "a u8 (x) [] ,\n".repeat(count)), Some(Code::UnexpectedToken));
    check(
        format!("struct A {{ a {}}}", "x < ".repeat(60) + &"y ".repeat(50_000)),
        Some(Code::UnclosedDelimiter),
    );
    check(";".repeat(count), Some(Code::UnexpectedToken));
    check("hello world\n".repeat(count), Some(Code::ExpectedItem));
    check("const A: String = \"\n".repeat(count), Some(Code::UnterminatedString));
    check(format!("{}struct A {{}}", "#[a]".repeat(count)), Some(Code::UnknownAttribute));
    check(format!("const X: u128 = {}1;", "1 + ".repeat(100_000)), None);
    check(many(count, |text, n| writeln!(text, "struct S{n} {{ a: u8,")), Some(Code::UnclosedDelimiter));
    check(
        format!("struct {} {{ a: {} }}", "A".repeat(100_000), "B".repeat(100_000)),
        Some(Code::UnknownType),
    );
}

#[test]
fn balanced_deep_brackets_are_rejected() {
    for depth in [1_000, 100_000] {
        for (open, inside, close) in [("(", "1", ")"), ("[", "", "]"), ("{", "", "}")] {
            let value = format!("{}{inside}{}", open.repeat(depth), close.repeat(depth));
            check(format!("const X: u32 = {value};"), Some(Code::TooDeep));
        }
        let ty = format!("{}u8{}", "Vec<".repeat(depth), ">".repeat(depth));
        check(format!("type T = {ty};"), Some(Code::TooDeep));
        let array = format!("{}u8{}", "[".repeat(depth), "; 1]".repeat(depth));
        check(format!("type T = {array};"), Some(Code::TooDeep));
        let attribute = format!("{}{}", "a(".repeat(depth), ")".repeat(depth));
        check(format!("#[{attribute}] struct A {{}}"), Some(Code::TooDeep));
        let stream = format!("service S {{ fn a() -> {} u8; }}", "stream ".repeat(depth));
        check(stream, Some(Code::StreamInData));
    }
    check(format!("const X: u32 = {}1{};", "(".repeat(60), ")".repeat(60)), None);
    check("struct stream {} service S { fn stream(stream: stream stream) -> stream stream; }", None);
}

#[test]
fn misleading_text_is_rejected() {
    for text in [&b"\xc0\xaf"[..], b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82", b"\xff\xfep\0"] {
        check(text.to_vec(), Some(Code::NotUtf8));
    }
    check("struct A { a:\u{feff} u8 }", Some(Code::BadCharacter));
    check("// right to left: \u{202e}", Some(Code::BadCharacter));
    check("/// isolated: \u{2066}\nstruct A {}", Some(Code::BadCharacter));
    check("const A: String = \"\u{202a}\";", Some(Code::BadCharacter));
    check("const A: String = \"\\u{202a} שלום\"; // مرحبا", None);
    check("struct A {}\r// the rest is a comment\rstruct A {}\r", Some(Code::BadCharacter));
    check("struct A {}\r\n// one line\r\nstruct B {}\r\n", None);
}

#[test]
fn long_names_and_lists_compile_in_time() {
    let million = 1_000_000;
    check(format!("struct {} {{}}", "A".repeat(million)), None);
    check(format!("struct A {{ a: {} }}", "B".repeat(million)), Some(Code::UnknownType));
    check(format!("const A: String = \"{}\";", "x".repeat(million)), None);
    check(format!("const A: u32 = {};", "9".repeat(million)), Some(Code::BadNumber));
    check(format!("struct A {{{}}}", " ".repeat(million)), None);
    check(
        format!("struct A {{ {}b: Nope }}", many(20_000, |text, n| write!(text, "f{n}: u8, "))),
        Some(Code::UnknownType),
    );
    check(format!("use {};", "a.".repeat(100_000) + "a"), Some(Code::UnknownPackage));
}

#[test]
fn many_items_and_many_errors_compile_in_time() {
    check(many(50_000, |text, n| writeln!(text, "type T{n}=u8;")), None);
    for error in [";", "§ ", "x;", "struct", "struct A {} }", "#[a]", "fn a();"] {
        let compilation = compile(&MemorySource::new([("demo.kaa", error.repeat(50_000))]));
        assert!(compilation.has_errors() && compilation.diagnostics().len() <= 60_100, "{error}");
        assert!(compilation.render(RenderStyle::Plain).len() < 100_000, "{error}");
    }
    check(format!("struct A {{ {} }}", "a b c, ".repeat(50_000)), Some(Code::UnexpectedToken));
    check(format!("service A {{ {} }}", "foo bar; ".repeat(50_000)), Some(Code::UnexpectedToken));
}

#[test]
fn ten_thousand_files_with_an_error_each_compile_in_time() {
    let files =
        (0..10_000).map(|n| (format!("p{n}.kaa"), format!("package p{n};\nstruct A {{ a: Nope }}\n")));
    let start = Instant::now();
    let compilation = compile(&MemorySource::new(files));
    assert_eq!(compilation.diagnostics().len(), 10_000);
    assert!(compilation.render(RenderStyle::Plain).contains("9900 more diagnostics are not shown"));
    assert!(start.elapsed() < TIME_LIMIT, "took {:?}", start.elapsed());
}
