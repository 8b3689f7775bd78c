//! The programs as real processes: their output and exit status.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use tempfile::TempDir;

/// A process that is killed when this is dropped.
struct Process {
    child: Child,
    keyboard: ChildStdin,
    screen: BufReader<ChildStdout>,
}

impl Process {
    fn start(program: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (keyboard, screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        Self { child, keyboard, screen: BufReader::new(screen) }
    }

    fn types(&mut self, line: &str) {
        writeln!(self.keyboard, "{line}").unwrap();
    }

    /// The next line that it prints, or nothing if it has ended.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.screen.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// A server on the loopback interface, and the arguments of its clients.
struct Room {
    server: Process,
    address: String,
    secret: String,
    _directory: TempDir,
}

impl Room {
    fn open() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let secret = directory.path().join("secret").to_str().unwrap().to_owned();
        let mut server = Process::start(env!("CARGO_BIN_EXE_chat-server"), &["tcp:127.0.0.1:0", &secret]);
        let line = server.line();
        let address = line.strip_prefix("listening on ").unwrap().to_owned();
        Self { server, address, secret, _directory: directory }
    }

    /// A client outside the room.
    fn client(&self) -> Process {
        let mut client = Process::start(env!("CARGO_BIN_EXE_chat-client"), &[&self.address, &self.secret]);
        assert_eq!(client.line(), "what is your name?");
        client
    }

    /// A client that tries to enter the room with this name, and prints this line.
    fn enter(&self, name: &str, expected: &str) -> Process {
        let mut client = self.client();
        client.types(name);
        assert_eq!(client.line(), expected);
        client
    }
}

#[test]
fn demo_shows_who_reads_what_and_ends() {
    let output = Command::new(env!("CARGO_BIN_EXE_chat-demo")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    for line in [
        "ben  reads │ in the room: ada",
        "ada  reads │ * ben has entered",
        "cleo reads │ ada is taken; choose another name",
        "ada  types │ is anybody hungry?",
        "ben  reads │ ada: is anybody hungry?",
        "cleo reads │ ada: is anybody hungry?",
        "cleo reads │ in the room: ada, ben, cleo",
        "cleo reads │ * ben has left",
        "ada  reads │ * cleo has left",
        "The demo has succeeded.",
    ] {
        assert!(text.contains(line), "no {line:?} in\n{text}");
    }
    assert!(!text.contains("ada  reads │ ada:"), "a client received its own line:\n{text}");
}

#[test]
fn name_is_free_after_its_connection_is_lost() {
    let room = Room::open();
    let mut ada = room.enter("ada", "the room is empty");
    let mut other = room.enter("ada", "ada is taken; choose another name");
    let ben = room.enter("ben", "in the room: ada");
    assert_eq!(ada.line(), "* ben has entered");
    drop(ben); // SIGKILL
    assert_eq!(ada.line(), "* ben has left");
    other.types("ben");
    assert_eq!(other.line(), "in the room: ada");
    assert_eq!(ada.line(), "* ben has entered");
}

#[test]
fn lines_arrive_in_the_order_typed() {
    let room = Room::open();
    let mut ada = room.enter("ada", "the room is empty");
    let mut ben = room.enter("ben", "in the room: ada");
    for number in 0..200 {
        ada.types(&number.to_string());
    }
    for number in 0..200 {
        assert_eq!(ben.line(), format!("ada: {number}"));
    }
}

#[test]
fn refused_input_is_explained_and_the_client_continues() {
    let room = Room::open();
    let mut ada = room.enter("", "the name is empty; what is your name?");
    ada.types("ada");
    assert_eq!(ada.line(), "the room is empty");
    ada.types(&"x".repeat(501));
    let error = ada.line();
    assert!(error.contains("500"), "{error}");
    ada.types("/who");
    assert_eq!(ada.line(), "in the room: ada");
    ada.types("/leave");
    assert_eq!(ada.line(), "");
    assert!(ada.child.wait().unwrap().success());
}

#[test]
fn client_exits_with_an_error_when_its_server_dies() {
    let room = Room::open();
    let mut ada = room.enter("ada", "the room is empty");
    drop(room.server); // SIGKILL
    let mut error = String::new();
    ada.child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
    assert_eq!(ada.child.wait().unwrap().code(), Some(1));
    assert!(error.starts_with("Error: the connection was lost"), "{error}");
}
