//! Generated code compiles as part of a user's crate without warnings, with stricter lints than any crate
//! uses.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kaa_rpc_build::{Config, Roles, configure};

/// Lints of a very strict crate: it denies lints that rustc allows by default, and forbids those that the
/// generated code follows.
const STRICT: &str = "#![deny(warnings, missing_copy_implementations, unreachable_pub, unused_qualifications, \
    trivial_casts, variant_size_differences, unnameable_types, rust_2018_idioms, rust_2021_compatibility, \
    rust_2024_compatibility, nonstandard_style, future_incompatible)]\n\
    #![forbid(unsafe_code, missing_docs, missing_debug_implementations, unused_results, single_use_lifetimes, \
    unused_lifetimes, trivial_numeric_casts, let_underscore_drop, elided_lifetimes_in_paths, \
    explicit_outlives_requirements, keyword_idents, non_ascii_idents, unit_bindings, unused_must_use)]\n";

/// Checks a crate that has only generated code.
fn check(name: &str, edition: &str, config: Config) {
    check_with(name, edition, config, "");
}

/// Checks a crate that has generated code and some of the user's code.
fn check_with(name: &str, edition: &str, config: Config, own: &str) {
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
    fs::write(source.join("lib.rs"), format!("{STRICT}{library}{own}")).unwrap();
    fs::copy(workspace.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let (success, shown) = cargo_check(&folder, &["--quiet"]);
    let beginning: String = shown.chars().take(20_000).collect();
    assert!(success && shown.is_empty(), "{beginning}");
}

/// Runs `cargo check`. Returns whether it succeeds, and its standard error.
fn cargo_check(folder: &Path, options: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO"))
        .args(["check", "--offline", "--manifest-path"])
        .arg(folder.join("Cargo.toml"))
        .args(options)
        .env("CARGO_TARGET_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap())
        .env_remove("CARGO_TERM_COLOR")
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn all_fixtures() -> Config {
    let folders = [
        "enums",
        "errors",
        "flags",
        "values",
        "service",
        "streams",
        "evolution",
        "recursion",
        "packages",
        "hygiene",
    ];
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
        all_fixtures().hash_map("depot").hash_map("kiosk").hash_map("defaults").default_stubs(true),
    );
}

/// The files of the language reference with a `package` line, which show every construct.
#[test]
fn language_reference_examples_build() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let reference = fs::read_to_string(workspace.join("docs/idl.md")).unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("builds/first_look_schema");
    let mut packages = Vec::new();
    for block in reference.split("```kaa\n").skip(1).filter_map(|block| block.split("```").next()) {
        let Some((_, line)) = block.split_once("package ") else { continue };
        let package = line.split(';').next().unwrap();
        let file = folder.join(package.replace('.', "/")).with_extension("kaa");
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, block).unwrap();
        packages.push(package);
    }
    assert_eq!(packages, ["tv.common", "tv.epg", "tv.schedule"]);
    check("first_look", "2024", configure().root(folder));
}

#[test]
fn each_role_builds_alone() {
    check("role_server", "2024", all_fixtures().roles(Roles::Server));
    check("role_client", "2024", all_fixtures().roles(Roles::Client));
}

#[test]
fn external_types_replace_declared_types() {
    let own = r#"
        use kaa_rpc_runtime::codegen::serde;
        /// Where a tram stands, as this program sees it.
        #[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[serde(crate = "kaa_rpc_runtime::codegen::serde")]
        pub struct Spot(pub u64);
        /// A tram on the spot.
        #[must_use]
        pub fn place(mut tram: api::depot::Tram) -> api::depot::Tram { tram.place = Spot(7); tram }
    "#;
    let config = configure().root(support::fixture("structs")).extern_type("depot.Place", "crate::Spot");
    check_with("extern_type", "2024", config, own);
}

/// Creates a package whose build script compiles this schema.
fn with_script(name: &str, script: &str, schema: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("builds").join(name);
    fs::create_dir_all(folder.join("src")).unwrap();
    fs::create_dir_all(folder.join("kaa")).unwrap();
    let manifest = format!(
        "[package]\nname = \"{name}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
         [build-dependencies]\nkaa-rpc-build = {{ path = {:?} }}\n[workspace]\n",
        env!("CARGO_MANIFEST_DIR")
    );
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    fs::write(folder.join("src/lib.rs"), "").unwrap();
    fs::write(folder.join("build.rs"), format!("fn main() -> kaa_rpc_build::Result {{ {script} }}")).unwrap();
    fs::write(folder.join("kaa/bell.kaa"), schema).unwrap();
    folder
}

#[test]
fn schema_errors_look_like_compiler_errors() {
    let schema = "package bell;\nservice Bell { fn ring(times: Times); }\n";
    let (success, shown) =
        cargo_check(&with_script("wrong_file", "kaa_rpc_build::compile()", schema), &["--quiet"]);
    assert!(!success);
    let (_, shown) = shown.split_once("  --- stderr\n").unwrap_or_else(|| panic!("{shown}"));
    assert!(shown.starts_with("  Error: \n  error[K0104]: there is no type `Times`\n"), "{shown}");
    assert!(shown.contains("--> kaa/bell.kaa:2:31\n"), "{shown}");
    assert!(!shown.contains("cargo:") && !shown.contains("Schema {"), "{shown}");
}

#[test]
fn schema_warnings_are_printed_and_do_not_fail_the_build() {
    let before = "package bell;\nconst MOST: u8 = 3;\nservice Bell { fn ring(times: u8); }\n";
    let script = "kaa_rpc_build::configure().frozen(\"schema\").compile()";
    let folder = with_script("warned", script, &before.replace("= 3", "= 4"));
    fs::create_dir_all(folder.join("schema")).unwrap();
    let compilation = kaa_idl::compile(&kaa_idl::MemorySource::new([("bell.kaa", before)]));
    let frozen = kaa_idl::frozen::freeze(&compilation, 1).unwrap();
    fs::write(folder.join("schema").join(kaa_idl::frozen::file_name(1)), frozen).unwrap();
    let (success, shown) = cargo_check(&folder, &[]);
    assert!(success, "{shown}");
    assert!(shown.contains("warning: warned@0.0.0: warning[CONST_SAME_VALUE]: "), "{shown}");
    assert!(shown.contains("bell.kaa:2"), "{shown}");
}

/// The largest available schema: the folder that `KAA_CORPUS` names, else all fixtures again.
#[test]
fn corpus_builds() {
    match std::env::var_os("KAA_CORPUS") {
        Some(corpus) => check("corpus", "2024", configure().root(PathBuf::from(corpus))),
        None => check("corpus", "2024", all_fixtures()),
    }
}
