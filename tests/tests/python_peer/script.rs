//! Python programs as child processes, whose output is read line by line.
//!
//! Invariant: without Python these tests pass and print that they were skipped, unless `KAA_REQUIRE_PYTHON` is set.

use std::path::Path;
use std::process::Stdio;

use kaa_rpc_tests::fixture::{TestResult, within};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// The secret of [`kaa_rpc_tests::fixture::secret`], as an argument.
pub(crate) const SECRET: &str = "the choir sings at eight o'clock";

/// A running program, which is killed when this is dropped.
pub(crate) struct Script {
    name: String,
    process: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

/// Whether Python is installed.
///
/// # Errors
/// It is not installed, and `KAA_REQUIRE_PYTHON` is set.
pub(crate) async fn python() -> TestResult<bool> {
    let check = Command::new("python3")
        .args(["-c", "import sys; sys.exit(sys.version_info < (3, 11))"])
        .stderr(Stdio::null())
        .status();
    if within("python3 to print its version", check).await.is_ok_and(|status| status.success()) {
        return Ok(true);
    }
    if std::env::var_os("KAA_REQUIRE_PYTHON").is_some() {
        return Err("KAA_REQUIRE_PYTHON is set, and python3 3.11 or later is not installed".into());
    }
    eprintln!("skipped: python3 3.11 or later is not installed");
    Ok(false)
}

impl Script {
    /// Starts a program of the directory `python`.
    pub(crate) fn start(name: &str, arguments: &[&str]) -> TestResult<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("python");
        let mut process = Command::new("python3")
            .arg("-B") // writes no bytecode next to the sources
            .arg(folder.join(name))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = process.stdout.take().ok_or("the program has no output")?;
        let (input, output) = (process.stdin.take(), BufReader::new(output).lines());
        Ok(Self { name: name.to_owned(), input, output, process })
    }

    async fn next_line(&mut self) -> TestResult<Option<String>> {
        let awaited = format!("{} to print a line or to end", self.name);
        Ok(within(&awaited, self.output.next_line()).await?)
    }

    /// The next line that it prints.
    pub(crate) async fn line(&mut self) -> TestResult<String> {
        let line = self.next_line().await?;
        Ok(line.ok_or_else(|| format!("{} ended before the expected line", self.name))?)
    }

    /// Resumes a program that waits for the test.
    pub(crate) async fn resume(&mut self) -> TestResult {
        self.input.as_mut().ok_or("the program has no input")?.write_all(b"\n").await?;
        Ok(())
    }

    /// The lines that it still prints until it ends, which it must do successfully.
    pub(crate) async fn rest(&mut self) -> TestResult<Vec<String>> {
        let mut lines = Vec::new();
        while let Some(line) = self.next_line().await? {
            lines.push(line);
        }
        let status = within(&format!("{} to exit", self.name), self.process.wait()).await?;
        if status.success() {
            Ok(lines)
        } else {
            Err(format!("{} ended with {status}: {lines:?}", self.name).into())
        }
    }
}
