//! Settings have the documented effect, and wrong settings are rejected.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod support;

use kaa_rpc_build::{Config, Error, Roles, configure};

const RADIO: &str = "
    struct Track { title: String, artist: String }
    enum Genre { Jazz, Other(String) }
    service Radio {
        fn find(title: String, limit: u32 = 5, tags: Set<String> = []) -> Vec<Track>;
        client { oneway fn on_track(track: Track); }
    }";

fn rejected(config: &Config) -> String {
    match config.generate(&support::text_schema(RADIO)) {
        Ok(_) => panic!("accepted"),
        Err(error) => error.to_string(),
    }
}

fn names(code: &str) -> Vec<String> {
    let file = syn::parse_file(code).unwrap();
    let mut names: Vec<String> = file
        .items
        .iter()
        .filter_map(|item| match item {
            syn::Item::Struct(item) => Some(item.ident.to_string()),
            syn::Item::Enum(item) => Some(item.ident.to_string()),
            syn::Item::Trait(item) => Some(item.ident.to_string()),
            _ => None,
        })
        .collect();
    names.sort();
    names
}

#[test]
fn roles_omit_items_of_the_other_role() {
    let both = support::generated(&configure(), RADIO);
    let expected = [
        "FindOptions",
        "Genre",
        "Radio",
        "RadioClient",
        "RadioClientProxy",
        "RadioServer",
        "RadioServerProxy",
        "Track",
    ];
    assert_eq!(names(&both), expected);
    let server = support::generated(&configure().roles(Roles::Server), RADIO);
    assert_eq!(names(&server), ["FindOptions", "Genre", "Radio", "RadioClientProxy", "RadioServer", "Track"]);
    assert!(server.contains("pub fn server(") && !server.contains("pub fn client("));
    let client = support::generated(&configure().roles(Roles::Client), RADIO);
    assert_eq!(names(&client), ["FindOptions", "Genre", "Radio", "RadioClient", "RadioServerProxy", "Track"]);
}

#[test]
fn attributes_are_added_to_matching_items() {
    let config = configure()
        .type_attribute("a.Track", "#[cfg_attr(test, doc = \"track\")]")
        .type_attribute(".a.FindOptions", "#[cfg_attr(test, doc = \"options\")]")
        .field_attribute("a.Track.artist", "#[serde(skip)]")
        .field_attribute("a.Genre", "#[serde(alias = \"x\")]");
    let code = support::generated(&config, RADIO);
    for expected in [
        "#[cfg_attr(test, doc = \"track\")]\npub struct Track {",
        "#[cfg_attr(test, doc = \"options\")]\n#[non_exhaustive]\npub struct FindOptions {",
        "#[serde(skip)]\n    pub artist:",
        "#[serde(alias = \"x\")]\n    Jazz,",
        "#[serde(alias = \"x\")]\n    Other(",
    ] {
        assert!(code.contains(expected), "{expected}\nis not in\n{code}");
    }
    assert_eq!(code.matches("serde(skip)").count(), 1);
}

#[test]
fn dot_path_matches_everything() {
    let config = configure().type_attribute(".", "#[non_exhaustive]").hash_map(".");
    let code = support::generated(&config, RADIO);
    for name in ["pub struct Track", "pub enum Genre", "pub struct FindOptions"] {
        assert!(code.contains(&format!("#[non_exhaustive]\n{name}")), "{name}");
    }
    assert!(!code.contains("BTree"), "{code}");
}

#[test]
fn hash_maps_of_options_apply_to_type_and_shape() {
    let code = support::generated(&configure().hash_map("a.FindOptions.tags"), RADIO);
    assert!(!code.contains("BTreeSet") && !code.contains("shape::Set<"), "{code}");
    assert!(code.contains("shape::HashSet<"), "{code}");
}

#[test]
fn external_types_are_not_generated() {
    let config =
        configure().extern_type("a.Track", "crate::music::Track<'static>").runtime_path("crate::rpc");
    let code = support::generated(&config, RADIO);
    assert!(!code.contains("struct Track"), "{code}");
    assert!(code.contains("Vec<crate::music::Track<'static>>"), "{code}");
    assert!(code.contains("crate::rpc::codegen::shape::Extern<crate::music::Track<'static>>"), "{code}");
    assert!(!code.contains("kaa_rpc_runtime"), "{code}");
    assert!(code.contains("const FOREIGN: ::core::primitive::bool = true;"), "{code}");
    assert!(!support::generated(&configure(), RADIO).contains("FOREIGN"));
    assert!(code.contains("#[serde(crate = \"crate::rpc::codegen::serde\")]"), "{code}");
}

#[test]
fn default_stubs_implement_every_method() {
    assert!(!support::generated(&configure(), RADIO).contains("unimplemented_method"));
    let code = support::generated(&configure().default_stubs(true), RADIO);
    assert_eq!(code.matches("::kaa_rpc_runtime::codegen::unimplemented_method()").count(), 2, "{code}");
}

#[test]
fn wrong_settings_are_rejected_with_the_reason() {
    let no_match = "no declaration in the .kaa files matches this path";
    for (config, expected) in [
        (
            configure().derive("a.Trakc", "Eq"),
            format!("error: invalid value `a.Trakc` of setting `derive`: {no_match}"),
        ),
        (
            configure().derive("a.Tra", "Eq"),
            format!("error: invalid value `a.Tra` of setting `derive`: {no_match}"),
        ),
        (configure().hash_map("b"), format!("error: invalid value `b` of setting `hash_map`: {no_match}")),
        (
            configure().field_attribute("a.Track.name", "#[x]"),
            format!("error: invalid value `a.Track.name` of setting `field_attribute`: {no_match}"),
        ),
        (
            configure().extern_type("a", "crate::A"),
            "error: invalid value `a` of setting `extern_type`: there is no type with this name".to_owned(),
        ),
    ] {
        assert_eq!(rejected(&config), expected);
    }
    for (config, expected) in [
        (
            configure().type_attribute("a.Track", "non_exhaustive"),
            "error: invalid value `non_exhaustive` of setting `type_attribute`:",
        ),
        (configure().derive("a.Track", "1"), "error: invalid value `1` of setting `derive`:"),
        (
            configure().type_attribute("a.Track", "#[derive(1)]"),
            "error: invalid value `# [derive (1)]` of setting `type_attribute`:",
        ),
        (configure().extern_type("a.Track", "a b"), "error: invalid value `a b` of setting `extern_type`:"),
        (configure().runtime_path(""), "error: invalid value `` of setting `runtime_path`:"),
    ] {
        let message = rejected(&config);
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn declarations_without_a_rust_form_are_rejected() {
    // The compiler rejects such names, but a schema built by hand may have them.
    let mut schema = support::text_schema("struct Size { x: u8 }");
    schema.types[0].name = "usize".into();
    let error = configure().generate(&schema).unwrap_err();
    assert!(matches!(&error, Error::Unsupported { path, .. } if path == "a.usize"), "{error}");
    // The encoding of an external type's zero is not known.
    let schema = support::text_schema("struct T { x: u8 } struct S { reserved t: T, u: u8 }");
    let error = configure().extern_type("a.T", "crate::T").generate(&schema).unwrap_err();
    assert!(matches!(&error, Error::Unsupported { path, .. } if path == "a.S.t"), "{error}");
}

#[test]
fn unknown_type_ids_are_rejected() {
    let mut schema = support::text_schema("struct S { t: T } struct T { x: u8 }");
    schema.types.pop();
    let error = configure().generate(&schema).unwrap_err();
    assert_eq!(error.to_string(), "error: `type 1` is not in the schema that refers to it");
}
