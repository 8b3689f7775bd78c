//! Conversions of paths: to absolute paths, to paths in a schema, and to paths for messages.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

/// A path relative to a root and separated by `/`, as in a schema; `None` if it is not below the root.
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

/// An absolute path without `.` and `..`.
pub(crate) fn absolute(path: &Path) -> io::Result<PathBuf> {
    if path.components().any(|part| part == Component::ParentDir)
        && let Ok(real) = fs::canonicalize(path)
    {
        return Ok(real);
    }
    std::path::absolute(path)
}

/// An absolute path, relative to the current folder.
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
