//! The text files of the repository, found by walking its folders: the tests must also pass without git.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders with build output, version control data, or files that test runs add.
const SKIPPED_FOLDERS: &[&str] = &["target", ".git", "proptest-regressions", "__pycache__"];

/// More of them, by path: their names are too common.
const SKIPPED_PATHS: &[&str] = &["fuzz/corpus", "fuzz/artifacts"];

const EXTENSIONS: &[&str] = &["rs", "md", "kaa", "txt", "toml", "sh", "py", "stderr", "golden"];

/// Texts by path, relative to the root of the repository, with `/` between folders.
pub(crate) type Files = BTreeMap<String, String>;

pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Reads every text file with one of [`EXTENSIONS`], and every script without an extension.
pub(crate) fn read() -> Result<Files, Box<dyn Error>> {
    let mut files = Files::new();
    walk(&root(), "", &mut files)?;
    Ok(files)
}

fn walk(folder: &Path, prefix: &str, files: &mut Files) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name =
            entry.file_name().into_string().map_err(|name| format!("not UTF-8: {}", name.display()))?;
        let path = format!("{prefix}{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() {
            if !SKIPPED_FOLDERS.contains(&name.as_str()) && !SKIPPED_PATHS.contains(&path.as_str()) {
                walk(&entry.path(), &format!("{path}/"), files)?;
            }
        } else if kind.is_file() {
            let extension = name.rsplit_once('.').map(|(_, extension)| extension);
            if extension.is_some_and(|extension| !EXTENSIONS.contains(&extension)) {
                continue;
            }
            // Golden files may hold bytes that are not text.
            let Ok(text) = String::from_utf8(fs::read(entry.path())?) else { continue };
            if extension.is_some() || text.starts_with("#!") {
                files.insert(path, text);
            }
        }
    }
    Ok(())
}
