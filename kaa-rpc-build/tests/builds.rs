//! Generated code compiles as part of a user's crate, without a warning, under lints stricter than anybody's.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kaa_rpc_build::{Config, configure};

/// Lints that rustc allows by default, all denied: what a strict crate might do.
const STRICT: &str = "#![deny(warnings, missing_docs, missing_debug_implementations, missing_copy_implementations, \
    unreachable_pub, unused_qualifications, single_use_lifetimes, unused_lifetimes, trivial_casts, unused_results, \
    trivial_numeric_casts, let_underscore_drop, elided_lifetimes_in_paths, explicit_outlives_requirements, \
    variant_size_differences, keyword_idents, non_ascii_idents, unnameable_types, unit_bindings, rust_2018_idioms, \
    rust_2021_compatibility, rust_2024_compatibility, nonstandard_style, future_incompatible)]\n#![forbid(unsafe_code)]\n";

/// Checks a crate that holds the generated code and nothing else.
fn check(name: &str, edition: &str, config: Config) {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = target.join("builds").join(name);
    let source = folder.join("src");
    fs::create_dir_all(&source).unwrap();
    config.out_dir(&source).compile().unwrap();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let runtime =
        std::env::var_os("KAA_RUNTIME").map_or_else(|| workspace.join("kaa-rpc-runtime"), PathBuf::from);
    fs::write(
        folder.join("Cargo.toml"),
        format!(
            "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"{edition}\"\n\
             [dependencies]\nkaa-rpc-runtime = {{ path = {runtime:?} }}\n[workspace]\n"
        ),
    )
    .unwrap();
    let library = "//! A user's crate.\n/// What was generated.\npub mod api { include!(\"kaa.rs\"); }\n";
    fs::write(source.join("lib.rs"), format!("{STRICT}{library}")).unwrap();
    fs::copy(workspace.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["check", "--quiet", "--offline", "--manifest-path"])
        .arg(folder.join("Cargo.toml"))
        .env("CARGO_TARGET_DIR", target.parent().unwrap())
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&output.stderr);
    let beginning: String = shown.chars().take(20_000).collect();
    assert!(output.status.success() && shown.is_empty(), "{beginning}");
}

fn all_fixtures() -> Config {
    let folders =
        ["enums", "errors", "flags", "values", "service", "evolution", "recursion", "packages", "hygiene"];
    folders.iter().fold(configure().root(support::fixture("structs")), |config, folder| {
        config.include(support::fixture(folder))
    })
}

#[test]
fn all_fixtures_build_in_edition_2021() {
    check("fixtures_2021", "2021", all_fixtures());
}

#[test]
fn all_fixtures_build_in_edition_2024_with_hash_maps_and_stubs() {
    check(
        "fixtures_2024",
        "2024",
        all_fixtures().hash_map("depot").hash_map("kiosk").hash_map("defaults").default_stubs(),
    );
}

/// The largest schema at hand: a folder of real ones that `KAA_CORPUS` names, else all fixtures again.
#[test]
fn the_corpus_builds() {
    match std::env::var_os("KAA_CORPUS") {
        Some(corpus) => check("corpus", "2024", configure().root(PathBuf::from(corpus))),
        None => check("corpus", "2024", all_fixtures()),
    }
}
