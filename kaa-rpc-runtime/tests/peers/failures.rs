//! Failures from outside: killed processes, exhausted descriptors, dropped runtimes, servers and clients.
//!
//! A child process is this test program. An environment variable tells it what to do.

use std::env;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::process::{Child, Stdio};
use std::time::Duration;

use kaa_rpc_runtime::{CallError, CloseReason, Outcome};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use kaa_rpc_test_support::processes::{is_alone, rerun};
use kaa_rpc_test_support::sockets::SocketDirectory;
use kaa_rpc_test_support::texts::*;
use kaa_rpc_test_support::waiting::*;

const LISTEN_AT: &str = "KAA_RPC_TEST_SERVE_AT";

/// A server in its own process.
struct Process {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Process {
    fn start(test: &str, socket: &SocketDirectory) -> Self {
        let mut child = rerun(&format!("failures::{test}"))
            .env(LISTEN_AT, socket.address())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut process = Self { child, output };
        process.until_reported("listening");
        process
    }

    fn until_reported(&mut self, report: &str) {
        let mut line = String::new();
        while !line.trim_end().ends_with(report) {
            line.clear();
            assert_ne!(
                self.output.read_line(&mut line).unwrap(),
                0,
                "the child process ended before it reported {report:?}"
            );
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The process may have ended already.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// Serves in the child process until it is killed. False in the test itself.
async fn is_child() -> bool {
    let Ok(address) = env::var(LISTEN_AT) else { return false };
    let state = ServiceState::new();
    let _server = server_builder(&state).listen(address.as_str()).await.unwrap();
    println!("listening");
    state.until_started(1).await;
    println!("started");
    // The parent kills this process.
    tokio::time::sleep(LIMIT).await;
    true
}

#[tokio::test]
async fn killed_server_leaves_outcome_unknown() {
    if is_child().await {
        return;
    }
    let socket = SocketDirectory::new();
    let mut process = Process::start("killed_server_leaves_outcome_unknown", &socket);
    let client = client_of(&socket);
    let mut call = call_method::<WAIT>(&client.peer(), "");
    start(&mut call).await;
    let reporting = tokio::task::spawn_blocking(move || {
        process.until_reported("started");
        process
    });
    drop(within("the child process to report", reporting).await.unwrap());
    let error = within("the call", call).await.unwrap_err();
    assert!(
        matches!(
            error,
            CallError::Disconnected { outcome: Outcome::Unknown, reason: CloseReason::ConnectionLost(_) }
        ),
        "{error:?}"
    );
    assert_eq!(
        disconnected(within("the reply to ECHO", call_method::<ECHO>(&client.peer(), "")).await),
        Outcome::NotSent
    );
}

/// Without descriptors the accept loop neither ends nor spins. When there are descriptors again, it accepts.
#[tokio::test]
async fn server_recovers_from_descriptor_exhaustion() {
    if !is_alone("failures::server_recovers_from_descriptor_exhaustion") {
        return;
    }
    let (server, _state, socket) = server_with(|server| server).await;
    let first = client_of(&socket);
    assert_responds(&first.peer()).await;
    // It stays in the backlog: the server runs on this thread, which does not wait before the limit is set.
    let second = std::os::unix::net::UnixStream::connect(socket.path()).unwrap();
    let mut stat = std::fs::File::open("/proc/self/stat").unwrap();
    let normal = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(3), maximum: normal.maximum }).unwrap();
    let before = cpu_time(&mut stat);
    // The time over which the processor time is measured.
    tokio::time::sleep(Duration::from_millis(400)).await;
    let used = cpu_time(&mut stat) - before;
    assert!(used < Duration::from_millis(200), "the accept loop spins: it used {used:?}");
    assert_responds(&first.peer()).await;
    setrlimit(Resource::Nofile, normal).unwrap();
    drop(second);
    let third = client_of(&socket);
    assert_responds(&third.peer()).await;
    assert_eq!(server.connections(), 2);
}

/// The processor time of this process, from a file that was opened while there were descriptors.
fn cpu_time(stat: &mut std::fs::File) -> Duration {
    let mut text = String::new();
    stat.seek(SeekFrom::Start(0)).unwrap();
    stat.read_to_string(&mut text).unwrap();
    // User and system time are the 12th and 13th field after the name, in hundredths of a second.
    let fields = text.rsplit_once(')').unwrap().1.split_whitespace();
    Duration::from_millis(fields.skip(11).take(2).map(|field| field.parse::<u64>().unwrap() * 10).sum())
}

/// Callers on another runtime do not wait for a client whose runtime was dropped.
#[test]
fn dropped_client_runtime_ends_calls() {
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (servers, clients, callers) = (runtime(), runtime(), runtime());
    let (server, state, socket) = servers.block_on(server_with(|server| server));
    let client_state = ServiceState::new();
    let client = {
        let _entered = clients.enter();
        client_builder(&client_state).connect(socket.address().as_str()).unwrap()
    };
    let peer = client.peer();
    let call = callers.spawn(async move { call_method::<WAIT>(&peer, "").await });
    callers.block_on(state.until_started(1));
    let client_peer = callers.block_on(within("the server to have a peer", server.peers().next())).unwrap();
    let call_to_client = callers.spawn(async move { call_method::<WAIT>(&client_peer, "").await });
    callers.block_on(client_state.until_started(1));
    clients.shutdown_background();
    assert_eq!(disconnected(callers.block_on(within("the call", call)).unwrap()), Outcome::Unknown);
    let result = callers.block_on(within("the call to the client", call_to_client)).unwrap();
    assert!(result.is_err(), "{result:?}");
    callers.block_on(state.until_dropped(1));
    callers.block_on(client_state.until_dropped(1));
    assert_eq!(
        disconnected(callers.block_on(within("the reply to ECHO", call_method::<ECHO>(&client.peer(), "")))),
        Outcome::NotSent
    );
    servers.shutdown_timeout(LIMIT);
    drop((server, client));
}

/// The same for the runtime of a server.
#[test]
fn dropped_server_runtime_ends_calls() {
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (servers, clients) = (runtime(), runtime());
    let (server, _state, socket) = servers.block_on(server_with(|server| server));
    let client_state = ServiceState::new();
    let client = {
        let _entered = clients.enter();
        client_builder(&client_state).connect(socket.address().as_str()).unwrap()
    };
    let client_peer = clients.block_on(within("the server to have a peer", server.peers().next())).unwrap();
    let call = clients.spawn(async move { call_method::<WAIT>(&client_peer, "").await });
    clients.block_on(client_state.until_started(1));
    servers.shutdown_background();
    assert_eq!(disconnected(clients.block_on(within("the call", call)).unwrap()), Outcome::Unknown);
    clients.block_on(client_state.until_dropped(1));
    clients.block_on(within("the connection to close", client.closed()));
    // The runtime drops its tasks in the background.
    let ended = eventually("the connection to end", || server.connections(), |count| *count == 0);
    clients.block_on(ended);
}

#[tokio::test]
async fn dropped_server_ends_calls() {
    let pair = Pair::new().await;
    let mut call = call_method::<WAIT>(&pair.peer, "");
    start(&mut call).await;
    pair.server_state.until_started(1).await;
    let client_peer = pair.client_peer().await;
    drop(pair.server);
    assert_eq!(disconnected(within("the call", call).await), Outcome::Unknown);
    pair.server_state.until_dropped(1).await;
    assert_eq!(within("the connection to close", client_peer.closed()).await, CloseReason::ClosedLocally);
    assert_eq!(
        disconnected(within("the reply to ECHO", call_method::<ECHO>(&client_peer, "")).await),
        Outcome::NotSent
    );
}

#[tokio::test]
async fn dropped_client_ends_calls() {
    let pair = Pair::new().await;
    let mut call = call_method::<WAIT>(&pair.peer, "");
    start(&mut call).await;
    pair.server_state.until_started(1).await;
    drop(pair.client);
    assert_eq!(disconnected(within("the call", call).await), Outcome::Unknown);
    pair.server_state.until_dropped(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_either_end_sends_goodbye() {
    for _ in 0..20 {
        let pair = Pair::new().await;
        pair.client_peer().await;
        drop(pair.server);
        let reason = within("the connection to close", pair.client.closed()).await;
        assert!(matches!(reason, CloseReason::ClosedByPeer { .. }), "{reason}");
        let pair = Pair::new().await;
        let client_peer = pair.client_peer().await;
        drop(pair.client);
        let reason = within("the connection to close", client_peer.closed()).await;
        assert!(matches!(reason, CloseReason::ClosedByPeer { .. }), "{reason}");
    }
}
