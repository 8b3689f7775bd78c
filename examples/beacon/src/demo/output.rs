//! The output of the demo: steps, commands, the log of the server, and the output of clients.
//!
//! Invariant: colour only on a terminal, and not if `NO_COLOR` is set.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use super::processes::ProcessName;

const PLAIN: &str = "\x1b[0m";
const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
/// Messages to the server.
const CYAN: &str = "\x1b[36m";
/// Messages to a client.
const YELLOW: &str = "\x1b[33m";

/// Standard output.
pub(super) struct Output {
    has_colour: bool,
    /// Printed as `…`.
    directory: String,
}

impl Output {
    pub(super) fn new(directory: &Path) -> Self {
        let has_colour = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { has_colour, directory: directory.display().to_string() }
    }

    pub(super) fn legend(&self) -> io::Result<()> {
        self.line(BOLD, "A media database and its clients, each in its own process.")?;
        self.line("", "Arrows are messages: ── a call, ╌╌ its result. Both sides call each other.")?;
        self.line(DIM, &format!("… is {}", self.directory))
    }

    /// Starts a step; a step without description belongs to the one before.
    pub(super) fn step(&self, description: &str) -> io::Result<()> {
        if description.is_empty() {
            return Ok(());
        }
        writeln!(io::stdout())?;
        self.line(BOLD, description)
    }

    /// A command as a user types it, without the options that are always the same.
    pub(super) fn command(&self, role: &str, arguments: &[&str]) -> io::Result<()> {
        let mut text = format!("  $ beacon-{role}");
        for argument in arguments {
            let needs_quotes = argument.contains(' ');
            text += &if needs_quotes { format!(" \"{argument}\"") } else { format!(" {argument}") };
        }
        self.line(DIM, &self.shorten(&text))
    }

    /// The lines of the server in their order, then the lines of each client.
    pub(super) fn lines(&self, lines: &[(ProcessName, String)]) -> io::Result<()> {
        let mut printed: BTreeMap<ProcessName, Vec<&str>> = BTreeMap::new();
        for (process, text) in lines {
            printed.entry(*process).or_default().push(text);
        }
        for text in printed.remove(&ProcessName::Server).unwrap_or_default() {
            let colour = match text {
                text if text.contains('▶') => CYAN,
                text if text.contains('◀') => YELLOW,
                text if text.ends_with(" has connected") || text.ends_with(" has disconnected") => continue,
                _ => DIM,
            };
            self.line(colour, &format!("  {}", self.shorten(text)))?;
        }
        // The client of this step first, the watching client last.
        for (process, texts) in printed.iter().rev() {
            for text in texts {
                self.line("", &format!("  {process} prints │ {}", self.shorten(text)))?;
            }
        }
        Ok(())
    }

    pub(super) fn end(&self) -> io::Result<()> {
        writeln!(io::stdout())?;
        self.line(BOLD, "The demo has succeeded. All processes have ended, and the directory is removed.")
    }

    fn line(&self, colour: &str, text: &str) -> io::Result<()> {
        if self.has_colour && !colour.is_empty() {
            writeln!(io::stdout(), "{colour}{text}{PLAIN}")
        } else {
            writeln!(io::stdout(), "{text}")
        }
    }

    fn shorten(&self, text: &str) -> String {
        text.replace(&self.directory, "…")
    }
}
