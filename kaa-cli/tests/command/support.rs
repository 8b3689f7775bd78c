//! A temporary folder of files, and runs of the command in it.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// The environment variables that affect the command.
pub(crate) const VARIABLES: [&str; 6] =
    ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "GIT_DIR", "GIT_WORK_TREE"];

/// The result of a run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// A temporary folder.
pub(crate) struct Folder {
    folder: TempDir,
}

impl Folder {
    pub(crate) fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let folder = Self { folder: tempfile::tempdir().expect("a folder") };
        for (path, text) in files {
            folder.write(path, text);
        }
        folder
    }

    /// A package with a schema without errors.
    pub(crate) fn package() -> Self {
        Self::new([
            ("Cargo.toml", "[package]"),
            ("kaa/tv/epg.kaa", "package tv.epg;\n\nstruct Program { id: u64 }\n"),
        ])
    }

    pub(crate) fn path(&self) -> PathBuf {
        fs::canonicalize(self.folder.path()).expect("the folder")
    }

    pub(crate) fn join(&self, path: impl AsRef<Path>) -> PathBuf {
        self.path().join(path)
    }

    pub(crate) fn write(&self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) {
        let path = self.join(path);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is created");
        fs::write(path, text).expect("the file is written");
    }

    pub(crate) fn read(&self, path: impl AsRef<Path>) -> String {
        fs::read_to_string(self.join(path)).expect("the file is there")
    }

    /// Runs the command in this folder.
    pub(crate) fn kaa<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Run {
        run(&mut command(&self.path(), arguments), b"")
    }
}

/// The command with arguments, in a folder.
pub(crate) fn command<A: AsRef<OsStr>>(folder: &Path, arguments: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kaa"));
    command.current_dir(folder).args(arguments);
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    command
}

/// Runs a command with a text as its standard input.
pub(crate) fn run(command: &mut Command, input: &[u8]) -> Run {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    // A command that does not read its input may have exited already.
    let _ = child.stdin.take().expect("its input").write_all(input);
    let output = child.wait_with_output().expect("the command exits");
    Run {
        code: output.status.code().expect("an exit code"),
        stdout: String::from_utf8(output.stdout).expect("text"),
        stderr: String::from_utf8(output.stderr).expect("text"),
    }
}

impl Run {
    /// The JSON document on standard output.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The codes of the diagnostics in the JSON document.
    pub(crate) fn codes(&self) -> Vec<String> {
        let document = self.json();
        let diagnostics = document.get("diagnostics").and_then(|list| list.as_array()).expect("a list");
        let code = |each: &serde_json::Value| Some(each.get("code")?.as_str()?.to_owned());
        diagnostics.iter().map(|each| code(each).expect("a code")).collect()
    }
}
