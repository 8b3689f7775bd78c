//! What a client tells of its connection.

use std::sync::Arc;
use std::time::Duration;

use crate::connection::PeerInformation;
use crate::error::{CloseReason, ConnectError};

/// Something that happened to a client's connection.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ClientEvent {
    /// It tries to connect: for the first time, or so many times since there was a connection.
    Connecting {
        /// 1 for the first try.
        attempt: u32,
    },
    /// Both sides have proved the secret, and their schemas fit.
    Connected(Arc<PeerInformation>),
    /// A try came to nothing.
    Refused {
        /// Why.
        error: ConnectError,
        /// When it tries again; never, if not said.
        retry_in: Option<Duration>,
    },
    /// A connection is over.
    Disconnected {
        /// Why.
        reason: CloseReason,
        /// When it tries to connect again; never, if not said.
        retry_in: Option<Duration>,
    },
}

/// Whether a client has a connection.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ClientStatus {
    /// Connecting or authenticating; calls are queued.
    Connecting,
    /// Connected and authenticated.
    Connected,
    /// One side has said goodbye.
    Draining,
    /// Over for good.
    Closed(CloseReason),
}
