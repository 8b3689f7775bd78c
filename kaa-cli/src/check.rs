//! `kaa check`: reports the compiler's diagnostics.
//!
//! Invariants: the whole schema is compiled, also for a single file; [`scope`](crate::scope) selects the
//! diagnostics to report.

use std::path::PathBuf;

use clap::Args;
use kaa_idl::compile;

use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::options::{FormatOption, Targets};
use crate::report::Report;
use crate::scope::Scope;
use crate::source::sources;

/// Check schemas for errors
///
/// Reports all errors of all files at once. Each has a stable code, which `kaa explain CODE` explains.
/// Findings are written to standard output, the summary to standard error.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kaa check                                     the current package or workspace
  kaa check kaa/tv/epg.kaa                      the errors of one file and of the packages it uses
  kaa check --root idl --root ../api/idl        a package whose build.rs sets other folders
  kaa check --format json                       for scripts
  kaa check --format github                     as annotations in GitHub Actions
  kaa check - --stdin-path kaa/tv/epg.kaa       standard input in place of that file, for editors")]
pub(crate) struct CheckArguments {
    #[command(flatten)]
    targets: Targets,

    #[command(flatten)]
    format: FormatOption,

    /// The path of the file that standard input replaces, when the path is `-`
    #[arg(long, value_name = "FILE")]
    stdin_path: Option<PathBuf>,
}

impl CheckArguments {
    pub(crate) fn run(&self, console: &mut Console) -> Result<Outcome, Failure> {
        let mut report = Report::new("check", self.format.format);
        for (source, project) in sources(&self.targets, self.stdin_path.as_deref())? {
            let compilation = compile(&source);
            let scope = Scope::new(&project, &source, &compilation);
            report.count_files(scope.files.len());
            report.add(&compilation, &scope.relevant(compilation.diagnostics()), console)?;
        }
        report.finish("checked", console)
    }
}
