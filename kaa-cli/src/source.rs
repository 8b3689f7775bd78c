//! Reads the files of a [`Project`]. Standard input may replace one of them, for editors.
//!
//! Invariants: displayed paths are relative to the current folder.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use kaa_idl::{DiskSource, FileSource, MAXIMUM_FILE_SIZE, SourceError};

use crate::failure::Failure;
use crate::options::Targets;
use crate::paths::display_path;
use crate::project::{Project, project_of_file, project_of_roots};

/// The files of a project.
#[derive(Debug)]
pub(crate) struct ProjectSource {
    disk: DiskSource,
    roots: Vec<PathBuf>,
    overlay: Option<Overlay>,
}

/// A file with a text that is not on disk.
#[derive(Debug)]
struct Overlay {
    path: String,
    display_path: String,
    content: Vec<u8>,
}

impl ProjectSource {
    /// The files on disk.
    pub(crate) fn new(project: &Project) -> Self {
        Self { disk: DiskSource::new(&project.roots), roots: project.roots.clone(), overlay: None }
    }

    /// Standard input in place of the file at `path`, with the rest of its schema; without a path, standard
    /// input only.
    pub(crate) fn with_input(path: Option<&Path>, roots: &[PathBuf]) -> Result<(Self, Project), Failure> {
        let content = input()?;
        let Some(path) = path else {
            let text = String::from_utf8_lossy(&content);
            let (file, _) = kaa_idl::parse("", &text);
            let package = file.package.map(|line| kaa_idl::ast::dotted(&line.segments).replace('.', "/"));
            let path = format!("{}.kaa", package.unwrap_or_else(|| "stdin".to_owned()));
            let project = Project { roots: Vec::new(), selection: Vec::new() };
            let overlay = Overlay { path, display_path: "<stdin>".to_owned(), content };
            return Ok((Self::with_overlay(&project, overlay), project));
        };
        let mut project = match roots.is_empty() {
            true => project_of_file(path)?,
            false => project_of_roots(roots, &[path.to_path_buf()])?,
        };
        project.roots.retain(|root| root.is_dir());
        let Some(place) = project.selection.first().cloned() else {
            return Err(Failure::argument(format!("`{}` is not a .kaa file", path.display()), ""));
        };
        let overlay = Overlay { path: place, display_path: path.display().to_string(), content };
        Ok((Self::with_overlay(&project, overlay), project))
    }

    fn with_overlay(project: &Project, overlay: Overlay) -> Self {
        Self { overlay: Some(overlay), ..Self::new(project) }
    }

    /// The path of the file that standard input replaces, if it does.
    pub(crate) fn input_path(&self) -> Option<&str> {
        self.overlay.as_ref().map(|overlay| overlay.path.as_str())
    }

    /// The path of a file on disk; `None` if it is not on disk.
    pub(crate) fn locate(&self, path: &str) -> Option<PathBuf> {
        let mut candidates = self.roots.iter().map(|root| root.join(path));
        candidates.find(|candidate| candidate.symlink_metadata().is_ok())
    }
}

impl FileSource for ProjectSource {
    fn files(&self) -> Result<Vec<String>, SourceError> {
        let mut files = self.disk.files()?;
        if let Some(overlay) = &self.overlay
            && let Err(place) = files.binary_search(&overlay.path)
        {
            files.insert(place, overlay.path.clone());
        }
        Ok(files)
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        match &self.overlay {
            Some(overlay) if overlay.path == path => {
                let size = u64::try_from(overlay.content.len()).unwrap_or(u64::MAX);
                if size > MAXIMUM_FILE_SIZE {
                    return Err(SourceError::TooLarge { path: overlay.display_path.clone(), size });
                }
                Ok(overlay.content.clone())
            }
            _ => self.disk.read(path),
        }
    }

    fn display_path(&self, path: &str) -> String {
        match &self.overlay {
            Some(overlay) if overlay.path == path => overlay.display_path.clone(),
            _ => self.locate(path).map_or_else(|| path.to_owned(), |real| display_path(&real)),
        }
    }
}

/// The selected schemas. One of them may have standard input in place of a file.
pub(crate) fn sources(
    targets: &Targets,
    stdin_path: Option<&Path>,
) -> Result<Vec<(ProjectSource, Project)>, Failure> {
    let from_input = targets.paths.iter().any(|path| path.as_os_str() == "-");
    if from_input && targets.paths.len() > 1 {
        return Err(Failure::argument("`-` cannot be combined with other paths", "use two runs"));
    }
    if !from_input && stdin_path.is_some() {
        let help = "use `-` as the path to read standard input";
        return Err(Failure::argument("--stdin-path requires the path `-`", help));
    }
    if from_input {
        return Ok(vec![ProjectSource::with_input(stdin_path, &targets.roots)?]);
    }
    let projects = targets.projects()?;
    Ok(projects.into_iter().map(|project| (ProjectSource::new(&project), project)).collect())
}

/// Reads standard input, up to one byte more than the maximum size of a file.
fn input() -> Result<Vec<u8>, Failure> {
    let mut content = Vec::new();
    let bounded = io::stdin().lock().take(MAXIMUM_FILE_SIZE + 1).read_to_end(&mut content);
    bounded.map_err(Failure::Input)?;
    Ok(content)
}
