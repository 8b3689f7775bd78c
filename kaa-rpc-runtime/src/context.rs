//! What a handler knows about its call: the caller, and whether the call is cancelled.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::connection::{InboundState, PeerInformation};
use crate::peer::{Peer, Proxy};
use crate::protocol::metadata::Metadata;
use crate::trace::TraceContext;

/// A handler's context. `peer` is a proxy for the caller's side of the same service.
///
/// Calls made through `peer` are nested in the call that is being handled. They do not count for the limit on
/// calls in flight, so they work even if both sides accept one call at a time.
pub struct Context<P> {
    /// The caller.
    pub peer: P,
    call: Arc<InboundState>,
}

impl<P: Proxy> Context<P> {
    #[inline]
    pub(crate) fn new(call: Arc<InboundState>) -> Self {
        let peer = P::from_peer(Peer::of_call(Arc::clone(&call)));
        Self { peer, call }
    }

    /// The context of a synthetic call, which came over no connection.
    pub(crate) fn synthetic(caller: &P, call: Arc<InboundState>) -> Self {
        let peer = P::from_peer(caller.peer().clone().for_call(Arc::clone(&call)));
        Self { peer, call }
    }

    /// A proxy for another service of the caller.
    #[must_use]
    pub fn proxy<Q: Proxy<Role = P::Role>>(&self) -> Q {
        Q::from_peer(self.peer.peer().clone())
    }
}

impl<P> Context<P> {
    /// Whether the caller has cancelled the call. A handler that has called this gets a grace period to react
    /// before it is dropped; a handler that never calls it is dropped the next time it awaits something. A
    /// handler of a `#[detached]` method is not dropped at all.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.call.is_cancelled()
    }

    /// Waits until the caller cancels the call; see [`Context::is_cancelled`].
    pub async fn cancelled(&self) {
        self.call.cancelled().await;
    }

    /// The time until the caller stops waiting; `None` without a timeout.
    #[must_use]
    pub fn remaining_time(&self) -> Option<Duration> {
        self.call.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// The metadata that the caller sent.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        static NONE: Metadata = Metadata::new();
        self.call.metadata().unwrap_or(&NONE)
    }

    /// The call's place in a trace, if it belongs to one. Calls that the handler makes belong to the same
    /// trace. For a task that it spawns, use [`TraceContext::scope`].
    #[must_use]
    pub fn trace(&self) -> Option<&TraceContext> {
        self.call.trace()
    }

    /// The caller's address, credentials and session.
    #[must_use]
    pub fn peer_information(&self) -> Option<Arc<PeerInformation>> {
        self.call.link.information()
    }
}

impl<P: fmt::Debug> fmt::Debug for Context<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Context")
            .field("peer", &self.peer)
            .field("call", &self.call.id.0)
            .finish_non_exhaustive()
    }
}
