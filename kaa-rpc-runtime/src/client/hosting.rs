//! A client whose server is a child process, which it starts, and starts again.
//!
//! Invariant: a child is gone before its successor is started.

use std::sync::Arc;

use tokio::process::Command;
use tokio::sync::watch;

use super::target::{Opened, Target};
use super::{Client, ClientBuilder};
use crate::error::{ConnectError, SetupError};
use crate::process::{Kept, Process};
use crate::secret::{KeyId, Secret, SecretError};
use crate::transport::spawn;

/// What a client starts.
pub(super) struct Host {
    command: Command,
    current: watch::Sender<Option<Process>>,
}

impl Host {
    pub(super) async fn open(&mut self, given: Option<(KeyId, Secret)>) -> Result<Opened, ConnectError> {
        let previous = self.current.borrow().clone();
        if let Some(previous) = previous {
            previous.kill();
            previous.ended().await;
        }
        let (key_id, secret) = match given {
            Some(given) => given,
            None => (KeyId::default(), Secret::generate_for(self.command.as_std_mut()).map_err(no_secret)?),
        };
        let (stream, child) =
            spawn(&mut self.command).map_err(|error| ConnectError::Transport(Arc::new(error)))?;
        let child = Kept::new(child);
        self.current.send_replace(Some(child.process().clone()));
        Ok(Opened { stream, key_id, secret, child: Some(child) })
    }
}

fn no_secret(error: SecretError) -> ConnectError {
    ConnectError::Secret(Arc::new(error))
}

impl ClientBuilder {
    /// Starts a program and connects to it, over its stdin and stdout: a plugin. In the program, the other end is
    /// `Server::builder().secret(Secret::from_parent()?).listen("stdio:")`.
    ///
    /// No secret is needed: each child is given one of its own, by the environment variable
    /// [`KAA_RPC_SECRET`](Secret::VARIABLE). One that was given to the builder is used instead, and is not handed over.
    /// With [`ClientBuilder::reconnect`] the program is started again when the connection is lost. Stderr is what the
    /// command says; stdin and stdout belong to the connection. How a child ended is in
    /// [`CloseReason::exit_status`](crate::CloseReason::exit_status) and [`Process::ended`].
    ///
    /// ```no_run
    /// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::process::Command;
    /// use kaa_rpc_runtime::{Backoff, Client};
    ///
    /// let plugin = Client::builder().reconnect(Backoff::default()).connect_process(Command::new("./plugin"))?;
    /// plugin.ready().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// A collision of services, or no tokio runtime. Whether the program can be started, and whether it speaks this
    /// protocol, is told by [`Client::ready`] and by every call.
    pub fn connect_process(self, command: impl Into<Command>) -> Result<Client, SetupError> {
        self.check()?;
        let (current, process) = watch::channel(None);
        let mut client = self.start(Target::Process(Host { command: command.into(), current }))?;
        client.process = Some(process);
        Ok(client)
    }
}

impl Client {
    /// The child process that is, or last was, the server; `None` before the first is started, and without
    /// [`ClientBuilder::connect_process`].
    #[must_use]
    pub fn process(&self) -> Option<Process> {
        self.process.as_ref()?.borrow().clone()
    }
}
