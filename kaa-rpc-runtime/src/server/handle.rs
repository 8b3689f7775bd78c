//! [`Server`], the handle to a running server.

use std::fmt;
use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use tokio::task::JoinHandle;

use super::accept;
use super::events::ServerEvent;
use super::origin::Origin;
use super::registry::Peers;
use super::shared::Shared;
use crate::connection::ServerStatistics;
use crate::connection::ShutdownReport;
use crate::error::{CloseReason, RegisterError};
use crate::events::Events;
use crate::peer::Peer;
use crate::secret::{KeyId, Secret};
use crate::service::{Service, role};
use crate::transport::{Address, Stream};

/// How long tasks may take to end after they were aborted.
const ABORT_TIMEOUT: Duration = Duration::from_secs(5);

/// A server: it accepts connections, serves its services to each client, and can call the services of its
/// clients.
///
/// Create one with [`Server::builder`]. Dropping the server closes all connections.
///
/// ```
/// use std::time::Duration;
/// use kaa_rpc_runtime::{Secret, Server};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::builder().secret(Secret::generate()?).listen("tcp:[::1]:0").await?;
/// assert_eq!(server.connections(), 0);
/// let report = server.shutdown(Duration::from_secs(30)).await;
/// assert_eq!(report.aborted, 0);
/// # Ok(())
/// # }
/// ```
pub struct Server {
    pub(super) shared: Arc<Shared>,
    address: Option<Address>,
    accept_task: Option<JoinHandle<()>>,
}

impl Server {
    pub(super) fn new(
        shared: Arc<Shared>,
        address: Option<Address>,
        accept_task: Option<JoinHandle<()>>,
    ) -> Self {
        Self { shared, address, accept_task }
    }

    /// The address at which the server listens. For TCP it has the actual IP address and port.
    #[must_use]
    pub fn address(&self) -> Option<&Address> {
        self.address.as_ref()
    }

    /// Starts serving a service, on open connections too.
    ///
    /// # Errors
    /// The service is already registered, or one of its method ids is in use.
    pub fn register(&self, service: Service<role::Server>) -> Result<(), RegisterError> {
        let service = service.into_registered();
        let descriptor = service.descriptor;
        self.shared.services.register(service)?;
        for link in self.shared.registry.links() {
            link.add_known_service(descriptor);
        }
        Ok(())
    }

    /// Stops serving a service, on open connections too. New calls end with
    /// [`CallError::UnknownMethod`](crate::CallError::UnknownMethod); running calls finish.
    ///
    /// `service` is the full name, `package.Service`. Returns whether the service was registered.
    pub fn deregister(&self, service: &str) -> bool {
        let was_registered = self.shared.services.deregister(service);
        for link in self.shared.registry.links() {
            link.services_changed();
        }
        was_registered
    }

    /// Accepts a secret with a key id from now on. Returns the secret that it replaces. Open connections stay
    /// open.
    ///
    /// To replace a secret without downtime, accept the new one with a new key id, give it to the clients
    /// ([`ClientBuilder::secret_source`](crate::ClientBuilder::secret_source)), then remove the old one.
    ///
    /// ```
    /// use kaa_rpc_runtime::{KeyId, Secret, Server};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (may, june) = (KeyId::new("may")?, KeyId::new("june")?);
    /// let server = Server::builder().key(may.clone(), Secret::generate()?).listen("tcp:[::1]:0").await?;
    /// server.insert_key(june, Secret::generate()?); // both are accepted
    /// server.remove_key(&may); // only the new one is accepted; open connections stay open
    /// server.close_key(&may); // closes the connections of the old one
    /// # Ok(())
    /// # }
    /// ```
    pub fn insert_key(&self, key_id: KeyId, secret: Secret) -> Option<Secret> {
        self.shared.keys.change(|keys| keys.insert(key_id, secret))
    }

    /// Stops accepting the secret with this key id, and returns it. Open connections stay open. Handshakes
    /// that already use the key fail.
    pub fn remove_key(&self, key_id: &KeyId) -> Option<Secret> {
        self.shared.keys.change(|keys| keys.remove(key_id))
    }

    /// Closes the connections that were authenticated with this key id, including those with a secret that
    /// was replaced since. Returns their number.
    ///
    /// Clients that reconnect need a key that the server accepts then. Child processes have their own keys
    /// and stay connected.
    pub fn close_key(&self, key_id: &KeyId) -> usize {
        let links = self.shared.registry.links_by_key(key_id);
        for link in &links {
            link.close(&CloseReason::ClosedLocally);
        }
        links.len()
    }

    /// The connected peers, then each new one.
    #[must_use]
    pub fn peers(&self) -> Peers {
        Peers::new(Arc::clone(&self.shared.registry))
    }

    /// The server's events: clients that connect, that are refused, and that disconnect.
    #[must_use]
    pub fn events(&self) -> Events<ServerEvent> {
        self.shared.events.events()
    }

    /// The number of connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.registry.len()
    }

    /// The number of connections that the server has refused so far.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.shared.refused.load(Ordering::Relaxed)
    }

    /// The server's statistics since its start.
    #[must_use]
    pub fn statistics(&self) -> ServerStatistics {
        // Under this lock no connection moves from the open ones to the ended ones.
        let ended = self.shared.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let links = self.shared.registry.links();
        let mut total = *ended;
        drop(ended);
        total.round_trip = None;
        for link in &links {
            total.add(&link.statistics());
        }
        ServerStatistics {
            connections: links.len(),
            refused: self.refused(),
            detached_handlers: self.shared.detached.count(),
            total,
        }
    }

    /// Serves a stream that is already connected, as if the listener had accepted it. Does nothing if the
    /// server is shutting down.
    pub fn accept(&self, stream: Stream) {
        if !*self.shared.closing.borrow() {
            accept::serve_stream(&self.shared, stream, Origin::default());
        }
    }

    /// A handle that can hand streams to the server and does not keep it running.
    pub(crate) fn downgrade(&self) -> WeakServer {
        WeakServer(Arc::downgrade(&self.shared))
    }

    /// The connected client that connected last.
    pub(crate) fn latest_peer(&self) -> Option<Peer> {
        self.shared.registry.links().pop().map(Peer::of_link)
    }

    /// Waits until the server has no connection and accepts no more: at `stdio:` the host has disconnected,
    /// elsewhere the server was shut down. Also waits for `#[detached]` handlers, which outlive their
    /// connections.
    ///
    /// ```no_run
    /// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
    /// use kaa_rpc_runtime::{Secret, Server};
    ///
    /// // A complete plugin that serves its host, once you `register` its services.
    /// let server = Server::builder().secret(Secret::from_parent()?).listen("stdio:").await?;
    /// server.closed().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn closed(&self) {
        self.shared.tasks.wait().await;
        self.shared.detached.ended().await;
    }

    /// Shuts down gracefully: accepts no more connections and no new calls, gives running calls up to `grace`
    /// to finish, then closes the connections.
    pub async fn shutdown(&self, grace: Duration) -> ShutdownReport {
        self.shared.closing.send_replace(true);
        self.shared.registry.end();
        self.shared.tasks.close();
        let links = self.shared.registry.links();
        for link in &links {
            link.start_shutdown();
        }
        let mut report = ShutdownReport { connections: links.len(), ..ShutdownReport::default() };
        let ended = async {
            self.shared.tasks.wait().await;
            self.shared.detached.ended().await;
        };
        tokio::pin!(ended);
        if tokio::time::timeout(grace, &mut ended).await.is_err() {
            report.cancelled_handlers = self.shared.detached.count();
            for link in self.shared.registry.links() {
                report.close(&link);
            }
            self.shared.detached.abort();
            // Only a destructor that blocks can keep a task from ending now.
            let _late = tokio::time::timeout(ABORT_TIMEOUT, ended).await;
        }
        report
    }
}

/// Hands streams to a server as long as it exists.
pub(crate) struct WeakServer(Weak<Shared>);

impl WeakServer {
    /// Like [`Server::accept`].
    ///
    /// # Errors
    /// The server was dropped or is shutting down.
    pub(crate) fn accept(&self, stream: Stream) -> io::Result<()> {
        let running = self.0.upgrade().filter(|shared| !*shared.closing.borrow());
        let shared = running.ok_or(io::ErrorKind::ConnectionRefused)?;
        accept::serve_stream(&shared, stream, Origin::default());
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.closing.send_replace(true);
        self.shared.registry.end();
        if let Some(task) = &self.accept_task {
            task.abort();
        }
        for link in self.shared.registry.links() {
            link.close(&CloseReason::ClosedLocally);
        }
        self.shared.detached.abort();
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Server")
            .field("address", &self.address)
            .field("connections", &self.connections())
            .finish_non_exhaustive()
    }
}
