//! Compares the schema with the frozen schemas in a folder. An edit that breaks peers of any of them fails
//! the build.
//!
//! Invariants: each breaking edit is reported once, against the newest frozen schema that it breaks;
//! warnings, and edits that only affect Rust code, are checked against the newest frozen schema only and
//! never fail the build.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use kaa_idl::compatibility::{Category, Report, Settings};
use kaa_idl::diagnostic::Severity;
use kaa_idl::frozen::{FrozenSchema, History};
use kaa_idl::{Compilation, RenderStyle};

use crate::error::{Error, Result};

/// The result of a comparison without errors.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// The rendered warnings.
    pub(crate) warnings: String,
    /// The files and folders that Cargo must watch.
    pub(crate) paths: Vec<PathBuf>,
}

/// Compares the schema with every frozen schema in a folder.
pub(crate) fn compare(folder: &Path, compilation: &Compilation, style: RenderStyle) -> Result<Comparison> {
    let history = read_frozen(folder)?;
    if history.newest().is_none() {
        return Err(Error::NoFrozenSchema { path: folder.to_path_buf() });
    }
    let mut paths = vec![folder.to_path_buf()];
    paths.extend(history.revisions().iter().map(|frozen| PathBuf::from(&frozen.name)));
    let mut reported = HashSet::new();
    let mut errors = String::new();
    let mut warnings = None;
    let mut settings = Settings::default();
    for frozen in history.revisions().iter().rev() {
        let old = compile_frozen(frozen, style)?;
        let Some(report) = Report::new(&old, compilation, &frozen.source.revision(), &settings) else {
            continue;
        };
        let report = report.for_peers();
        let (mut breaking, mut non_breaking) = (Vec::new(), Vec::new());
        for diagnostic in report.diagnostics() {
            if diagnostic.severity != Severity::Error {
                non_breaking.push(diagnostic.clone());
                continue;
            }
            let path = report.path(&diagnostic.primary.place.path).to_owned();
            if reported.insert((diagnostic.rule, path, diagnostic.message.clone())) {
                breaking.push(diagnostic.clone());
            }
        }
        append(&mut errors, &report.render_diagnostics(&breaking, style));
        if warnings.is_none() {
            warnings = Some(report.render_diagnostics(&non_breaking, style));
            settings = Settings::none().with(Category::Wire);
        }
    }
    if errors.is_empty() {
        Ok(Comparison { warnings: warnings.unwrap_or_default(), paths })
    } else {
        Err(Error::Breaking { rendered: errors })
    }
}

fn append(text: &mut String, more: &str) {
    if !text.is_empty() && !more.is_empty() {
        text.push('\n');
    }
    text.push_str(more);
}

/// Reads all frozen schemas in a folder. The name of each is the path of its file.
///
/// # Errors
///
/// If there is no such folder, a file in it cannot be read or is not a valid frozen schema, or two frozen
/// schemas have the same number.
pub fn read_frozen(folder: &Path) -> Result<History> {
    let failed = |path: &Path, source| Error::ReadFrozen { path: path.to_path_buf(), source };
    let entries = fs::read_dir(folder).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Error::NoFrozenSchema { path: folder.to_path_buf() },
        _ => failed(folder, error),
    })?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| failed(folder, error))?.path();
        if path.extension() == Some(OsStr::new("frozen")) {
            // A file that is not Unicode was changed, which its checksum shows.
            let text = fs::read(&path).map_err(|error| failed(&path, error))?;
            files.push((path.display().to_string(), String::from_utf8_lossy(&text).into_owned()));
        }
    }
    History::read(files).map_err(|source| Error::InvalidFrozenSchema { source })
}

fn compile_frozen(frozen: &FrozenSchema, style: RenderStyle) -> Result<Compilation> {
    let compilation = kaa_idl::compile(&frozen.source);
    if compilation.schema().is_some() {
        return Ok(compilation);
    }
    Err(Error::FrozenSchemaErrors { path: PathBuf::from(&frozen.name), rendered: compilation.render(style) })
}
