//! The generated table in kaa-idl matches its grammar.

use std::{env, fs};

#[test]
fn generated_parser_matches_the_grammar() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../kaa-idl/src");
    let generated = format!("{folder}/parse/generated.rs");
    let grammar = fs::read_to_string(format!("{folder}/grammar.pest")).unwrap();
    let expected = kaa_rpc_grammar::generate(&grammar).unwrap();
    if env::var_os("KAA_BLESS").is_some() {
        fs::write(&generated, &expected).unwrap();
    }
    assert!(
        fs::read_to_string(&generated).unwrap() == expected,
        "kaa-idl/src/grammar.pest has changed: \
         KAA_BLESS=1 cargo test -p kaa-rpc-grammar regenerates {generated}"
    );
}
