//! Shared by whole-system tests: a connected server and client over a real socket, reports from handlers to the
//! test, and waits that name what they wait for.
//!
//! Invariants: a wait ends after [`WAIT_LIMIT`] and then says what did not happen; no test takes longer than
//! [`TEST_LIMIT`]; nothing synchronizes by sleeping; sockets lie in temporary directories.

use std::error::Error;
use std::fmt::Debug;
use std::future::Future;
use std::panic::Location;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use kaa_rpc_runtime::{CallError, Client, ClientBuilder, Peer, Proxy, Secret, Server, ServerBuilder, role};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

/// How long one wait may take. Generous: a busy machine is slow, and only a hang should reach this limit.
pub const WAIT_LIMIT: Duration = Duration::from_secs(30);

/// How long a whole test may take; longer than [`WAIT_LIMIT`], so that a wait with a name fails first.
pub const TEST_LIMIT: Duration = Duration::from_secs(120);

/// The limit of [`within_paused`]: days, which pass at once when time is paused.
const PAUSED_LIMIT: Duration = Duration::from_secs(1_000_000);

/// The result of a test.
pub type TestResult<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// Runs a test on its own multi-threaded runtime. A test that takes longer than [`TEST_LIMIT`] fails.
///
/// # Errors
/// The error of the test.
pub fn run(test: impl Future<Output = TestResult>) -> TestResult {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let runtime = Background(Some(runtime));
    let Some(runtime) = &runtime.0 else { return Ok(()) };
    let outcome = runtime.block_on(async { tokio::time::timeout(TEST_LIMIT, test).await });
    outcome.map_err(|_elapsed| format!("the test did not end within {TEST_LIMIT:?}"))?
}

/// A runtime that does not wait for its tasks when it is dropped, also by a panic: a handler that hangs must not
/// hang the test that found it.
struct Background(Option<Runtime>);

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Waits for a future for at most [`WAIT_LIMIT`]. `awaited` completes the sentence "gave up waiting for …".
///
/// # Panics
/// After the limit, with `awaited` and the place of the wait.
#[track_caller]
pub fn within<F: Future>(awaited: &str, future: F) -> impl Future<Output = F::Output> {
    wait(Location::caller(), awaited, WAIT_LIMIT, future)
}

/// As [`within`], for tests on tokio's paused time: hours may pass on their clock, and a hang is found at once.
///
/// # Panics
/// As [`within`].
#[track_caller]
pub fn within_paused<F: Future>(awaited: &str, future: F) -> impl Future<Output = F::Output> {
    wait(Location::caller(), awaited, PAUSED_LIMIT, future)
}

#[expect(clippy::panic, reason = "a test that waits in vain has failed")]
async fn wait<F: Future>(place: &Location<'_>, awaited: &str, limit: Duration, future: F) -> F::Output {
    match tokio::time::timeout(limit, future).await {
        Ok(output) => output,
        Err(_elapsed) => panic!("{place}: gave up waiting for {awaited} after {limit:?}"),
    }
}

/// Lets other tasks run until a condition holds, for at most [`WAIT_LIMIT`] of real time, also if tokio's time is
/// paused. For conditions that no event reports.
///
/// # Panics
/// After the limit, with `awaited` and the place of the wait.
#[track_caller]
pub fn until(awaited: &str, condition: impl FnMut() -> bool) -> impl Future<Output = ()> {
    poll_until(Location::caller(), awaited, condition)
}

#[expect(clippy::panic, reason = "a test that waits in vain has failed")]
async fn poll_until(place: &Location<'_>, awaited: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        if start.elapsed() > WAIT_LIMIT {
            panic!("{place}: gave up waiting for {awaited} after {WAIT_LIMIT:?}");
        }
        tokio::task::yield_now().await;
    }
}

/// The secret of all tests.
///
/// # Errors
/// None: the secret is valid.
pub fn secret() -> TestResult<Secret> {
    Ok(Secret::new(*b"the choir sings at eight o'clock")?)
}

/// A server with the secret of all tests.
///
/// # Errors
/// None: the secret is valid.
pub fn server() -> TestResult<ServerBuilder> {
    Ok(Server::builder().secret(secret()?))
}

/// A client with the secret of all tests.
///
/// # Errors
/// None: the secret is valid.
pub fn client() -> TestResult<ClientBuilder> {
    Ok(Client::builder().secret(secret()?))
}

/// A temporary directory for a unix socket and files next to it.
#[derive(Debug)]
pub struct SocketDirectory {
    directory: TempDir,
}

impl SocketDirectory {
    /// Creates an empty directory.
    ///
    /// # Errors
    /// The system cannot create it.
    pub fn new() -> TestResult<Self> {
        Ok(Self { directory: tempfile::tempdir()? })
    }

    /// The address of the socket.
    #[must_use]
    pub fn address(&self) -> String {
        format!("unix:{}", self.socket().display())
    }

    /// The path of the socket.
    #[must_use]
    pub fn socket(&self) -> std::path::PathBuf {
        self.file("socket")
    }

    /// The path of a file in this directory.
    #[must_use]
    pub fn file(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }
}

/// A server and a client that are connected: both have finished the handshake and know each other.
#[derive(Debug)]
pub struct Pair {
    /// The client. Fields are dropped in order, so it closes before the server.
    pub client: Client,
    /// The server.
    pub server: Server,
    /// The server's handle to the client.
    pub peer: Peer,
    /// Keeps the socket's directory, where there is one.
    _directory: Option<SocketDirectory>,
}

impl Pair {
    /// Connects them over a unix socket.
    ///
    /// # Errors
    /// One of them cannot be set up, or they do not accept each other.
    pub async fn over_unix(server: ServerBuilder, client: ClientBuilder) -> TestResult<Self> {
        let directory = SocketDirectory::new()?;
        let server = server.listen(directory.address()).await?;
        Self::connect(server, client, Some(directory)).await
    }

    /// Connects them over TCP, on a port that the system chooses.
    ///
    /// # Errors
    /// As [`Pair::over_unix`].
    pub async fn over_tcp(server: ServerBuilder, client: ClientBuilder) -> TestResult<Self> {
        let server = server.listen("tcp:127.0.0.1:0").await?;
        Self::connect(server, client, None).await
    }

    async fn connect(
        server: Server,
        client: ClientBuilder,
        directory: Option<SocketDirectory>,
    ) -> TestResult<Self> {
        let client = client.connect(address(&server)?)?;
        within("the client to be connected", client.ready()).await?;
        let peer = next_peer(&server).await?;
        Ok(Self { client, server, peer, _directory: directory })
    }

    /// The server's address.
    ///
    /// # Errors
    /// None: the server listens.
    pub fn address(&self) -> TestResult<String> {
        address(&self.server)
    }

    /// A proxy for a service of the server.
    #[must_use]
    pub fn proxy<P: Proxy<Role = role::Server>>(&self) -> P {
        self.client.proxy()
    }
}

/// The first peer of a server. Waits until the server has finished the handshake: from then on it counts the
/// connection.
///
/// # Errors
/// The server is shut down.
pub async fn next_peer(server: &Server) -> TestResult<Peer> {
    let peer = within("the server to have a peer", server.peers().next()).await;
    Ok(peer.ok_or("the server is shut down")?)
}

/// The address where a server listens.
///
/// # Errors
/// The server does not listen.
pub fn address(server: &Server) -> TestResult<String> {
    Ok(server.address().ok_or("the server does not listen")?.to_string())
}

/// The declared error of a call.
///
/// # Errors
/// The call ended in any other way.
pub fn declared<T: Debug, E: Debug>(result: Result<T, CallError<E>>) -> TestResult<E> {
    match result {
        Err(CallError::Declared(error)) => Ok(error),
        other => Err(format!("expected a declared error, got {other:?}").into()),
    }
}

/// A value with a lock: the state of a service, which several handlers change.
#[derive(Debug, Default)]
pub struct Locked<T>(Mutex<T>);

impl<T> Locked<T> {
    /// Protects a value with a lock.
    pub fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    /// Reads or changes the value.
    pub fn with<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Sends reports from a service to its test.
#[derive(Debug)]
pub struct Reporter<T>(mpsc::UnboundedSender<T>);

impl<T> Clone for Reporter<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Reporter<T> {
    /// Sends a report; discards it if the test reads no more.
    pub fn report(&self, value: T) {
        let _discarded = self.0.send(value);
    }
}

/// The reports that services send to a test.
#[derive(Debug)]
pub struct Reports<T> {
    subject: &'static str,
    receiver: mpsc::UnboundedReceiver<T>,
}

impl<T> Reports<T> {
    /// A channel for reports about `subject`, such as "calls of the client".
    #[must_use]
    pub fn of(subject: &'static str) -> (Reporter<T>, Self) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Reporter(sender), Self { subject, receiver })
    }

    /// Waits for the next report.
    ///
    /// # Errors
    /// All reporters are dropped.
    #[track_caller]
    #[expect(clippy::should_implement_trait, reason = "an async method, written so that it knows its caller")]
    pub fn next(&mut self) -> impl Future<Output = TestResult<T>> {
        let place = Location::caller();
        async move {
            let awaited = format!("a report of {}", self.subject);
            let report = wait(place, &awaited, WAIT_LIMIT, self.receiver.recv()).await;
            Ok(report.ok_or_else(|| format!("{place}: nothing reports {} any more", self.subject))?)
        }
    }

    /// The reports that have arrived and were not read yet.
    pub fn received(&mut self) -> Vec<T> {
        std::iter::from_fn(|| self.receiver.try_recv().ok()).collect()
    }
}
