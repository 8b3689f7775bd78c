//! Writes files atomically.
//!
//! Invariants: the new text is written to a temporary file, which then replaces the file in one step, so that
//! a full disk or an interruption leaves the old text; permissions are kept; a symbolic link is kept, and its
//! target is replaced.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;

use crate::failure::Failure;

/// Replaces an existing file.
pub(crate) fn replace(path: &Path, text: &[u8]) -> Result<(), Failure> {
    let failed = |source| Failure::io("write", path)(source);
    let target = fs::canonicalize(path).map_err(failed)?;
    let metadata = fs::metadata(&target).map_err(failed)?;
    if metadata.permissions().readonly() {
        return Err(failed(io::Error::new(io::ErrorKind::PermissionDenied, "the file is read-only")));
    }
    let (temporary, file) = create_temporary(&target).map_err(failed)?;
    let replaced = write(&file, text, Some(&metadata)).and_then(|()| fs::rename(&temporary, &target));
    remove_on_error(replaced, &temporary).map_err(failed)
}

/// Creates a file that must not exist.
pub(crate) fn create(path: &Path, text: &[u8]) -> Result<(), Failure> {
    let failed = |source| Failure::io("write", path)(source);
    let (temporary, file) = create_temporary(path).map_err(failed)?;
    let created = write(&file, text, None).and_then(|()| put_in_place(&temporary, path));
    remove_on_error(created, &temporary).map_err(failed)
}

/// Moves the temporary file to its path. A hard link, unlike a rename, never replaces a file that another
/// process creates in the meantime, but some file systems do not support hard links.
fn put_in_place(temporary: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(temporary, path) {
        Ok(()) => fs::remove_file(temporary),
        Err(_) if path.symlink_metadata().is_err() => fs::rename(temporary, path),
        Err(error) => Err(error),
    }
}

fn write(mut file: &File, text: &[u8], like: Option<&fs::Metadata>) -> io::Result<()> {
    file.write_all(text)?;
    if let Some(metadata) = like {
        keep_owner(file, metadata);
        file.set_permissions(metadata.permissions())?;
    }
    file.sync_all()
}

/// Keeps the owner of the old file, if the user is permitted to change it.
fn keep_owner(file: &File, metadata: &fs::Metadata) {
    use std::os::unix::fs::{MetadataExt, fchown};
    let is_other =
        file.metadata().is_ok_and(|new| (new.uid(), new.gid()) != (metadata.uid(), metadata.gid()));
    if is_other {
        let _ = fchown(file, Some(metadata.uid()), Some(metadata.gid()));
    }
}

fn remove_on_error(result: io::Result<()>, temporary: &Path) -> io::Result<()> {
    if result.is_err() {
        let _ = fs::remove_file(temporary);
    }
    result
}

/// Creates a temporary file beside a file. It is hidden and not a `.kaa` file, so that it is ignored if it is
/// left over.
fn create_temporary(path: &Path) -> io::Result<(PathBuf, File)> {
    let name = path.file_name().ok_or_else(|| io::Error::other("the path has no file name"))?;
    for attempt in 0..100_u8 {
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.{attempt}.tmp", process::id()));
        let temporary = path.with_file_name(hidden);
        match OpenOptions::new().write(true).create_new(true).open(&temporary) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => return other.map(|file| (temporary, file)),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "there are too many temporary files"))
}
