//! Where a client's connections come from, and which secret it proves on each.
//!
//! Invariant: a child process has exited before its successor is started.

use std::fmt;
use std::sync::Arc;

use crate::error::ConnectError;
use crate::process::ChildGuard;
#[cfg(feature = "process")]
use crate::process::Process;
use crate::secret::{KeyId, Secret, SecretError};
use crate::transport::{Address, ConnectOptions, Stream, connect};

/// Where connections come from.
pub(super) enum Target {
    Address(Address, ConnectOptions),
    /// One connected stream, until it is used.
    Stream(Option<Stream>),
    Connector(Connector),
    #[cfg(feature = "process")]
    Process(ChildProgram),
}

/// Creates a stream for each connection.
pub(super) type Connector = Box<dyn FnMut() -> std::io::Result<Stream> + Send>;

/// A stream, and what the client proves on it.
pub(super) struct Opened {
    pub(super) stream: Stream,
    pub(super) key_id: KeyId,
    pub(super) secret: Secret,
    /// The child process at the other end, if there is one.
    pub(super) child: ChildGuard,
}

impl Target {
    pub(super) async fn open(&mut self, secrets: &mut Secrets) -> Result<Opened, ConnectError> {
        let configured = secrets.next().map_err(|error| ConnectError::Secret(Arc::new(error)))?;
        let stream = match self {
            Self::Address(address, options) => {
                connect(address, options).await.map_err(|error| ConnectError::Transport(Arc::new(error)))?
            }
            Self::Stream(stream) => stream.take().ok_or_else(not_connected)?,
            Self::Connector(connector) => connector().map_err(|error| ConnectError::Io(Arc::new(error)))?,
            #[cfg(feature = "process")]
            Self::Process(program) => return program.start(configured).await,
        };
        // Only a client of child processes can start without a secret.
        let (key_id, secret) = configured.ok_or_else(not_connected)?;
        Ok(Opened { stream, key_id, secret, child: ChildGuard::default() })
    }
}

fn not_connected() -> ConnectError {
    ConnectError::Io(Arc::new(std::io::ErrorKind::NotConnected.into()))
}

/// A program that is started for each connection.
#[cfg(feature = "process")]
pub(super) struct ChildProgram {
    pub(super) command: tokio::process::Command,
    pub(super) current: tokio::sync::watch::Sender<Option<Process>>,
}

#[cfg(feature = "process")]
impl ChildProgram {
    async fn start(&mut self, configured: Option<(KeyId, Secret)>) -> Result<Opened, ConnectError> {
        let previous = self.current.borrow().clone();
        if let Some(previous) = previous {
            previous.kill();
            previous.ended().await;
        }
        let (key_id, secret) = match configured {
            Some(configured) => configured,
            None => {
                let secret = Secret::generate_for(self.command.as_std_mut());
                (KeyId::default(), secret.map_err(|error| ConnectError::Secret(Arc::new(error)))?)
            }
        };
        let (stream, child) = crate::transport::spawn(&mut self.command)
            .map_err(|error| ConnectError::Transport(Arc::new(error)))?;
        let process = Process::supervise(child);
        self.current.send_replace(Some(process.clone()));
        Ok(Opened { stream, key_id, secret, child: ChildGuard::new(process) })
    }
}

/// What a client proves.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    pub(super) key_id: KeyId,
    pub(super) source: SecretSource,
}

/// Where the secret comes from.
#[derive(Default)]
pub(super) enum SecretSource {
    #[default]
    None,
    Given(Secret),
    Function(SecretFunction),
}

/// Returns the secret for the next connection.
pub(super) type SecretFunction = Box<dyn FnMut() -> Result<(KeyId, Secret), SecretError> + Send>;

impl Secrets {
    /// The key id and secret for the next connection, if a secret was configured.
    fn next(&mut self) -> Result<Option<(KeyId, Secret)>, SecretError> {
        match &mut self.source {
            SecretSource::None => Ok(None),
            SecretSource::Given(secret) => Ok(Some((self.key_id.clone(), secret.clone()))),
            SecretSource::Function(function) => function().map(Some),
        }
    }
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::None => "None",
            Self::Given(_) => "Given(redacted)",
            Self::Function(_) => "Function",
        })
    }
}
