//! Whole schemas: the corpus if there is one, else the project's own, compile without a word.

#![allow(clippy::expect_used, reason = "a test that cannot go on should say so")]

use std::path::PathBuf;

use kaa_idl::schema::Schema;
use kaa_idl::{DiskSource, RenderStyle, compile};

fn compiled(root: PathBuf) -> Schema {
    let compilation = compile(&DiskSource::new([root]));
    assert!(compilation.diagnostics().is_empty(), "{}", compilation.render(RenderStyle::Plain));
    compilation.schema().expect("a schema without errors").clone()
}

fn own() -> Schema {
    compiled(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/schemas"))
}

#[test]
fn a_large_schema_compiles() {
    let schema = match std::env::var_os("KAA_CORPUS") {
        Some(corpus) => compiled(PathBuf::from(corpus)),
        None => own(),
    };
    let methods: usize = schema
        .packages
        .iter()
        .flat_map(|package| &package.services)
        .map(|service| service.server.len())
        .sum();
    eprintln!("{} packages, {} types, {methods} methods", schema.packages.len(), schema.types.len());
    assert!(methods > 0);
}
