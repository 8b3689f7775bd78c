//! A server at work.

use std::fmt;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use super::accepting;
use super::aging::Age;
use super::builder::ServerBuilder;
use super::event::ServerEvent;
use super::guest::Guest;
use super::keys::KeyRing;
use super::registry::{Peers, Registry};
use crate::connection::ShutdownReport;
use crate::connection::{ConnectionStatistics, ServerStatistics};
use crate::connection::{DetachedHandlers, Link, Observer, ServiceSet};
use crate::error::{CloseReason, RegisterError, SetupError};
use crate::events::{EventSender, Events};
use crate::peer::Peer;
use crate::protocol::handshake::{Audience, InstanceId};
use crate::service::{Service, role};
use crate::settings::Settings;
use crate::transport::{Address, Listener, Stream};

/// How long tasks may take to end when they are cut.
const CUT_TIME: Duration = Duration::from_secs(5);

/// A server: accepts connections, serves its services to them, and can call what they serve.
///
/// Dropping it closes all connections.
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

/// What the tasks of a server share.
pub(super) struct Shared {
    pub(super) keys: KeyRing,
    pub(super) services: Arc<ServiceSet>,
    pub(super) settings: Settings,
    pub(super) audience: Audience,
    /// Places for authenticated connections.
    pub(super) connections: Arc<Semaphore>,
    pub(super) hello_time: Duration,
    pub(super) most_unauthenticated_per_address: usize,
    pub(super) instance: InstanceId,
    pub(super) registry: Arc<Registry>,
    pub(super) events: EventSender<ServerEvent>,
    pub(super) age: Option<Age>,
    pub(super) unauthenticated: Arc<Semaphore>,
    pub(super) tasks: TaskTracker,
    pub(super) detached: DetachedHandlers,
    pub(super) observer: Arc<dyn Observer<Link>>,
    /// True once no more connections are taken.
    pub(super) closing: watch::Sender<bool>,
    pub(super) refused: AtomicU64,
    /// What the connections have done that are over.
    pub(super) ended: Mutex<ConnectionStatistics>,
}

impl Server {
    /// Starts with the defaults.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::default()
    }

    pub(super) fn start(builder: ServerBuilder, listener: Option<Listener>) -> Result<Self, SetupError> {
        let instance = InstanceId::new(crate::random::bytes().map_err(SetupError::NoRandomness)?);
        let age = builder.age;
        let hello_time = builder.hello_time;
        let (max_unauthenticated, most_unauthenticated_per_address) = builder.max_unauthenticated;
        let (keys, services, settings, observers, audience, max_connections) = builder.into_parts();
        let shared = Arc::new(Shared {
            keys: KeyRing::new(keys),
            services,
            settings,
            audience,
            connections: Arc::new(Semaphore::new(max_connections.min(Semaphore::MAX_PERMITS))),
            hello_time,
            most_unauthenticated_per_address,
            instance,
            registry: Arc::new(Registry::default()),
            events: EventSender::new(),
            age,
            unauthenticated: Arc::new(Semaphore::new(max_unauthenticated)),
            tasks: TaskTracker::new(),
            detached: DetachedHandlers::default(),
            observer: observers.into_observer(),
            closing: watch::channel(false).0,
            refused: AtomicU64::new(0),
            ended: Mutex::default(),
        });
        let address = listener.as_ref().map(|listener| listener.local_address().clone());
        let accept_task =
            listener.map(|listener| shared.tasks.spawn(accepting::accept(listener, Arc::clone(&shared))));
        Ok(Self { shared, address, accept_task })
    }

    /// Where it listens; for TCP the address and port that the system gave.
    #[must_use]
    pub fn address(&self) -> Option<&Address> {
        self.address.as_ref()
    }

    /// Serves one more service, on living connections too.
    ///
    /// # Errors
    /// If it is registered already, or one of its method ids is taken.
    pub fn register(&self, service: Service<role::Server>) -> Result<(), RegisterError> {
        let service = service.into_registered();
        let descriptor = service.descriptor;
        self.shared.services.register(service)?;
        for link in self.shared.registry.links() {
            link.add_known_service(descriptor);
        }
        Ok(())
    }

    /// Serves this service no longer, on living connections neither: calls that come from now on end with
    /// [`CallError::UnknownMethod`](crate::CallError::UnknownMethod), those that run are finished. Whether it was
    /// registered. The name is the service's, as `package.Service`.
    pub fn deregister(&self, service: &str) -> bool {
        let was_there = self.shared.services.deregister(service);
        for link in self.shared.registry.links() {
            link.services_changed();
        }
        was_there
    }

    /// The connected peers, then each new one.
    #[must_use]
    pub fn peers(&self) -> Peers {
        Peers::new(Arc::clone(&self.shared.registry))
    }

    /// What happens: who connects, who is refused, who goes.
    #[must_use]
    pub fn events(&self) -> Events<ServerEvent> {
        self.shared.events.events()
    }

    /// How many connections there are.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.registry.len()
    }

    /// How many connections were not let in so far.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.shared.refused.load(Ordering::Relaxed)
    }

    /// What it has done so far.
    #[must_use]
    pub fn statistics(&self) -> ServerStatistics {
        // No connection goes over from the living ones to these meanwhile.
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

    /// Serves something that is connected already, as if it had been accepted.
    pub fn accept(&self, stream: Stream) {
        if !*self.shared.closing.borrow() {
            accepting::take(&self.shared, stream, Guest::default());
        }
    }

    /// A way to hand it connections that does not keep it.
    pub(crate) fn door(&self) -> Door {
        Door(Arc::downgrade(&self.shared))
    }

    /// The client that came last of those that are connected.
    pub(crate) fn latest_peer(&self) -> Option<Peer> {
        self.shared.registry.links().pop().map(Peer::of_link)
    }

    /// Waits until no connection is left and none will be accepted any more: at `stdio:` the host has gone, elsewhere the
    /// server was shut down. It waits for handlers that outlive their connections, too.
    ///
    /// ```no_run
    /// # async fn f() -> Result<(), Box<dyn std::error::Error>> {
    /// use kaa_rpc_runtime::{Secret, Server};
    ///
    /// // A whole plugin that serves its host; `register` what it serves.
    /// let server = Server::builder().secret(Secret::from_parent()?).listen("stdio:").await?;
    /// server.closed().await;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn closed(&self) {
        self.shared.tasks.wait().await;
        self.shared.detached.ended().await;
    }

    /// Takes no more connections and no new calls, lets those that run finish for at most this time, and closes.
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
            // Only a destructor that hangs can keep a task from ending now.
            let _late = tokio::time::timeout(CUT_TIME, ended).await;
        }
        report
    }
}

/// Where connections can be handed to a server, as long as there is one.
pub(crate) struct Door(Weak<Shared>);

impl Door {
    /// As [`Server::accept`].
    ///
    /// # Errors
    /// The server is gone or is shutting down.
    pub(crate) fn enter(&self, stream: Stream) -> io::Result<()> {
        let open = self.0.upgrade().filter(|shared| !*shared.closing.borrow());
        let shared = open.ok_or(io::ErrorKind::ConnectionRefused)?;
        accepting::take(&shared, stream, Guest::default());
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
