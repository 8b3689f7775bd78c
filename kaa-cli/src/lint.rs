//! `kaa lint`: reports valid but discouraged code, and fixes it.
//!
//! Invariants: a schema with errors is not linted; `--fix` only writes selected files, and only if the schema
//! still compiles.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use kaa_idl::lint::{Group, Lint, Selection, fix, lint};
use kaa_idl::{Compilation, FileSource, MemorySource, compile};

use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::options::{FormatOption, Targets};
use crate::project::Project;
use crate::report::{Report, count};
use crate::scope::Scope;
use crate::source::{ProjectSource, sources};
use crate::write::replace;

/// Report valid but discouraged code
///
/// Exits with 1 if there are findings. Each finding has the name of a lint: `kaa explain NAME` explains it,
/// and `#[allow(NAME)]` on a construct silences it there.
#[derive(Debug, Args)]
#[command(after_long_help = "\
The groups names, bounds, evolution and unused run by default; taste and docs run only with --lint.

Examples:
  kaa lint                                  the current package or workspace
  kaa lint --fix                            apply fixes that do not change the meaning
  kaa lint --lint docs                      also report missing documentation
  kaa lint --no-lint bounds --format github
  kaa explain STRING_BOUNDED")]
pub(crate) struct LintArguments {
    #[command(flatten)]
    targets: Targets,

    /// Apply the fixes that are certain, and report the other findings
    #[arg(long, conflicts_with = "stdin_path")]
    fix: bool,

    /// Also run this lint, or all lints of this group; may be repeated
    #[arg(long = "lint", value_name = "NAME", value_delimiter = ',', value_parser = parse_lints)]
    enabled: Vec<LintSet>,

    /// Do not run this lint, or the lints of this group; may be repeated
    #[arg(long = "no-lint", value_name = "NAME", value_delimiter = ',', value_parser = parse_lints)]
    disabled: Vec<LintSet>,

    /// The path of the file that standard input replaces, when the path is `-`
    #[arg(long, value_name = "FILE")]
    stdin_path: Option<PathBuf>,

    #[command(flatten)]
    format: FormatOption,
}

/// A lint, or all lints of a group.
#[derive(Debug, Clone)]
struct LintSet(Vec<Lint>);

impl LintArguments {
    pub(crate) fn run(&self, console: &mut Console) -> Result<Outcome, Failure> {
        let selection = self.selection();
        let mut report = Report::new("lint", self.format.format);
        for (source, project) in sources(&self.targets, self.stdin_path.as_deref())? {
            let mut compilation = compile(&source);
            if self.fix && source.input_path().is_none() && !compilation.has_errors() {
                let fixed = apply_fixes(&source, &project, &compilation, &selection)?;
                if fixed > 0 {
                    console.status(&format!("fixed {}", count(fixed, "file")))?;
                    compilation = compile(&source);
                }
            }
            let scope = Scope::new(&project, &source, &compilation);
            report.count_files(scope.files.len());
            let diagnostics = match compilation.has_errors() {
                true => compilation.diagnostics().to_vec(),
                false => lint(&compilation, &selection),
            };
            report.add(&compilation, &scope.relevant(&diagnostics), console)?;
        }
        let findings = report.findings();
        report.finish("linted", console)?;
        Ok(if findings > 0 { Outcome::Findings } else { Outcome::Success })
    }

    fn selection(&self) -> Selection {
        let enabled = self.enabled.iter().flat_map(|lints| &lints.0);
        let disabled = self.disabled.iter().flat_map(|lints| &lints.0);
        let selection = enabled.fold(Selection::default(), |selection, lint| selection.with(*lint));
        disabled.fold(selection, |selection, lint| selection.without(*lint))
    }
}

/// Applies the fixes, and returns the number of changed files.
fn apply_fixes(
    source: &ProjectSource,
    project: &Project,
    compilation: &Compilation,
    selection: &Selection,
) -> Result<usize, Failure> {
    let files = source.files().unwrap_or_default();
    let text = |path: &String| Some((path.clone(), compilation.text(path)?.to_owned()));
    let old: BTreeMap<String, String> = files.iter().filter_map(text).collect();
    let mut new = old.clone();
    for (path, text) in fix(old.clone(), selection) {
        if project.selects(&path) {
            new.insert(path, text);
        }
    }
    let changed: Vec<(&String, &String)> =
        new.iter().filter(|(path, text)| old.get(*path) != Some(text)).collect();
    if changed.is_empty() {
        return Ok(0);
    }
    if compile(&MemorySource::new(new.clone())).has_errors() {
        let help = "fix the whole schema: `kaa lint --fix`";
        return Err(Failure::argument("the fixes also change files that are not selected", help));
    }
    for (path, text) in &changed {
        if let Some(place) = source.locate(path) {
            replace(&place, text.as_bytes())?;
        }
    }
    Ok(changed.len())
}

fn parse_lints(name: &str) -> Result<LintSet, String> {
    if let Some(group) = Group::named(name) {
        return Ok(LintSet(Lint::ALL.iter().copied().filter(|lint| lint.group() == group).collect()));
    }
    let lint = Lint::named(&name.to_ascii_uppercase());
    lint.map(|lint| LintSet(vec![lint])).ok_or_else(|| {
        let groups: Vec<String> = Group::ALL.iter().map(|group| group.name().to_ascii_lowercase()).collect();
        format!("`kaa explain --list` lists the lints; their groups are {}", groups.join(", "))
    })
}
