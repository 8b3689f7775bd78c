//! The result of a run: an [`Outcome`], or a [`Failure`] if the command could not do its work.
//!
//! Invariants: a failure names the file, program or argument that caused it; findings in a schema are not a
//! failure.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::git::GitError;

/// The outcome of a run that did its work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// There are no errors.
    Success,
    /// There are findings.
    Findings,
}

impl Outcome {
    /// 0 for success, 1 for findings.
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
    /// The arguments could not be parsed; the message has been written.
    Usage,
    /// An argument is wrong for the files that exist.
    Argument {
        /// The problem.
        message: String,
        /// What to do.
        help: String,
    },
    /// A file or folder could not be accessed.
    Io {
        /// The action that failed, such as "read".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// Standard output could not be written.
    Output(io::Error),
    /// Standard input could not be read.
    Input(io::Error),
    /// The schema could not be read from git.
    Git(GitError),
    /// Generating code, or reading frozen schemas, failed.
    Build(kaa_rpc_build::Error),
}

impl Failure {
    /// A wrong argument.
    pub(crate) fn argument(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Argument { message: message.into(), help: help.into() }
    }

    /// For `map_err`: an action on a path failed.
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    /// 2 for every failure.
    pub(crate) fn exit_code() -> ExitCode {
        ExitCode::from(2)
    }

    /// What to do, if that is known.
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
