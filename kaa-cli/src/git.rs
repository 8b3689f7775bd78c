//! Reads a schema at a git reference. Only this file runs the program `git`.
//!
//! Invariants: nothing is checked out, and the repository does not change; error messages of git are passed on to the user.

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use kaa_idl::{FileSource, MemorySource, SourceError};

use crate::paths::display_path;

/// The `.kaa` files of some folders at a reference.
#[derive(Debug)]
pub(crate) struct GitSource {
    files: MemorySource,
    /// The first folder, for displayed paths.
    folder: PathBuf,
}

/// Why a schema could not be read.
#[derive(Debug)]
pub(crate) enum GitError {
    /// The program `git` is not installed.
    NotInstalled,
    /// Git could not be run.
    Io(io::Error),
    /// The folder is not in a repository.
    NoRepository { folder: PathBuf },
    /// The repository has no such commit.
    UnknownReference {
        reference: String,
        /// Whether the repository is a shallow clone.
        shallow: bool,
    },
    /// The commit has no such folder.
    MissingFolder { folder: String, reference: String },
    /// The name of a file is not Unicode, or has a line break.
    InvalidName { path: String },
    /// A link does not lead to a file of the repository.
    NotAFile { path: String },
    /// Git failed.
    Failed { stderr: String },
}

impl GitError {
    /// What to do, if that is known.
    pub(crate) fn help(&self) -> Option<String> {
        match self {
            Self::NotInstalled => Some("install git, or compare with a folder or a frozen schema".to_owned()),
            Self::NoRepository { .. } => Some("compare with a folder or a frozen schema".to_owned()),
            Self::UnknownReference { reference, shallow: true } => Some(format!(
                "this is a shallow clone, which only has the newest commits; run \
                 `git fetch --depth 1 origin {reference}`, or let CI fetch the whole history"
            )),
            Self::UnknownReference { reference, .. } => Some(format!(
                "name a commit, as `git rev-parse {reference}` would; write `path:{reference}` for a folder"
            )),
            Self::MissingFolder { reference, .. } => Some(format!(
                "if the schema was in another folder, name it: `--against git:{reference}:path/in/repository`"
            )),
            _ => None,
        }
    }
}

impl fmt::Display for GitError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInstalled => formatter.write_str("the program `git` is not installed"),
            Self::Io(source) => write!(formatter, "cannot run git: {source}"),
            Self::NoRepository { folder } => {
                write!(formatter, "`{}` is not in a git repository", folder.display())
            }
            Self::UnknownReference { reference, .. } => {
                write!(formatter, "there is no commit `{reference}` in the repository")
            }
            Self::MissingFolder { folder, reference } => {
                write!(formatter, "the folder `{folder}` did not exist at `{reference}`")
            }
            Self::InvalidName { path } => {
                write!(formatter, "the name of `{path}` is not Unicode, or has a line break")
            }
            Self::NotAFile { path } => {
                write!(formatter, "`{path}` is a link that does not lead to a file of the repository")
            }
            Self::Failed { stderr } => write!(formatter, "git failed: {}", stderr.trim_end()),
        }
    }
}

impl Error for GitError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io(source) => Some(source),
            _ => None,
        }
    }
}

impl GitSource {
    /// Reads folders of a repository at a reference, or `other` in place of each folder.
    pub(crate) fn read(folders: &[PathBuf], reference: &str, other: Option<&str>) -> Result<Self, GitError> {
        let mut files = BTreeMap::new();
        for folder in folders.iter().rev() {
            files.extend(read_folder(folder, reference, other)?);
        }
        let folder = folders.first().cloned().unwrap_or_default();
        Ok(Self { files: MemorySource::new(files), folder })
    }
}

impl FileSource for GitSource {
    fn files(&self) -> Result<Vec<String>, SourceError> {
        self.files.files()
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        self.files.read(path)
    }

    fn display_path(&self, path: &str) -> String {
        display_path(&self.folder.join(path))
    }
}

/// The files of a folder, or of `other` in its repository, by path.
fn read_folder(
    folder: &Path,
    reference: &str,
    other: Option<&str>,
) -> Result<BTreeMap<String, Vec<u8>>, GitError> {
    let output = git(folder, ["rev-parse".as_ref(), "--show-prefix".as_ref()])?;
    if !output.succeeded && output.stderr.contains("not a git repository") {
        return Err(GitError::NoRepository { folder: folder.to_path_buf() });
    }
    let prefix = output.success()?;
    let prefix = prefix.strip_suffix(b"\n").unwrap_or(&prefix);
    let prefix = other.map_or_else(|| OsStr::from_bytes(prefix).to_owned(), OsString::from);
    let commit = commit(folder, reference)?;
    let tree = tree(folder, &commit, reference, &prefix)?;
    let listing =
        git(folder, ["ls-tree", "-r", "-z", "--full-tree", tree.as_str()].map(OsStr::new))?.success()?;
    let mut object = OsString::from(format!("{commit}:"));
    object.push(&prefix);
    if !object.as_bytes().ends_with(b":") && !object.as_bytes().ends_with(b"/") {
        object.push("/");
    }
    contents(folder, &object, entries(&listing)?)
}

/// The commit that a reference names.
fn commit(folder: &Path, reference: &str) -> Result<String, GitError> {
    // Git would take a reference that starts with `-` for an option.
    if !reference.starts_with('-') && !reference.is_empty() {
        let wanted = format!("{reference}^{{commit}}");
        let output = git(folder, ["rev-parse", "--verify", "--quiet", wanted.as_str()].map(OsStr::new))?;
        if output.succeeded {
            return Ok(output.line());
        }
    }
    let shallow = git(folder, ["rev-parse", "--is-shallow-repository"].map(OsStr::new))?.success()?;
    let shallow = shallow.starts_with(b"true");
    Err(GitError::UnknownReference { reference: reference.to_owned(), shallow })
}

/// The tree object of a folder in a commit.
fn tree(folder: &Path, commit: &str, reference: &str, prefix: &OsStr) -> Result<String, GitError> {
    let inside = prefix.as_bytes().strip_suffix(b"/").unwrap_or(prefix.as_bytes());
    let mut wanted = OsString::from(commit);
    wanted.push(":");
    wanted.push(OsStr::from_bytes(inside));
    let arguments = ["rev-parse".as_ref(), "--verify".as_ref(), "--quiet".as_ref(), wanted.as_os_str()];
    let output = git(folder, arguments)?;
    if output.succeeded {
        return Ok(output.line());
    }
    let folder = String::from_utf8_lossy(inside).into_owned();
    Err(GitError::MissingFolder { folder, reference: reference.to_owned() })
}

/// The paths of the `.kaa` files in the listing of a tree, without hidden folders, as in a folder on disk.
fn entries(listing: &[u8]) -> Result<Vec<String>, GitError> {
    let mut entries = Vec::new();
    for line in listing.split(|byte| *byte == 0) {
        let mut halves = line.splitn(2, |byte| *byte == b'\t');
        let (Some(head), Some(path)) = (halves.next(), halves.next()) else { continue };
        let is_file = head.split(|byte| *byte == b' ').nth(1) == Some(b"blob");
        let mut folders = path.split(|byte| *byte == b'/').rev().skip(1);
        if !is_file || !path.ends_with(b".kaa") || folders.any(|folder| folder.starts_with(b".")) {
            continue;
        }
        let invalid = || GitError::InvalidName { path: String::from_utf8_lossy(path).into_owned() };
        let path = String::from_utf8(path.to_vec()).map_err(|_| invalid())?;
        // `git cat-file --batch` reads one path per line.
        if path.contains('\n') {
            return Err(invalid());
        }
        entries.push(path);
    }
    Ok(entries)
}

/// The contents of files, through links; `object` is git's name of the tree that contains the paths.
fn contents(
    folder: &Path,
    object: &OsStr,
    paths: Vec<String>,
) -> Result<BTreeMap<String, Vec<u8>>, GitError> {
    let mut child = command(folder, ["cat-file", "--batch", "--follow-symlinks"].map(OsStr::new))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(spawn_error)?;
    let mut input = child.stdin.take();
    // A thread writes the paths: git writes output before it has read all paths, so both pipes could fill up.
    let output = thread::scope(|scope| {
        scope.spawn(|| {
            for path in &paths {
                let line = [object.as_bytes(), path.as_bytes(), b"\n"].concat();
                let written = input.as_mut().map(|input| input.write_all(&line));
                if !matches!(written, Some(Ok(()))) {
                    break;
                }
            }
            drop(input.take());
        });
        child.wait_with_output()
    });
    let output = output.map_err(spawn_error)?;
    if !output.status.success() {
        return Err(GitError::Failed { stderr: String::from_utf8_lossy(&output.stderr).into_owned() });
    }
    let mut rest = output.stdout.as_slice();
    let mut files = BTreeMap::new();
    for path in paths {
        let Some((content, after)) = content(rest) else { return Err(GitError::NotAFile { path }) };
        files.insert(path, content.to_vec());
        rest = after;
    }
    Ok(files)
}

/// Splits the first file off the output of git: `<object> blob <size>`, a line break, the bytes, a line
/// break. `None` if the object is not a file.
fn content(output: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = output.iter().position(|byte| *byte == b'\n')?;
    let (head, body) = output.split_at_checked(end)?;
    let head = String::from_utf8_lossy(head);
    let (kind, size) = head.rsplit_once(' ')?;
    kind.ends_with(" blob").then_some(())?;
    let (content, rest) = body.get(1..)?.split_at_checked(size.parse().ok()?)?;
    Some((content, rest.get(1..)?))
}

/// The result of a run of git.
struct GitOutput {
    succeeded: bool,
    stdout: Vec<u8>,
    stderr: String,
}

impl GitOutput {
    /// The standard output, or an error if git failed.
    fn success(self) -> Result<Vec<u8>, GitError> {
        if self.succeeded { Ok(self.stdout) } else { Err(GitError::Failed { stderr: self.stderr }) }
    }

    /// The standard output as text without the line break.
    fn line(&self) -> String {
        String::from_utf8_lossy(&self.stdout).trim().to_owned()
    }
}

/// Runs git in a folder.
fn git<'a>(folder: &Path, arguments: impl IntoIterator<Item = &'a OsStr>) -> Result<GitOutput, GitError> {
    let output = command(folder, arguments).stdin(Stdio::null()).output().map_err(spawn_error)?;
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok(GitOutput { succeeded: output.status.success(), stdout: output.stdout, stderr })
}

fn command<'a>(folder: &Path, arguments: impl IntoIterator<Item = &'a OsStr>) -> Command {
    let mut command = Command::new("git");
    command.args(arguments).current_dir(folder).env("LC_ALL", "C");
    // In a git hook these variables may be relative to the current folder, but git runs in another folder
    // here.
    if let (Some(repository), Ok(current)) = (env::var_os("GIT_DIR"), env::current_dir()) {
        command.env("GIT_DIR", current.join(repository));
        let tree = env::var_os("GIT_WORK_TREE").map_or_else(|| current.clone(), |tree| current.join(tree));
        command.env("GIT_WORK_TREE", tree);
    }
    command
}

fn spawn_error(error: io::Error) -> GitError {
    match error.kind() {
        io::ErrorKind::NotFound => GitError::NotInstalled,
        _ => GitError::Io(error),
    }
}
