//! Standard output and standard error. Only this file writes to them.
//!
//! Invariants: results go to standard output, and messages about the run to standard error; if the reader
//! closes the pipe, output stops without a message and the exit code does not change; any other error of
//! standard output is a failure; errors of standard error are ignored.

use std::env;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::os::fd::AsFd;

use kaa_idl::RenderStyle;
use kaa_idl::diagnostic::Rendering;
use terminal_size::{Width, terminal_size_of};

use crate::failure::{Failure, Outcome};
use crate::options::Color;

/// The output of a run.
#[derive(Debug)]
pub(crate) struct Console {
    output: BufWriter<Stdout>,
    /// Whether the reader has closed the pipe.
    closed: bool,
    color: Color,
    quiet: bool,
}

impl Default for Console {
    fn default() -> Self {
        Self { output: BufWriter::new(io::stdout()), closed: false, color: Color::Auto, quiet: false }
    }
}

impl Console {
    /// Sets the options.
    pub(crate) fn set(&mut self, color: Color, quiet: bool) {
        self.color = color;
        self.quiet = quiet;
    }

    /// The rendering of diagnostics on standard output.
    pub(crate) fn rendering(&self) -> Rendering {
        self.rendering_for(&io::stdout())
    }

    /// Writes a result.
    pub(crate) fn print(&mut self, text: &str) -> Result<(), Failure> {
        if self.closed {
            return Ok(());
        }
        let written = self.output.write_all(text.as_bytes());
        self.ignore_broken_pipe(written)
    }

    /// Writes diagnostics to standard error, for subcommands that write data to standard output.
    pub(crate) fn print_diagnostics(
        &mut self,
        text: impl FnOnce(Rendering) -> String,
    ) -> Result<(), Failure> {
        self.flush()?;
        let _ = io::stderr().write_all(text(self.rendering_for(&io::stderr())).as_bytes());
        Ok(())
    }

    /// Writes a message about the run, unless `--quiet` is set.
    pub(crate) fn status(&mut self, text: &str) -> Result<(), Failure> {
        if self.quiet {
            return Ok(());
        }
        self.flush()?;
        let _ = writeln!(io::stderr(), "{text}");
        Ok(())
    }

    /// Writes buffered output.
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        self.flush()
    }

    /// Writes the error message of a failed run.
    pub(crate) fn failure(&mut self, failure: &Failure) {
        if matches!(failure, Failure::Usage) {
            return;
        }
        // Findings are written first. If that fails, the run has failed already.
        let _ = self.flush();
        let (red, cyan, reset) = match self.colored(io::stderr().is_terminal()) {
            true => ("\u{1b}[1;31m", "\u{1b}[1;36m", "\u{1b}[0m"),
            false => ("", "", ""),
        };
        let mut text = format!("{red}error{reset}: {failure}\n");
        if let Some(help) = failure.help() {
            text += &format!("{cyan}help{reset}: {help}\n");
        }
        let _ = io::stderr().write_all(text.as_bytes());
    }

    /// Writes the output of the argument parser: help to standard output, errors to standard error.
    pub(crate) fn usage(&mut self, error: &clap::Error) -> Result<Outcome, Failure> {
        let text = error.render();
        if error.use_stderr() {
            let colored = self.colored(io::stderr().is_terminal());
            let text = if colored { text.ansi().to_string() } else { text.to_string() };
            let _ = io::stderr().write_all(text.as_bytes());
            return Err(Failure::Usage);
        }
        let colored = self.colored(io::stdout().is_terminal());
        self.print(&if colored { text.ansi().to_string() } else { text.to_string() })?;
        Ok(Outcome::Success)
    }

    fn rendering_for(&self, stream: &(impl IsTerminal + AsFd)) -> Rendering {
        let style = if self.colored(stream.is_terminal()) { RenderStyle::Ansi } else { RenderStyle::Plain };
        let width = terminal_size_of(stream).map(|(Width(columns), _)| usize::from(columns));
        Rendering { style, width }
    }

    fn flush(&mut self) -> Result<(), Failure> {
        if self.closed {
            return Ok(());
        }
        let flushed = self.output.flush();
        self.ignore_broken_pipe(flushed)
    }

    fn ignore_broken_pipe(&mut self, result: io::Result<()>) -> Result<(), Failure> {
        match result {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(())
            }
            other => other.map_err(Failure::Output),
        }
    }

    fn colored(&self, is_terminal: bool) -> bool {
        match self.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto if env_is("NO_COLOR", |_| true) => false,
            Color::Auto if env_is("CLICOLOR_FORCE", |value| value != "0") => true,
            Color::Auto => {
                is_terminal
                    && !env_is("TERM", |value| value == "dumb")
                    && !env_is("CLICOLOR", |value| value == "0")
            }
        }
    }
}

/// Whether an environment variable is set, not empty, and has a value that satisfies a condition.
fn env_is(name: &str, condition: impl Fn(&str) -> bool) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty() && condition(&value.to_string_lossy()))
}
