//! Programs in Python, run as child processes: what they say is read line by line.
//!
//! Invariant: a machine without Python passes these tests, and says so, unless `KAA_REQUIRE_PYTHON` is set.

use std::path::Path;
use std::process::Stdio;

use kaa_rpc_tests::fixture::TestResult;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// The secret of [`kaa_rpc_tests::fixture::secret`], as a program is told it.
pub(crate) const SECRET: &str = "the choir sings at eight o'clock";

/// A program that runs; it ends with the test, at the latest.
pub(crate) struct Script {
    process: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

/// Whether there is a Python to run.
///
/// # Errors
/// If there must be one and there is none.
pub(crate) async fn python() -> TestResult<bool> {
    let asked = Command::new("python3")
        .args(["-c", "import sys; sys.exit(sys.version_info < (3, 11))"])
        .stderr(Stdio::null())
        .status();
    if asked.await.is_ok_and(|status| status.success()) {
        return Ok(true);
    }
    if std::env::var_os("KAA_REQUIRE_PYTHON").is_some() {
        return Err("KAA_REQUIRE_PYTHON is set, and there is no python3 of version 3.11 or later".into());
    }
    eprintln!("not tested: there is no python3 of version 3.11 or later");
    Ok(false)
}

impl Script {
    /// Starts a program of the folder `python`.
    pub(crate) fn start(name: &str, arguments: &[&str]) -> TestResult<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("python");
        let mut process = Command::new("python3")
            .arg("-B") // no cache beside the sources
            .arg(folder.join(name))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = process.stdout.take().ok_or("the program has no output")?;
        Ok(Self { input: process.stdin.take(), output: BufReader::new(output).lines(), process })
    }

    /// The next line that it says.
    pub(crate) async fn line(&mut self) -> TestResult<String> {
        Ok(self.output.next_line().await?.ok_or("the program said no more")?)
    }

    /// Lets one that waits go on.
    pub(crate) async fn go_on(&mut self) -> TestResult {
        self.input.as_mut().ok_or("the program has no input")?.write_all(b"\n").await?;
        Ok(())
    }

    /// All that it still says until it ends, which it must do as a program that is content.
    pub(crate) async fn rest(&mut self) -> TestResult<Vec<String>> {
        let mut lines = Vec::new();
        while let Some(line) = self.output.next_line().await? {
            lines.push(line);
        }
        let status = self.process.wait().await?;
        if status.success() {
            Ok(lines)
        } else {
            Err(format!("the program ended with {status}: {lines:?}").into())
        }
    }
}
