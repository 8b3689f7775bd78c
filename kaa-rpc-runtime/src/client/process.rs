//! Clients whose server is a child process that they start.

use tokio::process::Command;
use tokio::sync::watch;

use super::builder::ClientBuilder;
use super::handle::Client;
use super::target::{ChildProgram, Target};
use crate::error::SetupError;
use crate::process::Process;

impl ClientBuilder {
    /// Starts a program, for example a plugin, and connects to it over its stdin and stdout. The program
    /// serves with `Server::builder().secret(Secret::from_parent()?).listen("stdio:")`.
    ///
    /// You need no secret: each child receives its own, in the environment variable
    /// [`KAA_RPC_SECRET`](crate::Secret::VARIABLE). If the builder has a secret, the client uses that one,
    /// and does not pass it to the child.
    ///
    /// With [`ClientBuilder::reconnect`] the program is started again after its connection is lost. The
    /// command decides where stderr goes; stdin and stdout belong to the connection. The exit status of a
    /// child is available from [`CloseReason::exit_status`](crate::CloseReason::exit_status) and
    /// [`Process::ended`].
    ///
    /// ```no_run
    /// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::process::Command;
    /// use kaa_rpc_runtime::{Backoff, Client};
    ///
    /// let builder = Client::builder().reconnect(Backoff::default());
    /// let plugin = builder.connect_process(Command::new("./plugin"))?;
    /// plugin.ready().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Services collide, or there is no tokio runtime. If the program cannot be started or does not speak
    /// this protocol, [`Client::ready`] and every call return the error.
    pub fn connect_process(self, command: impl Into<Command>) -> Result<Client, SetupError> {
        self.check()?;
        let (current, process) = watch::channel(None);
        let mut client = self.start(Target::Process(ChildProgram { command: command.into(), current }))?;
        client.process = Some(process);
        Ok(client)
    }
}

impl Client {
    /// The current child process, or the last one. `None` before the first is started, and for clients that
    /// were not created with [`ClientBuilder::connect_process`].
    #[must_use]
    pub fn process(&self) -> Option<Process> {
        self.process.as_ref()?.borrow().clone()
    }
}
