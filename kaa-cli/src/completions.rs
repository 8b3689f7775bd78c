//! `kaa completions`: writes completion scripts for shells.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::console::Console;
use crate::failure::{Failure, Outcome};

/// Write a completion script for a shell
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kaa completions bash > ~/.local/share/bash-completion/completions/kaa
  kaa completions fish > ~/.config/fish/completions/kaa.fish
  kaa completions zsh > \"${fpath[1]}/_kaa\"")]
pub(crate) struct CompletionsArguments {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

impl CompletionsArguments {
    /// Writes the script for `command`, which is the command `kaa` with all its subcommands.
    pub(crate) fn run(&self, command: &mut Command, console: &mut Console) -> Result<Outcome, Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, command, "kaa", &mut script);
        console.print(&String::from_utf8_lossy(&script))?;
        Ok(Outcome::Success)
    }
}
