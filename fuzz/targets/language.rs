//! Any bytes compile or cause diagnostics, which can be rendered.
#![no_main]

use kaa_idl::{MemorySource, RenderStyle, compile};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let compilation = compile(&MemorySource::new([("fuzz.kaa", bytes)]));
    let rendered = compilation.render(RenderStyle::Plain);
    assert_eq!(compilation.schema().is_none(), compilation.has_errors());
    assert_eq!(compilation.diagnostics().is_empty(), rendered.is_empty());
});
