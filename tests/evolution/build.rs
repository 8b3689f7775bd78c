//! Generates code for both generations of every pair in `pairs`.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let output = PathBuf::from(std::env::var("OUT_DIR")?);
    let mut pairs = fs::read_dir("pairs")?.collect::<Result<Vec<_>, _>>()?;
    pairs.sort_by_key(fs::DirEntry::file_name);
    let mut modules = String::new();
    for pair in pairs {
        let name = pair.file_name();
        let name = name.to_str().ok_or_else(|| format!("{} is not UTF-8", name.display()))?;
        writeln!(modules, "/// The pair `{name}`.\npub mod {name} {{")?;
        for generation in ["old", "new"] {
            let directory = output.join(name).join(generation);
            generate(&pair.path().join(generation), &directory)?;
            writeln!(
                modules,
                "/// The {generation} generation.\npub mod {generation} {{ include!({:?}); }}",
                directory.join("kaa.rs")
            )?;
        }
        modules.push_str("}\n");
    }
    fs::write(output.join("pairs.rs"), modules)?;
    println!("cargo:rerun-if-changed=pairs");
    Ok(())
}

/// Generates one schema tree, without serde: these tests only send values over connections.
fn generate(root: &Path, directory: &Path) -> Result<(), Box<dyn std::error::Error>> {
    fs::create_dir_all(directory)?;
    kaa_rpc_build::configure()
        .root(root)
        .out_dir(directory)
        .default_stubs(true)
        .no_derive(".", "serde::Serialize")
        .no_derive(".", "serde::Deserialize")
        .compile()?;
    Ok(())
}
