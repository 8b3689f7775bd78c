//! The programs as real processes: what they print, and how they end.
#![allow(clippy::unwrap_used, reason = "a test's preparations may fail loudly")]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};

use tempfile::TempDir;

/// A folder with what a server and its clients share.
struct Place {
    folder: TempDir,
}

/// A process that ends with its test.
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
    /// Reads until a line has this text, and gives back everything up to it.
    fn until(&mut self, text: &str) -> String {
        let mut all = String::new();
        while !all.contains(text) {
            let length = self.output.read_line(&mut all).unwrap();
            assert_ne!(length, 0, "{text:?} never came, but\n{all}");
        }
        all
    }
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
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

    /// A server that listens.
    fn server(&self) -> Process<ChildStderr> {
        let database = self.path("database");
        let arguments = ["--database", database.to_str().unwrap()];
        let mut child =
            self.command(env!("CARGO_BIN_EXE_beacon-server"), "secret", &arguments).spawn().unwrap();
        let mut process = Process { output: BufReader::new(child.stderr.take().unwrap()), child };
        process.until("listening on");
        process
    }

    fn client(&self, secret: &str, arguments: &[&str]) -> Command {
        self.command(env!("CARGO_BIN_EXE_beacon-client"), secret, arguments)
    }

    /// A client that has its answer and waits for news.
    fn watcher(&self, arguments: &[&str]) -> Process<ChildStdout> {
        let mut child = self.client("secret", arguments).spawn().unwrap();
        let mut process = Process { output: BufReader::new(child.stdout.take().unwrap()), child };
        process.until("watching");
        process
    }

    /// What a client prints that does what it was asked.
    fn good(&self, arguments: &[&str]) -> String {
        let output = self.client("secret", arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

/// The one line with which a program fails.
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
        "client 5 ◀╌╌ server   error: nobody agreed to delete item 6",
        "client 6 ╌╌▶ server   yes",
        "client 6 prints │ deleted #6 audio \"Night radio\"",
        "stranger prints │ beacon-client: authentication failed",
        "client 1 prints │ the server has ended",
        "; 5 items are kept",
        "Everything went as it should.",
    ] {
        assert!(text.contains(line), "no {line:?} in\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "colour without a terminal:\n{text}");
    let folder = text.lines().find_map(|line| line.strip_prefix("… is ")).unwrap();
    assert!(!PathBuf::from(folder).exists(), "{folder} is left");
}

#[test]
fn items_survive_a_killed_server() {
    let place = Place::new();
    let server = place.server();
    assert_eq!(place.good(&["add", "--kind", "audio", "kept"]), "#1 audio \"kept\"\n");
    drop(server); // SIGKILL
    let _server = place.server();
    let list = place.good(&["list"]);
    assert!(list.contains("kept") && list.ends_with("1 item\n"), "{list}");
    assert_eq!(place.good(&["add", "--kind", "video", "new"]), "#2 video \"new\"\n");
}

#[test]
fn wrong_secret_is_explained_and_other_clients_still_work() {
    let place = Place::new();
    let mut server = place.server();
    kaa_rpc_runtime::Secret::generate().unwrap().write_new_file(place.path("wrong")).unwrap();
    let output = place.client("wrong", &["list"]).output().unwrap();
    check_failure(&output, 1, "audience is another (is this the server's secret?)");
    server.until("refused a connection");
    assert_eq!(place.good(&["list"]), "no items\n");
}

#[test]
fn client_without_a_server_explains_why() {
    let place = Place::new();
    kaa_rpc_runtime::Secret::generate().unwrap().write_new_file(place.path("secret")).unwrap();
    let output = place.client("secret", &["list"]).output().unwrap();
    check_failure(&output, 1, "(is beacon-server running?)");
}

#[test]
fn watching_client_distinguishes_killed_from_stopped_server() {
    let place = Place::new();
    let server = place.server();
    let mut watcher = place.watcher(&["watch"]);
    drop(server); // SIGKILL
    let mut error = String::new();
    watcher.child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
    assert!(error.starts_with("beacon-client: no more news: the connection was lost"), "{error}");
    assert_eq!(watcher.child.wait().unwrap().code(), Some(1));

    let mut server = place.server();
    let mut watcher = place.watcher(&["watch"]);
    assert_eq!(place.good(&["shutdown"]), "the server ends\n");
    watcher.until("the server has ended");
    assert_eq!(watcher.child.wait().unwrap().code(), Some(0));
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    assert!(!place.path("socket").exists());
}

#[test]
fn watching_client_prints_only_matching_changes() {
    let place = Place::new();
    let _server = place.server();
    place.good(&["add", "--kind", "audio", "There before"]);
    let mut watcher = place.watcher(&["watch", "--kind", "audio", "THERE"]);
    place.good(&["add", "--kind", "audio", "elsewhere"]);
    place.good(&["add", "--kind", "video", "elsewhere as well"]);
    place.good(&["set", "1", "--title", "There still"]);
    place.good(&["set", "#1", "--kind", "video"]);
    place.good(&["set", "3", "--kind", "audio", "--title", "now there"]);
    place.good(&["delete", "3", "--yes"]);
    let news = watcher.until("deleted #3");
    let expected = [
        "updated #1 audio \"There still\"",
        "deleted #1 audio \"There still\"",
        "created #3 audio \"now there\"",
        "deleted #3 audio \"now there\"",
    ];
    assert_eq!(news.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn delete_asks_the_user_first() {
    let place = Place::new();
    let _server = place.server();
    place.good(&["add", "--kind", "image", "a picture"]);
    let delete = |answer: &str| {
        let mut child = place.client("secret", &["delete", "1"]).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(answer.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    };
    let question = "Really delete #1 image \"a picture\"? [y/N] ";
    for answer in ["", "\n", "n\n", "perhaps\n"] {
        check_failure(
            &delete(answer),
            1,
            &format!("{question}beacon-client: nobody agreed to delete item 1"),
        );
    }
    let output = delete("y\n");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "deleted #1 image \"a picture\"\n");
    check_failure(&delete("y\n"), 1, "beacon-client: there is no item 1");
}

#[test]
fn usage_errors_exit_with_2_and_mention_help() {
    let place = Place::new();
    let slips: [(&[&str], &str); 9] = [
        (&[], "COMMAND is missing"),
        (&["frobnicate"], "there is no command \"frobnicate\""),
        (&["list", "--loud"], "--loud does not belong here"),
        (&["list", "--kind", "smell"], "\"smell\" is not a kind; there are audio, video, image and other"),
        (&["add", "x"], "--kind is missing"),
        (&["set", "1"], "nothing to change"),
        (&["set", "1", "--title"], "--title needs a value"),
        (&["delete", "one"], "\"one\" is not an item's number"),
        (&["delete", "1", "2"], "2 does not belong here"),
    ];
    for (arguments, text) in slips {
        let output = place.client("secret", arguments).output().unwrap();
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
    let place = Place::new();
    let _server = place.server();
    let file = place.path("secret").canonicalize().unwrap();
    let output = place.client("secret", &["scan", file.to_str().unwrap()]).output().unwrap();
    check_failure(&output, 1, &format!("{} is not a directory that the server can read", file.display()));
    let output = place.client("secret", &["scan", "/nowhere"]).output().unwrap();
    check_failure(&output, 1, "cannot read the directory /nowhere: ");
}

#[test]
fn second_server_fails_while_socket_or_database_is_in_use() {
    let place = Place::new();
    let _server = place.server();
    let second = |socket: &str, database: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_beacon-server"));
        command.arg("--socket").arg(place.path(socket)).arg("--secret").arg(place.path("secret"));
        command.arg("--database").arg(place.path(database)).output().unwrap()
    };
    check_failure(&second("socket", "another database"), 1, "is in use by another process");
    check_failure(&second("another socket", "database"), 1, "Database already open");
    assert_eq!(place.good(&["list"]), "no items\n");
}
