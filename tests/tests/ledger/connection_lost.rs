//! A relay closes connections after any byte, while both processes live on.

use std::io;
use std::sync::Arc;

use kaa_rpc_tests::fixture::{TestResult, run, within};
use kaa_rpc_tests::ledger::{ProcessEnd, Reported};
use kaa_rpc_tests::stress::{Callers, Interruptions, Random, StopWhen};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;

use crate::support::{Harness, reconnecting, seed};

/// What the relay does with one connection.
#[derive(Debug, Clone, Copy)]
enum Plan {
    /// It forwards everything.
    Forward,
    /// It closes both directions when one of them has passed this many bytes.
    Close { to_server: u64, to_client: u64 },
    /// It closes only the direction that has passed this many bytes.
    CloseOneDirection { to_server: u64, to_client: u64 },
}

/// Closes a number of connections, and forwards all later ones.
struct Relay {
    random: Random,
    closes: u64,
    remaining: Arc<watch::Sender<u64>>,
}

impl Relay {
    fn new(seed: u64, closes: u64) -> Self {
        Self { random: Random::new(seed), closes, remaining: Arc::new(watch::Sender::new(closes)) }
    }

    fn next_plan(&mut self) -> Plan {
        if self.closes == 0 {
            return Plan::Forward;
        }
        self.closes -= 1;
        // A quarter of the connections closes during the handshake, or soon after it.
        let limit = if self.random.below(4) == 0 { 600 } else { 60_000 };
        let (to_server, to_client) = match self.random.below(2) {
            0 => (self.random.below(limit), u64::MAX),
            _ => (u64::MAX, self.random.below(limit)),
        };
        match self.random.below(3) {
            0 => Plan::CloseOneDirection { to_server, to_client },
            _ => Plan::Close { to_server, to_client },
        }
    }

    /// Joins two streams as planned, in a new task.
    fn join<S: AsyncRead + AsyncWrite + Send + 'static>(&mut self, client: S, server: S) {
        let (plan, remaining) = (self.next_plan(), Arc::clone(&self.remaining));
        tokio::spawn(async move {
            let (mut from_client, mut to_client) = tokio::io::split(client);
            let (mut from_server, mut to_server) = tokio::io::split(server);
            let (max_to_server, max_to_client) = match plan {
                Plan::Forward => (u64::MAX, u64::MAX),
                Plan::Close { to_server, to_client } | Plan::CloseOneDirection { to_server, to_client } => {
                    (to_server, to_client)
                }
            };
            let to_server = forward(&mut from_client, &mut to_server, max_to_server);
            let to_client = forward(&mut from_server, &mut to_client, max_to_client);
            // Errors are expected: peers close their ends too.
            match plan {
                Plan::Close { .. } => tokio::select! { _ = to_server => {}, _ = to_client => {} },
                Plan::Forward | Plan::CloseOneDirection { .. } => drop(tokio::join!(to_server, to_client)),
            }
            if !matches!(plan, Plan::Forward) {
                remaining.send_modify(|remaining| *remaining -= 1);
            }
        });
    }
}

/// Forwards at most `limit` bytes, then closes the direction.
async fn forward(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    mut limit: u64,
) -> io::Result<()> {
    let mut buffer = vec![0; 4096];
    while limit > 0 {
        let count = (&mut *from).take(limit).read(&mut buffer).await?;
        if count == 0 {
            break;
        }
        to.write_all(buffer.get(..count).unwrap_or_default()).await?;
        limit -= u64::try_from(count).unwrap_or_default();
    }
    to.shutdown().await
}

/// Runs callers over a relay that closes this many connections.
async fn close_connections(mut harness: Harness, seed: u64, closes: u64) -> TestResult {
    let server = harness.start_server().await?;
    let mut relay = Relay::new(seed, closes);
    let mut remaining = relay.remaining.subscribe();
    let (address, relay_task) = if let Some(host) = harness.address.strip_prefix("tls:").map(str::to_owned) {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("tls:{}", listener.local_addr()?);
        let task = tokio::spawn(async move {
            while let (Ok((client, _)), Ok(server)) =
                (listener.accept().await, TcpStream::connect(&host).await)
            {
                relay.join(client, server);
            }
        });
        (address, task)
    } else {
        let (path, server_socket) = (harness.directory.file("relay"), harness.directory.socket());
        let listener = UnixListener::bind(&path)?;
        let task = tokio::spawn(async move {
            while let (Ok((client, _)), Ok(server)) =
                (listener.accept().await, UnixStream::connect(&server_socket).await)
            {
                relay.join(client, server);
            }
        });
        (format!("unix:{}", path.display()), task)
    };
    let client = harness.local_client(&address, reconnecting)?;
    let caller = client.caller(seed, Interruptions::DeadlinesAndDrops);
    let callers = Callers::start(16, &caller, &client.server(), StopWhen::Requested);
    within("the relay to close its connections", remaining.wait_for(|remaining| *remaining == 0)).await?;
    client.ledger.wait_for_results(100).await;
    callers.stop().await?;
    client.assert_served().await?;
    server.shut_down().await?;
    relay_task.abort();

    let (client_calls, server_calls) = harness.audit(ProcessEnd::Exited, ProcessEnd::Exited)?;
    for reported in [Reported::Ok, Reported::Run, Reported::NotSent, Reported::Unknown, Reported::Dropped] {
        assert!(client_calls.reported(reported) > 0, "no call of the client had the result {reported:?}");
    }
    for reported in [Reported::Ok, Reported::Unknown] {
        assert!(server_calls.reported(reported) > 0, "no call of the server had the result {reported:?}");
    }
    assert!(client_calls.dropped() > 0, "no handler was aborted with its connection");
    assert!(client_calls.repeated() > 0, "no call was sent again");
    Ok(())
}

#[test]
fn outcomes_match_handlers_when_connections_break() -> TestResult {
    run(async { close_connections(Harness::new()?, seed(1), 60).await })
}

#[test]
fn outcomes_match_handlers_when_tls_connections_break() -> TestResult {
    let harness = Harness { address: "tls:127.0.0.1:0".to_owned(), ..Harness::new()? };
    run(close_connections(harness, seed(2), 30))
}
