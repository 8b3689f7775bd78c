//! What whole-system tests share: a server and a client over a real socket, and ways to wait that end.
//!
//! Invariants: every test ends within [`PATIENCE`], so that a hang is a failure; nothing waits by sleeping; sockets lie
//! in folders of their own, which are gone afterwards.

use std::error::Error;
use std::fmt::Debug;
use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use kaa_rpc_runtime::{CallError, Client, ClientBuilder, Peer, Proxy, Secret, Server, ServerBuilder, role};
use tempfile::TempDir;
use tokio::sync::mpsc;

/// How long a test may take.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What a test ends with.
pub type TestResult<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

/// Runs a test on a runtime of its own with several threads; a test that takes longer than [`PATIENCE`] fails.
///
/// # Errors
/// What the test failed with.
pub fn run(test: impl Future<Output = TestResult>) -> TestResult {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let outcome = runtime.block_on(async { tokio::time::timeout(PATIENCE, test).await });
    // Without waiting: a handler that hangs must not hang the test that found it.
    runtime.shutdown_background();
    outcome.map_err(|_elapsed| format!("the test did not end within {PATIENCE:?}"))?
}

/// The secret of all tests.
///
/// # Errors
/// None, in truth.
pub fn secret() -> TestResult<Secret> {
    Ok(Secret::new(*b"the choir sings at eight o'clock")?)
}

/// A server that knows the secret.
///
/// # Errors
/// None, in truth.
pub fn server() -> TestResult<ServerBuilder> {
    Ok(Server::builder().secret(secret()?))
}

/// A client that knows the secret.
///
/// # Errors
/// None, in truth.
pub fn client() -> TestResult<ClientBuilder> {
    Ok(Client::builder().secret(secret()?))
}

/// A folder for a socket.
#[derive(Debug)]
pub struct Place {
    folder: TempDir,
}

impl Place {
    /// A new one.
    ///
    /// # Errors
    /// If the system has no room for it.
    pub fn new() -> TestResult<Self> {
        Ok(Self { folder: tempfile::tempdir()? })
    }

    /// The address of the socket in it.
    #[must_use]
    pub fn address(&self) -> String {
        format!("unix:{}", self.socket().display())
    }

    /// Where the socket lies.
    #[must_use]
    pub fn socket(&self) -> std::path::PathBuf {
        self.file("socket")
    }

    /// A file beside it.
    #[must_use]
    pub fn file(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }
}

/// A server and a client that is connected to it.
#[derive(Debug)]
pub struct Pair {
    /// The client; first, so that it goes first.
    pub client: Client,
    /// The server.
    pub server: Server,
    /// Where their socket lies, if it is a file.
    pub place: Option<Place>,
}

impl Pair {
    /// Both over a unix socket.
    ///
    /// # Errors
    /// If one of them cannot be set up, or they do not accept each other.
    pub async fn over_unix(server: ServerBuilder, client: ClientBuilder) -> TestResult<Self> {
        let place = Place::new()?;
        let server = server.listen(place.address()).await?;
        let client = client.connect(place.address())?;
        client.ready().await?;
        Ok(Self { client, server, place: Some(place) })
    }

    /// Both over TCP, on a port that the system chose.
    ///
    /// # Errors
    /// As [`Pair::over_unix`].
    pub async fn over_tcp(server: ServerBuilder, client: ClientBuilder) -> TestResult<Self> {
        let server = server.listen("tcp:127.0.0.1:0").await?;
        let client = client.connect(address(&server)?.as_str())?;
        client.ready().await?;
        Ok(Self { client, server, place: None })
    }

    /// A proxy for what the server serves.
    #[must_use]
    pub fn proxy<P: Proxy<Role = role::Server>>(&self) -> P {
        self.client.proxy()
    }

    /// The client, as the server sees it.
    ///
    /// # Errors
    /// If it is not connected any more.
    pub async fn peer(&self) -> TestResult<Peer> {
        Ok(self.server.peers().next().await.ok_or("the server is shut down")?)
    }
}

/// Where a server listens.
///
/// # Errors
/// If it listens nowhere.
pub fn address(server: &Server) -> TestResult<String> {
    Ok(server.address().ok_or("the server does not listen")?.to_string())
}

/// The error that a call was declared to end with.
///
/// # Errors
/// If it ended in any other way.
pub fn declared<T: Debug, E: Debug>(result: Result<T, CallError<E>>) -> TestResult<E> {
    match result {
        Err(CallError::Declared(error)) => Ok(error),
        other => Err(format!("expected a declared error, got {other:?}").into()),
    }
}

/// A service's state: handlers of several calls change it, one after the other.
#[derive(Debug, Default)]
pub struct Kept<T>(Mutex<T>);

impl<T> Kept<T> {
    /// Keeps this.
    pub fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    /// Reads or changes it.
    pub fn with<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A service's end of what it tells the test.
#[derive(Debug)]
pub struct Teller<T>(mpsc::UnboundedSender<T>);

impl<T> Clone for Teller<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Teller<T> {
    /// Tells the test, if it still listens.
    pub fn tell(&self, value: T) {
        // A test that has seen enough is no concern of the service.
        let _ = self.0.send(value);
    }
}

/// The test's end of what services tell it.
#[derive(Debug)]
pub struct Heard<T>(mpsc::UnboundedReceiver<T>);

impl<T> Heard<T> {
    /// A pair of ends.
    #[must_use]
    pub fn new() -> (Teller<T>, Self) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Teller(sender), Self(receiver))
    }

    /// What was told next, as soon as it is told.
    ///
    /// # Errors
    /// If all who could tell are gone.
    pub async fn next(&mut self) -> TestResult<T> {
        Ok(self.0.recv().await.ok_or("nobody is left who could tell")?)
    }

    /// What has been told and not been read yet.
    pub fn rest(&mut self) -> Vec<T> {
        std::iter::from_fn(|| self.0.try_recv().ok()).collect()
    }
}
