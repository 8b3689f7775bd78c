//! The parser that lies prepared in kaa-idl is the one that its grammar gives.

use std::{env, fs};

#[test]
fn generated_parser_matches_the_grammar() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../kaa-idl/src");
    let prepared = format!("{folder}/parse/generated.rs");
    let grammar = fs::read_to_string(format!("{folder}/grammar.pest")).unwrap();
    let expected = kaa_rpc_grammar::prepare(&grammar).unwrap();
    if env::var_os("KAA_BLESS").is_some() {
        fs::write(&prepared, &expected).unwrap();
    }
    assert!(
        fs::read_to_string(&prepared).unwrap() == expected,
        "kaa-idl/src/grammar.pest has changed: KAA_BLESS=1 cargo test -p kaa-rpc-grammar renews {prepared}"
    );
}
