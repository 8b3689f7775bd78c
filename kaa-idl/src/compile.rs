//! Compiles a source: reads, parses and resolves every file.
//!
//! Invariants: a file that cannot be read or parsed does not hide the errors of the others; diagnostics are
//! ordered by file and position; there is a schema if and only if there are no errors.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::ast;
use crate::diagnostic::{
    Code, Diagnostic, Place, Rendering, RuleName, Severity, SourceText, Sources, render,
};
use crate::location::{LineTable, Span};
use crate::resolve::{Input, Resolution, resolve};
use crate::schema::Schema;
use crate::source::{FileSource, MAXIMUM_FILE_SIZE, SourceError};
use crate::syntax::parse;

/// The result of a compilation.
#[derive(Debug, Clone)]
pub struct Compilation {
    schema: Option<Schema>,
    diagnostics: Vec<Diagnostic>,
    /// Ordered by path.
    sources: Vec<(Arc<str>, SourceText)>,
    /// The paths of files as diagnostics show them.
    display_paths: HashMap<String, String>,
}

impl Compilation {
    /// The schema; `None` if there are errors.
    #[must_use]
    pub fn schema(&self) -> Option<&Schema> {
        self.schema.as_ref()
    }

    /// Errors and warnings, ordered by file and position.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Whether any diagnostic is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// The text of a file, by its path in the file source; `None` if it could not be read.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        let found = self.sources.binary_search_by(|(known, _)| (**known).cmp(path)).ok()?;
        self.sources.get(found).map(|(_, source)| source.text.as_str())
    }

    /// A file's path as diagnostics show it, so that the reader can open the file.
    #[must_use]
    pub fn display_path<'a>(&'a self, path: &'a str) -> &'a str {
        self.display_paths.get(path).map_or(path, String::as_str)
    }

    pub(crate) fn sources(&self) -> &[(Arc<str>, SourceText)] {
        &self.sources
    }

    pub(crate) fn display_paths(&self) -> &HashMap<String, String> {
        &self.display_paths
    }

    /// Renders all diagnostics as text, in the style of rustc; empty if there are none.
    #[must_use]
    pub fn render(&self, rendering: impl Into<Rendering>) -> String {
        self.render_diagnostics(&self.diagnostics, rendering)
    }

    /// Renders other diagnostics about the same files, such as findings of lints; empty if there are none.
    #[must_use]
    pub fn render_diagnostics(&self, diagnostics: &[Diagnostic], rendering: impl Into<Rendering>) -> String {
        let texts = self.sources.iter().map(|(path, source)| (&**path, source)).collect();
        render(diagnostics, &Sources { texts, display_paths: &self.display_paths }, rendering.into())
    }
}

/// Compiles all files of a source.
#[must_use]
pub fn compile(source: &dyn FileSource) -> Compilation {
    let mut compilation = Compilation {
        schema: None,
        diagnostics: Vec::new(),
        sources: Vec::new(),
        display_paths: HashMap::new(),
    };
    let paths = match source.files() {
        Ok(paths) => paths,
        Err(error) => {
            compilation.diagnostics.push(unreadable("", &error));
            return compilation;
        }
    };
    let mut files = Vec::new();
    for path in &paths {
        files.push(read(source, path, &mut compilation));
        compilation.display_paths.insert(path.clone(), source.display_path(path));
    }
    let lines: HashMap<&str, &LineTable> =
        compilation.sources.iter().map(|(path, source)| (&**path, &source.lines)).collect();
    let inputs: Vec<Input<'_>> =
        files.iter().map(|file| Input { file, lines: lines.get(&*file.path).copied() }).collect();
    let mut resolution = resolve(&inputs);
    drop(inputs);
    drop(files);
    resolution.hash();
    let Resolution { schema, mut diagnostics, .. } = resolution;
    let damaged = damaged_lines(&compilation.diagnostics, &lines);
    diagnostics.retain(|diagnostic| line(diagnostic, &lines).is_none_or(|line| !damaged.contains(&line)));
    compilation.diagnostics.extend(diagnostics);
    compilation.diagnostics.sort_by(|left, right| order(left).cmp(&order(right)));
    compilation.diagnostics.dedup();
    if !compilation.has_errors() {
        compilation.schema = Some(schema);
    }
    compilation
}

/// Lines with lexical errors. Other errors on these lines probably follow from the lexical ones.
fn damaged_lines(
    diagnostics: &[Diagnostic],
    lines: &HashMap<&str, &LineTable>,
) -> HashSet<(Arc<str>, usize)> {
    let lexical = diagnostics.iter().filter(|diagnostic| {
        [Code::BadCharacter, Code::UnterminatedString, Code::UnclosedComment]
            .iter()
            .any(|code| diagnostic.rule == *code)
    });
    lexical.filter_map(|diagnostic| line(diagnostic, lines)).collect()
}

fn line(diagnostic: &Diagnostic, lines: &HashMap<&str, &LineTable>) -> Option<(Arc<str>, usize)> {
    let place = &diagnostic.primary.place;
    let table = lines.get(&*place.path)?;
    Some((Arc::clone(&place.path), table.line(place.span.start())))
}

fn order(diagnostic: &Diagnostic) -> (&str, usize, RuleName) {
    let place = &diagnostic.primary.place;
    (&place.path, place.span.start(), diagnostic.rule)
}

/// Reads and parses one file. A file that cannot be read still represents its package, with unknown names.
fn read(source: &dyn FileSource, path: &str, compilation: &mut Compilation) -> ast::File {
    let diagnostic = match source.read(path).map(String::from_utf8) {
        Ok(Ok(text)) => {
            let (file, diagnostics) = parse(path, &text);
            compilation.diagnostics.extend(diagnostics);
            let lines = LineTable::new(&text);
            compilation.sources.push((Arc::clone(&file.path), SourceText { text, lines }));
            return file;
        }
        Ok(Err(error)) => not_text(path, error.as_bytes(), error.utf8_error().valid_up_to()),
        Err(error) => unreadable(path, &error),
    };
    compilation.diagnostics.push(diagnostic);
    let (file, _) = parse(path, "");
    ast::File { incomplete: true, ..file }
}

fn unreadable(path: &str, error: &SourceError) -> Diagnostic {
    let (code, help) = match error {
        SourceError::TooLarge { .. } => {
            (Code::FileTooLarge, "split the package over several files in one folder")
        }
        SourceError::SymlinkLoop { .. } => (Code::SymlinkLoop, "remove the symbolic link"),
        SourceError::FolderNamedLikeFile { .. } => (Code::FolderNamedLikeFile, "rename the folder"),
        SourceError::Duplicate { .. } => (Code::PackageMismatch, "keep one of the two"),
        _ => (Code::Unreadable, "check that it exists and can be read"),
    };
    let place = Place::new(&Arc::from(path), Span::default());
    let message = match error {
        _ if path.is_empty() => error.to_string(),
        // The place of the diagnostic shows the path, as for all diagnostics.
        SourceError::Io { source, .. } => format!("this file cannot be read: {source}"),
        SourceError::Missing { .. } => "this file does not exist".to_owned(),
        SourceError::TooLarge { size, .. } => {
            format!("this file has {size} bytes, but at most {MAXIMUM_FILE_SIZE} are allowed")
        }
        SourceError::FolderNamedLikeFile { .. } => "this folder is named like a file".to_owned(),
        _ => error.to_string(),
    };
    Diagnostic::error(code, message, place, "").with_help(help)
}

fn not_text(path: &str, bytes: &[u8], valid: usize) -> Diagnostic {
    let line = bytes.iter().take(valid).filter(|byte| **byte == b'\n').count() + 1;
    let place = Place::new(&Arc::from(path), Span::default());
    let message = format!("this file is not UTF-8: line {line} contains an invalid byte");
    Diagnostic::error(Code::NotUtf8, message, place, "").with_help("save it as UTF-8")
}
