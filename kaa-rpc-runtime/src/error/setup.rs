//! Why a client, a server or a service cannot be set up.

use std::convert::Infallible;
use std::io;

use super::connection::Chain;
use crate::transport::{AddressError, TransportError};

/// Why a client or server cannot be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The address is malformed.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// No secret was set.
    #[error("no secret was set: call secret(…), for instance with Secret::from_file")]
    MissingSecret,
    /// A service cannot be registered.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// The call was made outside of a tokio runtime.
    #[error("there is no tokio runtime here: call this within one, for instance under #[tokio::main]")]
    NoRuntime,
    /// The background thread of the blocking API cannot be started.
    #[error("the background thread cannot be started")]
    NoThread(#[source] io::Error),
    /// The server is shut down and accepts no more connections.
    #[error("the server is shut down")]
    ShutDown,
    /// The operating system returned no random bytes.
    #[error("the operating system returned no random bytes")]
    NoRandomness(#[source] io::Error),
    /// The server cannot listen at the address.
    #[error("{}", Chain(.0))]
    Transport(TransportError),
}

impl From<TransportError> for SetupError {
    fn from(error: TransportError) -> Self {
        Self::Transport(error)
    }
}

impl From<Infallible> for SetupError {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

/// Why a service cannot be registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegisterError {
    /// A service of this name is registered already.
    #[error("the service {service} is registered already")]
    AlreadyRegistered {
        /// Its name.
        service: &'static str,
    },
    /// Methods of two services have the same id on the wire.
    #[error(
        "the methods {} and {} have the same id {id:#010x}; give one of them another #[selector(\"…\")]",
        methods[0], methods[1]
    )]
    MethodIdCollision {
        /// The id.
        id: u32,
        /// Both methods.
        methods: [String; 2],
    },
}
