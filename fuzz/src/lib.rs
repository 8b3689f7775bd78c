//! Shared code of the fuzz targets.

use kaa_idl::{Compilation, MemorySource, compile};

/// Types that reach every rule of the payload encoding.
pub mod api {
    kaa_rpc_runtime::include_kaa!();
}

/// Compiles a text with several packages. Each line `package …;` starts a new file.
pub fn compiled(text: &str) -> Compilation {
    let mut files: Vec<(String, String)> = Vec::new();
    for line in text.split_inclusive('\n') {
        let name = line.strip_prefix("package ").and_then(|rest| rest.split_once(';'));
        match (name, files.last_mut()) {
            (Some((name, _)), _) => {
                files.push((format!("{}.kaa", name.trim().replace('.', "/")), line.to_owned()))
            }
            (None, Some((_, text))) => text.push_str(line),
            (None, None) => files.push(("fuzz.kaa".to_owned(), line.to_owned())),
        }
    }
    compile(&MemorySource::new(files))
}
