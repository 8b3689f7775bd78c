//! Finds the schemas, and the selected files in them, for the paths on the command line.
//!
//! As for the build script, the schema of a package is the folder `kaa` beside its `Cargo.toml`. Outside of
//! packages, the `package` lines of the files determine the root folder of the schema.
//!
//! Invariants: every path is absolute; no schema is returned twice; the search for packages follows no
//! symbolic links.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use kaa_idl::{DiskSource, FileSource};

use crate::failure::Failure;
use crate::options::{Target, Targets};
use crate::paths::{absolute, display_path, relative};

/// The folder of a package's schema.
const SCHEMA_FOLDER: &str = "kaa";

/// The maximum depth of the search for packages.
const MAX_DEPTH: usize = 32;

/// A schema on disk, with the selected files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Project {
    /// The root folders of the schema.
    pub(crate) roots: Vec<PathBuf>,
    /// The selected files and folders, relative to a root and separated by `/`; empty for the whole schema.
    pub(crate) selection: Vec<String>,
}

impl Project {
    fn whole(root: PathBuf) -> Self {
        Self { roots: vec![root], selection: Vec::new() }
    }

    /// The files of a schema below a path; the whole schema if the path is its root.
    fn part(root: PathBuf, path: &Path) -> Result<Self, Failure> {
        let selection = relative(&root, path).ok_or_else(|| {
            Failure::argument(format!("the name of `{}` is not Unicode", path.display()), "rename it")
        })?;
        let selection = if selection.is_empty() { Vec::new() } else { vec![selection] };
        Ok(Self { roots: vec![root], selection })
    }

    /// Whether a file of the schema is selected.
    pub(crate) fn selects(&self, path: &str) -> bool {
        let below = |folder: &String| {
            path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.selection.is_empty() || self.selection.iter().any(below)
    }
}

impl Targets {
    /// The selected schemas, in the order of the arguments.
    pub(crate) fn projects(&self) -> Result<Vec<Project>, Failure> {
        if !self.roots.is_empty() {
            return Ok(vec![project_of_roots(&self.roots, &self.paths)?]);
        }
        let mut projects: Vec<Project> = Vec::new();
        let found = match self.paths.is_empty() {
            true => projects_around(&current()?)?,
            false => {
                let each: Result<Vec<_>, _> = self.paths.iter().map(|path| projects_at(path)).collect();
                each?.into_iter().flatten().collect()
            }
        };
        for project in found {
            match projects.iter_mut().find(|known| known.roots == project.roots) {
                Some(known) if known.selection.is_empty() || project.selection.is_empty() => {
                    known.selection.clear();
                }
                Some(known) => known.selection.extend(project.selection),
                None => projects.push(project),
            }
        }
        Ok(projects)
    }
}

impl Target {
    /// The selected schema, with all its files.
    pub(crate) fn project(&self) -> Result<Project, Failure> {
        let targets = Targets { paths: self.path.iter().cloned().collect(), roots: self.roots.clone() };
        let mut projects = targets.projects()?;
        match (projects.pop(), projects.first()) {
            (Some(project), None) => Ok(Project { selection: Vec::new(), ..project }),
            (Some(last), Some(first)) => {
                let root = |project: &Project| {
                    project.roots.iter().map(|root| display_path(root)).collect::<String>()
                };
                Err(Failure::argument(
                    format!("there are {} schemas here", projects.len() + 1),
                    format!("name one of them, such as `{}` or `{}`", root(first), root(&last)),
                ))
            }
            (None, _) => Err(no_files(&current()?)),
        }
    }
}

/// The schema with these root folders, and the selected paths in it.
pub(crate) fn project_of_roots(folders: &[PathBuf], paths: &[PathBuf]) -> Result<Project, Failure> {
    let mut roots = Vec::new();
    for root in folders {
        if !root.is_dir() {
            return Err(Failure::argument(format!("there is no folder `{}`", root.display()), ""));
        }
        roots.push(absolute(root).map_err(Failure::io("find", root))?);
    }
    let mut selection = Vec::new();
    for path in paths {
        let place = absolute(path).map_err(Failure::io("find", path))?;
        let Some(relative) = roots.iter().find_map(|root| relative(root, &place)) else {
            let message = format!("`{}` is not in any folder given with --root", path.display());
            return Err(Failure::argument(message, ""));
        };
        selection.push(relative);
    }
    selection.retain(|path| !path.is_empty());
    Ok(Project { roots, selection })
}

/// The schema of a file, which may not exist.
pub(crate) fn project_of_file(path: &Path) -> Result<Project, Failure> {
    let path = absolute(path).map_err(Failure::io("find", path))?;
    let root = root_of_file(&path);
    Project::part(root, &path)
}

/// The schemas that a path selects.
fn projects_at(path: &Path) -> Result<Vec<Project>, Failure> {
    let absolute = absolute(path).map_err(Failure::io("find", path))?;
    let metadata = fs::metadata(&absolute).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            Failure::argument(format!("there is no file or folder `{}`", path.display()), "")
        }
        _ => Failure::io("read", path)(error),
    })?;
    let is_schema_file = absolute.extension() == Some(OsStr::new("kaa"));
    match (metadata.is_dir(), is_schema_file) {
        (true, false) => projects_of_folder(&absolute),
        (_, true) => Ok(vec![project_of_file(&absolute)?]),
        (false, false) => Err(Failure::argument(
            format!("`{}` is not a .kaa file", path.display()),
            "name a .kaa file, a folder of them, or a package",
        )),
    }
}

fn projects_of_folder(folder: &Path) -> Result<Vec<Project>, Failure> {
    if let Some(root) = folder.ancestors().find(|above| is_root(above)) {
        return Ok(vec![Project::part(root.to_path_buf(), folder)?]);
    }
    if let Some(projects) = projects_of_package(folder)? {
        return Ok(projects);
    }
    let packages = projects_below(folder)?;
    if !packages.is_empty() {
        return Ok(packages);
    }
    project_of_files(folder)?.ok_or_else(|| no_files(folder)).map(|project| vec![project])
}

/// The schemas of the nearest package with a schema, or of the nearest workspace, that contains a folder.
fn projects_around(folder: &Path) -> Result<Vec<Project>, Failure> {
    for above in folder.ancestors() {
        if is_root(above) {
            return Ok(vec![Project::whole(above.to_path_buf())]);
        }
        if let Some(projects) = projects_of_package(above)? {
            return Ok(projects);
        }
        if above == folder
            && let Some(project) = project_in_place(folder)?
        {
            return Ok(vec![Project { selection: Vec::new(), ..project }]);
        }
    }
    Err(no_files(folder))
}

/// The schemas of a package or workspace; `None` if the folder is neither, or has no schemas.
fn projects_of_package(folder: &Path) -> Result<Option<Vec<Project>>, Failure> {
    let manifest = folder.join("Cargo.toml");
    if !manifest.is_file() {
        return Ok(None);
    }
    let text = fs::read(&manifest).map_err(Failure::io("read", &manifest))?;
    let text = String::from_utf8_lossy(&text);
    let mut lines = text.lines().map(str::trim);
    if lines.any(|line| line.starts_with("[workspace]") || line.starts_with("[workspace.")) {
        let projects = projects_below(folder)?;
        return Ok((!projects.is_empty()).then_some(projects));
    }
    let root = folder.join(SCHEMA_FOLDER);
    Ok(root.is_dir().then(|| vec![Project::whole(root)]))
}

/// The schema in a folder outside of packages: its folder `kaa`, or the folder itself if it has `.kaa` files.
fn project_in_place(folder: &Path) -> Result<Option<Project>, Failure> {
    let own = folder.join(SCHEMA_FOLDER);
    if own.is_dir()
        && let Some(project) = project_of_files(&own)?
    {
        return Ok(Some(project));
    }
    let entries = fs::read_dir(folder).map_err(Failure::io("read", folder))?;
    let mut names = entries.filter_map(|entry| Some(entry.ok()?.path()));
    if names.any(|path| path.extension() == Some(OsStr::new("kaa"))) {
        project_of_files(folder)
    } else {
        Ok(None)
    }
}

/// The schema of a folder of `.kaa` files. Its root is the folder or, depending on the `package` lines, a
/// parent of the folder. `None` if there are no files.
fn project_of_files(folder: &Path) -> Result<Option<Project>, Failure> {
    let files = match DiskSource::new([folder]).files() {
        Ok(files) => files,
        // The compiler reports why the files cannot be listed.
        Err(_) => return Ok(Some(Project::whole(folder.to_path_buf()))),
    };
    let Some(first) = files.first() else { return Ok(None) };
    let root = root_of_file(&folder.join(first));
    if folder.starts_with(&root) {
        return Project::part(root, folder).map(Some);
    }
    Ok(Some(Project::whole(folder.to_path_buf())))
}

/// The schemas of all packages below a folder.
fn projects_below(folder: &Path) -> Result<Vec<Project>, Failure> {
    let mut projects = Vec::new();
    let mut open = vec![(folder.to_path_buf(), 0)];
    while let Some((folder, depth)) = open.pop() {
        let root = folder.join(SCHEMA_FOLDER);
        if is_root(&root) {
            projects.push(Project::whole(root.clone()));
        }
        let entries = match fs::read_dir(&folder) {
            Err(error) if depth > 0 && error.kind() == io::ErrorKind::PermissionDenied => continue,
            other => other.map_err(Failure::io("read", &folder))?,
        };
        for entry in entries {
            let entry = entry.map_err(Failure::io("read", &folder))?;
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if is_folder && depth < MAX_DEPTH && entry.path() != root && is_searched(&entry.path()) {
                open.push((entry.path(), depth + 1));
            }
        }
    }
    projects.sort_by(|left, right| left.roots.cmp(&right.roots));
    Ok(projects)
}

/// Whether to search a folder for packages. Hidden folders and folders of build output are skipped.
fn is_searched(folder: &Path) -> bool {
    let name = folder.file_name().unwrap_or_default();
    let hidden = name.as_encoded_bytes().starts_with(b".");
    !hidden && name != "target" && name != "node_modules" && !folder.join("CACHEDIR.TAG").exists()
}

/// Whether a folder is the schema folder of a package.
fn is_root(folder: &Path) -> bool {
    folder.file_name() == Some(OsStr::new(SCHEMA_FOLDER))
        && folder.parent().is_some_and(|package| package.join("Cargo.toml").is_file())
        && folder.is_dir()
}

/// The root folder of a file's schema.
fn root_of_file(path: &Path) -> PathBuf {
    let folder = path.parent().unwrap_or(path);
    if let Some(root) = folder.ancestors().find(|above| is_root(above)) {
        return root.to_path_buf();
    }
    package_line(path)
        .and_then(|package| root_of_package(path, &package))
        .unwrap_or_else(|| folder.to_path_buf())
}

/// The segments of the package name in a file's `package` line.
fn package_line(path: &Path) -> Option<Vec<String>> {
    let name = path.file_name()?.to_str()?;
    let content = DiskSource::new([path.parent()?]).read(name).ok()?;
    let (file, _) = kaa_idl::parse(name, &String::from_utf8(content).ok()?);
    Some(file.package?.segments.into_iter().map(|segment| segment.text).collect())
}

/// The root folder for a file and its package: `tv.epg` is in `tv/epg.kaa` or in files in `tv/epg/`.
fn root_of_package(path: &Path, package: &[String]) -> Option<PathBuf> {
    let without = |path: &Path, names: &[String]| {
        let mut folder = path.to_path_buf();
        for name in names.iter().rev() {
            if folder.file_name() != Some(OsStr::new(name)) {
                return None;
            }
            folder.pop();
        }
        Some(folder)
    };
    without(&path.with_extension(""), package).or_else(|| without(path.parent()?, package))
}

fn current() -> Result<PathBuf, Failure> {
    env::current_dir().map_err(Failure::io("find", "."))
}

fn no_files(folder: &Path) -> Failure {
    Failure::argument(
        format!("there are no .kaa files in `{}`", folder.display()),
        "put them into the folder `kaa` beside Cargo.toml, or name their folder",
    )
}
