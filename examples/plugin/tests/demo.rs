//! The host with its plugins, as real processes.
#![allow(clippy::unwrap_used, reason = "a test's preparations may fail loudly")]

use std::process::Command;

#[test]
fn demo_calls_plugins_and_restarts_a_crashed_one() {
    let output = Command::new(env!("CARGO_BIN_EXE_plugin")).output().unwrap();
    let (shown, noise) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{shown}{noise}");
    let expected = [
        "shout: everything in capitals",
        "  hello becomes HELLO!",
        "  an empty text is refused: there is nothing to filter",
        "fragile: nothing, but not for long",
        "ended with exit status: 3",
        "  and was started again: hello",
        "shout has ended: exit status: 0",
        "fragile has ended: exit status: 0",
    ];
    // A oneway call comes before the result that was sent behind it, but whoever waits for that may be the first to print.
    let said = "  its plugin says: 5 letters to go\n";
    assert_eq!(shown.matches(said).count(), 1, "{shown}");
    let mut rest = shown.as_ref();
    for line in expected {
        let (_, behind) =
            rest.split_once(line).unwrap_or_else(|| panic!("no {line:?} in its place in\n{shown}"));
        rest = behind;
    }
    assert_eq!(noise.matches("shout is ready").count(), 1, "{noise}");
    assert_eq!(noise.matches("fragile is ready").count(), 2, "{noise}");
}

#[test]
fn plugin_started_by_hand_explains_that_it_needs_a_host() {
    let output = Command::new(env!("CARGO_BIN_EXE_plugin")).arg("shout").output().unwrap();
    assert!(!output.status.success());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("host") || told.contains("KAA_RPC_SECRET"), "{told}");
}
