//! `kaa freeze`: saves the schema of a release, to compare later versions with it.
//!
//! Invariants: a frozen schema is never overwritten; a schema that breaks peers of the newest frozen schema
//! is frozen only with `--allow-breaking`.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use kaa_idl::compatibility::{self, Settings};
use kaa_idl::frozen::{FrozenSchema, History, file_name, freeze};
use kaa_idl::{Compilation, compile};
use kaa_rpc_build::read_frozen;

use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::options::{Format, Target};
use crate::paths::display_path;
use crate::report::{Report, report_schema_errors};
use crate::source::ProjectSource;
use crate::write::create;

/// Save the current schema, to compare later versions with it
///
/// Writes the next frozen schema, a text file with all sources, such as frozen/3.frozen. Commit it: `kaa
/// breaking --against frozen` and frozen() in the build script compare with it. If nothing changed since the
/// newest frozen schema, nothing is written. If the schema breaks peers that use the newest one, the command
/// fails. Changes that only break source code or a policy are warnings.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kaa freeze                       write to the folder `frozen` beside `kaa`
  kaa freeze --into api/frozen
  kaa freeze --check               in CI, before a release: is the current schema frozen?")]
pub(crate) struct FreezeArguments {
    #[command(flatten)]
    target: Target,

    /// The folder of the frozen schemas [default: `frozen` beside the schema's folder]
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,

    /// Write nothing, and exit with 1 if the newest frozen schema differs from the current schema
    #[arg(long, conflicts_with = "allow_breaking")]
    check: bool,

    /// Freeze the schema even if it breaks the newest frozen schema
    #[arg(long)]
    allow_breaking: bool,
}

impl FreezeArguments {
    pub(crate) fn run(&self, console: &mut Console) -> Result<Outcome, Failure> {
        let project = self.target.project()?;
        let compilation = compile(&ProjectSource::new(&project));
        let folder = match (&self.into, project.roots.first()) {
            (Some(folder), _) => folder.clone(),
            (None, Some(root)) => PathBuf::from(display_path(&root.with_file_name("frozen"))),
            (None, None) => PathBuf::from("frozen"),
        };
        let history = match folder.is_dir() {
            true => read_frozen(&folder).map_err(Failure::Build)?,
            false => History::default(),
        };
        let number = history.next_number();
        let Some(text) = freeze(&compilation, number) else {
            return report_schema_errors(&compilation, console);
        };
        if let Some(newest) = history.newest() {
            if freeze(&compilation, newest.source.number()) == contents(Path::new(&newest.name)) {
                console.status(&format!("nothing has changed since `{}`", newest.name))?;
                return Ok(Outcome::Success);
            }
            let broken = !self.check && !self.allow_breaking && breaks(newest, &compilation, console)?;
            if broken {
                let help =
                    "undo the change, allow the rule in place with `#[allow(NAME)]`, or use --allow-breaking";
                let message = format!("the schema breaks `{}`", newest.name);
                console.failure(&Failure::argument(message, help));
                return Ok(Outcome::Findings);
            }
        }
        if self.check {
            let state = match history.newest() {
                Some(newest) => format!("the schema differs from `{}`", newest.name),
                None => "nothing is frozen yet".to_owned(),
            };
            console.status(&format!("{state}; `kaa freeze` freezes it"))?;
            return Ok(Outcome::Findings);
        }
        fs::create_dir_all(&folder).map_err(Failure::io("create the folder", &folder))?;
        let file = folder.join(file_name(number));
        create(&file, text.as_bytes())?;
        console.status(&format!("froze the schema as `{}`", file.display()))?;
        Ok(Outcome::Success)
    }
}

/// The text of a file, with the line breaks that `kaa freeze` writes; version control may have changed them.
fn contents(path: &Path) -> Option<String> {
    Some(String::from_utf8(fs::read(path).ok()?).ok()?.replace("\r\n", "\n"))
}

/// Reports what breaks a frozen schema, and returns whether any of it breaks peers.
fn breaks(newest: &FrozenSchema, new: &Compilation, console: &mut Console) -> Result<bool, Failure> {
    let old = compile(&newest.source);
    let found = compatibility::Report::new(&old, new, &newest.source.revision(), &Settings::default());
    let Some(found) = found.map(compatibility::Report::for_peers) else { return Ok(false) };
    let mut report = Report::new("freeze", Format::Human);
    report.add(&found, found.diagnostics(), console)?;
    Ok(found.has_errors())
}
