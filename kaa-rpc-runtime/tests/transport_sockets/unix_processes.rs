//! Unix sockets of several processes, one of which is killed.
//!
//! A child process is this test program. An environment variable makes it listen until it is killed.

use kaa_rpc_test_support::assert_matches;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use kaa_rpc_runtime::transport::{Address, ConnectOptions, ListenOptions, Listener, TransportError, connect};

use kaa_rpc_test_support::byte_streams::{bind, connect_and_greet};
use kaa_rpc_test_support::processes::rerun;

const SOCKET: &str = "KAA_RPC_TEST_LISTEN_AT";
const LISTENS: &str = "the child listens";
const IN_USE: &str = "the child found the address in use";

/// A process that listens, or has reported that it cannot.
struct Listening {
    child: Child,
    report: String,
}

impl Listening {
    fn start(test: &str, path: &Path) -> Self {
        let mut child = rerun(&format!("unix_processes::{test}"))
            .env(SOCKET, path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let report = BufReader::new(child.stdout.as_mut().unwrap())
            .lines()
            .map(Result::unwrap)
            .find(|line| line.ends_with(LISTENS) || line.ends_with(IN_USE))
            .expect("a report of the child");
        Self { child, report }
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Listens in the child process, until it is killed or its parent ends. False in the test itself.
async fn is_child() -> bool {
    let Some(path) = env::var_os(SOCKET) else { return false };
    let listening = Listener::bind(&Address::Unix(PathBuf::from(path)), &ListenOptions::new()).await;
    match &listening {
        Ok(_) => report(LISTENS),
        Err(TransportError::AddressInUse { .. }) => report(IN_USE),
        Err(error) => panic!("{error}"),
    }
    std::io::stdin().read_line(&mut String::new()).unwrap();
    true
}

fn report(line: &str) {
    // Not with `println!`, which the test harness may capture.
    let mut stdout = std::io::stdout();
    stdout.write_all(format!("{line}\n").as_bytes()).unwrap();
    stdout.flush().unwrap();
}

#[tokio::test]
async fn socket_of_killed_process_is_replaced() {
    if is_child().await {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.sock");
    let address = Address::Unix(path.clone());
    let mut child = Listening::start("socket_of_killed_process_is_replaced", &path);
    assert!(child.report.ends_with(LISTENS), "{}", child.report);
    connect(&address, &ConnectOptions::new()).await.unwrap();
    let alive = Listener::bind(&address, &ListenOptions::new()).await;
    assert!(matches!(alive, Err(TransportError::AddressInUse { .. })), "{alive:?}");

    child.kill();
    assert!(path.exists(), "a killed process removes no file");
    assert_matches!(connect(&address, &ConnectOptions::new()).await, Err(_));
    let listener = bind(&address).await;
    connect_and_greet(&listener, &address).await;
    drop(listener);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn socket_is_live_for_other_processes() {
    if is_child().await {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.sock");
    let address = Address::Unix(path.clone());
    let listener = bind(&address).await;
    let child = Listening::start("socket_is_live_for_other_processes", &path);
    assert!(child.report.ends_with(IN_USE), "{}", child.report);
    drop(child);
    connect_and_greet(&listener, &address).await;
    drop(listener);
    let child = Listening::start("socket_is_live_for_other_processes", &path);
    assert!(child.report.ends_with(LISTENS), "{}", child.report);
}
