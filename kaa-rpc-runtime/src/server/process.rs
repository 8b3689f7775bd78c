//! Child processes that are clients of a server.

use std::sync::Arc;

use tokio::process::Command;
use tokio::runtime::Handle;
use tokio::sync::watch;

use super::accept;
use super::builder::ServerBuilder;
use super::handle::Server;
use super::origin::{ConnectResult, Origin};
use crate::error::{ConnectError, SetupError};
use crate::peer::Peer;
use crate::process::{ChildGuard, Process};
use crate::secret::Secret;
use crate::transport::spawn;

/// A child process that a server has started, and the peer that it becomes.
#[derive(Debug, Clone)]
pub struct SpawnedPeer {
    process: Process,
    result: watch::Receiver<ConnectResult>,
}

impl SpawnedPeer {
    /// Waits until the child has connected and proved its secret. Later calls return the same peer, even if
    /// it has disconnected.
    ///
    /// # Errors
    /// The child did not connect. If it exited, the error has its exit status, and so does
    /// [`Process::exit_status`].
    pub async fn connected(&self) -> Result<Peer, ConnectError> {
        let mut receiver = self.result.clone();
        let result = receiver.wait_for(Option::is_some).await;
        match result.ok().and_then(|result| result.clone()) {
            Some(result) => result,
            // The server was shut down first.
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
    /// Starts a program, for example a plugin, and serves it over its stdin and stdout. The program is then a
    /// client of this server; it connects with
    /// `Client::builder().secret(Secret::from_parent()?).connect("stdio:")`.
    ///
    /// The child receives its own secret in the environment variable [`KAA_RPC_SECRET`](Secret::VARIABLE); no
    /// other client can use it. The child must connect within the handshake timeout. It is not started again
    /// after it exits. The command decides where stderr goes; stdin and stdout belong to the connection.
    ///
    /// ```no_run
    /// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::process::Command;
    /// use kaa_rpc_runtime::Server;
    ///
    /// let server = Server::builder().start_for_children()?; // or listen(…), to accept other clients too
    /// let plugin = server.spawn(Command::new("./plugin"))?;
    /// let peer = plugin.connected().await?;
    /// // for example: the connection was lost: the child process 42 ended with exit status: 1
    /// println!("{}", peer.closed().await);
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
        let process = Process::supervise(child);
        let (origin, result) = Origin::child(secret, ChildGuard::new(process.clone()));
        accept::serve_stream(&self.shared, stream, origin);
        Ok(SpawnedPeer { process, result })
    }
}

impl ServerBuilder {
    /// Starts a server without a listener, for child processes from [`Server::spawn`]. It needs no secret. If
    /// it has keys, it also serves connections from [`Server::accept`].
    ///
    /// # Errors
    /// Services collide, or there is no tokio runtime.
    pub fn start_for_children(self) -> Result<Server, SetupError> {
        self.check()?;
        self.start_with(None)
    }
}
