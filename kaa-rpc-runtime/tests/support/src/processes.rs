//! Tests that need a process of their own: they run their own test program again.

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

/// Runs a test in a process of its own. Returns whether this is that process: then the test goes on, otherwise it has
/// been run.
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
        "{test} failed in a process of its own:\n{stdout}{stderr}"
    );
    false
}
