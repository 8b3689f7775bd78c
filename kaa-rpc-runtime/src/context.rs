//! What a handler knows of its call: who calls, and whether the answer is still wanted.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::connection::InboundState;
use crate::observe::TraceContext;
use crate::peer::{Peer, PeerInformation, Proxy};
use crate::protocol::metadata::Metadata;

/// A handler's context. `peer` is the caller, typed: what it serves of the same service can be called at once.
///
/// Calls made through `peer` belong to the call being handled: they may be nested to any sensible depth, even where
/// both sides take one call at a time.
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

    /// The context of a call that stands on no connection.
    pub(crate) fn made_up(caller: &P, call: Arc<InboundState>) -> Self {
        let peer = P::from_peer(caller.peer().clone().for_call(Arc::clone(&call)));
        Self { peer, call }
    }

    /// Another service of the caller.
    #[must_use]
    pub fn proxy<Q: Proxy<Role = P::Role>>(&self) -> Q {
        Q::from_peer(self.peer.peer().clone())
    }
}

impl<P> Context<P> {
    /// Whether the caller has given the call up. Whoever asks is given a grace period to react before the handler is
    /// dropped; a handler that never asks is dropped at its next pause. One whose method is `#[detached]` is not dropped
    /// at all.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.call.is_cancelled()
    }

    /// Waits until the caller has given the call up; see [`Context::is_cancelled`].
    pub async fn cancelled(&self) {
        self.call.cancelled().await;
    }

    /// Time left until the caller stops waiting; `None` if it set no limit.
    #[must_use]
    pub fn remaining_time(&self) -> Option<Duration> {
        self.call.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// What the caller sent along beside the arguments.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        static NONE: Metadata = Metadata::new();
        self.call.metadata().unwrap_or(&NONE)
    }

    /// This call's place in a trace, if it belongs to one. Calls that the handler makes belong to it too; a task that it
    /// spawns is told with [`TraceContext::scope`].
    #[must_use]
    pub fn trace(&self) -> Option<&TraceContext> {
        self.call.trace()
    }

    /// Who the caller is: address, credentials, session.
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
