//! Errors of secrets and of the files and variables that hold them.

use std::io;
use std::path::PathBuf;

use crate::protocol::secret::{Secret, SecretLengthError};

/// Why a secret cannot be created, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// The secret is short enough to be guessed.
    #[error(
        "a secret of {length} bytes is too short; it needs at least {minimum}",
        minimum = Secret::MIN_LENGTH
    )]
    TooShort {
        /// Its length in bytes.
        length: usize,
    },
    /// The secret is too long. The file is probably not a secret's.
    #[error("a secret of more than {maximum} bytes is too long", maximum = Secret::MAX_LENGTH)]
    TooLong,
    /// The file's permissions let other users read or write it.
    #[error(
        "{} is open to other users (its mode is {mode:04o}); make it private with `chmod 600`",
        path.display()
    )]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The path leads to something that is not a regular file.
    #[error("{} is not a regular file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// The content of the file cannot be a secret.
    #[error("{} does not hold a usable secret: {source}", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What is wrong with the content.
        source: Box<SecretError>,
    },
    /// The file cannot be read.
    #[error("cannot read the secret in {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file exists. A secret is never overwritten.
    #[error("{} already exists and was not changed", path.display())]
    AlreadyExists {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("cannot write the secret to {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The program was not started by a host, which would have set the variable.
    #[error(
        "the environment variable {} is not set; this program must be started by its host, \
         which sets the variable",
        Secret::VARIABLE
    )]
    NoParent,
    /// The value of the host's environment variable cannot be a secret.
    #[error("the environment variable {} does not hold a usable secret: {source}", Secret::VARIABLE)]
    UnusableVariable {
        /// What is wrong with the value.
        source: Box<SecretError>,
    },
    /// The operating system returned no random bytes.
    #[error("the operating system returned no random bytes: {source}")]
    Random {
        /// The cause.
        source: getrandom::Error,
    },
}

impl From<SecretLengthError> for SecretError {
    fn from(error: SecretLengthError) -> Self {
        match error {
            SecretLengthError::TooShort { length } => Self::TooShort { length },
            SecretLengthError::TooLong => Self::TooLong,
        }
    }
}
