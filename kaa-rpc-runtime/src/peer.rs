//! The other side of a connection: the same type on both ends.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

use crate::connection::{InboundState, Link, Side};
use crate::descriptor::ServiceDescriptor;
use crate::error::CloseReason;
use crate::observe::ConnectionStatistics;
use crate::protocol::frame::Parent;
use crate::protocol::handshake::{Established, SessionId};
use crate::secret::KeyId;
use crate::shutdown::{ShutdownReport, shut_down};
use crate::transport::{Credentials, PeerAddress, Stream};

/// A handle on the other side of a connection.
///
/// It does not keep the connection open: that is for the [`Client`](crate::Client) or [`Server`](crate::Server) that
/// made it. Calls through a handle that outlives its connection end with
/// [`CallError::Disconnected`](crate::CallError::Disconnected).
#[derive(Clone)]
pub struct Peer {
    link: Arc<Link>,
    call: Option<Arc<InboundState>>,
    absence: Absence,
    /// Set where the handle has been given the connection itself.
    owner: Option<Owner>,
}

/// Whatever closes a connection when it is dropped.
pub(crate) type Owner = Arc<dyn Any + Send + Sync>;

/// What becomes of calls while there is no connection, where another is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absence {
    /// They wait for it, and idempotent ones are sent again.
    Wait,
    /// They end.
    Fail,
}

/// A generated proxy: calls what one role of a service serves.
pub trait Proxy: Clone + Send + Sync + 'static {
    /// Who serves: [`role::Server`](crate::role::Server) or [`role::Client`](crate::role::Client).
    type Role;
    /// The service.
    const SERVICE: &'static ServiceDescriptor;
    /// A proxy that calls this peer.
    fn from_peer(peer: Peer) -> Self;
    /// The peer that this proxy calls.
    fn peer(&self) -> &Peer;
}

/// Who the other side is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PeerInformation {
    /// Where it is.
    pub address: PeerAddress,
    /// Process, user and group, where the transport tells (unix sockets).
    pub credentials: Option<Credentials>,
    /// The session's id, the same on both sides, for logs.
    pub session: SessionId,
    /// Which of the server's keys was used.
    pub key_id: KeyId,
    /// Whether both sides' schemas are the same.
    pub same_schema: bool,
}

impl PeerInformation {
    /// What is known after the handshake.
    pub(crate) fn new(stream: &Stream, established: &Established, our_schema: [u8; 32]) -> Self {
        Self {
            address: stream.peer_address().clone(),
            credentials: stream.peer_credentials(),
            session: established.session_id,
            key_id: established.key_id.clone(),
            same_schema: established.peer_schema == our_schema,
        }
    }
}

impl Peer {
    pub(crate) fn of_link(link: Arc<Link>) -> Self {
        Self { link, call: None, absence: Absence::Wait, owner: None }
    }

    #[inline]
    pub(crate) fn of_call(call: Arc<InboundState>) -> Self {
        Self { link: Arc::clone(&call.link), call: Some(call), absence: Absence::Wait, owner: None }
    }

    /// The same handle, which keeps the connection open as long as it, or a clone of it, lives.
    pub(crate) fn owning(self, owner: Owner) -> Self {
        Self { owner: Some(owner), ..self }
    }

    /// The same handle, which does not.
    pub(crate) fn unowned(self) -> Self {
        Self { owner: None, ..self }
    }

    /// The same handle, whose calls are made for this one.
    pub(crate) fn for_call(self, call: Arc<InboundState>) -> Self {
        Self { call: Some(call), ..self }
    }

    #[inline]
    pub(crate) fn link(&self) -> &Arc<Link> {
        &self.link
    }

    /// What a call made through this handle names as its parent.
    #[inline]
    pub(crate) fn parent(&self) -> Option<Parent> {
        self.call.as_ref().and_then(|call| call.as_parent())
    }

    /// What becomes of this handle's calls while there is no connection.
    #[inline]
    pub(crate) fn absence(&self) -> Absence {
        self.absence
    }

    /// When the call ends that this handle's calls are made for.
    #[inline]
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.call.as_ref().and_then(|call| call.deadline_of_nested())
    }

    /// The same peer without the call that this handle may belong to: what a handler keeps for later.
    #[must_use]
    pub fn unbound(&self) -> Self {
        Self { call: None, ..self.clone() }
    }

    /// The same peer for callers who have another to turn to. While there is no connection, calls made through this handle
    /// end with [`Outcome::NotSent`](crate::Outcome::NotSent) at once, though a client that reconnects could keep them;
    /// and what a loss has ended is not sent again, `#[idempotent]` or not. A limit is waited for as ever, and a oneway
    /// call that does so is kept.
    #[must_use]
    pub fn fail_fast(&self) -> Self {
        Self { absence: Absence::Fail, ..self.clone() }
    }

    /// A proxy for what the other side serves.
    ///
    /// A proxy for a role that this side serves itself can be made; its calls end with
    /// [`CallError::UnknownMethod`](crate::CallError::UnknownMethod).
    #[must_use]
    pub fn proxy<P: Proxy>(&self) -> P {
        self.link.know(P::SERVICE);
        P::from_peer(self.clone())
    }

    /// Who the other side is; `None` before it has proved the secret.
    #[must_use]
    pub fn information(&self) -> Option<Arc<PeerInformation>> {
        self.link.information()
    }

    /// Whether the connection is open.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.link.is_connected()
    }

    /// Waits until the connection is over for good, and tells why.
    pub async fn closed(&self) -> CloseReason {
        self.link.closed().await
    }

    /// Closes the connection now. Unanswered calls of both sides end.
    pub fn close(&self) {
        self.link.close(&CloseReason::ClosedLocally);
    }

    /// Makes and takes no new calls on this connection, lets those that run finish for at most this time, and closes. From
    /// within a handler it waits for that handler too: spawn it there.
    pub async fn shutdown(&self, grace: Duration) -> ShutdownReport {
        shut_down(&self.link, grace).await
    }

    /// Whether this side accepted the connection.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.link.configuration.side == Side::Accepting
    }

    /// What the connection has done so far.
    #[must_use]
    pub fn statistics(&self) -> ConnectionStatistics {
        self.link.statistics()
    }

    /// Calls of the other side whose handlers have not finished.
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
