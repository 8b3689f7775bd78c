//! The selected part of a schema, and the diagnostics about it.
//!
//! Invariants: the whole schema is compiled; a diagnostic is relevant if it is in the selected part, if one
//! of its labels is, or if it is an error in a package that the selected part uses, because such an error
//! also affects that part.

use std::collections::{HashMap, HashSet};

use kaa_idl::diagnostic::Diagnostic;
use kaa_idl::{Compilation, FileSource, ast};

use crate::project::Project;
use crate::source::ProjectSource;

/// The selected part of a schema.
#[derive(Debug)]
pub(crate) struct Scope<'a> {
    project: &'a Project,
    /// The selected files.
    pub(crate) files: Vec<String>,
    /// The files of the packages that the selected files use.
    used: HashSet<String>,
}

impl<'a> Scope<'a> {
    pub(crate) fn new(project: &'a Project, source: &ProjectSource, compilation: &Compilation) -> Self {
        let all = source.files().unwrap_or_default();
        let files: Vec<String> = all.iter().filter(|path| project.selects(path)).cloned().collect();
        let needed = !project.selection.is_empty() && !compilation.diagnostics().is_empty();
        let used = if needed { used(&all, &files, compilation) } else { HashSet::new() };
        Self { project, files, used }
    }

    /// The diagnostics that are relevant for the selected part.
    pub(crate) fn relevant(&self, diagnostics: &[Diagnostic]) -> Vec<Diagnostic> {
        let concerns = |diagnostic: &&Diagnostic| {
            let path = &*diagnostic.primary.place.path;
            let mut others = diagnostic.secondary.iter().map(|label| &*label.place.path);
            path.is_empty()
                || self.project.selects(path)
                || self.used.contains(path)
                || others.any(|path| self.project.selects(path))
        };
        diagnostics.iter().filter(concerns).cloned().collect()
    }
}

/// The files of all packages that some files use, directly or indirectly.
fn used(all: &[String], files: &[String], compilation: &Compilation) -> HashSet<String> {
    let text = |path: &String| compilation.text(path).unwrap_or_default();
    let parsed: HashMap<&String, ast::File> =
        all.iter().map(|path| (path, kaa_idl::parse(path, text(path)).0)).collect();
    let package = |file: &ast::File| file.package.as_ref().map(|line| ast::dotted(&line.segments));
    let mut members: HashMap<String, Vec<&String>> = HashMap::new();
    for path in all {
        if let Some(name) = parsed.get(path).and_then(package).filter(|name| path_matches_package(path, name))
        {
            members.entry(name).or_default().push(path);
        }
    }
    let mut used: HashSet<String> = HashSet::new();
    let mut open: Vec<&String> = files.iter().collect();
    while let Some(path) = open.pop() {
        let Some(file) = parsed.get(path) else { continue };
        let imports = file.uses.iter().map(|import| ast::dotted(&import.package));
        let own = package(file);
        for name in imports.chain(qualifiers(text(path))).chain(own) {
            for member in members.get(&name).into_iter().flatten() {
                if used.insert((*member).clone()) {
                    open.push(member);
                }
            }
        }
    }
    used
}

/// Whether a file's path matches its package. A file whose path does not is not part of the package.
fn path_matches_package(path: &str, package: &str) -> bool {
    let names = path.trim_end_matches(".kaa").replace('/', ".");
    names == package || names.rsplit_once('.').is_some_and(|(folder, _)| folder == package)
}

/// The names before each `::` in a text, which may be names of packages.
fn qualifiers(text: &str) -> impl Iterator<Item = String> {
    text.split("::").map(|before| {
        let is_name = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '.');
        let length: usize =
            before.chars().rev().take_while(|character| is_name(*character)).map(char::len_utf8).sum();
        before.get(before.len() - length..).unwrap_or_default().to_owned()
    })
}
