//! Sources of `.kaa` files: folders on disk, or memory. Only this module of the crate does I/O.
//!
//! Invariants: paths are relative to the root, separated by `/`, sorted, and unique; a folder is entered once
//! for each path to it, and never from inside itself; no file larger than [`MAXIMUM_FILE_SIZE`] is read.

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::fmt;
use std::fs;
use std::io;
use std::io::Read;
use std::path::{Component, MAIN_SEPARATOR, Path, PathBuf};

/// The maximum size of a file, in bytes. Larger files are rejected.
pub const MAXIMUM_FILE_SIZE: u64 = 16 * 1024 * 1024;

/// A set of `.kaa` files.
pub trait FileSource {
    /// The paths of all files, relative to the root, separated by `/`, ending in `.kaa`, sorted.
    ///
    /// # Errors
    /// If the files cannot be listed. Errors of a single file are returned by [`FileSource::read`], so that
    /// the other files are still compiled.
    fn files(&self) -> Result<Vec<String>, SourceError>;

    /// The bytes of one file from [`FileSource::files`].
    ///
    /// # Errors
    /// If the file does not exist or cannot be read.
    fn read(&self, path: &str) -> Result<Vec<u8>, SourceError>;

    /// A file's path as diagnostics show it, so that the reader can open the file; by default the path
    /// itself.
    fn display_path(&self, path: &str) -> String {
        path.to_owned()
    }
}

/// Why files could not be listed or read.
#[derive(Debug)]
#[non_exhaustive]
pub enum SourceError {
    /// The operating system returned an error.
    Io {
        /// The file or folder.
        path: String,
        /// The error.
        source: io::Error,
    },
    /// The source has no such file.
    Missing {
        /// The requested path.
        path: String,
    },
    /// The file is larger than [`MAXIMUM_FILE_SIZE`].
    TooLarge {
        /// The file.
        path: String,
        /// Its size in bytes.
        size: u64,
    },
    /// A symbolic link points to a folder that contains it.
    SymlinkLoop {
        /// The link.
        path: String,
    },
    /// A folder's name ends in `.kaa`.
    FolderNamedLikeFile {
        /// The folder.
        path: String,
    },
    /// Two roots have a file of the same relative path.
    Duplicate {
        /// The file in the first root.
        first: String,
        /// The file in the second.
        second: String,
    },
    /// A file's name is not Unicode.
    NotUnicode {
        /// The name, with replacement characters.
        path: String,
    },
}

impl fmt::Display for SourceError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, source } => write!(formatter, "cannot read `{path}`: {source}"),
            Self::Missing { path } => write!(formatter, "there is no file `{path}`"),
            Self::TooLarge { path, size } => {
                write!(
                    formatter,
                    "`{path}` has {size} bytes, but a `.kaa` file may have at most {MAXIMUM_FILE_SIZE}"
                )
            }
            Self::SymlinkLoop { path } => {
                write!(formatter, "`{path}` points to a folder that contains it")
            }
            Self::FolderNamedLikeFile { path } => write!(formatter, "`{path}` is a folder, not a file"),
            Self::Duplicate { first, second } => {
                write!(formatter, "`{second}` is the same file of the schema as `{first}`")
            }
            Self::NotUnicode { path } => write!(formatter, "the name of `{path}` is not Unicode"),
        }
    }
}

impl Error for SourceError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Files in memory, for tests and tools.
#[derive(Debug, Clone, Default)]
pub struct MemorySource {
    files: BTreeMap<String, Vec<u8>>,
}

impl MemorySource {
    /// Creates a source from pairs of path and content.
    pub fn new<P: Into<String>, C: Into<Vec<u8>>>(files: impl IntoIterator<Item = (P, C)>) -> Self {
        Self { files: files.into_iter().map(|(path, content)| (path.into(), content.into())).collect() }
    }
}

impl FileSource for MemorySource {
    fn files(&self) -> Result<Vec<String>, SourceError> {
        Ok(self.files.keys().cloned().collect())
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        let content = self.files.get(path).ok_or_else(|| SourceError::Missing { path: path.to_owned() })?;
        let size = u64::try_from(content.len()).unwrap_or(u64::MAX);
        if size > MAXIMUM_FILE_SIZE {
            return Err(SourceError::TooLarge { path: path.to_owned(), size });
        }
        Ok(content.clone())
    }
}

/// Every `.kaa` file under one or more root folders.
#[derive(Debug)]
pub struct DiskSource {
    roots: Vec<PathBuf>,
}

impl DiskSource {
    /// Creates a source from folders; all of `roots` together form one tree of packages.
    pub fn new(roots: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        Self { roots: roots.into_iter().map(Into::into).collect() }
    }

    /// Every file and folder that the schema depends on, including the roots. A build must watch all of them.
    ///
    /// # Errors
    /// As [`FileSource::files`].
    pub fn paths(&self) -> Result<Vec<PathBuf>, SourceError> {
        let listing = self.listing()?;
        let mut paths: Vec<PathBuf> = listing.folders;
        paths.extend(listing.files.into_values());
        paths.sort();
        paths.dedup();
        Ok(paths)
    }

    fn listing(&self) -> Result<Listing, SourceError> {
        let mut listing = Listing::default();
        for root in &self.roots {
            listing.enter(root, "", &mut Vec::new())?;
        }
        Ok(listing)
    }

    /// The location of a path below a root; `None` for a path that could leave the root.
    fn locate(&self, path: &str) -> Option<PathBuf> {
        let inside = path.split('/').all(|part| !matches!(part, "" | "." | "..") && !part.contains('\\'));
        let candidates = self.roots.iter().map(|root| root.join(path));
        candidates.into_iter().find(|candidate| inside && candidate.symlink_metadata().is_ok())
    }
}

impl FileSource for DiskSource {
    fn files(&self) -> Result<Vec<String>, SourceError> {
        Ok(self.listing()?.files.into_keys().collect())
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        let real = self.locate(path).ok_or_else(|| SourceError::Missing { path: path.to_owned() })?;
        let failed = |source| SourceError::Io { path: display(&real), source };
        let metadata = fs::metadata(&real).map_err(failed)?;
        if metadata.is_dir() {
            return Err(SourceError::FolderNamedLikeFile { path: display(&real) });
        }
        if !metadata.is_file() {
            return Err(failed(io::Error::other("not a regular file")));
        }
        if metadata.len() > MAXIMUM_FILE_SIZE {
            return Err(SourceError::TooLarge { path: display(&real), size: metadata.len() });
        }
        let mut content = Vec::new();
        let file = fs::File::open(&real).map_err(failed)?;
        file.take(MAXIMUM_FILE_SIZE + 1).read_to_end(&mut content).map_err(failed)?;
        let size = u64::try_from(content.len()).unwrap_or(u64::MAX);
        if size > MAXIMUM_FILE_SIZE {
            return Err(SourceError::TooLarge { path: display(&real), size });
        }
        Ok(content)
    }

    /// The path of the file below its root as the root was given, relative to the current directory if it is
    /// inside, so that a terminal can open it.
    fn display_path(&self, path: &str) -> String {
        let Some(real) = self.locate(path) else { return path.to_owned() };
        let real = match env::current_dir() {
            Ok(current) => real.strip_prefix(current).map(Path::to_path_buf).unwrap_or(real),
            Err(_) => real,
        };
        let plain: PathBuf = real.components().filter(|part| !matches!(part, Component::CurDir)).collect();
        display(&plain).replace(MAIN_SEPARATOR, "/")
    }
}

/// The files and folders below the roots.
#[derive(Default)]
struct Listing {
    files: BTreeMap<String, PathBuf>,
    folders: Vec<PathBuf>,
}

impl Listing {
    /// Adds a folder; `ancestors` are the real paths of the folders around it.
    fn enter(
        &mut self,
        folder: &Path,
        prefix: &str,
        ancestors: &mut Vec<PathBuf>,
    ) -> Result<(), SourceError> {
        let failed = |source| SourceError::Io { path: display(folder), source };
        let real = fs::canonicalize(folder).map_err(failed)?;
        if ancestors.contains(&real) || ancestors.len() > MAX_FOLDER_DEPTH {
            return Err(SourceError::SymlinkLoop { path: display(folder) });
        }
        ancestors.push(real);
        self.folders.push(folder.to_path_buf());
        for entry in fs::read_dir(folder).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            let Some(name) = path.file_name() else { continue };
            let Some(name) = name.to_str() else {
                if path.extension().is_some_and(|extension| extension == "kaa") || path.is_dir() {
                    return Err(SourceError::NotUnicode { path: display(&path) });
                }
                continue;
            };
            let relative = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
            if name.ends_with(".kaa") {
                if let Some(first) = self.files.insert(relative, path.clone()) {
                    return Err(SourceError::Duplicate { first: display(&first), second: display(&path) });
                }
            } else if path.is_dir() && !name.starts_with('.') {
                self.enter(&path, &relative, ancestors)?;
            }
        }
        ancestors.pop();
        Ok(())
    }
}

/// The maximum depth of a tree of packages. It also ends loops that real paths do not reveal.
const MAX_FOLDER_DEPTH: usize = 64;

fn display(path: &Path) -> String {
    path.display().to_string()
}
