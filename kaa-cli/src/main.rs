//! The command `kaa`: checks, formats, explains and compares `.kaa` schemas, and makes Rust and JSON of them.
//!
//! One file per subcommand; `project` finds the files, `source` reads them, `report` shows what was found in them,
//! and `console` is the only place that writes to the terminal.
//!
//! Invariants: the exit code is 0 when all is well, 1 when something was found, 2 when the command could not do its
//! work; nothing panics, whatever the files, the terminal or a closed pipe do.

mod baseline;
mod breaking;
mod check;
mod completions;
mod console;
mod explain;
mod failure;
mod findings;
mod fmt;
mod freeze;
mod generate;
mod git;
mod lint;
mod options;
mod paths;
mod positions;
mod project;
mod report;
mod schema;
mod schema_json;
mod scope;
mod source;
mod write;

use std::process::ExitCode;

use clap::builder::Styles;
use clap::builder::styling::{AnsiColor, Effects};
use clap::{CommandFactory, Parser, Subcommand};

use breaking::BreakingArguments;
use check::CheckArguments;
use completions::CompletionsArguments;
use console::Console;
use explain::ExplainArguments;
use failure::{Failure, Outcome};
use fmt::FmtArguments;
use freeze::FreezeArguments;
use generate::GenerateArguments;
use lint::LintArguments;
use options::Color;
use schema::SchemaArguments;

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
struct Arguments {
    /// Colours: always, never, or auto, on a terminal and as NO_COLOR and CLICOLOR_FORCE say
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    #[arg(hide_possible_values = true, help_heading = "Output")]
    color: Color,

    /// Say nothing but findings and errors
    #[arg(short, long, global = true, help_heading = "Output")]
    quiet: bool,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
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

fn main() -> ExitCode {
    let mut console = Console::default();
    let result = match Arguments::try_parse() {
        Ok(arguments) => {
            console.set(arguments.color, arguments.quiet);
            run(arguments.command, &mut console)
        }
        Err(error) => console.usage(&error),
    };
    let result = console.finish().and(result);
    match result {
        Ok(outcome) => outcome.exit_code(),
        Err(failure) => {
            console.failure(&failure);
            Failure::exit_code()
        }
    }
}

fn run(command: Command, console: &mut Console) -> Result<Outcome, Failure> {
    match command {
        Command::Check(arguments) => arguments.run(console),
        Command::Explain(arguments) => arguments.run(console),
        Command::Fmt(arguments) => arguments.run(console),
        Command::Lint(arguments) => arguments.run(console),
        Command::Breaking(arguments) => arguments.run(console),
        Command::Freeze(arguments) => arguments.run(console),
        Command::Generate(arguments) => arguments.run(console),
        Command::Schema(arguments) => arguments.run(console),
        Command::Completions(arguments) => arguments.run(&mut Arguments::command(), console),
    }
}
