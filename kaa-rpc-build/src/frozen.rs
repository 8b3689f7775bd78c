//! Compares the sources with the frozen schemas of a folder: what no peer of any of them would understand fails the
//! build.
//!
//! Invariants: a finding is shown once, against the newest frozen schema that has it; what only concerns Rust, or is
//! only worth a warning, is asked of the newest one alone and never fails the build.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use kaa_idl::compatibility::{Category, Report, Settings};
use kaa_idl::diagnostic::Severity;
use kaa_idl::frozen::{Frozen, History};
use kaa_idl::{Compilation, RenderStyle};

use crate::error::{Error, Result};

/// What came out of a comparison that went well.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    /// Warnings as text.
    pub(crate) warnings: String,
    /// What Cargo has to watch.
    pub(crate) paths: Vec<PathBuf>,
}

/// Compares the sources with every frozen schema of a folder.
pub(crate) fn compare(folder: &Path, compilation: &Compilation, style: RenderStyle) -> Result<Comparison> {
    let (history, mut paths) = read(folder)?;
    paths.push(folder.to_path_buf());
    let mut seen = HashSet::new();
    let mut errors = String::new();
    let mut warnings = None;
    let mut settings = Settings::default();
    for frozen in history.generations().iter().rev() {
        let old = compiled(folder, frozen, style)?;
        let Some(report) = Report::new(&old, compilation, &frozen.source.era(), &settings) else {
            continue;
        };
        let report = report.for_peers();
        let (mut failing, mut milder) = (Vec::new(), Vec::new());
        for diagnostic in report.diagnostics() {
            if diagnostic.severity != Severity::Error {
                milder.push(diagnostic.clone());
                continue;
            }
            let path = report.path(&diagnostic.primary.place.path).to_owned();
            if seen.insert((diagnostic.rule, path, diagnostic.message.clone())) {
                failing.push(diagnostic.clone());
            }
        }
        append(&mut errors, &report.render_diagnostics(&failing, style));
        if warnings.is_none() {
            warnings = Some(report.render_diagnostics(&milder, style));
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

fn read(folder: &Path) -> Result<(History, Vec<PathBuf>)> {
    let unreadable = |path: &Path, problem: String| Error::Frozen { path: path.to_path_buf(), problem };
    let missing = || Error::NotFrozen { path: folder.to_path_buf() };
    let entries = fs::read_dir(folder).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => missing(),
        _ => unreadable(folder, format!("cannot be read: {error}")),
    })?;
    let mut files = Vec::new();
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| unreadable(folder, format!("cannot be read: {error}")))?.path();
        if path.extension().is_none_or(|extension| extension != "frozen") {
            continue;
        }
        let text = fs::read_to_string(&path)
            .map_err(|error| unreadable(&path, format!("cannot be read: {error}")))?;
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        files.push((name, text));
        paths.push(path);
    }
    paths.sort();
    if files.is_empty() {
        return Err(missing());
    }
    let history =
        History::read(files).map_err(|error| unreadable(folder, format!("is of no use: {error}")))?;
    Ok((history, paths))
}

fn compiled(folder: &Path, frozen: &Frozen, style: RenderStyle) -> Result<Compilation> {
    let compilation = kaa_idl::compile(&frozen.source);
    if compilation.schema().is_some() {
        return Ok(compilation);
    }
    let problem = format!("does not compile any more:\n{}", compilation.render(style));
    Err(Error::Frozen { path: folder.join(&frozen.name), problem })
}
