//! The command `kaa`: checks, formats, lints and compares `.kaa` schemas, and generates Rust and JSON from
//! them.
//!
//! Each subcommand has one file, with its arguments. `project` finds the files, `source` reads them, `report`
//! writes the findings, and only `console` writes to the terminal.
//!
//! Invariants: the exit code is 0 for success, 1 for findings, 2 for failures; the help of every subcommand
//! ends with examples; no file, terminal or closed pipe causes a panic.

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
/// A .kaa file declares which methods two programs can call on each other. The .kaa files of a package are in
/// its folder `kaa`, beside Cargo.toml, where the build script and this command find them. Without paths, the
/// command works on the package that contains the current folder, or on every package of the workspace.
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
  kaa check                     check the schemas of this package or workspace
  kaa check kaa/tv/epg.kaa      check one file
  kaa explain K0104             explain a code
  kaa fmt                       format all files
  kaa lint --fix                find discouraged code, and fix it where a fix is certain
  kaa breaking --against main   compare with the schema on the branch main
  kaa schema | jq .packages     write the schema as JSON

Exit codes:
  0  no errors
  1  findings, such as an error in a schema, an unformatted file or a breaking change
  2  failure, such as a wrong argument, a missing file or a full disk"
)]
struct Arguments {
    /// Use colours: always, never, or auto, which checks the terminal, NO_COLOR and CLICOLOR_FORCE
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    #[arg(hide_possible_values = true, help_heading = "Output")]
    color: Color,

    /// Write only findings and errors
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
