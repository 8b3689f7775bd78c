//! The options that several subcommands share.
//!
//! Invariants: parsing options accesses no files; a wrong argument ends the command with exit code 2.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Whether output has colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

/// The files that a subcommand works on.
#[derive(Debug, Args)]
pub(crate) struct Targets {
    /// Files, folders or packages [default: the package or workspace that contains the current folder]
    ///
    /// A package is a folder with a Cargo.toml; its schema is the folder `kaa` in it. A workspace stands for
    /// all its packages. Any other folder is searched for packages, or is a folder of .kaa files. For a file
    /// or a folder in a schema, the whole schema is read, and only findings about the file or folder are
    /// reported.
    #[arg(value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// A folder of the schema, if build.rs sets it with root() or include(); may be repeated
    ///
    /// All these folders together are one schema. The paths then name parts of it.
    #[arg(long = "root", value_name = "DIR")]
    pub(crate) roots: Vec<PathBuf>,
}

/// The schema that a subcommand works on.
#[derive(Debug, Args)]
pub(crate) struct Target {
    /// A package or the folder of a schema [default: the package that contains the current folder]
    #[arg(value_name = "PATH")]
    pub(crate) path: Option<PathBuf>,

    /// A folder of the schema, if build.rs sets it with root() or include(); may be repeated
    ///
    /// All these folders together are one schema.
    #[arg(long = "root", value_name = "DIR", conflicts_with = "path")]
    pub(crate) roots: Vec<PathBuf>,
}

/// The output format of findings.
#[derive(Debug, Args)]
pub(crate) struct FormatOption {
    /// The output format
    #[arg(long, value_enum, default_value_t = Format::Human, value_name = "FORMAT", help_heading = "Output")]
    pub(crate) format: Format,
}

/// The output format of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// Text for people
    #[default]
    Human,
    /// One JSON document, for editors and scripts
    Json,
    /// Annotations for GitHub Actions
    Github,
}
