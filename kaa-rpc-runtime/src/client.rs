//! The connecting side.
//!
//! Invariants: `connect` returns at once and calls can be made at once; one task owns the connection, through all
//! reconnections, and ends with the [`Client`]; what ends a connection for good is told to every queued call.

mod builder;
mod connecting;
mod event;
#[cfg(feature = "process")]
mod hosting;
mod target;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use self::target::Secrets;
use crate::connection::ShutdownReport;
use crate::connection::{Link, ServiceSet, Status};
use crate::error::{CloseReason, ConnectError, RegisterError};
use crate::events::{EventSender, Events};
use crate::observe::Observers;
use crate::peer::{Peer, Proxy};
use crate::protocol::handshake::Audience;
use crate::service::{Service, role};
use crate::settings::Settings;
use crate::transport::ConnectOptions;

pub use builder::ClientBuilder;
pub use event::{ClientEvent, ClientStatus};

/// A connection to a server, in the making or made.
///
/// Dropping it closes the connection; proxies that are left say so.
///
/// ```
/// use kaa_rpc_runtime::{Client, ConnectError, Secret};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // Returns at once; what goes wrong is told by `ready` and by every call.
/// let client = Client::builder().secret(Secret::generate()?).connect("unix:/nonexistent/socket")?;
/// let error = client.ready().await.unwrap_err();
/// assert!(matches!(error, ConnectError::Transport(_)));
/// # Ok(())
/// # }
/// ```
pub struct Client {
    owner: Arc<Owner>,
    #[cfg(feature = "process")]
    process: Option<tokio::sync::watch::Receiver<Option<crate::process::Process>>>,
}

/// Whoever holds it holds the connection.
pub(crate) struct Owner {
    link: Arc<Link>,
    services: Arc<ServiceSet>,
    events: Arc<EventSender<ClientEvent>>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.link.close(&CloseReason::ClosedLocally);
        self.link.detached.abort();
    }
}

impl Client {
    /// Starts with the defaults.
    pub fn builder() -> ClientBuilder {
        ClientBuilder {
            secrets: Secrets::default(),
            audience: Audience::default(),
            services: ServiceSet::default(),
            register_error: None,
            backoff: None,
            options: ConnectOptions::new(),
            settings: Settings::default(),
            observers: Observers::default(),
        }
    }

    /// A proxy for what the server serves. It does not keep the connection open.
    #[must_use]
    pub fn proxy<P: Proxy<Role = role::Server>>(&self) -> P {
        self.peer().proxy()
    }

    /// A proxy that keeps the connection open as long as it, or a clone of it, lives.
    #[must_use]
    pub fn into_proxy<P: Proxy<Role = role::Server>>(self) -> P {
        self.peer().owning(self.owner).proxy()
    }

    /// The server as a peer.
    #[must_use]
    pub fn peer(&self) -> Peer {
        Peer::of_link(Arc::clone(&self.owner.link))
    }

    /// Serves one more service to the server, on the living connection too.
    ///
    /// # Errors
    /// If it is registered already, or one of its method ids is taken.
    pub fn register(&self, service: Service<role::Client>) -> Result<(), RegisterError> {
        let service = service.into_registered();
        let descriptor = service.descriptor;
        self.owner.services.register(service)?;
        self.owner.link.add_known_service(descriptor);
        Ok(())
    }

    /// Serves this service no longer, on the living connection neither: calls that come from now on end with
    /// [`CallError::UnknownMethod`](crate::CallError::UnknownMethod), those that run are finished. Whether it was
    /// registered. The name is the service's, as `package.Service`.
    pub fn deregister(&self, service: &str) -> bool {
        let was_there = self.owner.services.deregister(service);
        self.owner.link.services_changed();
        was_there
    }

    /// What happens to the connection: tries, successes, losses.
    #[must_use]
    pub fn events(&self) -> Events<ClientEvent> {
        self.owner.events.events()
    }

    /// Waits until both sides have proved the secret.
    ///
    /// # Errors
    /// Why there is no connection and will be none.
    pub async fn ready(&self) -> Result<(), ConnectError> {
        self.owner.link.ready().await.map_err(|reason| match reason {
            CloseReason::NotConnected(error) => error,
            other => ConnectError::Protocol(other.to_string()),
        })
    }

    /// Waits until the connection is over for good, and tells why.
    pub async fn closed(&self) -> CloseReason {
        self.owner.link.closed().await
    }

    /// Whether there is a connection now.
    #[must_use]
    pub fn status(&self) -> ClientStatus {
        match self.owner.link.status() {
            Status::Connecting => ClientStatus::Connecting,
            Status::Open => ClientStatus::Connected,
            Status::Draining => ClientStatus::Draining,
            Status::Closed(reason) => ClientStatus::Closed(reason),
        }
    }

    /// Takes no new calls, lets those that run finish for at most this time, and closes.
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
