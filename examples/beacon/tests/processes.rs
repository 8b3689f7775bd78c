//! The programs as real processes: their output and exit status.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};

use tempfile::TempDir;

/// The directory of a server and its clients.
struct Directory {
    directory: TempDir,
}

/// A process that is killed when this is dropped.
struct Process<Out> {
    child: Child,
    output: BufReader<Out>,
}

impl<Out> Drop for Process<Out> {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

impl<Out: Read> Process<Out> {
    /// Reads until a line contains this text. Returns everything that was read.
    fn read_until(&mut self, text: &str) -> String {
        let mut output = String::new();
        while !output.contains(text) {
            let length = self.output.read_line(&mut output).unwrap();
            assert_ne!(length, 0, "the output ended before {text:?}:\n{output}");
        }
        output
    }
}

impl Directory {
    fn new() -> Self {
        Self { directory: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn command(&self, program: &str, secret: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .arg("--socket")
            .arg(self.path("socket"))
            .arg("--secret")
            .arg(self.path(secret))
            .args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Starts a server, and waits until it listens.
    fn server(&self) -> Process<ChildStderr> {
        let database = self.path("database");
        let arguments = ["--database", database.to_str().unwrap()];
        let mut child =
            self.command(env!("CARGO_BIN_EXE_beacon-server"), "secret", &arguments).spawn().unwrap();
        let mut process = Process { output: BufReader::new(child.stderr.take().unwrap()), child };
        process.read_until("listening on");
        process
    }

    fn client(&self, secret: &str, arguments: &[&str]) -> Command {
        self.command(env!("CARGO_BIN_EXE_beacon-client"), secret, arguments)
    }

    /// Starts a watching client, and waits for its first answer.
    fn watcher(&self, arguments: &[&str]) -> Process<ChildStdout> {
        let mut child = self.client("secret", arguments).spawn().unwrap();
        let mut process = Process { output: BufReader::new(child.stdout.take().unwrap()), child };
        process.read_until("watching");
        process
    }

    /// Runs a command that succeeds. Returns its output.
    fn run(&self, arguments: &[&str]) -> String {
        let output = self.client("secret", arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

/// The program failed with this status, and its only output is a line that contains this text.
fn check_failure(output: &Output, status: i32, text: &str) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(error.contains(text), "no {text:?} in {error}");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert_eq!(output.status.code(), Some(status), "{error}");
}

#[test]
fn demo_shows_both_directions_and_leaves_no_files() {
    let output = Command::new(env!("CARGO_BIN_EXE_beacon-demo")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    for line in [
        "client 2 ──▶ server   scan_directory(…/media)",
        "client 1 ◀── server   on_notify(1, created #2 audio \"Blue in Green\")",
        "client 5 ◀── server   confirm(Really delete #6 audio \"Night radio\"?)",
        "client 5 ╌╌▶ server   no",
        "client 5 ◀╌╌ server   error: the deletion of item 6 was not confirmed",
        "client 6 ╌╌▶ server   yes",
        "client 6 prints │ deleted #6 audio \"Night radio\"",
        "refused client prints │ beacon-client: authentication failed",
        "client 1 prints │ the server has stopped",
        "; the database has 5 items",
        "The demo has succeeded.",
    ] {
        assert!(text.contains(line), "no {line:?} in\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "colour without a terminal:\n{text}");
    let directory = text.lines().find_map(|line| line.strip_prefix("… is ")).unwrap();
    assert!(!PathBuf::from(directory).exists(), "{directory} was not removed");
}

#[test]
fn items_survive_a_killed_server() {
    let directory = Directory::new();
    let server = directory.server();
    assert_eq!(directory.run(&["add", "--kind", "audio", "kept"]), "#1 audio \"kept\"\n");
    drop(server); // SIGKILL
    let _server = directory.server();
    let list = directory.run(&["list"]);
    assert!(list.contains("kept") && list.ends_with("1 item\n"), "{list}");
    assert_eq!(directory.run(&["add", "--kind", "video", "new"]), "#2 video \"new\"\n");
}

#[test]
fn wrong_secret_is_explained_and_other_clients_still_work() {
    let directory = Directory::new();
    let mut server = directory.server();
    kaa_rpc_runtime::Secret::generate().unwrap().write_new_file(directory.path("wrong")).unwrap();
    let output = directory.client("wrong", &["list"]).output().unwrap();
    check_failure(&output, 1, "audience differs (is this the server's secret?)");
    server.read_until("refused a connection");
    assert_eq!(directory.run(&["list"]), "no items\n");
}

#[test]
fn client_without_a_server_explains_why() {
    let directory = Directory::new();
    kaa_rpc_runtime::Secret::generate().unwrap().write_new_file(directory.path("secret")).unwrap();
    let output = directory.client("secret", &["list"]).output().unwrap();
    check_failure(&output, 1, "(is beacon-server running?)");
}

#[test]
fn watching_client_distinguishes_killed_from_stopped_server() {
    let directory = Directory::new();
    let server = directory.server();
    let mut watcher = directory.watcher(&["watch"]);
    drop(server); // SIGKILL
    let mut error = String::new();
    watcher.child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
    assert!(error.starts_with("beacon-client: watching has ended: the connection was lost"), "{error}");
    assert_eq!(watcher.child.wait().unwrap().code(), Some(1));

    let mut server = directory.server();
    let mut watcher = directory.watcher(&["watch"]);
    assert_eq!(directory.run(&["shutdown"]), "the server is stopping\n");
    watcher.read_until("the server has stopped");
    assert_eq!(watcher.child.wait().unwrap().code(), Some(0));
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    assert!(!directory.path("socket").exists());
}

#[test]
fn watching_client_prints_only_matching_changes() {
    let directory = Directory::new();
    let _server = directory.server();
    directory.run(&["add", "--kind", "audio", "There before"]);
    let mut watcher = directory.watcher(&["watch", "--kind", "audio", "THERE"]);
    directory.run(&["add", "--kind", "audio", "elsewhere"]);
    directory.run(&["add", "--kind", "video", "elsewhere as well"]);
    directory.run(&["set", "1", "--title", "There still"]);
    directory.run(&["set", "#1", "--kind", "video"]);
    directory.run(&["set", "3", "--kind", "audio", "--title", "now there"]);
    directory.run(&["delete", "3", "--yes"]);
    let notices = watcher.read_until("deleted #3");
    let expected = [
        "updated #1 audio \"There still\"",
        "deleted #1 audio \"There still\"",
        "created #3 audio \"now there\"",
        "deleted #3 audio \"now there\"",
    ];
    assert_eq!(notices.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn delete_asks_the_user_first() {
    let directory = Directory::new();
    let _server = directory.server();
    directory.run(&["add", "--kind", "image", "a picture"]);
    let delete = |answer: &str| {
        let mut child = directory.client("secret", &["delete", "1"]).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(answer.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let question = "Really delete #1 image \"a picture\"? [y/N] ";
    for answer in ["", "\n", "n\n", "perhaps\n"] {
        check_failure(
            &delete(answer),
            1,
            &format!("{question}beacon-client: the deletion of item 1 was not confirmed"),
        );
    }
    let output = delete("y\n");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "deleted #1 image \"a picture\"\n");
    check_failure(&delete("y\n"), 1, "beacon-client: there is no item 1");
}

#[test]
fn usage_errors_exit_with_2_and_mention_help() {
    let directory = Directory::new();
    let mistakes: [(&[&str], &str); 9] = [
        (&[], "COMMAND is missing"),
        (&["frobnicate"], "unknown command \"frobnicate\""),
        (&["list", "--loud"], "unexpected argument --loud"),
        (
            &["list", "--kind", "smell"],
            "\"smell\" is not a kind; the kinds are audio, video, image and other",
        ),
        (&["add", "x"], "--kind is missing"),
        (&["set", "1"], "nothing to change"),
        (&["set", "1", "--title"], "--title needs a value"),
        (&["delete", "one"], "\"one\" is not the number of an item"),
        (&["delete", "1", "2"], "unexpected argument 2"),
    ];
    for (arguments, text) in mistakes {
        let output = directory.client("secret", arguments).output().unwrap();
        check_failure(&output, 2, text);
        check_failure(&output, 2, "(try --help)");
    }
    for program in [env!("CARGO_BIN_EXE_beacon-client"), env!("CARGO_BIN_EXE_beacon-server")] {
        let output = Command::new(program).arg("--help").output().unwrap();
        assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("Usage: "));
        check_failure(&Command::new(program).output().unwrap(), 2, "--socket is missing");
    }
}

#[test]
fn scan_of_a_non_directory_names_it() {
    let directory = Directory::new();
    let _server = directory.server();
    let file = directory.path("secret").canonicalize().unwrap();
    let output = directory.client("secret", &["scan", file.to_str().unwrap()]).output().unwrap();
    check_failure(&output, 1, &format!("{} is not a directory that the server can read", file.display()));
    let output = directory.client("secret", &["scan", "/nowhere"]).output().unwrap();
    check_failure(&output, 1, "cannot read the directory /nowhere: ");
}

#[test]
fn second_server_fails_while_socket_or_database_is_in_use() {
    let directory = Directory::new();
    let _server = directory.server();
    let second = |socket: &str, database: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_beacon-server"));
        command.arg("--socket").arg(directory.path(socket)).arg("--secret").arg(directory.path("secret"));
        command.arg("--database").arg(directory.path(database)).output().unwrap()
    };
    check_failure(&second("socket", "another database"), 1, "is in use by another process");
    check_failure(&second("another socket", "database"), 1, "Database already open");
    assert_eq!(directory.run(&["list"]), "no items\n");
}
