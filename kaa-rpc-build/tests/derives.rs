//! A type gets exactly the derives that its fields allow, at any depth.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use kaa_rpc_build::{Config, configure};

const ALWAYS: [&str; 5] = ["Clone", "Debug", "Deserialize", "PartialEq", "Serialize"];

#[track_caller]
fn check_with(config: &Config, text: &str, name: &str, beyond_always: &[&str]) {
    let code = support::generated(config, text);
    let mut expected: Vec<&str> = ALWAYS.iter().chain(beyond_always).copied().collect();
    expected.sort_unstable();
    assert_eq!(support::derives(&code, name), expected, "{name} in {text}");
}

#[track_caller]
fn check(text: &str, name: &str, beyond_always: &[&str]) {
    check_with(&configure(), text, name, beyond_always);
}

const EVERYTHING: [&str; 6] = ["Copy", "Default", "Eq", "Hash", "Ord", "PartialOrd"];

#[test]
fn scalar_fields_allow_all_derives() {
    check("struct S { a: u8, b: Timestamp, c: Uuid, d: Duration, e: char }", "S", &EVERYTHING);
    check("struct S {}", "S", &EVERYTHING);
    check("newtype N([bool; 4]);", "N", &EVERYTHING);
}

#[test]
fn text_and_collections_are_not_copy() {
    let without_copy = ["Default", "Eq", "Hash", "Ord", "PartialOrd"];
    for ty in ["String", "Bytes", "Vec<u8>", "Set<u8>", "Map<u8, u8>", "Option<String>"] {
        check(&format!("struct S {{ a: {ty} }}"), "S", &without_copy);
    }
}

#[test]
fn floats_have_no_total_order() {
    check("struct S { a: f32 }", "S", &["Copy", "Default", "PartialOrd"]);
    check("struct S { a: Map<u8, Vec<Option<f64>>> }", "S", &["Default", "PartialOrd"]);
}

#[test]
fn floats_restrict_containing_types_in_any_declaration_order() {
    let text = "struct A { b: B } struct B { c: Option<C> } newtype C(f32); struct D { a: Vec<A> }";
    check(text, "A", &["Copy", "Default", "PartialOrd"]);
    check(text, "D", &["Default", "PartialOrd"]);
}

#[test]
fn recursive_types_keep_allowed_derives() {
    let text = "struct Node { left: Option<Node>, children: Vec<Node>, weight: u8 }";
    check(text, "Node", &["Default", "Eq", "Hash", "Ord", "PartialOrd"]);
    let text = "struct Node { left: Option<Leaf>, weight: u8 } struct Leaf { up: Option<Node>, x: f32 }";
    check(text, "Node", &["Default", "PartialOrd"]);
    check(text, "Leaf", &["Default", "PartialOrd"]);
}

#[test]
fn open_enums_are_not_copy_and_enums_have_no_default() {
    let ordered = ["Eq", "Hash", "Ord", "PartialOrd"];
    check("enum E { A, B }", "E", &ordered);
    check("sealed enum E { A, B }", "E", &["Copy", "Eq", "Hash", "Ord", "PartialOrd"]);
    check("sealed enum E { A(String), B }", "E", &ordered);
    check("enum E { A { x: f64 }, B }", "E", &["PartialOrd"]);
}

#[test]
fn default_requires_a_default_for_every_field() {
    let text = "enum E { A, B } struct S { e: E } struct T { e: E = E::A } \
                struct U { s: S } struct V { s: Option<S> }";
    check(text, "S", &["Eq", "Hash", "Ord", "PartialOrd"]);
    // `T` implements `Default` too, but does not derive it, because its default differs from the derived one.
    check(text, "T", &["Eq", "Hash", "Ord", "PartialOrd"]);
    check(text, "U", &["Eq", "Hash", "Ord", "PartialOrd"]);
    check(text, "V", &["Default", "Eq", "Hash", "Ord", "PartialOrd"]);
    assert!(support::generated(&configure(), text).contains("Default for T"));
}

#[test]
fn requested_default_marks_a_variant() {
    let config = configure().derive("a.E", "Default");
    let text = "enum E { A(u8), B, C } struct S { e: E }";
    check_with(&config, text, "E", &["Default", "Eq", "Hash", "Ord", "PartialOrd"]);
    check_with(&config, text, "S", &["Default", "Eq", "Hash", "Ord", "PartialOrd"]);
    assert!(support::generated(&config, text).contains("#[default]\n    B,"));
    let config = config.field_attribute("a.E.C", "#[default]");
    assert!(support::generated(&config, text).contains("#[default]\n    C,"));
    assert!(!support::generated(&config, text).contains("#[default]\n    B,"));
}

#[test]
fn large_types_are_copy_only_on_request() {
    let text = "sealed struct S { a: [u64; 9] } sealed struct T { a: [u64; 7], s: Option<S> } \
                sealed struct U { a: [u64; 8] }";
    let without_copy = ["Default", "Eq", "Hash", "Ord", "PartialOrd"];
    check(text, "S", &without_copy);
    check(text, "T", &without_copy);
    check(text, "U", &EVERYTHING);
    check_with(&configure().derive("a.S", "Copy"), text, "S", &EVERYTHING);
}

#[test]
fn arrays_over_32_elements_lose_unsupported_derives() {
    check("struct S { a: [u8; 33] }", "S", &["Copy", "Eq", "Hash", "Ord", "PartialOrd"]);
    let code = support::generated(&configure(), "struct S { a: Option<[u8; 33]> }");
    assert_eq!(
        support::derives(&code, "S"),
        ["Clone", "Copy", "Debug", "Default", "Eq", "Hash", "Ord", "PartialEq", "PartialOrd"]
    );
}

#[test]
fn removed_derive_is_removed_from_containing_types() {
    let text = "struct A { b: B } struct B { x: u8 } struct C { x: u8 }";
    let config = configure().no_derive("a.B", "serde::Serialize").no_derive("a.B", "Eq");
    let code = support::generated(&config, text);
    let expected = ["Clone", "Copy", "Debug", "Default", "Deserialize", "Hash", "PartialEq", "PartialOrd"];
    assert_eq!(support::derives(&code, "A"), expected);
    assert_eq!(support::derives(&code, "B"), expected);
    check_with(&config, text, "C", &EVERYTHING);
}

#[test]
fn hash_maps_are_neither_ordered_nor_hashed() {
    let config = configure().hash_map("a.S");
    check_with(&config, "struct S { a: Map<u8, u8> } struct T { a: Map<u8, u8> }", "S", &["Default", "Eq"]);
    check_with(&config, "struct S { a: Set<u8> } struct T { s: S }", "T", &["Default", "Eq"]);
    let code = support::generated(&config, "struct S { a: Map<u8, Set<u8>> }");
    assert!(code.contains("::std::collections::HashMap<u8, ::std::collections::HashSet<u8>>"), "{code}");
    assert!(code.contains("shape::HashMap<"), "{code}");
}

#[test]
fn external_types_have_declared_derives() {
    let text = "struct Colour { x: u8 } struct S { colour: Colour }";
    let config = configure().extern_type("a.Colour", "crate::Colour");
    check_with(&config, text, "S", &[]);
    check_with(&config.derive("a.Colour", "Eq").derive("a.Colour", "Hash"), text, "S", &["Eq", "Hash"]);
}

#[test]
fn duplicate_derives_are_merged() {
    let text = "#[rust(derive(Default, clap::ValueEnum))] sealed enum E { A, B }";
    let config = configure()
        .type_attribute("a.E", "#[derive(Clone, clap::ValueEnum)] #[repr(u8)]")
        .derive("a", "clap::ValueEnum")
        .derive("a.E", "::core::hash::Hash");
    check_with(&config, text, "E", &["Copy", "Default", "Eq", "Hash", "Ord", "PartialOrd", "ValueEnum"]);
    assert!(support::generated(&config, text).contains("#[repr(u8)]"));
}

#[test]
fn long_array_fields_use_generated_serde_functions() {
    for text in ["newtype N([u8; 64]);", "struct N { a: [u8; 64] }", "enum N { A { a: [u8; 64] } }"] {
        let code = support::generated(&configure(), text);
        assert!(support::derives(&code, "N").contains(&"Serialize".to_owned()), "{code}");
        assert!(code.contains("#[serde(with = \"kaa_serde_array\")]"), "{code}");
        assert!(code.contains("mod kaa_serde_array {"), "{code}");
    }
    let code = support::generated(&configure(), "struct N { a: [u8; 32] } newtype kaa_serde_array(u8);");
    assert!(!code.contains("mod kaa"), "{code}");
}
