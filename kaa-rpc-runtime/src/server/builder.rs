//! Settings of a server, and how it starts.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio_util::task::TaskTracker;

use super::accept;
use super::age::Age;
use super::handle::Server;
use super::keys::KeyRing;
use super::registry::Registry;
use super::shared::Shared;
use crate::connection::{DetachedHandlers, Registered, ServiceSet};
use crate::error::{RegisterError, SetupError};
use crate::events::EventSender;
use crate::observe::Observers;
use crate::protocol::handshake::{Audience, InstanceId};
use crate::secret::{KeyId, Keys, Secret};
use crate::service::{Service, role};
use crate::settings::Settings;
use crate::transport::{Address, ListenOptions, Listener};

impl Server {
    /// Creates a builder with the default settings.
    pub fn builder() -> ServerBuilder {
        ServerBuilder::default()
    }
}

/// Settings of a [`Server`]. Create one with [`Server::builder`]; [`listen`](ServerBuilder::listen) starts
/// the server.
#[derive(Debug)]
#[must_use = "a builder does nothing until listen is called"]
pub struct ServerBuilder {
    keys: Keys,
    audience: Audience,
    services: ServiceSet,
    options: ListenOptions,
    settings: Settings,
    observers: Observers,
    max_connections: usize,
    age: Option<Age>,
    hello_timeout: Duration,
    /// In total, and per address.
    max_unauthenticated: (usize, usize),
    register_error: Option<RegisterError>,
}

impl Default for ServerBuilder {
    fn default() -> Self {
        Self {
            keys: Keys::new(),
            audience: Audience::default(),
            services: ServiceSet::default(),
            options: ListenOptions::new(),
            settings: Settings::default(),
            observers: Observers::default(),
            max_connections: 1024,
            age: None,
            hello_timeout: Duration::from_secs(3),
            max_unauthenticated: (128, 16),
            register_error: None,
        }
    }
}

impl ServerBuilder {
    crate::builder::shared_setters!();

    /// Sets the shared secret, with the empty key id. There is no default: a server accepts no client without
    /// a secret.
    pub fn secret(self, secret: Secret) -> Self {
        self.key(KeyId::default(), secret)
    }

    /// Adds a secret with a key id. With several keys you can replace a secret while clients still use the
    /// old one.
    pub fn key(mut self, key_id: KeyId, secret: Secret) -> Self {
        self.keys.insert(key_id, secret);
        self
    }

    /// Sets the logical name of this server, which clients must name too. Empty by default.
    pub fn audience(mut self, audience: Audience) -> Self {
        self.audience = audience;
        self
    }

    /// Serves a service to every client. If it collides with another service, `listen` returns the error.
    pub fn register(self, service: Service<role::Server>) -> Self {
        self.serve(service.into_registered())
    }

    pub(crate) fn serve(mut self, service: Registered) -> Self {
        if let Err(error) = self.services.register(service) {
            self.register_error.get_or_insert(error);
        }
        self
    }

    /// Limits the number of authenticated connections; 1,024 by default. Further clients are refused with
    /// [`ConnectError::Busy`](crate::ConnectError::Busy).
    pub fn max_connections(mut self, max: usize) -> Self {
        self.max_connections = max;
        self
    }

    /// Limits the number of connections that have not authenticated themselves: 128 in total and 16 per IP
    /// address by default.
    ///
    /// At the total limit the server accepts no further connection until one completes or fails. A connection
    /// over the limit of its address is refused with [`ConnectError::Busy`](crate::ConnectError::Busy). Unix
    /// sockets and loopback addresses have no limit per address.
    pub fn max_unauthenticated(mut self, total: usize, per_address: usize) -> Self {
        self.max_unauthenticated = (total.clamp(1, Semaphore::MAX_PERMITS), per_address);
        self
    }

    /// Sets how long the server waits for the first message of a client; 3 seconds by default. At a `tls:`
    /// address the TLS handshake before it may take as long again.
    pub fn hello_timeout(mut self, timeout: Duration) -> Self {
        self.hello_timeout = timeout;
        self
    }

    /// Limits the age of connections, so that clients spread over servers that were added later. There is no
    /// limit by default, and never for child processes.
    ///
    /// A connection that reaches `max`, plus or minus up to a tenth, shuts down gracefully: running calls
    /// have `grace` to finish, and clients that reconnect open a new connection.
    pub fn max_connection_age(mut self, max: Duration, grace: Duration) -> Self {
        self.age = Some(Age { max, grace });
        self
    }

    /// Sets how long authentication may take; 10 seconds by default.
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.settings.handshake_timeout = timeout;
        self
    }

    /// Sets the permission bits of a unix socket; `0o600` by default.
    pub fn socket_mode(mut self, mode: u32) -> Self {
        self.options = self.options.socket_mode(mode);
        self
    }

    /// Accepts connections to a unix socket only from processes with these user ids.
    pub fn allowed_uids(mut self, uids: impl IntoIterator<Item = u32>) -> Self {
        self.options = self.options.allowed_uids(uids);
        self
    }

    /// Allows plain TCP from other machines. Everyone on the network path can then read and change the data.
    pub fn allow_plaintext(mut self) -> Self {
        self.options = self.options.allow_plaintext();
        self
    }

    /// Sets the certificate for `tls:` addresses, for clients that verify it. By default the server creates a
    /// certificate when it starts, and the shared secret authenticates it.
    #[cfg(feature = "_tls")]
    pub fn tls_certificate(mut self, certificate: crate::transport::TlsCertificate) -> Self {
        self.options = self.options.tls_certificate(certificate);
        self
    }

    /// Listens at an address and serves until the [`Server`] is shut down or dropped.
    ///
    /// # Errors
    /// The address is malformed, there is no secret, services collide, there is no tokio runtime, or the
    /// server cannot listen at the address.
    pub async fn listen<A>(self, address: A) -> Result<Server, SetupError>
    where
        A: TryInto<Address>,
        SetupError: From<A::Error>,
    {
        let address = address.try_into()?;
        self.check_with_keys()?;
        let listener = Listener::bind(&address, &self.options).await?;
        self.start_with(Some(listener))
    }

    /// Serves at an existing listener. Of this builder's settings for listening only `allowed_uids` applies,
    /// in addition to the listener's own.
    ///
    /// # Errors
    /// There is no secret, services collide, or there is no tokio runtime.
    pub fn listen_on(self, mut listener: Listener) -> Result<Server, SetupError> {
        self.check_with_keys()?;
        listener.restrict(&self.options);
        self.start_with(Some(listener))
    }

    /// Starts a server without a listener. It serves connections from [`Server::accept`].
    ///
    /// # Errors
    /// There is no secret, services collide, or there is no tokio runtime.
    pub fn start(self) -> Result<Server, SetupError> {
        self.check_with_keys()?;
        self.start_with(None)
    }

    fn check_with_keys(&self) -> Result<(), SetupError> {
        self.check()?;
        if self.keys.is_empty() {
            return Err(SetupError::MissingSecret);
        }
        Ok(())
    }

    pub(super) fn check(&self) -> Result<(), SetupError> {
        if let Some(error) = &self.register_error {
            return Err(error.clone().into());
        }
        Handle::try_current().map_err(|_error| SetupError::NoRuntime)?;
        Ok(())
    }

    pub(super) fn start_with(self, listener: Option<Listener>) -> Result<Server, SetupError> {
        let instance = InstanceId::new(crate::random::bytes().map_err(SetupError::NoRandomness)?);
        let (max_unauthenticated, max_unauthenticated_per_address) = self.max_unauthenticated;
        let max_connections = self.max_connections.min(Semaphore::MAX_PERMITS);
        let shared = Arc::new(Shared {
            keys: KeyRing::new(self.keys),
            services: Arc::new(self.services),
            settings: self.settings,
            audience: self.audience,
            connections: Arc::new(Semaphore::new(max_connections)),
            hello_timeout: self.hello_timeout,
            unauthenticated: Arc::new(Semaphore::new(max_unauthenticated)),
            max_unauthenticated_per_address,
            instance,
            registry: Arc::new(Registry::default()),
            events: EventSender::new(),
            age: self.age,
            tasks: TaskTracker::new(),
            detached: DetachedHandlers::default(),
            observer: self.observers.into_observer(),
            closing: watch::channel(false).0,
            refused: AtomicU64::new(0),
            ended: Mutex::default(),
        });
        let address = listener.as_ref().map(|listener| listener.local_address().clone());
        let accept_task =
            listener.map(|listener| shared.tasks.spawn(accept::run(listener, Arc::clone(&shared))));
        Ok(Server::new(shared, address, accept_task))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::limits::Limits;
    use crate::settings::{CancelRate, Keepalive, QueueLimits};

    /// Clauses 2.8, 2.11 and 4.10 of `docs/wire.md`, and its section 6.
    #[test]
    fn defaults_match_specification() {
        let server = ServerBuilder::default();
        let settings = server.settings;
        let seconds = Duration::from_secs;
        let mebibytes = |count: u32| count * 1024 * 1024;
        let limits = Limits {
            max_frame: mebibytes(4),
            max_inbound_calls: 256,
            oneway_window: 256,
            stream_window: 256 * 1024,
        };
        assert_eq!(settings.limits, limits);
        assert_eq!((server.max_connections, server.max_unauthenticated), (1024, (128, 16)));
        assert_eq!((server.hello_timeout, settings.handshake_timeout), (seconds(3), seconds(10)));
        assert_eq!((settings.stall_timeout, settings.max_nesting), (seconds(30), 32));
        assert_eq!(settings.keepalive, Some(Keepalive { interval: seconds(15), timeout: seconds(10) }));
        assert_eq!(settings.output_budget, u64::from(mebibytes(8)));
        assert_eq!(settings.queue, QueueLimits { calls: 1024, bytes: 4 * 1024 * 1024 });
        assert_eq!(settings.cancels, CancelRate { burst: 20_000, per_second: 10_000 });
    }
}
