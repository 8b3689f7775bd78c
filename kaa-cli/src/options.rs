//! The options that several subcommands share.
//!
//! Invariants: nothing here finds or reads a file; a wrong argument ends the command with exit code 2.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

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
