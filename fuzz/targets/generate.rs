//! Every schema that compiles generates Rust that parses, for any packages and imports.
#![no_main]

use kaa_rpc_fuzz::compiled;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let compilation = compiled(text);
    let Some(schema) = compilation.schema() else { return };
    let Ok(files) = kaa_rpc_build::configure().generate(schema) else { return };
    for file in files {
        syn::parse_file(&file.contents).expect("generated Rust parses");
    }
});
