//! Any two generations of a schema can be compared, and a schema does not differ from itself.
#![no_main]

use kaa_idl::compatibility::{Settings, compare};
use kaa_rpc_fuzz::compiled;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let (old, new) = text.split_once("\n----\n").unwrap_or((text, text));
    let (old, new) = (compiled(old), compiled(new));
    let (Some(old), Some(new)) = (old.schema(), new.schema()) else { return };
    let settings = Settings::default();
    let _ = compare(old, new, &settings);
    assert!(compare(new, new, &settings).is_empty());
});
