//! The events and states of a client's connection.

use std::sync::Arc;
use std::time::Duration;

use crate::connection::PeerInformation;
use crate::error::{CloseReason, ConnectError};

/// An event of a client's connection.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ClientEvent {
    /// The client begins an attempt to connect.
    Connecting {
        /// The number of the attempt since the client started or since the last connection ended; 1 for the
        /// first.
        attempt: u32,
    },
    /// Both sides have proved the secret, and their schemas are compatible.
    Connected(Arc<PeerInformation>),
    /// An attempt has failed.
    Refused {
        /// The error.
        error: ConnectError,
        /// The delay before the next attempt; `None` if there is none.
        retry_in: Option<Duration>,
    },
    /// A connection has ended.
    Disconnected {
        /// The reason.
        reason: CloseReason,
        /// The delay before the next attempt to connect; `None` if there is none.
        retry_in: Option<Duration>,
    },
}

/// The state of a client's connection.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ClientStatus {
    /// Connecting or authenticating. Calls are queued.
    Connecting,
    /// Connected and authenticated.
    Connected,
    /// One of the sides is shutting down.
    Draining,
    /// Closed permanently.
    Closed(CloseReason),
}
