//! Generates both generations of every pair under `pairs`, each into modules of its own.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let output = PathBuf::from(std::env::var("OUT_DIR")?);
    let mut pairs = fs::read_dir("pairs")?.collect::<Result<Vec<_>, _>>()?;
    pairs.sort_by_key(fs::DirEntry::file_name);
    let mut modules = String::new();
    for pair in pairs {
        let name = pair.file_name().into_string().map_err(|name| format!("{} is no name", name.display()))?;
        writeln!(modules, "/// The pair `{name}`.\npub mod {name} {{")?;
        for generation in ["old", "new"] {
            let folder = output.join(&name).join(generation);
            generate(&pair.path().join(generation), &folder)?;
            writeln!(
                modules,
                "/// Its {generation} generation.\npub mod {generation} {{ include!({:?}); }}",
                folder.join("kaa.rs")
            )?;
        }
        modules.push_str("}\n");
    }
    fs::write(output.join("pairs.rs"), modules)?;
    println!("cargo:rerun-if-changed=pairs");
    Ok(())
}

/// Generates one schema tree. Only what crosses a connection is of interest, so serde is left out.
fn generate(root: &Path, folder: &Path) -> Result<(), Box<dyn std::error::Error>> {
    fs::create_dir_all(folder)?;
    kaa_rpc_build::configure()
        .root(root)
        .out_dir(folder)
        .default_stubs(true)
        .no_derive(".", "serde::Serialize")
        .no_derive(".", "serde::Deserialize")
        .compile()?;
    Ok(())
}
