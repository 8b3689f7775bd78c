//! Where a client's connections come from, and which secret is proved on each.

use std::fmt;
use std::sync::Arc;

use crate::error::ConnectError;
use crate::process::Kept;
use crate::secret::{KeyId, Secret, SecretError};
use crate::transport::{Address, ConnectOptions, Stream, connect};

/// Where connections come from.
pub(super) enum Target {
    Address(Address, ConnectOptions),
    Stream(Option<Stream>),
    Connector(Connector),
    #[cfg(feature = "process")]
    Process(super::hosting::Host),
}

/// Makes a connection out of nothing but what it knows.
pub(super) type Connector = Box<dyn FnMut() -> std::io::Result<Stream> + Send>;

/// A stream, and what to prove on it.
pub(super) struct Opened {
    pub(super) stream: Stream,
    pub(super) key_id: KeyId,
    pub(super) secret: Secret,
    /// The child process at the other end.
    pub(super) child: Option<Kept>,
}

impl Target {
    pub(super) async fn open(&mut self, secrets: &mut Secrets) -> Result<Opened, ConnectError> {
        let asked = secrets.ask().map_err(|error| ConnectError::Secret(Arc::new(error)))?;
        let stream = match self {
            Self::Address(address, options) => {
                connect(address, options).await.map_err(|error| ConnectError::Transport(Arc::new(error)))?
            }
            Self::Stream(stream) => stream.take().ok_or_else(no_more)?,
            Self::Connector(connector) => connector().map_err(|error| ConnectError::Io(Arc::new(error)))?,
            #[cfg(feature = "process")]
            Self::Process(host) => return host.open(asked).await,
        };
        // Only who starts processes may do without a secret.
        let (key_id, secret) = asked.ok_or_else(no_more)?;
        Ok(Opened { stream, key_id, secret, child: None })
    }
}

fn no_more() -> ConnectError {
    ConnectError::Io(Arc::new(std::io::ErrorKind::NotConnected.into()))
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
    Asked(Ask),
}

/// Gives the secret of the next connection.
pub(super) type Ask = Box<dyn FnMut() -> Result<(KeyId, Secret), SecretError> + Send>;

impl Secrets {
    /// What to prove on the next connection, if anything was given.
    fn ask(&mut self) -> Result<Option<(KeyId, Secret)>, SecretError> {
        match &mut self.source {
            SecretSource::None => Ok(None),
            SecretSource::Given(secret) => Ok(Some((self.key_id.clone(), secret.clone()))),
            SecretSource::Asked(ask) => ask().map(Some),
        }
    }
}

impl fmt::Debug for SecretSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::None => "None",
            Self::Given(_) => "Given(redacted)",
            Self::Asked(_) => "Asked",
        })
    }
}
