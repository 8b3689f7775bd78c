//! Child processes as clients of a server.

use std::sync::Arc;

use tokio::process::Command;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::accepting;
use super::builder::ServerBuilder;
use super::guest::{Arrival, Guest};
use super::running::Server;
use crate::error::{ConnectError, SetupError};
use crate::peer::Peer;
use crate::process::{Kept, Process};
use crate::secret::Secret;
use crate::transport::spawn;

/// A child process that a server has started, and the peer that it becomes.
#[derive(Debug, Clone)]
pub struct SpawnedPeer {
    process: Process,
    arrival: watch::Receiver<Arrival>,
}

impl SpawnedPeer {
    /// Waits until the child has connected and proved its secret. Later it is the same peer, gone or not.
    ///
    /// # Errors
    /// Why it did not come so far: how it ended, if it did ([`Process::exit_status`] has it as a value).
    pub async fn connected(&self) -> Result<Peer, ConnectError> {
        let mut arrival = self.arrival.clone();
        let arrived = arrival.wait_for(Option::is_some).await;
        match arrived.ok().and_then(|arrived| arrived.clone()) {
            Some(arrived) => arrived,
            // The server was shut down before.
            None => Err(ConnectError::Io(Arc::new(std::io::ErrorKind::ConnectionAborted.into()))),
        }
    }

    /// The child process.
    #[must_use]
    pub fn process(&self) -> &Process {
        &self.process
    }
}

impl Server {
    /// Starts a program and serves it, over its stdin and stdout: a plugin, which is a client of this server. In the
    /// program, the other end is `Client::builder().secret(Secret::from_parent()?).connect("stdio:")`.
    ///
    /// The child has a secret of its own, by the environment variable [`KAA_RPC_SECRET`](Secret::VARIABLE), which lets in
    /// nobody else. It has the handshake's timeout to start up, and is not started again when it ends. Stderr is what the
    /// command says; stdin and stdout belong to the connection.
    ///
    /// ```no_run
    /// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::process::Command;
    /// use kaa_rpc_runtime::Server;
    ///
    /// let server = Server::builder().start_for_children()?; // or listen(…), for others besides
    /// let plugin = server.spawn(Command::new("./plugin"))?;
    /// let peer = plugin.connected().await?;
    /// println!("{}", peer.closed().await); // the connection was lost: the child process 42 ended with exit status: 1
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The program cannot be started, there is no tokio runtime, or the server is shut down.
    pub fn spawn(&self, command: impl Into<Command>) -> Result<SpawnedPeer, SetupError> {
        if *self.shared.closing.borrow() {
            return Err(SetupError::ShutDown);
        }
        Handle::try_current().map_err(|_error| SetupError::NoRuntime)?;
        let mut command = command.into();
        let secret = Secret::generate_for(command.as_std_mut())
            .map_err(|error| SetupError::NoRandomness(std::io::Error::other(error)))?;
        let (stream, child) = spawn(&mut command)?;
        let child = Kept::new(child);
        let process = child.process().clone();
        let (guest, arrival) = Guest::child(secret, child);
        accepting::take(&self.shared, stream, guest);
        Ok(SpawnedPeer { process, arrival })
    }
}

impl ServerBuilder {
    /// Serves only the child processes that [`Server::spawn`] starts, and what is given to [`Server::accept`] if there are
    /// keys. Needs no secret.
    ///
    /// # Errors
    /// A collision of services, or no tokio runtime.
    pub fn start_for_children(self) -> Result<Server, SetupError> {
        self.check()?;
        Server::start(self, None)
    }
}
