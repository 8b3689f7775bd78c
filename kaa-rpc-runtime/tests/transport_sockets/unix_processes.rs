//! Unix sockets of several processes, one of which is killed.
//!
//! A child is this very test program, told by its environment to listen and to wait for its end.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use kaa_rpc_runtime::transport::{Address, ConnectOptions, ListenOptions, Listener, TransportError, connect};

use crate::talk::{bind, converse};

const SOCKET: &str = "KAA_RPC_TEST_LISTEN_AT";
const LISTENS: &str = "the child listens";
const IN_USE: &str = "the child found the address in use";

/// A process that listens, or has said that it cannot.
struct Listening {
    child: Child,
    said: String,
}

impl Listening {
    fn start(test: &str, path: &Path) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", &format!("unix_processes::{test}"), "--nocapture"])
            .env(SOCKET, path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.as_mut().unwrap())
            .lines()
            .map(Result::unwrap)
            .find(|line| line.ends_with(LISTENS) || line.ends_with(IN_USE))
            .expect("the child says how it went");
        Self { child, said }
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

/// In a child: listens until it is killed, or until the parent is gone.
async fn be_the_child() -> bool {
    let Some(path) = env::var_os(SOCKET) else { return false };
    let listening = Listener::bind(&Address::Unix(PathBuf::from(path)), &ListenOptions::new()).await;
    match &listening {
        Ok(_) => say(LISTENS),
        Err(TransportError::AddressInUse { .. }) => say(IN_USE),
        Err(error) => panic!("{error}"),
    }
    std::io::stdin().read_line(&mut String::new()).unwrap();
    true
}

fn say(line: &str) {
    // Not by `println!`, which the test harness may keep to itself.
    let mut stdout = std::io::stdout();
    stdout.write_all(format!("{line}\n").as_bytes()).unwrap();
    stdout.flush().unwrap();
}

#[tokio::test]
async fn a_socket_left_by_a_killed_process_is_replaced() {
    if be_the_child().await {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.sock");
    let address = Address::Unix(path.clone());
    let mut child = Listening::start("a_socket_left_by_a_killed_process_is_replaced", &path);
    assert!(child.said.ends_with(LISTENS));
    connect(&address, &ConnectOptions::new()).await.unwrap();
    let alive = Listener::bind(&address, &ListenOptions::new()).await;
    assert!(matches!(alive, Err(TransportError::AddressInUse { .. })), "{alive:?}");

    child.kill();
    assert!(path.exists(), "a killed process removes nothing");
    assert!(connect(&address, &ConnectOptions::new()).await.is_err());
    let listener = bind(&address).await;
    converse(&listener, &address).await;
    drop(listener);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn another_process_sees_that_we_listen() {
    if be_the_child().await {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("app.sock");
    let address = Address::Unix(path.clone());
    let listener = bind(&address).await;
    let child = Listening::start("another_process_sees_that_we_listen", &path);
    assert!(child.said.ends_with(IN_USE), "{}", child.said);
    drop(child);
    converse(&listener, &address).await;
    drop(listener);
    let child = Listening::start("another_process_sees_that_we_listen", &path);
    assert!(child.said.ends_with(LISTENS), "{}", child.said);
}
