//! All generated code, one snapshot per kind of declaration. Read the difference before you accept it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::fmt::Write;

use kaa_rpc_build::configure;

fn check(name: &str) {
    let schema = support::folder_schema(&support::fixture(name));
    let files = configure().generate(&schema).unwrap();
    let mut text = String::new();
    for file in &files {
        let parsed = syn::parse_file(&file.contents).unwrap();
        let (mark, code) = file.contents.split_once('\n').unwrap();
        assert!(mark.starts_with("// @generated"), "{}", file.path);
        assert_eq!(
            prettyplease::unparse(&parsed),
            code,
            "{} is not printed as prettyplease prints it",
            file.path
        );
        writeln!(text, "//// {}\n{code}", file.path).unwrap();
    }
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, text);
    });
}

#[test]
fn structs() {
    check("structs");
}

#[test]
fn enums() {
    check("enums");
}

#[test]
fn errors() {
    check("errors");
}

#[test]
fn flags() {
    check("flags");
}

#[test]
fn values() {
    check("values");
}

#[test]
fn service() {
    check("service");
}

#[test]
fn streams() {
    check("streams");
}

#[test]
fn evolution() {
    check("evolution");
}

#[test]
fn recursion() {
    check("recursion");
}

#[test]
fn packages() {
    check("packages");
}

#[test]
fn hygiene() {
    check("hygiene");
}
