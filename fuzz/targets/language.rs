//! Any text compiles or is told what is wrong with it; what compiles becomes Rust that parses.
#![no_main]

use kaa_idl::{MemorySource, RenderStyle, compile};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let compilation = compile(&MemorySource::new([("fuzz.kaa", text)]));
    let Some(schema) = compilation.schema() else {
        assert!(compilation.has_errors());
        assert!(!compilation.render(RenderStyle::Plain).is_empty());
        return;
    };
    let Ok(files) = kaa_rpc_build::configure().generate(schema) else { return };
    for file in files {
        syn::parse_file(&file.contents).expect("generated Rust parses");
    }
});
