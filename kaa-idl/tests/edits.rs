//! One edit produces one finding: consequences of the edit are not reported, and `#[allow]` silences a
//! finding.

#![allow(clippy::expect_used, reason = "a test that cannot continue should panic with the reason")]

use kaa_idl::compatibility::{Category, Report, Settings};
use kaa_idl::{Compilation, MemorySource, RenderStyle, compile};

fn compiled(files: &[(&str, &str)]) -> Compilation {
    let compilation = compile(&MemorySource::new(files.iter().copied()));
    assert!(compilation.diagnostics().is_empty(), "{}", compilation.render(RenderStyle::Plain));
    compilation
}

fn rules_of(old: &[(&str, &str)], new: &[(&str, &str)], settings: &Settings) -> Vec<&'static str> {
    let (old, new) = (compiled(old), compiled(new));
    let report = Report::new(&old, &new, "frozen 1", settings).expect("both compile");
    report.diagnostics().iter().map(|diagnostic| diagnostic.rule.as_str()).collect()
}

#[track_caller]
fn check(old: &str, new: &str, expected: &[&str]) {
    let file = |text: &str| format!("package demo;\n{text}");
    let (old, new) = (file(old), file(new));
    let settings = Settings::default().without(Category::Policy);
    assert_eq!(rules_of(&[("demo.kaa", &old)], &[("demo.kaa", &new)], &settings), expected);
}

#[test]
fn fields_are_matched_after_edits() {
    let old = "struct S { a: u8, b: u16, c: String, d: bool }";
    check(old, "struct S { a: u8, c: String, d: bool }", &["STRUCT_FIELD_NO_DELETE"]);
    check(old, "struct S { b: u16, c: String, d: bool }", &["STRUCT_FIELD_NO_DELETE"]);
    check(old, "struct S { a: u8, b: u16, c: String }", &["STRUCT_FIELD_NO_DELETE"]);
    check(old, "struct S { d: bool, a: u8, b: u16, c: String }", &["STRUCT_FIELD_NO_REORDER"]);
    check(old, "struct S { d: bool, c: String, b: u16, a: u8 }", &["STRUCT_FIELD_NO_REORDER"]);
    check(old, "struct S { a: u8, e: u16, c: String, d: bool }", &["FIELD_SAME_NAME"]);
    check(old, "struct S { a: u8, e: String, c: String, d: bool }", &["STRUCT_FIELD_NO_DELETE"]);
    check(old, "struct S { a: u8, b: u16, c: String, d: bool, e: u8 }", &["STRUCT_FIELD_ADDED_HAS_DEFAULT"]);
    check(old, "struct S { e: u8 = 0, a: u8, b: u16, c: String, d: bool }", &["STRUCT_FIELD_NO_INSERT"]);
    let two = "struct S { a: u8, e: bool = true, b: u16, c: String, f: u8 = 1, d: bool }";
    check(old, two, &["STRUCT_FIELD_NO_INSERT", "STRUCT_FIELD_NO_INSERT"]);
    let other_selector = "struct S { a: u8, #[selector(\"bee\")] b: u16, c: String, d: bool }";
    check(old, other_selector, &["FIELD_SAME_NAME"]);
    check(old, "struct S { a: u8, reserved b: u16, c: String, d: bool, e: u8 = 0 }", &[]);
    check("struct S { a: u8, reserved b: u16 }", "struct S { a: u8, b: u16 }", &["RESERVED_NO_DELETE"]);
    check("struct S { a: u8, reserved b: u16 }", "struct S { a: u8 }", &["STRUCT_FIELD_NO_DELETE"]);
    check("struct S { a: u8 = 3 }", "struct S { reserved a: u8 }", &["STRUCT_FIELD_SAME_DEFAULT"]);
}

#[test]
fn type_change_reports_one_rule() {
    let of = |ty: &str| format!("struct S {{ a: {ty} }} newtype N(u8); newtype M(u8);");
    for (old, new, rule) in [
        ("[u8; 3]", "[u8; 4]", "ARRAY_SAME_LEN"),
        ("Vec<[[u8; 3]; 2]>", "Vec<[[u8; 4]; 2]>", "ARRAY_SAME_LEN"),
        ("[u8; 3]", "[u16; 4]", "STRUCT_FIELD_SAME_TYPE"),
        ("Map<u8, u8>", "Map<u16, u8>", "MAP_SAME_KEY"),
        ("Map<u8, u8>", "Map<u16, u16>", "STRUCT_FIELD_SAME_TYPE"),
        ("Option<Map<u8, u8>>", "Option<Map<N, u8>>", "MAP_SAME_KEY"),
        ("Set<u8>", "Set<u16>", "STRUCT_FIELD_SAME_TYPE"),
        ("u8", "Option<u8>", "STRUCT_FIELD_SAME_OPTIONALITY"),
        ("Option<u8>", "u8", "STRUCT_FIELD_SAME_OPTIONALITY"),
        ("Option<u8>", "u16", "STRUCT_FIELD_SAME_TYPE"),
        ("Vec<Option<u8>>", "Vec<u8>", "STRUCT_FIELD_SAME_TYPE"),
        ("N", "M", "STRUCT_FIELD_SAME_TYPE"),
        ("N", "u8", "STRUCT_FIELD_SAME_TYPE"),
        ("Vec<u8>", "Bytes", "STRUCT_FIELD_SAME_TYPE"),
        ("String<..=5>", "String<..=6>", "BOUND_NO_NARROW"),
        ("Vec<String, ..=5>", "Vec<String<..=9>, ..=5>", "BOUND_NO_NARROW"),
        ("Map<String<..=5>, u8>", "Map<String<..=4>, u8>", "BOUND_NO_NARROW"),
    ] {
        check(&of(old), &of(new), &[rule]);
    }
}

#[test]
fn only_narrowing_a_bound_is_an_error() {
    for (old, new, error) in [
        ("String", "String<..=9>", true),
        ("String<..=9>", "String", false),
        ("Vec<String<..=9>, ..=5>", "Vec<String<..=8>, ..=6>", true),
        ("Vec<String<..=9>, ..=5>", "Vec<String<..=10>, ..=4>", true),
        ("Vec<String<..=9>, ..=5>", "Vec<String<..=10>, ..=6>", false),
    ] {
        let file = |ty: &str| format!("package demo;\nstruct S {{ a: {ty} }}");
        let (old_text, new_text) = (file(old), file(new));
        let (before, after) = (compiled(&[("demo.kaa", &old_text)]), compiled(&[("demo.kaa", &new_text)]));
        let report = Report::new(&before, &after, "frozen 1", &Settings::default()).expect("both compile");
        assert_eq!((report.diagnostics().len(), report.has_errors()), (1, error), "{old} {new}");
    }
}

#[test]
fn variants_are_matched_after_edits() {
    let old = "enum E { A, B(u8), C, D }";
    check(old, "enum E { A, C, D }", &["VARIANT_SAME_TAG"]);
    check(old, "enum E { A, C = 2, D }", &["VARIANT_NO_DELETE_UNLESS_RESERVED"]);
    check(old, "enum E { A, reserved 1 \"B\", C = 2, D }", &[]);
    check(old, "enum E { X, A, B(u8), C, D }", &["VARIANT_SAME_TAG"]);
    check(old, "enum E { A, B(u8), D, C }", &["VARIANT_SAME_TAG"]);
    check(old, "enum E { A, B(u8), X, D }", &["VARIANT_SAME_NAME"]);
    check(old, "enum E { A, B { x: u8 }, C, D }", &["VARIANT_SAME_PAYLOAD"]);
    check(old, "enum E { A, B(u16), C, D }", &["VARIANT_SAME_PAYLOAD"]);
    check(old, "enum E { A, B(u8, u8), C, D }", &["VARIANT_SAME_PAYLOAD"]);
    check("enum E { A { x: u8, y: u8 } }", "enum E { A { y: u8, x: u8 } }", &["VARIANT_SAME_PAYLOAD"]);
    check("enum E { A { x: u8, y: u8 } }", "enum E { A { z: u8, y: u8 } }", &["FIELD_SAME_NAME"]);
    check(
        "enum E { A { x: u8, y: u8 } }",
        "enum E { A { a: u8, b: bool } }",
        &["FIELD_SAME_NAME", "VARIANT_SAME_PAYLOAD"],
    );
    check(
        "sealed struct S { a: u8, b: u8 }",
        "sealed struct S { b: u16, a: u16 }",
        &["SEALED_STRUCT_FROZEN"],
    );
}

#[test]
fn renamed_or_moved_type_is_reported_once() {
    let old =
        "struct A { x: u8 } struct B { a: Vec<A> } enum C { A(A) } service S { fn f(a: A) -> Option<A>; }";
    let renamed = old.replace('A', "Z").replace("Z(Z)", "A(Z)");
    check(old, &renamed, &["TYPE_SAME_NAME"]);
    let common = "package common;\nstruct A { x: u8 }\nstruct Other { y: u8 }";
    let elsewhere = "package elsewhere;\nstruct A { x: u8 }";
    let user = |package: &str| format!("package demo;\nuse {package}::A;\nstruct B {{ a: A }}");
    let old = [("common.kaa", common), ("demo.kaa", &*user("common"))];
    let new = [
        ("common.kaa", "package common;\nstruct Other { y: u8 }"),
        ("demo.kaa", &*user("elsewhere")),
        ("elsewhere.kaa", elsewhere),
    ];
    assert_eq!(rules_of(&old, &new, &Settings::default()), ["PACKAGE_SAME"]);
}

#[test]
fn methods_are_matched_after_edits() {
    let old = "service S { fn a(x: u8); fn b() -> u8; fn c(); client { fn d(); } }";
    check(old, &old.replace("fn b()", "fn e()"), &["METHOD_SAME_ID"]);
    check(old, &old.replace("fn b()", "#[selector(\"bee\")] fn b()"), &["METHOD_SAME_ID"]);
    check(old, &old.replace("fn b() -> u8;", ""), &["METHOD_NO_DELETE_UNLESS_RESERVED"]);
    check(old, &old.replace("fn b() -> u8;", "reserved fn \"b\";"), &[]);
    check(
        old,
        &old.replace("fn b() -> u8;", "").replace("fn d()", "fn b() -> u8; fn d()"),
        &["METHOD_SAME_ROLE"],
    );
    check(old, &old.replace("service S", "service T"), &["SERVICE_SAME_NAME"]);
    check(old, &old.replace("x: u8", "x: u8, y: Option<u8>"), &["METHOD_SAME_ARGUMENTS"]);
    check("service S { reserved fn \"a\"; }", "service S { fn a(); }", &["RESERVED_NO_DELETE"]);
    let old = "service S { fn a(x: stream u8) -> u8; }";
    check(old, "service S { fn a(x: stream u16) -> u8; }", &["PARAM_SAME_TYPE"]);
    check(old, "service S { fn a(y: stream u8) -> u8; }", &["PARAM_SAME_NAME"]);
    check(old, "service S { fn a() -> u8; }", &["METHOD_SAME_STREAMING"]);
}

#[test]
fn interface_methods_are_reported_once() {
    let old = "interface I { fn a(x: u8); fn b(); } interface J { include I; } \
               service S { include I; client { include I; } } service T { include J; }";
    check(old, &old.replace("x: u8", "x: u16"), &["PARAM_SAME_TYPE"]);
    check(old, &old.replace("fn b();", ""), &["METHOD_NO_DELETE_UNLESS_RESERVED"]);
    check(old, &old.replace("fn b();", "reserved fn \"b\";"), &[]);
    check(old, &old.replace("fn b();", "fn c();"), &["METHOD_SAME_ID"]);
    check(old, &old.replace("include J;", ""), &["INCLUDE_NO_DELETE"]);
    check(old, &old.replace("include J;", "include I;"), &[]);
}

#[test]
fn rule_can_be_allowed_on_a_construct() {
    let old = "struct S { a: u8, b: u8 } service T { fn f(x: u8) -> u8; }";
    let allowed = [
        "struct S { a: u8, #[allow(STRUCT_FIELD_SAME_TYPE)] b: u16 } service T { fn f(x: u8) -> u8; }",
        "#[allow(STRUCT_FIELD_SAME_TYPE)] struct S { a: u8, b: u16 } service T { fn f(x: u8) -> u8; }",
        "#[allow(STRUCT_FIELD_NO_DELETE)] struct S { a: u8 } service T { fn f(x: u8) -> u8; }",
        "struct S { a: u8, b: u8 } service T { fn f(#[allow(PARAM_SAME_TYPE)] x: u16) -> u8; }",
        "struct S { a: u8, b: u8 } service T { #[allow(METHOD_SAME_RETURN)] fn f(x: u8) -> u16; }",
        "struct S { a: u8, b: u8 } #[allow(METHOD_SAME_RETURN, PARAM_SAME_TYPE)] \
         service T { fn f(x: u16) -> u16; }",
        "struct S { a: u8, b: u8 } #[allow(METHOD_NO_DELETE_UNLESS_RESERVED)] service T { }",
    ];
    for new in allowed {
        check(old, new, &[]);
    }
    let another =
        "#[allow(STRUCT_FIELD_NO_INSERT)] struct S { a: u8, b: u16 } service T { fn f(x: u8) -> u8; }";
    check(old, another, &["STRUCT_FIELD_SAME_TYPE"]);
}

#[test]
fn settings_select_rules() {
    let files = |text: &'static str| [("demo.kaa", text)];
    let old = files("package demo;\nstruct S { a: u8 }\nstruct T { a: u8 }");
    let new = files("package demo;\nstruct S { b: u8 }");
    let of = |settings: Settings| rules_of(&old, &new, &settings);
    assert_eq!(of(Settings::default()), ["TYPE_NO_DELETE", "FIELD_SAME_NAME"]);
    assert_eq!(of(Settings::none().with(Category::Wire)), ["FIELD_SAME_NAME"]);
    assert_eq!(of(Settings::default().without(Category::Wire)), ["TYPE_NO_DELETE"]);
    assert!(of(Settings::none()).is_empty());
}
