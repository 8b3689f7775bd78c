//! What the demo writes: scenes, commands, the conversation, and what clients print.
//!
//! Invariant: colour only on a terminal, and not if `NO_COLOR` is set.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use super::stage::Speaker;

const PLAIN: &str = "\x1b[0m";
const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
/// A client speaks.
const CYAN: &str = "\x1b[36m";
/// The server speaks.
const YELLOW: &str = "\x1b[33m";

/// Standard output.
pub(super) struct Paper {
    has_colour: bool,
    /// Shown as `…`, for it is long and says nothing.
    folder: String,
}

impl Paper {
    pub(super) fn new(folder: &Path) -> Self {
        let has_colour = io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        Self { has_colour, folder: folder.display().to_string() }
    }

    pub(super) fn legend(&self) -> io::Result<()> {
        self.line(BOLD, "A media database and its clients, each a process of its own.")?;
        self.line("", "Arrows show who speaks: ── a call, ╌╌ its answer. Either side calls the other.")?;
        self.line(DIM, &format!("… is {}", self.folder))
    }

    /// Begins a scene.
    pub(super) fn scene(&self, what: &str) -> io::Result<()> {
        if what.is_empty() {
            return Ok(());
        }
        writeln!(io::stdout())?;
        self.line(BOLD, what)
    }

    /// A command as a person would type it, but for the options that are always the same.
    pub(super) fn command(&self, role: &str, arguments: &[&str]) -> io::Result<()> {
        let mut text = format!("  $ beacon-{role}");
        for argument in arguments {
            let needs_quotes = argument.contains(' ');
            text += &if needs_quotes { format!(" \"{argument}\"") } else { format!(" {argument}") };
        }
        self.line(DIM, &self.shorten(&text))
    }

    /// What was said, in the server's order, and then what each client printed.
    pub(super) fn conversation(&self, lines: &[(Speaker, String)]) -> io::Result<()> {
        let mut printed: BTreeMap<Speaker, Vec<&str>> = BTreeMap::new();
        for (speaker, text) in lines {
            printed.entry(*speaker).or_default().push(text);
        }
        for text in printed.remove(&Speaker::Server).unwrap_or_default() {
            let colour = match text {
                text if text.contains('▶') => CYAN,
                text if text.contains('◀') => YELLOW,
                text if text.ends_with(" is here") || text.ends_with(" is gone") => continue,
                _ => DIM,
            };
            self.line(colour, &format!("  {}", self.shorten(text)))?;
        }
        // The client of the scene first, the one that watches last.
        for (speaker, texts) in printed.iter().rev() {
            for text in texts {
                self.line("", &format!("  {speaker} prints │ {}", self.shorten(text)))?;
            }
        }
        Ok(())
    }

    pub(super) fn end(&self) -> io::Result<()> {
        writeln!(io::stdout())?;
        self.line(BOLD, "Everything went as it should. All processes have ended, and the folder is removed.")
    }

    fn line(&self, colour: &str, text: &str) -> io::Result<()> {
        if self.has_colour && !colour.is_empty() {
            writeln!(io::stdout(), "{colour}{text}{PLAIN}")
        } else {
            writeln!(io::stdout(), "{text}")
        }
    }

    fn shorten(&self, text: &str) -> String {
        text.replace(&self.folder, "…")
    }
}
