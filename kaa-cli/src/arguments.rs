//! What can be written behind `kaa`: the subcommands, and the arguments that several of them share.
//!
//! Invariants: every subcommand's long help ends with examples; a wrong argument is answered with exit code 2.

use std::path::PathBuf;

use clap::builder::Styles;
use clap::builder::styling::{AnsiColor, Effects};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::breaking::BreakingArguments;
use crate::check::CheckArguments;
use crate::completions::CompletionsArguments;
use crate::explain::ExplainArguments;
use crate::fmt::FmtArguments;
use crate::freeze::FreezeArguments;
use crate::generate::GenerateArguments;
use crate::lint::LintArguments;
use crate::schema::SchemaArguments;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().effects(Effects::BOLD))
    .usage(AnsiColor::Green.on_default().effects(Effects::BOLD))
    .literal(AnsiColor::Cyan.on_default().effects(Effects::BOLD))
    .placeholder(AnsiColor::Cyan.on_default());

/// Checks, formats, explains and compares .kaa schemas
///
/// A .kaa file says what two programs can call on each other. The files of a package lie in its folder `kaa`, beside
/// Cargo.toml, where the build script finds them; so does this command. Without paths it works on the package around
/// the current folder, or on every package of the workspace.
#[derive(Debug, Parser)]
#[command(
    name = "kaa",
    version,
    styles = STYLES,
    max_term_width = 100,
    arg_required_else_help = true,
    subcommand_required = true,
    disable_help_subcommand = true,
    after_long_help = "\
Examples:
  kaa check                     what is wrong with the schemas of this package or workspace
  kaa check kaa/tv/epg.kaa      what is wrong with one file, its surroundings known
  kaa explain K0104             what a code means
  kaa fmt                       the one layout, for every file
  kaa lint --fix                what is better written otherwise, and mended where that is certain
  kaa breaking --against main   what an edit breaks of the schema on the branch main
  kaa schema | jq .packages     the schema, for tools

Exit codes:
  0  all is well
  1  something was found: an error in a schema, a file out of format, a breaking change
  2  the command could not do its work: a wrong argument, a missing file, a full disk"
)]
pub(crate) struct Arguments {
    /// Colours: always, never, or auto, on a terminal and as NO_COLOR and CLICOLOR_FORCE say
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    #[arg(hide_possible_values = true, help_heading = "Output")]
    pub(crate) color: Color,

    /// Say nothing but findings and errors
    #[arg(short, long, global = true, help_heading = "Output")]
    pub(crate) quiet: bool,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Check(CheckArguments),
    Explain(ExplainArguments),
    Fmt(FmtArguments),
    Lint(LintArguments),
    Breaking(BreakingArguments),
    Freeze(FreezeArguments),
    #[command(subcommand)]
    Generate(GenerateArguments),
    Schema(SchemaArguments),
    Completions(CompletionsArguments),
}

/// When output has colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

/// Which files a subcommand works on.
#[derive(Debug, Args)]
pub(crate) struct Targets {
    /// Files, folders or packages; without any, the package or workspace around the current folder
    ///
    /// A package is the folder of a Cargo.toml: its schemas are those in `kaa` beside it. That of a
    /// workspace stands for every package below it. Another folder is searched for packages, or is itself a folder of .kaa
    /// files. For a single file or a folder within a schema, the schema around it is read too, and only what concerns
    /// the file or folder is shown.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// A folder that holds the schema, where build.rs says so with root() or include(); may be repeated
    ///
    /// All these folders together are one schema. The paths then name parts of it.
    #[arg(long = "root", value_name = "DIR")]
    pub(crate) roots: Vec<PathBuf>,
}

/// The one schema that a subcommand works on.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// A package, or the folder that holds the schema; without it, the package around the current folder
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<PathBuf>,

    /// A folder that holds the schema, where build.rs says so with root() or include(); may be repeated
    ///
    /// All these folders together are one schema.
    #[arg(long = "root", value_name = "DIR", conflicts_with = "path")]
    pub(crate) roots: Vec<PathBuf>,
}

/// How findings are written.
#[derive(Debug, Args)]
pub(crate) struct FormatOption {
    /// How findings are written
    #[arg(long, value_enum, default_value_t = Format::Human, value_name = "FORMAT", help_heading = "Output")]
    pub(crate) format: Format,
}

/// How findings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// Text for people
    #[default]
    Human,
    /// One JSON document, for editors and scripts
    Json,
    /// Annotations of GitHub Actions
    Github,
}
