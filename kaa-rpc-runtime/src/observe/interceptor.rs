//! Interceptors: code of the program that runs between calls and their handlers, on either side.
//!
//! Invariants: an interceptor sees every call before it is sent, or before its arguments are decoded; the
//! start in the order in which interceptors were added, the end in the reverse order; when an interceptor
//! refuses a call, later ones do not see the call, and earlier ones see its end.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::connection::{CallStart, Direction, Link, PeerInformation, Refusal};
use crate::descriptor::MethodDescriptor;
use crate::error::CallEnd;
use crate::peer::Peer;
use crate::protocol::metadata::Metadata;

/// Observes the start and end of calls, and may refuse them. A client or server has interceptors for its
/// outbound calls (`intercept_outbound`) and for its inbound calls (`intercept_inbound`).
///
/// Interceptors run in the task that makes the call or reads it, so they must not block. They see a call
/// once, not each retry of an idempotent call.
///
/// ```
/// use kaa_rpc_runtime::{Interceptor, ObservedCall, Refusal};
///
/// /// Accepts calls with the password.
/// #[derive(Debug)]
/// struct PasswordCheck;
///
/// impl Interceptor for PasswordCheck {
///     fn before(&self, call: &mut ObservedCall) -> Result<(), Refusal> {
///         match call.metadata().text("password") {
///             Some("swordfish") => Ok(()),
///             _ => Err(Refusal::new("wrong password")),
///         }
///     }
/// }
///
/// # fn build() {
/// let _server = kaa_rpc_runtime::Server::builder().intercept_inbound(PasswordCheck);
/// # }
/// ```
pub trait Interceptor: Send + Sync + 'static {
    /// A call is about to be sent, or about to be handled. The peer or the handler receives the metadata as
    /// it is after this.
    ///
    /// # Errors
    /// Refuses the call, which ends with [`CallError::Refused`](crate::CallError::Refused).
    fn before(&self, call: &mut ObservedCall) -> Result<(), Refusal> {
        let _ = call;
        Ok(())
    }

    /// A call has ended. A call with streams ends after its streams.
    fn after(&self, call: &ObservedCall, end: CallEnd, took: Duration) {
        let _ = (call, end, took);
    }
}

/// A call as interceptors see it.
pub struct ObservedCall {
    pub(super) direction: Direction,
    pub(super) method: &'static MethodDescriptor,
    link: Arc<Link>,
    pub(super) metadata: Metadata,
    pub(super) started: Instant,
    deadline: Option<Instant>,
}

impl ObservedCall {
    pub(super) fn new(link: Arc<Link>, call: CallStart) -> Self {
        let CallStart { direction, method, metadata, deadline } = call;
        Self { direction, method, link, metadata, started: Instant::now(), deadline }
    }

    /// Whose call it is.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// The called method: its service, its name and its attributes.
    #[must_use]
    pub fn method(&self) -> &'static MethodDescriptor {
        self.method
    }

    /// The peer.
    #[must_use]
    pub fn peer(&self) -> Peer {
        Peer::of_link(Arc::clone(&self.link))
    }

    /// Who the peer is; `None` for a call made before the peer is authenticated.
    #[must_use]
    pub fn peer_information(&self) -> Option<Arc<PeerInformation>> {
        self.link.information()
    }

    /// The call's metadata.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The call's metadata, to change it.
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    /// The time until the caller stops waiting; `None` without a timeout.
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
