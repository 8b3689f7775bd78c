//! `kaa check`: what the compiler has to say about schemas.
//!
//! Invariants: for a part of a schema the whole of it is compiled, and shown is what stands in the part, what points
//! into it, and the errors of packages that it uses, because without those it has no meaning either.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use clap::Args;
use kaa_idl::diagnostic::Diagnostic;
use kaa_idl::{Compilation, FileSource, ast, compile};

use crate::arguments::{FormatOption, Targets};
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::project::Project;
use crate::report::Report;
use crate::source::ProjectSource;

/// Check schemas for errors
///
/// Reports every error of every file at once, each with a stable code that `kaa explain` knows. Findings go to
/// standard output, the summary to standard error.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kaa check                                     the package or workspace around the current folder
  kaa check kaa/tv/epg.kaa                      one file: its errors, and those of what it uses
  kaa check --root idl --root ../api/idl        a package whose build.rs names other folders
  kaa check --format json                       for scripts
  kaa check --format github                     as annotations in GitHub Actions
  kaa check - --stdin-path kaa/tv/epg.kaa       an editor's unsaved text in place of that file")]
pub(crate) struct CheckArguments {
    #[command(flatten)]
    targets: Targets,

    #[command(flatten)]
    format: FormatOption,

    /// The file that standard input stands for, when the path is `-`
    #[arg(long, value_name = "FILE")]
    stdin_path: Option<PathBuf>,
}

impl CheckArguments {
    pub(crate) fn run(&self, console: &mut Console) -> Result<Outcome, Failure> {
        let mut report = Report::new("check", self.format.format);
        for (source, project) in sources(&self.targets, self.stdin_path.as_deref())? {
            let compilation = compile(&source);
            let part = Part::of(&project, &source, &compilation);
            report.count_files(part.files.len());
            report.add(&compilation, &part.concerns(compilation.diagnostics()), console)?;
        }
        report.finish("checked", console)
    }
}

/// The schemas that are meant, one of them perhaps with standard input in it.
pub(crate) fn sources(
    targets: &Targets,
    stdin_path: Option<&Path>,
) -> Result<Vec<(ProjectSource, Project)>, Failure> {
    let from_input = targets.paths.iter().any(|path| path.as_os_str() == "-");
    if from_input && targets.paths.len() > 1 {
        return Err(Failure::argument("`-` stands alone", "check standard input and files in two runs"));
    }
    if !from_input && stdin_path.is_some() {
        let help = "write `-` where the path would stand to read standard input";
        return Err(Failure::argument("--stdin-path is for standard input", help));
    }
    if from_input {
        return Ok(vec![ProjectSource::with_input(stdin_path, &targets.roots)?]);
    }
    let projects = targets.projects()?;
    Ok(projects.into_iter().map(|project| (ProjectSource::new(&project), project)).collect())
}

/// The part of a schema that is meant.
#[derive(Debug)]
pub(crate) struct Part<'a> {
    project: &'a Project,
    /// Its files.
    pub(crate) files: Vec<String>,
    /// The files of other packages that it uses.
    used: HashSet<String>,
}

impl<'a> Part<'a> {
    pub(crate) fn of(project: &'a Project, source: &ProjectSource, compilation: &Compilation) -> Self {
        let all = source.files().unwrap_or_default();
        let files: Vec<String> = all.iter().filter(|path| project.selects(path)).cloned().collect();
        let needed = !project.selection.is_empty() && !compilation.diagnostics().is_empty();
        let used = if needed { used(&all, &files, compilation) } else { HashSet::new() };
        Self { project, files, used }
    }

    /// Those of the diagnostics that concern the part.
    pub(crate) fn concerns(&self, diagnostics: &[Diagnostic]) -> Vec<Diagnostic> {
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

/// The files of all packages that some files use, directly or through others.
fn used(all: &[String], files: &[String], compilation: &Compilation) -> HashSet<String> {
    let text = |path: &String| compilation.text(path).unwrap_or_default();
    let parsed: HashMap<&String, ast::File> =
        all.iter().map(|path| (path, kaa_idl::parse(path, text(path)).0)).collect();
    let package = |file: &ast::File| file.package.as_ref().map(|line| ast::dotted(&line.segments));
    let mut members: HashMap<String, Vec<&String>> = HashMap::new();
    for path in all {
        if let Some(name) = parsed.get(path).and_then(package).filter(|name| is_at_home(path, name)) {
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

/// Whether a file is in the place of its package: one in another place says nothing to those that are.
fn is_at_home(path: &str, package: &str) -> bool {
    let names = path.trim_end_matches(".kaa").replace('/', ".");
    names == package || names.rsplit_once('.').is_some_and(|(folder, _)| folder == package)
}

/// Everything before a `::` in a text that could be the name of a package.
fn qualifiers(text: &str) -> impl Iterator<Item = String> {
    text.split("::").map(|before| {
        let is_name = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '.');
        let length: usize =
            before.chars().rev().take_while(|character| is_name(*character)).map(char::len_utf8).sum();
        before.get(before.len() - length..).unwrap_or_default().to_owned()
    })
}
