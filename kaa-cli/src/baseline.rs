//! The baseline that `kaa breaking` compares a schema with: a git reference, another folder, or frozen
//! schemas.
//!
//! Invariants: the prefixes `git:` and `path:` are unambiguous; a name without a prefix is a path if that
//! path exists, else a git reference.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use kaa_idl::frozen::FrozenSource;
use kaa_idl::{Compilation, compile};
use kaa_rpc_build::read_frozen;

use crate::failure::Failure;
use crate::git::{GitError, GitSource};
use crate::options::Target;
use crate::paths::{absolute, display_path};
use crate::project::Project;
use crate::source::ProjectSource;

/// The value of `--against`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Baseline {
    /// A git reference, and optionally another folder of the repository.
    Git { reference: String, folder: Option<String> },
    /// A file or folder.
    Path(PathBuf),
}

impl FromStr for Baseline {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let git = |text: &str| match text.split_once(':') {
            Some((reference, folder)) => {
                Self::Git { reference: reference.to_owned(), folder: Some(folder.to_owned()) }
            }
            None => Self::Git { reference: text.to_owned(), folder: None },
        };
        match text.split_once(':') {
            _ if text.is_empty() => Err("expected a git reference, a folder or a frozen schema".to_owned()),
            Some(("git", reference)) => Ok(git(reference)),
            Some(("path", path)) => Ok(Self::Path(PathBuf::from(path))),
            _ if Path::new(text).symlink_metadata().is_ok() => Ok(Self::Path(PathBuf::from(text))),
            _ => Ok(git(text)),
        }
    }
}

/// An older version of a schema.
#[derive(Debug)]
pub(crate) struct Generation {
    /// The git reference, folder or frozen schema; reports show it after the paths of the files.
    pub(crate) revision: String,
    pub(crate) compilation: Compilation,
    /// Whether it is the newest frozen schema.
    pub(crate) is_newest_frozen: bool,
}

impl Baseline {
    /// The older versions of a project's schema, newest first; `None` if the schema did not exist.
    pub(crate) fn generations(&self, project: &Project) -> Result<Option<Vec<Generation>>, Failure> {
        match self {
            Self::Git { reference, folder } => {
                let source = match GitSource::read(&project.roots, reference, folder.as_deref()) {
                    Ok(source) => source,
                    Err(GitError::MissingFolder { .. }) if folder.is_none() => return Ok(None),
                    Err(error) => return Err(Failure::Git(error)),
                };
                Ok(Some(vec![Generation::new(reference.clone(), compile(&source))]))
            }
            Self::Path(path) => load(path).map(Some),
        }
    }
}

impl Generation {
    fn new(revision: String, compilation: Compilation) -> Self {
        Self { revision, compilation, is_newest_frozen: false }
    }
}

/// Loads the frozen schemas in a folder or file, or the schema of a folder.
fn load(path: &Path) -> Result<Vec<Generation>, Failure> {
    let metadata = fs::metadata(path).map_err(Failure::io("read", path))?;
    if metadata.is_dir() {
        let history = read_frozen(path).map_err(Failure::Build)?;
        if history.newest().is_some() {
            let mut generations: Vec<Generation> =
                history.revisions().iter().rev().map(|frozen| load_frozen(&frozen.source)).collect();
            if let Some(newest) = generations.first_mut() {
                newest.is_newest_frozen = true;
            }
            return Ok(generations);
        }
        let target = Target { path: Some(path.to_path_buf()), roots: Vec::new() };
        let compilation = compile(&ProjectSource::new(&target.project()?));
        return Ok(vec![Generation::new(
            display_path(&absolute(path).map_err(Failure::io("find", path))?),
            compilation,
        )]);
    }
    let text = fs::read(path).map_err(Failure::io("read", path))?;
    let source = FrozenSource::read(&String::from_utf8_lossy(&text)).map_err(|error| {
        let help = "compare with a folder of .kaa files, or with a file that `kaa freeze` wrote";
        Failure::argument(format!("cannot compare with `{}`: {error}", path.display()), help)
    })?;
    Ok(vec![Generation { is_newest_frozen: true, ..load_frozen(&source) }])
}

fn load_frozen(source: &FrozenSource) -> Generation {
    Generation::new(source.revision(), compile(source))
}
