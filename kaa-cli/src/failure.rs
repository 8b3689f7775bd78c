//! How a run ends: with an [`Outcome`], or with a [`Failure`] to do the work at all.
//!
//! Invariants: a failure names the file, the program or the argument that it is about; findings in a schema are no
//! failure.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::git::GitError;

/// What a run found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// All is well.
    Success,
    /// Something is to be mended.
    Findings,
}

impl Outcome {
    /// 0 or 1.
    pub(crate) fn exit_code(self) -> ExitCode {
        match self {
            Self::Success => ExitCode::SUCCESS,
            Self::Findings => ExitCode::from(1),
        }
    }
}

/// Why the command could not do its work.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The arguments were wrong and the message has been shown.
    Usage,
    /// The arguments do not fit what is there.
    Argument {
        /// What is wrong.
        message: String,
        /// What to do.
        help: String,
    },
    /// The operating system refused something.
    Io {
        /// What was tried, such as "read".
        action: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// Its reason.
        source: io::Error,
    },
    /// Standard output could not be written.
    Output(io::Error),
    /// Standard input could not be read.
    Input(io::Error),
    /// Git gave no schema.
    Git(GitError),
    /// No Rust could be generated.
    Build(kaa_rpc_build::Error),
}

impl Failure {
    /// An argument that does not fit.
    pub(crate) fn argument(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Argument { message: message.into(), help: help.into() }
    }

    /// For `map_err`: the system refused an action on a path.
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    /// 2, whatever it was.
    pub(crate) fn exit_code() -> ExitCode {
        ExitCode::from(2)
    }

    /// What to do about it, if that is known.
    pub(crate) fn help(&self) -> Option<String> {
        match self {
            Self::Argument { help, .. } if !help.is_empty() => Some(help.clone()),
            Self::Git(error) => error.help(),
            _ => None,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Usage => formatter.write_str("the arguments are wrong"),
            Self::Argument { message, .. } => formatter.write_str(message),
            Self::Io { action, path, source } => {
                write!(formatter, "cannot {action} `{}`: {source}", path.display())
            }
            Self::Output(source) => write!(formatter, "cannot write to standard output: {source}"),
            Self::Input(source) => write!(formatter, "cannot read standard input: {source}"),
            Self::Git(source) => source.fmt(formatter),
            Self::Build(source) => {
                let text = source.to_string();
                formatter.write_str(text.strip_prefix("error: ").unwrap_or(&text))
            }
        }
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { source, .. } | Self::Output(source) | Self::Input(source) => Some(source),
            Self::Git(source) => Some(source),
            Self::Build(source) => Some(source),
            Self::Usage | Self::Argument { .. } => None,
        }
    }
}
