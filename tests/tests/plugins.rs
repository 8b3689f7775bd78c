//! Plugins: programs that are started to be talked to, over their stdin and stdout. The other program is
//! `src/bin/workshop_plugin.rs`.

use std::fs::File;
use std::io::Read;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Output, Stdio};
use std::time::Duration;

use kaa_rpc_runtime::transport::{PeerAddress, Stream, TransportError, spawn};
use kaa_rpc_runtime::{
    AuthenticationError, Backoff, CallError, Client, CloseReason, ConnectError, Outcome, Secret, Server,
    SetupError,
};
use kaa_rpc_tests::api::workshop::*;
use kaa_rpc_tests::fixture::{Heard, TestResult, run};
use kaa_rpc_tests::workshop::{Bench, Customer};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// The signal that cannot be caught.
const SIGKILL: i32 = 9;

fn plugin(role: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_workshop_plugin"));
    command.arg(role);
    command
}

/// What is asked of a workshop in either role, both ways.
async fn work_together(workshop: &WorkshopServerProxy) -> TestResult {
    assert_eq!(workshop.add(40, 2).await?, 42);
    assert_eq!(workshop.ask_back("tea").await?, "the caller said: Ada wants no tea");
    Ok(())
}

#[test]
fn a_plugin_that_serves_is_called_and_calls_back() -> TestResult {
    run(async {
        let (teller, _heard) = Heard::new();
        let client = Client::builder()
            .register(Workshop::client(Customer::new("Ada", teller)))
            .connect_process(plugin("serve"))?;
        work_together(&client.proxy()).await?;
        let process = client.process().ok_or("no process")?;
        let information = client.peer().information().ok_or("no information")?;
        let program = env!("CARGO_BIN_EXE_workshop_plugin").to_owned();
        assert_eq!(information.address, PeerAddress::Process { program, pid: process.pid() });
        assert_eq!(process.exit_status(), None);

        client.shutdown(Duration::from_secs(10)).await;
        assert_eq!(
            process.ended().await,
            Some(ExitStatus::default()),
            "its host has gone, and it has done its work"
        );
        Ok(())
    })
}

#[test]
fn a_plugin_that_calls_is_served_and_called() -> TestResult {
    run(async {
        let bench = Bench::default();
        let server = Server::builder().register(Workshop::server(bench.clone())).start_for_children()?;
        let spawned = server.spawn(plugin("call"))?;
        let peer = spawned.connected().await?;
        assert_eq!(server.connections(), 1);
        let customer: WorkshopClientProxy = peer.proxy();
        assert_eq!(customer.answer("cake").await?, "Ada wants no cake");
        let pid = spawned.process().pid();
        let information = peer.information().ok_or("no information")?;
        assert!(matches!(information.address, PeerAddress::Process { pid: told, .. } if told == pid));

        while bench.noted().len() < 2 {
            tokio::task::yield_now().await;
        }
        let host = format!("stdio Some({})", std::process::id());
        assert_eq!(bench.noted(), [host.as_str(), "1 + 1 = 2"]);
        drop(server);
        assert_eq!(spawned.process().ended().await, Some(ExitStatus::default()));
        Ok(())
    })
}

/// A stranger would have no time at all.
#[test]
fn a_plugin_that_calls_has_the_whole_time_of_the_handshake_to_start() -> TestResult {
    run(async {
        let server = Server::builder()
            .hello_timeout(Duration::ZERO)
            .register(Workshop::server(Bench::default()))
            .start_for_children()?;
        server.spawn(plugin("call"))?.connected().await?;
        Ok(())
    })
}

#[test]
fn a_killed_plugin_ends_its_calls_truthfully_and_the_next_call_starts_another() -> TestResult {
    run(async {
        let client = Client::builder().reconnect(Backoff::default()).connect_process(plugin("serve"))?;
        let workshop: WorkshopServerProxy = client.proxy();
        assert_eq!(workshop.add(1, 1).await?, 2);
        let first = client.process().ok_or("no process")?;
        let waiting = tokio::spawn(workshop.wait_for("ever"));
        while !workshop.notes().await?.iter().any(|note| note == "waits for ever") {}

        first.kill();
        let Err(CallError::Disconnected { outcome: Outcome::Unknown, reason }) = waiting.await? else {
            return Err("the call had another end".into());
        };
        let status = reason.exit_status().ok_or("the reason does not tell of the child's end")?;
        assert_eq!(status.signal(), Some(SIGKILL));
        assert_eq!(first.ended().await, Some(status));
        let told = format!(
            "the connection was lost: the child process {} ended with signal: 9 (SIGKILL)",
            first.pid()
        );
        assert_eq!(reason.to_string(), told);

        assert_eq!(workshop.add(2, 2).await?, 4);
        let second = client.process().ok_or("no process")?;
        assert_ne!(second.pid(), first.pid());
        assert_eq!(second.exit_status(), None);
        Ok(())
    })
}

#[test]
fn a_killed_plugin_is_told_to_the_server_that_started_it() -> TestResult {
    run(async {
        let server = Server::builder().register(Workshop::server(Bench::default())).start_for_children()?;
        let spawned = server.spawn(plugin("call"))?;
        let peer = spawned.connected().await?;
        spawned.process().kill();
        let status =
            peer.closed().await.exit_status().ok_or("the reason does not tell of the child's end")?;
        assert_eq!(status.signal(), Some(SIGKILL));
        Ok(())
    })
}

#[test]
fn a_plugin_that_stays_is_killed_before_its_successor_is_started() -> TestResult {
    run(async {
        let client =
            Client::builder().reconnect(Backoff::default()).connect_process(plugin("serve and stay"))?;
        let workshop: WorkshopServerProxy = client.proxy();
        assert_eq!(workshop.add(1, 1).await?, 2);
        let first = client.process().ok_or("no process")?;
        workshop.shutdown().await?;
        // It says goodbye, and some call is for another, which does not find it any more.
        while client.process().is_some_and(|process| process.pid() == first.pid()) {
            let _may_be_unsent = workshop.add(2, 2).await;
        }
        assert_eq!(first.exit_status().and_then(|status| status.signal()), Some(SIGKILL));
        Ok(())
    })
}

#[test]
fn a_plugin_that_stays_is_killed_when_its_client_is_gone() -> TestResult {
    run(async {
        let client = Client::builder().connect_process(plugin("serve and stay"))?;
        client.ready().await?;
        let process = client.process().ok_or("no process")?;
        drop(client);
        assert_eq!(process.ended().await.and_then(|status| status.signal()), Some(SIGKILL));
        Ok(())
    })
}

#[test]
fn a_plugin_that_fails_says_how() -> TestResult {
    run(async {
        let client = Client::builder().connect_process(plugin("fail"))?;
        let error = client.ready().await.err().ok_or("it is connected")?;
        let pid = client.process().ok_or("no process")?.pid();
        let text = format!(
            "the connection was lost during the handshake: the child process {pid} ended with exit status: 7"
        );
        assert_eq!(error.to_string(), text);
        let status = client.closed().await.exit_status();
        assert_eq!(status.and_then(|status| status.code()), Some(7));

        let server = Server::builder().start_for_children()?;
        let spawned = server.spawn(plugin("fail"))?;
        let error = spawned.connected().await.err().ok_or("it is connected")?;
        assert!(error.to_string().ends_with("ended with exit status: 7"), "{error}");
        Ok(())
    })
}

#[test]
fn a_program_that_is_not_there_is_not_tried_again() -> TestResult {
    run(async {
        let missing = || Command::new("/nonexistent/plugin");
        let client = Client::builder().reconnect(Backoff::default()).connect_process(missing())?;
        let error = client.ready().await.err().ok_or("it is connected")?;
        assert!(error.to_string().starts_with("cannot start /nonexistent/plugin: "), "{error}");
        let server = Server::builder().start_for_children()?;
        let error = server.spawn(missing()).err().ok_or("it is started")?;
        assert!(matches!(error, SetupError::Transport(TransportError::Spawn { .. })), "{error}");
        server.shutdown(Duration::ZERO).await;
        assert!(matches!(server.spawn(plugin("call")), Err(SetupError::ShutDown)));
        Ok(())
    })
}

#[test]
fn a_plugin_without_the_secret_is_a_stranger() -> TestResult {
    run(async {
        let client = Client::builder().connect_process(plugin("serve as a stranger"))?;
        let error = client.ready().await.err().ok_or("it is connected")?;
        let rejected = AuthenticationError::RejectedByPeer;
        assert!(matches!(error, ConnectError::Authentication(cause) if cause == rejected), "{error}");

        let server = Server::builder().secret(Secret::generate()?).start()?;
        let spawned = server.spawn(plugin("call as a stranger"))?;
        let error = spawned.connected().await.err().ok_or("it is connected")?;
        assert!(matches!(error, ConnectError::Protocol(_)), "{error}");
        assert_eq!(spawned.process().ended().await.and_then(|status| status.code()), Some(2));
        assert_eq!(server.refused(), 1);
        Ok(())
    })
}

#[test]
fn every_child_has_a_secret_of_its_own() -> TestResult {
    run(async {
        let mut command = plugin("call");
        let (one, other) = (Secret::generate_for(&mut command)?, Secret::generate_for(&mut command)?);
        let mut command = tokio::process::Command::from(command);
        let (stream, _child) = spawn(&mut command)?;
        // The first one is the secret of nobody now.
        let server = Server::builder().secret(one).start()?;
        let mut events = server.events();
        server.accept(stream);
        assert!(matches!(events.next().await, Some(kaa_rpc_runtime::ServerEvent::Refused(_))));

        let workshop = Workshop::server(Bench::default());
        let server = Server::builder().secret(other).register(workshop).start()?;
        let (stream, _child) = spawn(&mut command)?;
        let mut peers = server.peers();
        server.accept(stream);
        assert!(peers.next().await.is_some());
        Ok(())
    })
}

#[test]
fn a_plugin_ends_when_its_host_has_gone() -> TestResult {
    run(async {
        for role in ["serve", "call"] {
            let mut command = plugin(role);
            let secret = Secret::generate_for(&mut command)?;
            let mut command = tokio::process::Command::from(command);
            // Before it is authenticated, and after.
            let (stream, mut child) = spawn(&mut command)?;
            drop(stream);
            assert!(child.wait().await?.code().is_some(), "{role}: it was killed");

            let (stream, mut child) = spawn(&mut command)?;
            if role == "serve" {
                let client = Client::builder().secret(secret).connect_stream(stream)?;
                client.ready().await?;
            } else {
                let workshop = Workshop::server(Bench::default());
                let server = Server::builder().secret(secret).register(workshop).start()?;
                server.accept(stream);
                server.peers().next().await.ok_or("the server is shut down")?;
            }
            assert!(child.wait().await?.code().is_some(), "{role}: it was killed");
        }
        Ok(())
    })
}

/// The secret of a child that a foreign host starts, and the child.
fn start_by_hand(stdin: Stdio, stdout: Stdio) -> TestResult<(Secret, tokio::process::Child)> {
    let mut command = plugin("serve");
    let secret = Secret::generate_for(&mut command)?;
    let mut command = tokio::process::Command::from(command);
    Ok((secret, command.stdin(stdin).stdout(stdout).kill_on_drop(true).spawn()?))
}

async fn work_over(stream: Stream, secret: Secret, mut child: tokio::process::Child) -> TestResult {
    let (teller, _heard) = Heard::new();
    let client = Client::builder()
        .secret(secret)
        .register(Workshop::client(Customer::new("Ada", teller)))
        .connect_stream(stream)?;
    let workshop: WorkshopServerProxy = client.proxy();
    work_together(&workshop).await?;
    let long = "x".repeat(1000);
    for _ in 0..1000 {
        workshop.note(long.clone()).await?;
    }
    assert_eq!(workshop.notes().await?.len(), 1000);
    // It says goodbye and closes its half: nothing is lost, and nobody calls it a loss.
    workshop.shutdown().await?;
    assert!(matches!(client.closed().await, CloseReason::ClosedByPeer { .. }));
    assert!(child.wait().await?.success());
    Ok(())
}

#[test]
fn a_host_may_give_two_pipes() -> TestResult {
    run(async {
        let (secret, mut child) = start_by_hand(Stdio::piped(), Stdio::piped())?;
        let stdin = child.stdin.take().ok_or("no stdin")?;
        let stdout = child.stdout.take().ok_or("no stdout")?;
        work_over(Stream::from_io(tokio::io::join(stdout, stdin), "pipes"), secret, child).await
    })
}

#[test]
fn a_host_may_give_two_sockets() -> TestResult {
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
        work_over(Stream::from_io(joined, "two sockets"), secret, child).await
    })
}

/// What a plugin says that was started by nobody who talks to it.
fn started_wrongly(role: &str, stdin: Stdio, stdout: Stdio) -> TestResult<String> {
    let mut command = plugin(role);
    let Output { status, stderr, .. } =
        command.env_remove(Secret::VARIABLE).stdin(stdin).stdout(stdout).stderr(Stdio::piped()).output()?;
    assert_eq!(status.code(), Some(2));
    Ok(String::from_utf8(stderr)?.trim_end().to_owned())
}

#[test]
fn a_plugin_that_is_started_by_hand_says_that_it_is_a_plugin() -> TestResult {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    grantpt(&terminal)?;
    unlockpt(&terminal)?;
    let name = ptsname(&terminal, Vec::new())?;
    let other_end = || File::options().read(true).write(true).open(name.to_str().unwrap_or_default());
    let text = |what: &str| {
        format!(
            "plugin: {what}; this program communicates over stdin and stdout, so it must be started by a host that \
             provides a pipe or a socket for each"
        )
    };
    let role = "serve nobody";
    let said = started_wrongly(role, other_end()?.into(), other_end()?.into())?;
    assert_eq!(said, text("stdin is a terminal"));
    let said = started_wrongly(role, Stdio::piped(), other_end()?.into())?;
    assert_eq!(said, text("stdout is a terminal"));
    let said = started_wrongly(role, Stdio::null(), Stdio::piped())?;
    assert_eq!(said, text("stdin is a device"));
    let said =
        started_wrongly(role, File::open(env!("CARGO_BIN_EXE_workshop_plugin"))?.into(), Stdio::piped())?;
    assert_eq!(said, text("stdin is a file"));

    let said = started_wrongly("serve", Stdio::piped(), Stdio::piped())?;
    let expected = "plugin: the environment variable KAA_RPC_SECRET is not set; this program must be started by its \
                    host, which sets the variable";
    assert_eq!(said, expected);
    Ok(())
}

#[test]
fn what_a_plugin_prints_goes_to_stderr() -> TestResult {
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
        assert!(child.wait().await?.success());
        let mut printed = String::new();
        { stderr }.read_to_string(&mut printed)?;
        assert_eq!(printed.lines().count(), 3, "{printed}");
        Ok(())
    })
}
