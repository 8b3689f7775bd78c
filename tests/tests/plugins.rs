//! Plugins: child processes that are peers over their stdin and stdout. The plugin is
//! `src/bin/workshop_plugin.rs`.

use std::fs::File;
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use kaa_rpc_runtime::transport::{PeerAddress, Stream, TransportError, spawn};
use kaa_rpc_runtime::{
    AuthenticationError, Backoff, CallError, Client, CloseReason, ConnectError, Outcome, Peer, Process,
    Secret, Server, ServerEvent, SetupError, SpawnedPeer,
};
use kaa_rpc_tests::api::workshop::*;
use kaa_rpc_tests::fixture::{TestResult, next_peer, run, until, within};
use kaa_rpc_tests::workshop::{Bench, customer};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// The signal that cannot be caught.
const SIGKILL: i32 = 9;

fn plugin(role: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_workshop_plugin"));
    command.arg(role);
    command
}

/// Calls the workshop, which calls back.
async fn call_in_both_directions(workshop: &WorkshopServerProxy) -> TestResult {
    assert_eq!(workshop.add(40, 2).await?, 42);
    assert_eq!(workshop.ask_back("tea").await?, "the caller said: Ada wants no tea");
    Ok(())
}

/// The peer of a plugin that connects.
async fn peer_of(spawned: &SpawnedPeer) -> TestResult<Peer> {
    Ok(within("the plugin to connect", spawned.connected()).await?)
}

/// How a plugin ended.
async fn exit_status(process: &Process) -> Option<ExitStatus> {
    within("the plugin process to end", process.ended()).await
}

/// Why a client did not connect to its plugin.
async fn connect_error(client: &Client) -> TestResult<ConnectError> {
    let ready = within("the client to give up", client.ready()).await;
    Ok(ready.err().ok_or("the client is connected")?)
}

#[test]
fn serving_plugin_is_called_and_calls_back() -> TestResult {
    run(async {
        let client = Client::builder().register(customer("Ada")).connect_process(plugin("serve"))?;
        call_in_both_directions(&client.proxy()).await?;
        let process = client.process().ok_or("no process")?;
        let information = client.peer().information().ok_or("no information")?;
        let program = env!("CARGO_BIN_EXE_workshop_plugin").to_owned();
        assert_eq!(information.address, PeerAddress::Process { program, pid: process.pid() });
        assert_eq!(process.exit_status(), None);

        client.shutdown(Duration::from_secs(10)).await;
        assert_eq!(exit_status(&process).await, Some(ExitStatus::default()), "it ends well after its host");
        Ok(())
    })
}

#[test]
fn calling_plugin_is_served_and_called() -> TestResult {
    run(async {
        let bench = Bench::default();
        let server = Server::builder().register(Workshop::server(bench.clone())).start_for_children()?;
        let spawned = server.spawn(plugin("call"))?;
        let peer = peer_of(&spawned).await?;
        assert_eq!(server.connections(), 1);
        let customer: WorkshopClientProxy = peer.proxy();
        assert_eq!(customer.answer("cake").await?, "Ada wants no cake");
        let pid = spawned.process().pid();
        let information = peer.information().ok_or("no information")?;
        let address = information.address.clone();
        assert!(
            matches!(address, PeerAddress::Process { pid: peer_pid, .. } if peer_pid == pid),
            "{address}"
        );

        until("two notes of the plugin", || bench.noted().len() >= 2).await;
        let host = format!("stdio Some({})", std::process::id());
        assert_eq!(bench.noted(), [host.as_str(), "1 + 1 = 2"]);
        drop(server);
        assert_eq!(exit_status(spawned.process()).await, Some(ExitStatus::default()));
        Ok(())
    })
}

/// Any other client would be refused at once.
#[test]
fn starting_plugin_has_the_handshake_timeout_not_the_hello_timeout() -> TestResult {
    run(async {
        let server = Server::builder()
            .hello_timeout(Duration::ZERO)
            .register(Workshop::server(Bench::default()))
            .start_for_children()?;
        peer_of(&server.spawn(plugin("call"))?).await?;
        Ok(())
    })
}

#[test]
fn killed_plugin_fails_its_calls_and_the_next_call_restarts_it() -> TestResult {
    run(async {
        let client = Client::builder().reconnect(Backoff::default()).connect_process(plugin("serve"))?;
        let workshop: WorkshopServerProxy = client.proxy();
        assert_eq!(workshop.add(1, 1).await?, 2);
        let first = client.process().ok_or("no process")?;
        let waiting = tokio::spawn(workshop.wait_for("gate"));
        within("the handler of `wait_for` to start", async {
            while !workshop.notes().await?.iter().any(|note| note == "waits for gate") {}
            TestResult::Ok(())
        })
        .await?;

        first.kill();
        let result = within("the running call to fail", waiting).await?;
        let Err(CallError::Disconnected { outcome: Outcome::Unknown, reason }) = result else {
            return Err(format!("expected a call with an unknown outcome, got {result:?}").into());
        };
        let status = reason.exit_status().ok_or("the reason has no exit status")?;
        assert_eq!(status.signal(), Some(SIGKILL));
        assert_eq!(exit_status(&first).await, Some(status));
        let text = format!(
            "the connection was lost: the child process {} ended with signal: 9 (SIGKILL)",
            first.pid()
        );
        assert_eq!(reason.to_string(), text);

        assert_eq!(workshop.add(2, 2).await?, 4);
        let second = client.process().ok_or("no process")?;
        assert_ne!(second.pid(), first.pid());
        assert_eq!(second.exit_status(), None);
        Ok(())
    })
}

#[test]
fn killed_plugin_is_reported_to_its_server() -> TestResult {
    run(async {
        let server = Server::builder().register(Workshop::server(Bench::default())).start_for_children()?;
        let spawned = server.spawn(plugin("call"))?;
        let peer = peer_of(&spawned).await?;
        spawned.process().kill();
        let reason = within("the connection to close", peer.closed()).await;
        let status = reason.exit_status().ok_or("the reason has no exit status")?;
        assert_eq!(status.signal(), Some(SIGKILL));
        Ok(())
    })
}

#[test]
fn lingering_plugin_is_killed_before_the_next_one_starts() -> TestResult {
    run(async {
        let client =
            Client::builder().reconnect(Backoff::default()).connect_process(plugin("serve and linger"))?;
        let workshop: WorkshopServerProxy = client.proxy();
        assert_eq!(workshop.add(1, 1).await?, 2);
        let first = client.process().ok_or("no process")?;
        workshop.shutdown().await?;
        // Its server has shut down, and a later call starts the next process.
        within("the next plugin process", async {
            while client.process().is_some_and(|process| process.pid() == first.pid()) {
                let _may_fail = workshop.add(2, 2).await;
            }
        })
        .await;
        assert_eq!(first.exit_status().and_then(|status| status.signal()), Some(SIGKILL));
        Ok(())
    })
}

#[test]
fn lingering_plugin_is_killed_when_its_client_is_dropped() -> TestResult {
    run(async {
        let client = Client::builder().connect_process(plugin("serve and linger"))?;
        within("the client to be connected", client.ready()).await?;
        let process = client.process().ok_or("no process")?;
        drop(client);
        assert_eq!(exit_status(&process).await.and_then(|status| status.signal()), Some(SIGKILL));
        Ok(())
    })
}

#[test]
fn failed_plugin_reports_its_exit_status() -> TestResult {
    run(async {
        let client = Client::builder().connect_process(plugin("fail"))?;
        let error = connect_error(&client).await?;
        let pid = client.process().ok_or("no process")?.pid();
        let text = format!(
            "the connection was lost during the handshake: the child process {pid} ended with exit status: 7"
        );
        assert_eq!(error.to_string(), text);
        let status = within("the client to be closed", client.closed()).await.exit_status();
        assert_eq!(status.and_then(|status| status.code()), Some(7));

        let server = Server::builder().start_for_children()?;
        let spawned = server.spawn(plugin("fail"))?;
        let connected = within("the plugin to fail", spawned.connected()).await;
        let error = connected.err().ok_or("the plugin is connected")?;
        assert!(error.to_string().ends_with("ended with exit status: 7"), "{error}");
        Ok(())
    })
}

#[test]
fn missing_program_is_not_retried() -> TestResult {
    run(async {
        let missing = || Command::new("/nonexistent/plugin");
        let client = Client::builder().reconnect(Backoff::default()).connect_process(missing())?;
        let error = connect_error(&client).await?;
        assert!(error.to_string().starts_with("cannot start /nonexistent/plugin: "), "{error}");
        let server = Server::builder().start_for_children()?;
        let error = server.spawn(missing()).err().ok_or("the missing program is started")?;
        assert!(matches!(error, SetupError::Transport(TransportError::Spawn { .. })), "{error}");
        server.shutdown(Duration::ZERO).await;
        assert!(matches!(server.spawn(plugin("call")), Err(SetupError::ShutDown)));
        Ok(())
    })
}

#[test]
fn plugin_with_a_wrong_secret_is_refused() -> TestResult {
    run(async {
        let client = Client::builder().connect_process(plugin("serve with a wrong secret"))?;
        let error = connect_error(&client).await?;
        let rejected = AuthenticationError::RejectedByPeer;
        assert!(matches!(error, ConnectError::Authentication(cause) if cause == rejected), "{error}");

        let server = Server::builder().secret(Secret::generate()?).start()?;
        let spawned = server.spawn(plugin("call with a wrong secret"))?;
        let connected = within("the plugin to be refused", spawned.connected()).await;
        let error = connected.err().ok_or("the plugin is connected")?;
        assert!(matches!(error, ConnectError::Protocol(_)), "{error}");
        assert_eq!(exit_status(spawned.process()).await.and_then(|status| status.code()), Some(2));
        until("the server to count the refusal", || server.refused() > 0).await;
        assert_eq!(server.refused(), 1);
        Ok(())
    })
}

#[test]
fn every_child_process_gets_its_own_secret() -> TestResult {
    run(async {
        let mut command = plugin("call");
        let (one, other) = (Secret::generate_for(&mut command)?, Secret::generate_for(&mut command)?);
        let mut command = tokio::process::Command::from(command);
        let (stream, _child) = spawn(&mut command)?;
        // The second secret has replaced the first in the environment of the child.
        let server = Server::builder().secret(one).start()?;
        let mut events = server.events();
        server.accept(stream);
        let event = within("the server's Refused event", events.next()).await;
        assert!(matches!(event, Some(ServerEvent::Refused(_))), "{event:?}");

        let workshop = Workshop::server(Bench::default());
        let server = Server::builder().secret(other).register(workshop).start()?;
        let (stream, _child) = spawn(&mut command)?;
        server.accept(stream);
        next_peer(&server).await?;
        Ok(())
    })
}

#[test]
fn plugin_exits_when_its_host_disconnects() -> TestResult {
    run(async {
        for role in ["serve", "call"] {
            let mut command = plugin(role);
            let secret = Secret::generate_for(&mut command)?;
            let mut command = tokio::process::Command::from(command);
            // Before it is authenticated, and after.
            let (stream, mut child) = spawn(&mut command)?;
            drop(stream);
            let status = within("the unauthenticated plugin to exit", child.wait()).await?;
            assert!(status.code().is_some(), "{role}: it was killed: {status}");

            let (stream, mut child) = spawn(&mut command)?;
            if role == "serve" {
                let client = Client::builder().secret(secret).connect_stream(stream)?;
                within("the client to be connected", client.ready()).await?;
            } else {
                let workshop = Workshop::server(Bench::default());
                let server = Server::builder().secret(secret).register(workshop).start()?;
                server.accept(stream);
                next_peer(&server).await?;
            }
            let status = within("the authenticated plugin to exit", child.wait()).await?;
            assert!(status.code().is_some(), "{role}: it was killed: {status}");
        }
        Ok(())
    })
}

/// Starts a child as a host without this runtime does: the child and its secret.
fn start_by_hand(stdin: Stdio, stdout: Stdio) -> TestResult<(Secret, tokio::process::Child)> {
    let mut command = plugin("serve");
    let secret = Secret::generate_for(&mut command)?;
    let mut command = tokio::process::Command::from(command);
    Ok((secret, command.stdin(stdin).stdout(stdout).kill_on_drop(true).spawn()?))
}

/// Calls the child over this stream in both directions, with a lot of data, and shuts it down.
async fn use_plugin_over(stream: Stream, secret: Secret, mut child: tokio::process::Child) -> TestResult {
    let client = Client::builder().secret(secret).register(customer("Ada")).connect_stream(stream)?;
    let workshop: WorkshopServerProxy = client.proxy();
    call_in_both_directions(&workshop).await?;
    let long = "x".repeat(1000);
    for _ in 0..1000 {
        workshop.note(long.clone()).await?;
    }
    assert_eq!(workshop.notes().await?.len(), 1000);
    // The plugin sends its goodbye and closes its output: the client must not take that for a lost
    // connection.
    workshop.shutdown().await?;
    let reason = within("the client to be closed", client.closed()).await;
    assert!(matches!(reason, CloseReason::ClosedByPeer { .. }), "{reason:?}");
    let status = within("the plugin to exit", child.wait()).await?;
    assert!(status.success(), "{status}");
    Ok(())
}

#[test]
fn plugin_works_over_two_pipes() -> TestResult {
    run(async {
        let (secret, mut child) = start_by_hand(Stdio::piped(), Stdio::piped())?;
        let stdin = child.stdin.take().ok_or("no stdin")?;
        let stdout = child.stdout.take().ok_or("no stdout")?;
        use_plugin_over(Stream::from_io(tokio::io::join(stdout, stdin), "pipes"), secret, child).await
    })
}

#[test]
fn plugin_works_over_two_sockets() -> TestResult {
    run(async {
        let (our_input, their_output) = UnixStream::pair()?;
        let (our_output, their_input) = UnixStream::pair()?;
        let ours = |stream: UnixStream| {
            stream.set_nonblocking(true)?;
            tokio::net::UnixStream::from_std(stream)
        };
        let joined = tokio::io::join(ours(our_input)?, ours(our_output)?);
        let into_stdio = |stream: UnixStream| Stdio::from(std::os::fd::OwnedFd::from(stream));
        let (secret, child) = start_by_hand(into_stdio(their_input), into_stdio(their_output))?;
        use_plugin_over(Stream::from_io(joined, "two sockets"), secret, child).await
    })
}

/// The error message of a plugin that is started without a host.
fn error_without_host(role: &str, stdin: Stdio, stdout: Stdio) -> TestResult<String> {
    let mut command = plugin(role);
    let Output { status, stderr, .. } =
        command.env_remove(Secret::VARIABLE).stdin(stdin).stdout(stdout).stderr(Stdio::piped()).output()?;
    assert_eq!(status.code(), Some(2));
    Ok(String::from_utf8(stderr)?.trim_end().to_owned())
}

#[test]
fn plugin_started_by_hand_explains_that_it_needs_a_host() -> TestResult {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    grantpt(&terminal)?;
    unlockpt(&terminal)?;
    let name = ptsname(&terminal, Vec::new())?;
    let open_terminal = || File::options().read(true).write(true).open(name.to_str().unwrap_or_default());
    let text = |what: &str| {
        format!(
            "plugin: {what}; this program communicates over stdin and stdout, so it must be started by a host that \
             provides a pipe or a socket for each"
        )
    };
    // It generates its own secret, so that the missing secret is not its first error.
    let role = "serve with a wrong secret";
    let error = error_without_host(role, open_terminal()?.into(), open_terminal()?.into())?;
    assert_eq!(error, text("stdin is a terminal"));
    let error = error_without_host(role, Stdio::piped(), open_terminal()?.into())?;
    assert_eq!(error, text("stdout is a terminal"));
    let error = error_without_host(role, Stdio::null(), Stdio::piped())?;
    assert_eq!(error, text("stdin is a device"));
    let file = File::open(env!("CARGO_BIN_EXE_workshop_plugin"))?;
    let error = error_without_host(role, file.into(), Stdio::piped())?;
    assert_eq!(error, text("stdin is a file"));

    let error = error_without_host("serve", Stdio::piped(), Stdio::piped())?;
    let expected = "plugin: the environment variable KAA_RPC_SECRET is not set; this program must be started by its \
                    host, which sets the variable";
    assert_eq!(error, expected);
    Ok(())
}

#[test]
fn plugin_output_goes_to_stderr() -> TestResult {
    run(async {
        let mut command = plugin("serve");
        let secret = Secret::generate_for(&mut command)?;
        let (stderr, their_stderr) = std::io::pipe()?;
        command.stderr(their_stderr);
        let mut command = tokio::process::Command::from(command);
        let (stream, mut child) = spawn(&mut command)?;
        drop(command);
        let client = Client::builder().secret(secret).connect_stream(stream)?;
        let workshop: WorkshopServerProxy = client.proxy();
        workshop.shutdown().await?;
        let status = within("the plugin to exit", child.wait()).await?;
        assert!(status.success(), "{status}");
        let mut printed = String::new();
        { stderr }.read_to_string(&mut printed)?;
        assert_eq!(printed.lines().count(), 3, "{printed}");
        Ok(())
    })
}
