//! Handles to the other side of a connection. Both ends use the same type.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::connection::{
    ConnectionStatistics, InboundState, Link, OnDisconnect, PeerInformation, ShutdownReport, Side,
};
use crate::descriptor::ServiceDescriptor;
use crate::error::CloseReason;
use crate::protocol::frame::Parent;

/// A handle to the other side of a connection.
///
/// It does not keep the connection open; the [`Client`](crate::Client) or [`Server`](crate::Server) does.
/// Calls through a handle whose connection has ended fail with
/// [`CallError::Disconnected`](crate::CallError::Disconnected).
#[derive(Clone)]
pub struct Peer {
    link: Arc<Link>,
    call: Option<Arc<InboundState>>,
    on_disconnect: OnDisconnect,
    /// Set if the handle keeps the connection open.
    owner: Option<Owner>,
}

/// A value that closes the connection when it is dropped.
pub(crate) type Owner = Arc<dyn Any + Send + Sync>;

/// A generated proxy: calls the methods that one role of a service serves.
pub trait Proxy: Clone + Send + Sync + 'static {
    /// The side that serves: [`role::Server`](crate::role::Server) or [`role::Client`](crate::role::Client).
    type Role;
    /// The service.
    const SERVICE: &'static ServiceDescriptor;
    /// A proxy that calls this peer.
    fn from_peer(peer: Peer) -> Self;
    /// The peer that this proxy calls.
    fn peer(&self) -> &Peer;
}

impl Peer {
    pub(crate) fn of_link(link: Arc<Link>) -> Self {
        Self { link, call: None, on_disconnect: OnDisconnect::WaitForReady, owner: None }
    }

    #[inline]
    pub(crate) fn of_call(call: Arc<InboundState>) -> Self {
        Self {
            link: Arc::clone(&call.link),
            call: Some(call),
            on_disconnect: OnDisconnect::WaitForReady,
            owner: None,
        }
    }

    /// The same handle, which keeps the connection open until it and its clones are dropped.
    pub(crate) fn owning(self, owner: Owner) -> Self {
        Self { owner: Some(owner), ..self }
    }

    /// The same handle, which does not keep the connection open.
    pub(crate) fn unowned(self) -> Self {
        Self { owner: None, ..self }
    }

    /// The same handle, whose calls are nested in this call.
    pub(crate) fn for_call(self, call: Arc<InboundState>) -> Self {
        Self { call: Some(call), ..self }
    }

    #[inline]
    pub(crate) fn link(&self) -> &Arc<Link> {
        &self.link
    }

    /// The parent of calls made through this handle.
    #[inline]
    pub(crate) fn parent(&self) -> Option<Parent> {
        self.call.as_ref().and_then(|call| call.as_parent())
    }

    /// What happens to this handle's calls while there is no connection.
    #[inline]
    pub(crate) fn on_disconnect(&self) -> OnDisconnect {
        self.on_disconnect
    }

    /// The deadline of the call that this handle's calls are nested in.
    #[inline]
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.call.as_ref().and_then(|call| call.deadline_of_nested())
    }

    /// The same peer without the call that this handle belongs to. A handler that keeps the handle for later
    /// uses this.
    #[must_use]
    pub fn unbound(&self) -> Self {
        Self { call: None, ..self.clone() }
    }

    /// The same peer for callers that have an alternative. While there is no connection, calls through this
    /// handle fail at once with [`Outcome::NotSent`](crate::Outcome::NotSent), even if a client that
    /// reconnects could queue them. A call that a connection loss has ended is not retried, even if it is
    /// `#[idempotent]`. Calls still wait for limits, and a queued oneway call stays queued.
    #[must_use]
    pub fn fail_fast(&self) -> Self {
        Self { on_disconnect: OnDisconnect::FailFast, ..self.clone() }
    }

    /// A proxy for a service of the other side.
    ///
    /// A proxy for a role that this side serves itself can be created, but its calls fail with
    /// [`CallError::UnknownMethod`](crate::CallError::UnknownMethod).
    #[must_use]
    pub fn proxy<P: Proxy>(&self) -> P {
        self.link.add_known_service(P::SERVICE);
        P::from_peer(self.clone())
    }

    /// Who the other side is; `None` before it is authenticated.
    #[must_use]
    pub fn information(&self) -> Option<Arc<PeerInformation>> {
        self.link.information()
    }

    /// Whether the connection is open.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.link.is_connected()
    }

    /// Waits until the connection is closed for good, and returns the reason.
    pub async fn closed(&self) -> CloseReason {
        self.link.closed().await
    }

    /// Closes the connection now. Unanswered calls of both sides fail.
    pub fn close(&self) {
        self.link.close(&CloseReason::ClosedLocally);
    }

    /// Shuts the connection down: no new calls are made or accepted, running calls get this time to finish,
    /// then the connection is closed. In a handler, spawn this as a task, because it waits for that handler
    /// too.
    pub async fn shutdown(&self, grace: Duration) -> ShutdownReport {
        self.link.shut_down(grace).await
    }

    /// Whether this side accepted the connection.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.link.side == Side::Accepting
    }

    /// The connection's counters.
    #[must_use]
    pub fn statistics(&self) -> ConnectionStatistics {
        self.link.statistics()
    }

    /// The running handlers of the other side's calls.
    #[must_use]
    pub fn running_handlers(&self) -> usize {
        self.link.running_handlers()
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("Peer");
        match self.link.information() {
            Some(information) => {
                debug.field("address", &information.address).field("session", &information.session)
            }
            None => debug.field("status", &self.link.status()),
        };
        if self.owner.is_some() {
            debug.field("owns", &true);
        }
        debug.finish_non_exhaustive()
    }
}
