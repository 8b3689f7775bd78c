//! The programs as real processes: their output and exit status.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use kaa_rpc_runtime::Secret;

#[test]
fn demo_finishes_every_job_and_leaves_no_files() {
    let folder = tempfile::tempdir().unwrap();
    let output =
        Command::new(env!("CARGO_BIN_EXE_agents-demo")).env("TMPDIR", folder.path()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
    let mut rest = text.as_str();
    for line in [
        "controller | listening on tls:127.0.0.1:",
        "controller | job 2 | Day 9001: storm.\n",
        "controller | job 3 failed: line 1 is not text\n",
        "controller | job 4: 25 %\n",
        "sloth $ kill -9 ",
        "controller | job 4 runs on ",
        "controller | job 4: 100 %\n",
        // The checksum of 128 KiB of sevens.
        "controller | job 4 | 51b1754edc87242e9dd3190af0d6bbc796d258fd14cc6bac980cded045b19824\n",
        "controller | job 4 done\n",
        "sloth $ agent sloth tls:127.0.0.1:",
        "controller < cancel 5\n",
        "controller | (ended)\n",
        "controller $ controller tls:127.0.0.1:",
        "controller | job 1 done\n",
        "The demo has succeeded.",
    ] {
        let (_, after) =
            rest.split_once(line).unwrap_or_else(|| panic!("{line:?} is missing or out of order:\n{text}"));
        rest = after;
    }
    for line in [
        "controller | job 1: 75 %\n",
        "controller | job 4 has lost sloth: the connection was lost",
        "controller | job 5 cancelled\n",
        "sloth | job 5 was cancelled after 32768 bytes\n",
        "ant | lost the controller: the peer closed the connection; reconnecting\n",
        "bee | dismissed\n",
    ] {
        assert!(text.contains(line), "no {line:?} in\n{text}");
    }
    assert_eq!(text.matches("registered at tls:127.0.0.1:").count(), 3 + 1 + 3, "{text}");
    assert!(!text.contains('\u{1b}'), "progress bars without a terminal:\n{text}");
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}

#[test]
fn agent_with_a_wrong_secret_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let mut controller = Command::new(env!("CARGO_BIN_EXE_controller"))
        .args(["tls:127.0.0.1:0", &path("secret")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(controller.stdout.take().unwrap()).lines().map(Result::unwrap);
    let address = lines.next().unwrap().strip_prefix("listening on ").unwrap().to_owned();
    Secret::generate().unwrap().write_new_file(path("other")).unwrap();
    let agent =
        Command::new(env!("CARGO_BIN_EXE_agent")).args(["wasp", &address, &path("other")]).output().unwrap();
    assert_eq!(agent.status.code(), Some(1));
    let error = String::from_utf8(agent.stderr).unwrap();
    assert!(error.starts_with("Error: authentication failed"), "{error}");
    assert!(lines.any(|line| line.starts_with("refused a client at ")), "the controller reported no refusal");
    drop(controller.stdin.take());
    assert!(lines.any(|line| line == "the controller has stopped"), "the controller did not stop");
    assert!(controller.wait().unwrap().success());
}
