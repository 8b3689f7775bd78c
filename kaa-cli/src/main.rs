//! The command `kaa`: checks, formats, explains and compares `.kaa` schemas, and makes Rust and JSON of them.
//!
//! One file per subcommand; `project` finds the files, `source` reads them, `report` shows what was found in them,
//! and `console` is the only place that writes to the terminal.
//!
//! Invariants: the exit code is 0 when all is well, 1 when something was found, 2 when the command could not do its
//! work; nothing panics, whatever the files, the terminal or a closed pipe do.

mod against;
mod arguments;
mod breaking;
mod check;
mod completions;
mod console;
mod description;
mod explain;
mod failure;
mod findings;
mod fmt;
mod freeze;
mod generate;
mod git;
mod lint;
mod positions;
mod project;
mod replace;
mod report;
mod schema;
mod source;
mod wrap;

use std::process::ExitCode;

use arguments::{Arguments, Command};
use clap::Parser;
use console::Console;
use failure::{Failure, Outcome};

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
        Command::Completions(arguments) => arguments.run(console),
    }
}
