//! What can go wrong between a folder of `.kaa` files and a file of Rust.
//!
//! Invariants: `Debug` prints what `Display` prints, on a line of its own, because `Debug` is what Rust shows of an
//! error that `main` returns; a build script that returns [`Error`] thus shows the diagnostics and nothing else.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// `Ok`, or why no Rust was generated.
pub type Result<T = ()> = std::result::Result<T, Error>;

/// Why no Rust was generated.
#[non_exhaustive]
pub enum Error {
    /// The `.kaa` files have errors.
    Schema {
        /// The diagnostics, rendered as rustc renders its own.
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
    /// The `.kaa` files break what was frozen.
    Breaking {
        /// The report, rendered as rustc renders its errors.
        rendered: String,
    },
    /// There is no frozen schema where one was expected.
    NotFrozen {
        /// The folder.
        path: PathBuf,
    },
    /// A frozen schema cannot be used.
    Frozen {
        /// The file, or the folder of all of them.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// An environment variable that Cargo sets for build scripts is not set.
    Environment {
        /// The variable.
        name: &'static str,
        /// The setting that makes it unnecessary.
        instead: &'static str,
    },
    /// A generated file could not be read, written or removed.
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
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
    /// A declaration is legal but has no Rust form.
    Unsupported {
        /// The declaration's qualified name.
        path: String,
        /// Why it has none, and what to do.
        problem: String,
    },
    /// The generated code is not Rust: a fault of this crate, or of an attribute that a setting adds.
    Syntax {
        /// The generated file.
        file: String,
        /// What the parser said.
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
                 or name their folder with `kaa_rpc_build::configure().root(\"…\").compile()`",
                path.display()
            ),
            Self::NoFiles { path } => write!(
                formatter,
                "error: there is no .kaa file in `{}`\n\
                 help: `package tv.epg;` belongs into `{}`",
                path.display(),
                path.join("tv").join("epg.kaa").display()
            ),
            Self::Breaking { rendered } => formatter.write_str(rendered.trim_end()),
            Self::NotFrozen { path } => write!(
                formatter,
                "error: there is no frozen schema in `{}`\n\
                 help: run `kaa freeze` to write the first, or leave out `.frozen(…)`",
                path.display()
            ),
            Self::Frozen { path, problem } => {
                write!(formatter, "error: `{}` {}", path.display(), problem.trim_end())
            }
            Self::Environment { name, instead } => write!(
                formatter,
                "error: the environment variable `{name}` is not set, which Cargo sets for build scripts\n\
                 help: outside a build script, say where with `{instead}`"
            ),
            Self::Write { path, source } => {
                write!(formatter, "error: could not write `{}`: {source}", path.display())
            }
            Self::Setting { setting, value, problem } => {
                write!(formatter, "error: `{setting}` was given `{value}`: {problem}")
            }
            Self::Unsupported { path, problem } => write!(formatter, "error: `{path}` {problem}"),
            Self::Syntax { file, source } => {
                write!(formatter, "error: the generated `{file}` is not Rust: {source}")
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
            Self::Write { source, .. } => Some(source),
            Self::Syntax { source, .. } => Some(source),
            _ => None,
        }
    }
}
