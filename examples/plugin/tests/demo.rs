//! The host with its plugins, as real processes.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

#[test]
fn demo_calls_plugins_and_restarts_a_crashed_one() {
    let output = Command::new(env!("CARGO_BIN_EXE_plugin")).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{stdout}{stderr}");
    let expected = [
        "shout: everything in capitals",
        "  hello becomes HELLO!",
        "  an empty text is refused: there is nothing to filter",
        "fragile: no change, until it crashes",
        "ended with exit status: 3",
        "  after a restart: hello",
        "shout has ended: exit status: 0",
        "fragile has ended: exit status: 0",
    ];
    // The oneway call arrives before the result, but its handler may print after the code that awaits the result.
    let progress = "  progress: 5 letters to go\n";
    assert_eq!(stdout.matches(progress).count(), 1, "{stdout}");
    let mut rest = stdout.as_ref();
    for line in expected {
        let (_, after) =
            rest.split_once(line).unwrap_or_else(|| panic!("{line:?} is missing or out of order:\n{stdout}"));
        rest = after;
    }
    assert_eq!(stderr.matches("shout is ready").count(), 1, "{stderr}");
    assert_eq!(stderr.matches("fragile is ready").count(), 2, "{stderr}");
}

#[test]
fn plugin_started_by_hand_explains_that_it_needs_a_host() {
    let output = Command::new(env!("CARGO_BIN_EXE_plugin")).arg("shout").output().unwrap();
    assert!(!output.status.success());
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains("host") || error.contains("KAA_RPC_SECRET"), "{error}");
}
