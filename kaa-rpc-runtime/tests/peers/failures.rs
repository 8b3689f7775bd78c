//! What the system does to a program: processes killed, descriptors used up, runtimes and objects dropped.
//!
//! A child process is this very test program, told by its environment what to be.

use std::env;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use kaa_rpc_runtime::{CallError, CloseReason, Outcome};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::support::*;

const LISTEN_AT: &str = "KAA_RPC_TEST_SERVE_AT";

/// A server in a process of its own.
struct Process {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Process {
    fn start(test: &str, place: &Place) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", &format!("failures::{test}"), "--nocapture"])
            .env(LISTEN_AT, place.address())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut process = Self { child, output };
        process.until("listening");
        process
    }

    fn until(&mut self, said: &str) {
        let mut line = String::new();
        while !line.trim_end().ends_with(said) {
            line.clear();
            assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "the child has ended");
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// In a child: serves until it is killed. False in the test itself.
async fn be_the_child() -> bool {
    let Ok(address) = env::var(LISTEN_AT) else { return false };
    let world = World::new();
    let _server = server_builder(&world).listen(address.as_str()).await.unwrap();
    println!("listening");
    world.until(|counts| counts.started == 1).await;
    println!("started");
    tokio::time::sleep(LONGEST).await;
    true
}

#[tokio::test]
async fn a_server_killed_amid_a_call_leaves_it_unknown() {
    if be_the_child().await {
        return;
    }
    let place = Place::new();
    let mut process = Process::start("a_server_killed_amid_a_call_leaves_it_unknown", &place);
    let client = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    let mut call = ask::<WAIT>(&client.peer(), "");
    assert!(poll_once(&mut call).await.is_pending());
    let process = tokio::task::spawn_blocking(move || {
        process.until("started");
        process
    });
    drop(within(process).await.unwrap());
    let error = within(call).await.unwrap_err();
    assert!(
        matches!(
            error,
            CallError::Disconnected { outcome: Outcome::Unknown, reason: CloseReason::ConnectionLost(_) }
        ),
        "{error:?}"
    );
    assert_eq!(lost(within(ask::<ECHO>(&client.peer(), "")).await), Outcome::NotSent);
}

/// Out of descriptors the accept loop neither ends nor spins; when there are some again, it goes on.
#[tokio::test]
async fn a_server_out_of_descriptors_goes_on_when_there_are_some() {
    const CHILD: &str = "KAA_RPC_TEST_OUT_OF_DESCRIPTORS";
    if env::var_os(CHILD).is_none() {
        let status = Command::new(env::current_exe().unwrap())
            .args(["--exact", "failures::a_server_out_of_descriptors_goes_on_when_there_are_some"])
            .env(CHILD, "1")
            .status()
            .unwrap();
        assert!(status.success());
        return;
    }
    let (server, _world, place) = server_with(|server| server).await;
    let first = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    lives(&first.peer()).await;
    // It waits in the system's queue: this thread is the server's only one, and does not wait before the limit is set.
    let second = std::os::unix::net::UnixStream::connect(place.path()).unwrap();
    let mut stat = std::fs::File::open("/proc/self/stat").unwrap();
    let whole = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(3), maximum: whole.maximum }).unwrap();
    let before = cpu_time(&mut stat);
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(cpu_time(&mut stat) - before < Duration::from_millis(200), "it spins");
    lives(&first.peer()).await;
    setrlimit(Resource::Nofile, whole).unwrap();
    drop(second);
    let third = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    lives(&third.peer()).await;
    assert_eq!(server.connections(), 2);
}

/// What this process has used of the processor, from a file that was opened while there were descriptors.
fn cpu_time(stat: &mut std::fs::File) -> Duration {
    let mut text = String::new();
    stat.seek(SeekFrom::Start(0)).unwrap();
    stat.read_to_string(&mut text).unwrap();
    // User and system time are the 12th and 13th field behind the name, in hundredths of a second.
    let fields = text.rsplit_once(')').unwrap().1.split_whitespace();
    Duration::from_millis(fields.skip(11).take(2).map(|field| field.parse::<u64>().unwrap() * 10).sum())
}

/// Whoever calls from another runtime does not wait for one that is gone.
#[test]
fn a_runtime_dropped_amid_calls_ends_them_and_panics_nowhere() {
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (servers, clients, callers) = (runtime(), runtime(), runtime());
    let (server, world, place) = servers.block_on(server_with(|server| server));
    let at_client = World::new();
    let client = {
        let _entered = clients.enter();
        client_builder(&at_client).connect(place.address().as_str()).unwrap()
    };
    let peer = client.peer();
    let call = callers.spawn(async move { ask::<WAIT>(&peer, "").await });
    callers.block_on(world.until(|counts| counts.started == 1));
    let back = callers.block_on(within(server.peers().next())).unwrap();
    let back = callers.spawn(async move { ask::<WAIT>(&back, "").await });
    callers.block_on(at_client.until(|counts| counts.started == 1));
    clients.shutdown_background();
    assert_eq!(lost(callers.block_on(within(call)).unwrap()), Outcome::Unknown);
    assert!(callers.block_on(within(back)).unwrap().is_err());
    callers.block_on(world.until(|counts| counts.dropped == 1));
    callers.block_on(at_client.until(|counts| counts.dropped == 1));
    assert_eq!(lost(callers.block_on(within(ask::<ECHO>(&client.peer(), "")))), Outcome::NotSent);
    servers.shutdown_timeout(LONGEST);
    drop((server, client));
}

/// The same for a server's runtime.
#[test]
fn a_servers_runtime_dropped_amid_calls_ends_its_own() {
    let runtime =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (servers, clients) = (runtime(), runtime());
    let (server, _world, place) = servers.block_on(server_with(|server| server));
    let at_client = World::new();
    let client = {
        let _entered = clients.enter();
        client_builder(&at_client).connect(place.address().as_str()).unwrap()
    };
    let back = clients.block_on(within(server.peers().next())).unwrap();
    let call = clients.spawn(async move { ask::<WAIT>(&back, "").await });
    clients.block_on(at_client.until(|counts| counts.started == 1));
    servers.shutdown_background();
    assert_eq!(lost(clients.block_on(within(call)).unwrap()), Outcome::Unknown);
    clients.block_on(at_client.until(|counts| counts.dropped == 1));
    clients.block_on(within(client.closed()));
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_server_dropped_amid_calls_ends_them() {
    let pair = Pair::new().await;
    let mut call = ask::<WAIT>(&pair.peer, "");
    assert!(poll_once(&mut call).await.is_pending());
    pair.at_server.until(|counts| counts.started == 1).await;
    let back = pair.back().await;
    drop(pair.server);
    assert_eq!(lost(within(call).await), Outcome::Unknown);
    pair.at_server.until(|counts| counts.dropped == 1).await;
    assert_eq!(within(back.closed()).await, CloseReason::ClosedLocally);
    assert_eq!(lost(within(ask::<ECHO>(&back, "")).await), Outcome::NotSent);
}

#[tokio::test]
async fn a_client_dropped_amid_calls_ends_them() {
    let pair = Pair::new().await;
    let mut call = ask::<WAIT>(&pair.peer, "");
    assert!(poll_once(&mut call).await.is_pending());
    pair.at_server.until(|counts| counts.started == 1).await;
    drop(pair.client);
    assert_eq!(lost(within(call).await), Outcome::Unknown);
    pair.at_server.until(|counts| counts.dropped == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_dropped_says_goodbye_to_the_other() {
    for _ in 0..20 {
        let pair = Pair::new().await;
        pair.back().await;
        drop(pair.server);
        let reason = within(pair.client.closed()).await;
        assert!(matches!(reason, CloseReason::ClosedByPeer { .. }), "{reason}");
        let pair = Pair::new().await;
        let back = pair.back().await;
        drop(pair.client);
        let reason = within(back.closed()).await;
        assert!(matches!(reason, CloseReason::ClosedByPeer { .. }), "{reason}");
    }
}
