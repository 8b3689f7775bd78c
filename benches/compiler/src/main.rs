//! Measures how the time and memory of the compiler grow with the schema. Every measurement runs in a new process, so
//! that its peak memory can be read.

mod measure;
mod schemas;
mod shapes;

use std::path::Path;

use anyhow::{Result, bail};
use kaa_idl::{DiskSource, FileSource, MemorySource};

use crate::measure::{check, generate, growth};
use crate::shapes::Shape;

const USAGE: &str = "usage:
  scale [MEGABYTES]      a realistic schema of MEGABYTES (8), a half and a quarter of it, from memory and from disk
  shapes [COUNT]         schemas that repeat one element COUNT (100000) times, half and a quarter as often
  check memory|disk BYTES
  check SHAPE COUNT      one measurement, for a profiler
  write BYTES FOLDER     writes the realistic schema
  methods COUNT FOLDER   writes services with a total of COUNT methods
  generate FOLDER OUTPUT generates Rust from a folder";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["scale"] => scale(8.0),
        ["scale", megabytes] => scale(megabytes.parse()?),
        ["shapes"] => shapes(100_000),
        ["shapes", count] => shapes(count.parse()?),
        ["check", "memory", bytes] => check(&MemorySource::new(schemas::packages(bytes.parse()?))),
        ["check", "disk", bytes] => {
            let folder = tempfile::tempdir()?;
            write(&schemas::packages(bytes.parse()?), folder.path())?;
            check(&DiskSource::new([folder.path()]))
        }
        ["check", shape, count] => check(&MemorySource::new(Shape::named(shape)?.files(count.parse()?))),
        ["write", bytes, folder] => write(&schemas::packages(bytes.parse()?), Path::new(folder)),
        ["methods", count, folder] => write(&schemas::methods(count.parse()?), Path::new(folder)),
        ["generate", folder, output] => generate(Path::new(folder), Path::new(output)),
        _ => bail!(USAGE),
    }
}

fn scale(megabytes: f64) -> Result<()> {
    println!("| source | packages | MB | user s | ratio | peak MB | ratio |\n|---|---|---|---|---|---|---|");
    for kind in ["memory", "disk"] {
        let sizes = [0.25, 0.5, 1.0].map(|part| part * megabytes * 1e6);
        growth(kind, &sizes.map(|size| size.round().to_string()))?;
    }
    Ok(())
}

fn shapes(count: usize) -> Result<()> {
    println!("| shape | packages | MB | user s | ratio | peak MB | ratio |\n|---|---|---|---|---|---|---|");
    for shape in Shape::ALL {
        let max = count * shape.tenths() / 10;
        growth(shape.name(), &[max / 4, max / 2, max].map(|count| count.to_string()))?;
    }
    Ok(())
}

fn write(files: &[(String, String)], folder: &Path) -> Result<()> {
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
        std::fs::write(path, text)?;
    }
    Ok(())
}

/// The number of files and bytes of a source.
fn size(source: &dyn FileSource) -> Result<(usize, usize)> {
    let files = source.files()?;
    let mut bytes = 0;
    for file in &files {
        bytes += source.read(file)?.len();
    }
    Ok((files.len(), bytes))
}
