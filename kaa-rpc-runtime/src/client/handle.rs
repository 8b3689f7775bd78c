//! [`Client`], the handle to a connection.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::events::{ClientEvent, ClientStatus};
use crate::connection::ShutdownReport;
use crate::connection::{Link, ServiceSet, Status};
use crate::error::{CloseReason, ConnectError, RegisterError};
use crate::events::{EventSender, Events};
use crate::peer::{Peer, Proxy};
use crate::service::{Service, role};

/// A connection to a server.
///
/// Create one with [`Client::builder`]. Connecting happens in the background: calls that are made before the
/// connection is ready wait for it.
///
/// Dropping the client closes the connection. Calls through remaining proxies then fail.
///
/// ```
/// use kaa_rpc_runtime::{Client, ConnectError, Secret};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // This returns at once. If connecting fails, `ready` and every call return the error.
/// let client = Client::builder().secret(Secret::generate()?).connect("unix:/nonexistent/socket")?;
/// let error = client.ready().await.unwrap_err();
/// assert!(matches!(error, ConnectError::Transport(_)));
/// # Ok(())
/// # }
/// ```
pub struct Client {
    owner: Arc<Owner>,
    #[cfg(feature = "process")]
    pub(super) process: Option<tokio::sync::watch::Receiver<Option<crate::process::Process>>>,
}

/// Keeps the connection open as long as it exists.
pub(super) struct Owner {
    pub(super) link: Arc<Link>,
    pub(super) services: Arc<ServiceSet>,
    pub(super) events: Arc<EventSender<ClientEvent>>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.link.close(&CloseReason::ClosedLocally);
        self.link.detached.abort();
    }
}

impl Client {
    pub(super) fn new(owner: Owner) -> Self {
        Self {
            owner: Arc::new(owner),
            #[cfg(feature = "process")]
            process: None,
        }
    }

    /// Creates a proxy for a service of the server. The proxy does not keep the connection open.
    #[must_use]
    pub fn proxy<P: Proxy<Role = role::Server>>(&self) -> P {
        self.peer().proxy()
    }

    /// Turns the client into a proxy. The connection stays open as long as the proxy or one of its clones
    /// exists.
    #[must_use]
    pub fn into_proxy<P: Proxy<Role = role::Server>>(self) -> P {
        self.peer().owning(self.owner).proxy()
    }

    /// The server as a peer.
    #[must_use]
    pub fn peer(&self) -> Peer {
        Peer::of_link(Arc::clone(&self.owner.link))
    }

    /// Starts serving a service to the server, on the open connection too.
    ///
    /// # Errors
    /// The service is already registered, or one of its method ids is in use.
    pub fn register(&self, service: Service<role::Client>) -> Result<(), RegisterError> {
        let service = service.into_registered();
        let descriptor = service.descriptor;
        self.owner.services.register(service)?;
        self.owner.link.add_known_service(descriptor);
        Ok(())
    }

    /// Stops serving a service, on the open connection too. New calls end with
    /// [`CallError::UnknownMethod`](crate::CallError::UnknownMethod); running calls finish.
    ///
    /// `service` is the full name, `package.Service`. Returns whether the service was registered.
    pub fn deregister(&self, service: &str) -> bool {
        let was_registered = self.owner.services.deregister(service);
        self.owner.link.services_changed();
        was_registered
    }

    /// The events of the connection: attempts, successes and losses.
    #[must_use]
    pub fn events(&self) -> Events<ClientEvent> {
        self.owner.events.events()
    }

    /// Waits until both sides have proved the secret and calls can be sent.
    ///
    /// # Errors
    /// The connection failed permanently.
    pub async fn ready(&self) -> Result<(), ConnectError> {
        self.owner.link.ready().await.map_err(|reason| match reason {
            CloseReason::NotConnected(error) => error,
            other => ConnectError::Protocol(other.to_string()),
        })
    }

    /// Waits until the connection has ended permanently, and returns the reason.
    pub async fn closed(&self) -> CloseReason {
        self.owner.link.closed().await
    }

    /// The current state of the connection.
    #[must_use]
    pub fn status(&self) -> ClientStatus {
        match self.owner.link.status() {
            Status::Connecting => ClientStatus::Connecting,
            Status::Open => ClientStatus::Connected,
            Status::Draining => ClientStatus::Draining,
            Status::Closed(reason) => ClientStatus::Closed(reason),
        }
    }

    /// Shuts down gracefully: accepts no new calls, gives running calls up to `grace` to finish, then closes
    /// the connection.
    pub async fn shutdown(&self, grace: Duration) -> ShutdownReport {
        let link = &self.owner.link;
        let detached = &link.detached;
        let began = Instant::now();
        let mut report = link.shut_down(grace).await;
        let left = grace.saturating_sub(began.elapsed());
        if tokio::time::timeout(left, detached.ended()).await.is_err() {
            report.cancelled_handlers += detached.count();
            detached.abort();
        }
        report
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Client").field("status", &self.status()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Owner").finish_non_exhaustive()
    }
}
