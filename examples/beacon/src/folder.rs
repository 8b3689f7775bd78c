//! Reads a folder: its files, and their kinds.
//!
//! Invariants: symbolic links are not followed, so the walk ends; folders that cannot be read are counted, and their
//! files do not count as deleted.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path as FilePath, PathBuf};

use crate::api::beacon::{File, Kind, Path};

/// The maximum length of a path in the schema, in bytes.
const MAX_PATH: usize = 2048;

/// The content of a folder.
#[derive(Debug)]
pub(crate) struct Folder {
    /// Its canonical path.
    pub(crate) root: String,
    /// Its files by path, including those in subfolders.
    pub(crate) files: BTreeMap<String, File>,
    /// Subfolders that could not be read.
    pub(crate) unread: Vec<PathBuf>,
    /// The number of files and subfolders that are left out.
    pub(crate) skipped: u32,
}

impl Folder {
    /// Reads a folder and all its subfolders.
    ///
    /// # Errors
    /// The folder itself cannot be read.
    pub(crate) fn read(root: &str) -> io::Result<Self> {
        if !FilePath::new(root).is_absolute() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let root = fs::canonicalize(root)?;
        let root_name = as_text(&root).ok_or(io::ErrorKind::InvalidFilename)?.to_owned();
        let mut folder = Self { root: root_name, files: BTreeMap::new(), unread: Vec::new(), skipped: 0 };
        let mut waiting = Vec::new();
        folder.read_one(&root, &mut waiting)?;
        while let Some(path) = waiting.pop() {
            if folder.read_one(&path, &mut waiting).is_err() {
                folder.skipped += 1;
                folder.unread.push(path);
            }
        }
        Ok(folder)
    }

    fn read_one(&mut self, path: &FilePath, waiting: &mut Vec<PathBuf>) -> io::Result<()> {
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                waiting.push(entry.path());
            } else if kind.is_file() {
                let path = entry.path();
                let (Some(path), Ok(metadata)) = (as_text(&path), entry.metadata()) else {
                    self.skipped += 1;
                    continue;
                };
                let modified = metadata.modified()?.into();
                let file = File { path: Path(path.to_owned()), size: metadata.len(), modified };
                self.files.insert(path.to_owned(), file);
            }
        }
        Ok(())
    }
}

/// The path as text, if the schema can carry it.
fn as_text(path: &FilePath) -> Option<&str> {
    path.to_str().filter(|path| path.len() <= MAX_PATH)
}

/// A new item's title: the file name without its extension.
pub(crate) fn title(path: &str) -> String {
    FilePath::new(path).file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// A new item's kind, by the file's extension.
pub(crate) fn kind(path: &str) -> Kind {
    let extension =
        FilePath::new(path).extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    match extension.as_str() {
        "aac" | "flac" | "m4a" | "mp3" | "oga" | "ogg" | "opus" | "wav" => Kind::Audio,
        "avi" | "m4v" | "mkv" | "mov" | "mp4" | "mpg" | "ogv" | "webm" => Kind::Video,
        "avif" | "bmp" | "gif" | "jpeg" | "jpg" | "png" | "svg" | "tiff" | "webp" => Kind::Image,
        _ => Kind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_and_title_come_from_the_file_name() {
        assert_eq!((kind("/a/b.Mp3"), title("/a/b.c.mp3")), (Kind::Audio, "b.c".to_owned()));
        assert_eq!((kind("/a.png/README"), title("/a.png/README")), (Kind::Other, "README".to_owned()));
    }

    #[test]
    fn symlinks_are_not_followed_and_paths_are_canonical() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir(root.join("in")).unwrap();
        fs::write(root.join("in/song.ogg"), "la").unwrap();
        std::os::unix::fs::symlink(&root, root.join("in/circle")).unwrap();
        let read = Folder::read(&format!("{}/in/..", root.display())).unwrap();
        assert_eq!(read.root, root.display().to_string());
        let found: Vec<_> = read.files.values().map(|file| (file.path.0.as_str(), file.size)).collect();
        assert_eq!(found, [(format!("{}/in/song.ogg", root.display()).as_str(), 2)]);
    }

    #[test]
    fn relative_path_is_rejected() {
        assert_eq!(Folder::read(".").unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
