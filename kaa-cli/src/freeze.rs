//! `kaa freeze`: keeps a schema as it is given out, to compare later ones with.
//!
//! Invariants: a frozen schema is never written over; what peers of the newest one would not understand is frozen only if
//! that is asked for.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use kaa_idl::compatibility::{self, Settings};
use kaa_idl::frozen::{Frozen, History, file_name, freeze};
use kaa_idl::{Compilation, compile};
use kaa_rpc_build::read_frozen;

use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::options::{Format, Target};
use crate::paths::display_path;
use crate::report::{Report, report_schema_errors};
use crate::source::ProjectSource;
use crate::write::create;

/// Keep the schema as it is, to compare later ones with
///
/// Writes the next frozen schema, one text file with all sources, such as frozen/3.frozen. Commit it: `kaa breaking
/// --against frozen` and the build script's frozen() compare with it. If nothing has changed since the newest one,
/// nothing is written. A schema that peers of the newest one would not understand is refused; what only breaks source
/// code or a policy is shown.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kaa freeze                       into the folder `frozen` beside `kaa`
  kaa freeze --into api/frozen
  kaa freeze --check               in CI, before a release: is the newest one what the schema is?")]
pub(crate) struct FreezeArguments {
    #[command(flatten)]
    target: Target,

    /// The folder of the frozen schemas; `frozen` beside the schema's folder without it
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,

    /// Write nothing, and end with 1 if the newest frozen schema is not the schema as it is
    #[arg(long, conflicts_with = "allow_breaking")]
    check: bool,

    /// Freeze even what breaks the newest frozen schema
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
                let help = "mend that, allow a rule where it was broken with `#[allow(NAME)]`, or freeze it with --allow-breaking";
                let message = format!("the schema breaks `{}`", newest.name);
                console.failure(&Failure::argument(message, help));
                return Ok(Outcome::Findings);
            }
        }
        if self.check {
            let said = match history.newest() {
                Some(newest) => format!("the schema is not what is frozen in `{}`", newest.name),
                None => "nothing is frozen yet".to_owned(),
            };
            console.status(&format!("{said}; `kaa freeze` freezes it"))?;
            return Ok(Outcome::Findings);
        }
        fs::create_dir_all(&folder).map_err(Failure::io("make the folder", &folder))?;
        let file = folder.join(file_name(number));
        create(&file, text.as_bytes())?;
        console.status(&format!("froze the schema as `{}`", file.display()))?;
        Ok(Outcome::Success)
    }
}

/// Line ends aside, which a version control system may have changed.
fn contents(path: &Path) -> Option<String> {
    Some(String::from_utf8(fs::read(path).ok()?).ok()?.replace("\r\n", "\n"))
}

/// Whether peers of a frozen schema would not understand this one. All that breaks it is shown.
fn breaks(newest: &Frozen, new: &Compilation, console: &mut Console) -> Result<bool, Failure> {
    let old = compile(&newest.source);
    let found = compatibility::Report::new(&old, new, &newest.source.era(), &Settings::default());
    let Some(found) = found.map(compatibility::Report::for_peers) else { return Ok(false) };
    let mut report = Report::new("freeze", Format::Human);
    report.add(&found, found.diagnostics(), console)?;
    Ok(found.has_errors())
}
