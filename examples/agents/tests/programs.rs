//! The programs as real processes: what they print, and how they end.
#![allow(clippy::unwrap_used, reason = "a test's preparations may fail loudly")]

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
        "controller | job 4 is given to ",
        "controller | job 4: 100 %\n",
        // Of 128 KiB of sevens.
        "controller | job 4 | 51b1754edc87242e9dd3190af0d6bbc796d258fd14cc6bac980cded045b19824\n",
        "controller | job 4 done\n",
        "sloth $ agent sloth tls:127.0.0.1:",
        "controller < cancel 5\n",
        "controller | (ended)\n",
        "controller $ controller tls:127.0.0.1:",
        "controller | job 1 done\n",
        "Everything went as it should.",
    ] {
        rest = rest.split_once(line).unwrap_or_else(|| panic!("no {line:?} in its place in\n{text}")).1;
    }
    for line in [
        "controller | job 1: 75 %\n",
        "controller | job 4 is lost with sloth: the connection was lost",
        "controller | job 5 cancelled\n",
        "sloth | job 5 is given up after 32768 bytes\n",
        "ant | the controller is lost: the peer closed the connection; trying again\n",
        "bee | dismissed\n",
    ] {
        assert!(text.contains(line), "no {line:?} in\n{text}");
    }
    assert_eq!(text.matches("registered at tls:127.0.0.1:").count(), 3 + 1 + 3, "{text}");
    assert!(!text.contains('\u{1b}'), "bars without a terminal:\n{text}");
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
    assert!(String::from_utf8(agent.stderr).unwrap().starts_with("Error: authentication failed"));
    assert!(lines.any(|line| line.contains("was refused")), "the controller did not say so");
    drop(controller.stdin.take());
    assert!(lines.any(|line| line == "the controller ends"));
    assert!(controller.wait().unwrap().success());
}
