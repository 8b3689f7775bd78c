//! [`Error`]: why no Rust was generated.
//!
//! Invariants: `Debug` prints the same text as `Display`, after a line break. Rust prints the `Debug` text of
//! an error that `main` returns, so a build script that returns [`Error`] prints the diagnostics and nothing
//! else.

use std::fmt;
use std::io;
use std::path::PathBuf;

use kaa_idl::frozen::HistoryError;

/// A result with [`Error`] as its error.
pub type Result<T = ()> = std::result::Result<T, Error>;

/// Why no Rust was generated.
#[non_exhaustive]
pub enum Error {
    /// The `.kaa` files have errors.
    Schema {
        /// The diagnostics, rendered like those of rustc.
        rendered: String,
    },
    /// A folder that should hold `.kaa` files does not exist.
    MissingFolder {
        /// The folder.
        path: PathBuf,
    },
    /// None of the folders holds a `.kaa` file.
    NoFiles {
        /// The first of the folders.
        path: PathBuf,
    },
    /// The schema breaks a frozen schema.
    Breaking {
        /// The breaking edits, rendered like diagnostics of rustc.
        rendered: String,
    },
    /// The folder of frozen schemas has none.
    NoFrozenSchema {
        /// The folder.
        path: PathBuf,
    },
    /// A frozen schema, or the folder of frozen schemas, cannot be read.
    ReadFrozen {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A frozen schema is invalid, or two have the same number.
    InvalidFrozenSchema {
        /// The cause.
        source: HistoryError,
    },
    /// A frozen schema does not compile with this version of the compiler.
    FrozenSchemaErrors {
        /// The file.
        path: PathBuf,
        /// The diagnostics, rendered like those of rustc.
        rendered: String,
    },
    /// An environment variable that Cargo sets for build scripts is not set.
    Environment {
        /// The variable.
        name: &'static str,
        /// The setting to use without the variable.
        instead: &'static str,
    },
    /// A generated file could not be read, written or removed.
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A setting of [`Config`](crate::Config) is wrong.
    Setting {
        /// The setting's name.
        setting: &'static str,
        /// The value it was given.
        value: String,
        /// What is wrong with the value.
        problem: String,
    },
    /// A declaration is valid but cannot be expressed in Rust.
    Unsupported {
        /// The declaration's qualified name.
        path: String,
        /// The reason, and what to do.
        problem: String,
    },
    /// The generated code is not valid Rust: a bug in this crate, or in an attribute that a setting adds.
    Syntax {
        /// The generated file.
        file: String,
        /// The error of the parser.
        source: syn::Error,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schema { rendered } => formatter.write_str(rendered.trim_end()),
            Self::MissingFolder { path } => write!(
                formatter,
                "error: there is no folder `{}`\n\
                 help: put this package's .kaa files there, \
                 or set their folder with `kaa_rpc_build::configure().root(\"…\").compile()`",
                path.display()
            ),
            Self::NoFiles { path } => write!(
                formatter,
                "error: there is no .kaa file in `{}`\n\
                 help: put `package tv.epg;` into `{}`",
                path.display(),
                path.join("tv").join("epg.kaa").display()
            ),
            Self::Breaking { rendered } => formatter.write_str(rendered.trim_end()),
            Self::NoFrozenSchema { path } => write!(
                formatter,
                "error: there is no frozen schema in `{}`\n\
                 help: run `kaa freeze` to write the first one, or remove `.frozen(…)`",
                path.display()
            ),
            Self::ReadFrozen { path, source } => {
                write!(formatter, "error: cannot read `{}`: {source}", path.display())
            }
            Self::InvalidFrozenSchema { source } => write!(
                formatter,
                "error: {source}\nhelp: restore the file from version control; do not edit frozen schemas"
            ),
            Self::FrozenSchemaErrors { path, rendered } => {
                write!(formatter, "error: `{}` no longer compiles:\n{}", path.display(), rendered.trim_end())
            }
            Self::Environment { name, instead } => write!(
                formatter,
                "error: the environment variable `{name}`, which Cargo sets for build scripts, is not set\n\
                 help: outside a build script, set the folder with `{instead}`"
            ),
            Self::Write { path, source } => {
                write!(formatter, "error: cannot write `{}`: {source}", path.display())
            }
            Self::Setting { setting, value, problem } => {
                write!(formatter, "error: invalid value `{value}` of setting `{setting}`: {problem}")
            }
            Self::Unsupported { path, problem } => write!(formatter, "error: `{path}` {problem}"),
            Self::Syntax { file, source } => {
                write!(formatter, "error: the generated file `{file}` is not valid Rust: {source}")
            }
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\n{self}")
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Write { source, .. } | Self::ReadFrozen { source, .. } => Some(source),
            Self::InvalidFrozenSchema { source } => Some(source),
            Self::Syntax { source, .. } => Some(source),
            _ => None,
        }
    }
}
