//! Paths: from the command line to absolute ones, to paths below a schema's root, and back to what a reader types.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

/// A path below a root, in the form that a schema's paths have.
pub(crate) fn relative(root: &Path, path: &Path) -> Option<String> {
    let stripped = match path.strip_prefix(root) {
        Ok(stripped) => stripped.to_path_buf(),
        Err(_) => {
            let folder = fs::canonicalize(path.parent()?).ok()?.join(path.file_name()?);
            folder.strip_prefix(fs::canonicalize(root).ok()?).ok()?.to_path_buf()
        }
    };
    let names: Option<Vec<&str>> = stripped.iter().map(OsStr::to_str).collect();
    Some(names?.join("/"))
}

/// A path from the root of the file system, without `.` and `..`.
pub(crate) fn absolute(path: &Path) -> io::Result<PathBuf> {
    if path.components().any(|part| part == Component::ParentDir)
        && let Ok(real) = fs::canonicalize(path)
    {
        return Ok(real);
    }
    std::path::absolute(path)
}

/// A path as a reader in the current folder would write it.
pub(crate) fn display_path(path: &Path) -> String {
    let Ok(current) = env::current_dir() else { return path.display().to_string() };
    let shared = current.iter().zip(path.iter()).take_while(|(left, right)| left == right).count();
    if shared <= 1 {
        return path.display().to_string();
    }
    let up = current.iter().skip(shared).map(|_| OsStr::new(".."));
    let short: PathBuf = up.chain(path.iter().skip(shared)).collect();
    if short.as_os_str().is_empty() { ".".to_owned() } else { short.display().to_string() }
}
