//! Tests that need their own process: they run their test program again.

use std::env;
use std::process::{Command, Stdio};

const ALONE: &str = "KAA_RPC_TEST_ALONE";

/// A command that runs one test of this test program and prints what it prints.
///
/// `test` is the test's path, such as `failures::killed_server_leaves_call_unknown`.
pub fn rerun(test: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).stdin(Stdio::null());
    command
}

/// Runs a test in its own process. Returns true in that process, where the test continues. Returns false in
/// the parent when the test has passed there.
///
/// # Panics
/// If the test fails in its process.
pub fn is_alone(test: &str) -> bool {
    if env::var_os(ALONE).is_some() {
        return true;
    }
    let output = rerun(test).env(ALONE, "1").output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(
        output.status.success() && stdout.contains("1 passed"),
        "{test} failed in its own process:\n{stdout}{stderr}"
    );
    false
}
