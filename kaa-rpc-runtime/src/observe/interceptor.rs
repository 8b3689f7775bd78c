//! Interceptors: what a program puts between calls and their handlers, on either side.
//!
//! Invariants: an interceptor sees every call before it leaves or before its arguments are decoded, in the order in which
//! interceptors were added, and its end in the reverse order; one that refuses a call is the last to see it begin, and
//! those before it are told the end.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::end::CallEnd;
use crate::connection::Link;
use crate::descriptor::MethodDescriptor;
use crate::peer::{Peer, PeerInformation};
use crate::protocol::metadata::Metadata;

/// Sees calls begin and end, and may refuse them. Added to a client or server for the calls that it makes
/// (`intercept_outbound`) or for those that it serves (`intercept_inbound`); both are to be had on both sides.
///
/// Interceptors run where the call is made or read, so they must not block. They see every attempt that a program makes,
/// not each time that an idempotent call is sent again.
///
/// ```
/// use kaa_rpc_runtime::{Interceptor, ObservedCall, Refusal};
///
/// /// Lets in who knows the word.
/// #[derive(Debug)]
/// struct Doorkeeper;
///
/// impl Interceptor for Doorkeeper {
///     fn before(&self, call: &mut ObservedCall) -> Result<(), Refusal> {
///         match call.metadata().text("word") {
///             Some("swordfish") => Ok(()),
///             _ => Err(Refusal::new("say the word")),
///         }
///     }
/// }
///
/// # fn build() {
/// let _server = kaa_rpc_runtime::Server::builder().intercept_inbound(Doorkeeper);
/// # }
/// ```
pub trait Interceptor: Send + Sync + 'static {
    /// A call is about to leave, or about to be handled. Metadata that is set here goes to the peer, or to the handler.
    ///
    /// # Errors
    /// If the call is not to be made or handled: it ends with [`CallError::Refused`](crate::CallError::Refused).
    fn before(&self, call: &mut ObservedCall) -> Result<(), Refusal> {
        let _ = call;
        Ok(())
    }

    /// A call has ended, after so much time. A stream's end is that of its call.
    fn after(&self, call: &ObservedCall, end: CallEnd, took: Duration) {
        let _ = (call, end, took);
    }
}

/// Whose call it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// A call of this side.
    Outbound,
    /// A call of the peer.
    Inbound,
}

impl Direction {
    /// A word for it, in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Outbound => "outbound",
            Self::Inbound => "inbound",
        }
    }
}

/// A call as interceptors see it.
pub struct ObservedCall {
    pub(super) direction: Direction,
    pub(super) method: &'static MethodDescriptor,
    pub(super) link: Arc<Link>,
    pub(super) metadata: Metadata,
    pub(super) began: Instant,
    pub(super) deadline: Option<Instant>,
}

impl ObservedCall {
    /// Whose call it is.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Which method is called: its service and name, whether it is oneway, and its attributes.
    #[must_use]
    pub fn method(&self) -> &'static MethodDescriptor {
        self.method
    }

    /// The other side.
    #[must_use]
    pub fn peer(&self) -> Peer {
        Peer::of_link(Arc::clone(&self.link))
    }

    /// Who the other side is; `None` if a call is made before the peer has proved the secret.
    #[must_use]
    pub fn peer_information(&self) -> Option<Arc<PeerInformation>> {
        self.link.information()
    }

    /// What the call carries beside its arguments.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The same, to be changed before the call goes on.
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    /// Time left until the caller stops waiting; `None` if it set no limit.
    #[must_use]
    pub fn remaining_time(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }
}

impl fmt::Debug for ObservedCall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ObservedCall")
            .field("direction", &self.direction)
            .field("method", &format_args!("{}", self.method))
            .field("metadata", &self.metadata)
            .finish_non_exhaustive()
    }
}

/// Why a call is not to be made or handled: a message for the caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    message: String,
}

impl Refusal {
    /// A refusal that tells the caller this.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into() }
    }

    /// What the caller is told.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}
