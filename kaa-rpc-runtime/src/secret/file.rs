//! Files that hold a secret.
//!
//! Invariants:
//! - Only a regular file that no other user can read or write is accepted.
//! - An existing file is never overwritten. A new file appears complete or not at all.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags};
use zeroize::Zeroizing;

use super::error::SecretError;
use crate::protocol::secret::Secret;

impl Secret {
    /// Reads the secret in a file. If the file does not exist, creates it with a new random secret. A server
    /// does this when it starts for the first time.
    ///
    /// # Errors
    /// Those of [`Secret::from_file`] and [`Secret::write_new_file`].
    pub fn from_file_or_generate(path: impl AsRef<Path>) -> Result<Self, SecretError> {
        let path = path.as_ref();
        match Self::from_file(path) {
            Err(SecretError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            result => return result,
        }
        let secret = Self::generate()?;
        match secret.write_new_file(path) {
            Ok(()) => Ok(secret),
            // Another process has just created the file.
            Err(SecretError::AlreadyExists { .. }) => Self::from_file(path),
            Err(error) => Err(error),
        }
    }

    /// Reads the secret in a file: all its bytes, without one newline at the end.
    ///
    /// # Errors
    /// The file cannot be read, other users can read or write it, it is not a regular file, or its content is
    /// too short or too long.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, SecretError> {
        let path = path.as_ref();
        let read_error = |source: io::Error| SecretError::Read { path: path.to_owned(), source };
        // Without NONBLOCK, opening a named pipe would wait until a process writes to it.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| read_error(errno.into()))?;
        let file = File::from(file);
        let metadata = file.metadata().map_err(read_error)?;
        if !metadata.is_file() {
            return Err(SecretError::NotAFile { path: path.to_owned() });
        }
        let mode = metadata.mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(SecretError::OpenToOthers { path: path.to_owned(), mode });
        }
        // The buffer never grows: growing would leave copies of the secret in memory.
        let capacity = Self::MAX_LENGTH.saturating_add(2);
        let mut bytes = Zeroizing::new(Vec::with_capacity(capacity));
        let limit = u64::try_from(capacity).unwrap_or(u64::MAX);
        file.take(limit).read_to_end(&mut bytes).map_err(read_error)?;
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        Self::from_wiped(bytes)
            .map_err(|error| SecretError::Unusable { path: path.to_owned(), source: Box::new(error.into()) })
    }

    /// Writes the secret and a newline to a new file that only its owner can read. Other processes see the
    /// complete file or none.
    ///
    /// # Errors
    /// [`SecretError::AlreadyExists`] if the file exists; it is not changed. [`SecretError::Write`] if it
    /// cannot be written.
    pub fn write_new_file(&self, path: impl AsRef<Path>) -> Result<(), SecretError> {
        let path = path.as_ref();
        let write_error = |source: io::Error| SecretError::Write { path: path.to_owned(), source };
        let draft = Draft::next_to(path)?;
        self.write_draft(&draft).map_err(write_error)?;
        // Linking fails if the name is taken. A rename would replace the existing file.
        match std::fs::hard_link(&draft.path, path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(SecretError::AlreadyExists { path: path.to_owned() })
            }
            Err(source) => Err(write_error(source)),
        }
    }

    fn write_draft(&self, draft: &Draft) -> io::Result<()> {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft.path)?;
        file.write_all(self.exposed())?;
        file.write_all(b"\n")?;
        file.sync_all()
    }
}

/// A temporary file next to the final one. Dropping the draft removes it.
struct Draft {
    path: PathBuf,
}

impl Draft {
    fn next_to(path: &Path) -> Result<Self, SecretError> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|source| SecretError::Random { source })?;
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{:016x}", u64::from_ne_bytes(random)));
        Ok(Self { path: name.into() })
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
