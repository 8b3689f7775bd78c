//! Settings of a server.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::aging::Age;
use super::running::Server;
use crate::connection::{Registered, ServiceSet};
use crate::error::{RegisterError, SetupError};
use crate::observe::Observers;
use crate::protocol::handshake::Audience;
use crate::secret::{KeyId, Keys, Secret};
use crate::service::{Service, role};
use crate::settings::Settings;
use crate::transport::{Address, ListenOptions, Listener};

/// Settings of a [`Server`].
#[derive(Debug)]
#[must_use = "a builder does nothing until listen is called"]
pub struct ServerBuilder {
    pub(super) keys: Keys,
    pub(super) audience: Audience,
    pub(super) services: ServiceSet,
    pub(super) options: ListenOptions,
    pub(super) settings: Settings,
    pub(super) observers: Observers,
    pub(super) max_connections: usize,
    pub(super) age: Option<Age>,
    pub(super) hello_time: Duration,
    /// In all, and from one address.
    pub(super) max_unauthenticated: (usize, usize),
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
            hello_time: Duration::from_secs(3),
            max_unauthenticated: (128, 16),
            register_error: None,
        }
    }
}

impl ServerBuilder {
    crate::builder::shared_setters!();

    /// The shared secret, under the empty key id. There is none by default, and nobody gets in without one.
    pub fn secret(self, secret: Secret) -> Self {
        self.key(KeyId::default(), secret)
    }

    /// One more secret, under a key id, so that secrets can be replaced while clients still use the old one.
    pub fn key(mut self, key_id: KeyId, secret: Secret) -> Self {
        self.keys.insert(key_id, secret);
        self
    }

    /// The logical name of this service, which clients must name too; the empty one by default.
    pub fn audience(mut self, audience: Audience) -> Self {
        self.audience = audience;
        self
    }

    /// Serves this to every client. A collision is told by `listen`.
    pub fn register(self, service: Service<role::Server>) -> Self {
        self.serve(service.into_registered())
    }

    pub(crate) fn serve(mut self, service: Registered) -> Self {
        if let Err(error) = self.services.register(service) {
            self.register_error.get_or_insert(error);
        }
        self
    }

    /// Most authenticated connections at a time, 1,024 by default. Further clients are told that the server is busy.
    pub fn max_connections(mut self, most: usize) -> Self {
        self.max_connections = most;
        self
    }

    /// Most connections that have not authenticated themselves: in all, beyond which none is accepted, and from one IP
    /// address, beyond which it is told that the server is busy; 128 and 16 by default. Unix sockets and this machine are
    /// not counted by address.
    pub fn max_unauthenticated(mut self, in_all: usize, from_one_address: usize) -> Self {
        self.max_unauthenticated = (in_all.clamp(1, Semaphore::MAX_PERMITS), from_one_address);
        self
    }

    /// How long a client may take to say its first word, 3 seconds by default. At a `tls:` address it has this time for the
    /// TLS handshake as well, before.
    pub fn hello_timeout(mut self, timeout: Duration) -> Self {
        self.hello_time = timeout;
        self
    }

    /// Ends connections of this age, spread by a tenth, as a shutdown does: calls that run then have the grace to finish, and
    /// clients that reconnect come anew. Without, connections may become as old as they like; those to child processes may.
    pub fn max_connection_age(mut self, longest: Duration, grace: Duration) -> Self {
        self.age = Some(Age { longest, grace });
        self
    }

    /// How long authenticating may take, 10 seconds by default.
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.settings.handshake_timeout = timeout;
        self
    }

    /// The permission bits of a unix socket, `0o600` by default.
    pub fn socket_mode(mut self, mode: u32) -> Self {
        self.options = self.options.socket_mode(mode);
        self
    }

    /// Lets processes of these user ids only connect to a unix socket.
    pub fn allowed_uids(mut self, uids: impl IntoIterator<Item = u32>) -> Self {
        self.options = self.options.allowed_uids(uids);
        self
    }

    /// Permits plain TCP beyond this machine, where anybody on the way can read and change everything.
    pub fn allow_plaintext(mut self) -> Self {
        self.options = self.options.allow_plaintext();
        self
    }

    /// Shows this certificate to clients at a `tls:` address: for those that ask for one. By default the server makes one
    /// for itself, new at each start; the secret vouches for it.
    #[cfg(feature = "_tls")]
    pub fn tls_certificate(mut self, certificate: crate::transport::TlsCertificate) -> Self {
        self.options = self.options.tls_certificate(certificate);
        self
    }

    /// Listens and serves until the [`Server`] is shut down or dropped.
    ///
    /// # Errors
    /// A malformed address, no secret, a collision of services, no tokio runtime, or nothing can listen there.
    pub async fn listen<A>(self, address: A) -> Result<Server, SetupError>
    where
        A: TryInto<Address>,
        SetupError: From<A::Error>,
    {
        let address = address.try_into()?;
        self.check_with_keys()?;
        let listener = Listener::bind(&address, &self.options).await?;
        Server::start(self, Some(listener))
    }

    /// The same over a listener that exists: one made with [`ListenOptions`] of its own, inherited, or adopted. Of this
    /// builder's settings for listening, `allowed_uids` is heeded, in addition to the listener's own.
    ///
    /// # Errors
    /// No secret, a collision of services, or no tokio runtime.
    pub fn listen_on(self, mut listener: Listener) -> Result<Server, SetupError> {
        self.check_with_keys()?;
        listener.restrict(&self.options);
        Server::start(self, Some(listener))
    }

    /// Serves only what is given to [`Server::accept`].
    ///
    /// # Errors
    /// No secret, a collision of services, or no tokio runtime.
    pub fn start(self) -> Result<Server, SetupError> {
        self.check_with_keys()?;
        Server::start(self, None)
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
        tokio::runtime::Handle::try_current().map_err(|_error| SetupError::NoRuntime)?;
        Ok(())
    }

    pub(super) fn into_parts(self) -> (Keys, Arc<ServiceSet>, Settings, Observers, Audience, usize) {
        let services = Arc::new(self.services);
        (self.keys, services, self.settings, self.observers, self.audience, self.max_connections)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::limits::Limits;
    use crate::settings::{CancelRate, Keepalive, QueueLimits};

    /// Clauses 2.8, 2.11 and 4.10 of `docs/wire.md`, and its section 6.
    #[test]
    fn the_defaults_are_those_of_the_specification() {
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
        assert_eq!((server.hello_time, settings.handshake_timeout), (seconds(3), seconds(10)));
        assert_eq!((settings.stall_timeout, settings.max_nesting), (seconds(30), 32));
        assert_eq!(settings.keepalive, Some(Keepalive { interval: seconds(15), timeout: seconds(10) }));
        assert_eq!(settings.output_budget, u64::from(mebibytes(8)));
        assert_eq!(settings.queue, QueueLimits { calls: 1024, bytes: 4 * 1024 * 1024 });
        assert_eq!(settings.cancels, CancelRate { burst: 20_000, per_second: 10_000 });
    }
}
