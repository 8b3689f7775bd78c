//! Settings of a client, and how it starts to connect.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use super::handle::{Client, Owner};
use super::target::{SecretSource, Secrets, Target};
use super::task::Task;
use crate::backoff::Backoff;
use crate::connection::{Link, LinkContext, Registered, ServiceSet, Side};
use crate::error::{RegisterError, SetupError};
use crate::events::EventSender;
use crate::observe::Observers;
use crate::process::ChildGuard;
use crate::protocol::handshake::{Audience, InstanceId};
use crate::secret::{KeyId, Secret, SecretError};
use crate::service::{Service, role};
use crate::settings::Settings;
use crate::transport::{Address, ConnectOptions, Stream, take_stdio};

impl Client {
    /// Creates a builder with the default settings.
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
}

/// Settings of a [`Client`]. Create one with [`Client::builder`]; [`connect`](ClientBuilder::connect) starts
/// the client.
#[derive(Debug)]
#[must_use = "a builder does nothing until connect is called"]
pub struct ClientBuilder {
    secrets: Secrets,
    audience: Audience,
    services: ServiceSet,
    register_error: Option<RegisterError>,
    backoff: Option<Backoff>,
    options: ConnectOptions,
    settings: Settings,
    observers: Observers,
}

impl ClientBuilder {
    crate::builder::shared_setters!();

    /// Sets the shared secret. It is required, and has no default.
    pub fn secret(mut self, secret: Secret) -> Self {
        self.secrets.source = SecretSource::Given(secret);
        self
    }

    /// Sets the key id under which the server knows the secret. Empty by default.
    pub fn key_id(mut self, key_id: KeyId) -> Self {
        self.secrets.key_id = key_id;
        self
    }

    /// Sets a function that returns the secret and its key id for each connection, instead of
    /// [`ClientBuilder::secret`] and [`ClientBuilder::key_id`]. A client that reconnects then uses a secret
    /// that was replaced in the meantime.
    ///
    /// If the function fails, the attempt to connect fails with
    /// [`ConnectError::Secret`](crate::ConnectError::Secret). With [`ClientBuilder::reconnect`] the client
    /// tries again. The function runs on the tokio runtime: it may read a small file, but it must not block
    /// for long.
    ///
    /// ```
    /// use kaa_rpc_runtime::{Backoff, Client, KeyId, Secret};
    ///
    /// let builder = Client::builder()
    ///     .secret_source(|| Ok((KeyId::default(), Secret::from_file("/run/tv/secret")?)))
    ///     .reconnect(Backoff::default());
    /// ```
    pub fn secret_source(
        mut self,
        source: impl FnMut() -> Result<(KeyId, Secret), SecretError> + Send + 'static,
    ) -> Self {
        self.secrets.source = SecretSource::Function(Box::new(source));
        self
    }

    /// Sets the logical name of the service that the client wants. The server must have the same name, or it
    /// refuses the client. Empty by default. A proof that was made for one audience is not valid for another
    /// with the same secret.
    pub fn audience(mut self, audience: Audience) -> Self {
        self.audience = audience;
        self
    }

    /// Serves a service to the server. If it collides with another service, `connect` returns the error.
    pub fn register(self, service: Service<role::Client>) -> Self {
        self.serve(service.into_registered())
    }

    pub(crate) fn serve(mut self, service: Registered) -> Self {
        if let Err(error) = self.services.register(service) {
            self.register_error.get_or_insert(error);
        }
        self
    }

    /// Reconnects after a connection is lost, and keeps trying if the server is not available yet. By default
    /// the client connects once.
    ///
    /// Queued calls wait for the next connection. Calls in flight end with
    /// [`CallError::Disconnected`](crate::CallError::Disconnected), except those of `#[idempotent]` methods:
    /// they are sent again, at most twice. A failed authentication is final, unless an earlier one succeeded.
    pub fn reconnect(mut self, backoff: Backoff) -> Self {
        self.backoff = Some(backoff);
        self
    }

    /// Sets how long connecting and authenticating may take together; 10 seconds by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.handshake_timeout = timeout;
        self
    }

    /// Allows plain TCP to other machines. Everyone on the network path can then read and change the data.
    pub fn allow_plaintext(mut self) -> Self {
        self.options = self.options.allow_plaintext();
        self
    }

    /// Requires that a server at a `tls:` address has a certificate from one of these authorities for the
    /// host in the address.
    ///
    /// By default the client accepts any certificate: the shared secret authenticates the server, with proofs
    /// that are bound to the TLS channel. The proofs are bound with this setting too.
    #[cfg(feature = "_tls")]
    pub fn tls_verify(mut self, roots: crate::transport::TlsRoots) -> Self {
        self.options = self.options.tls_verify(roots);
        self
    }

    /// Starts to connect in the background and returns at once. You can make calls at once: they are sent
    /// when the server has proved the secret. At `stdio:` the client does not reconnect.
    ///
    /// # Errors
    /// The address is malformed, there is no secret, services collide, or there is no tokio runtime. Errors
    /// of the connection itself come from [`Client::ready`] and from every call.
    pub fn connect<A>(self, address: A) -> Result<Client, SetupError>
    where
        A: TryInto<Address>,
        SetupError: From<A::Error>,
    {
        let address = address.try_into()?;
        self.check_with_secret()?;
        if address == Address::Stdio {
            // Taken here and not in the background: the program's next output must already go to stderr.
            return self.connect_stream(take_stdio()?);
        }
        let options = self.options.clone();
        self.start(Target::Address(address, options))
    }

    /// Starts a client on a stream that is already connected. The client does not reconnect.
    ///
    /// # Errors
    /// Those of [`ClientBuilder::connect`], except for the address.
    pub fn connect_stream(mut self, stream: Stream) -> Result<Client, SetupError> {
        self.check_with_secret()?;
        self.backoff = None;
        self.start(Target::Stream(Some(stream)))
    }

    /// Starts a client on the streams that `connector` creates, one for each connection.
    pub(crate) fn connect_with(
        self,
        connector: impl FnMut() -> std::io::Result<Stream> + Send + 'static,
    ) -> Result<Client, SetupError> {
        self.check_with_secret()?;
        self.start(Target::Connector(Box::new(connector)))
    }

    /// The key id under which the server will look up the secret.
    pub(crate) fn configured_key_id(&self) -> &KeyId {
        &self.secrets.key_id
    }

    pub(super) fn check(&self) -> Result<(), SetupError> {
        if let Some(error) = &self.register_error {
            return Err(error.clone().into());
        }
        Handle::try_current().map_err(|_error| SetupError::NoRuntime)?;
        Ok(())
    }

    fn check_with_secret(&self) -> Result<(), SetupError> {
        self.check()?;
        match self.secrets.source {
            SecretSource::None => Err(SetupError::MissingSecret),
            SecretSource::Given(_) | SecretSource::Function(_) => Ok(()),
        }
    }

    pub(super) fn start(self, target: Target) -> Result<Client, SetupError> {
        self.check()?;
        let runtime = Handle::try_current().map_err(|_error| SetupError::NoRuntime)?;
        let instance = InstanceId::new(crate::random::bytes().map_err(SetupError::NoRandomness)?);
        let (limits, timeout) = (self.settings.limits, self.settings.handshake_timeout);
        let context = LinkContext {
            reconnects: self.backoff.is_some(),
            ..LinkContext::new(Side::Connecting, runtime.clone(), self.observers.into_observer())
        };
        let link = Link::new(self.settings, context);
        let services = Arc::new(self.services);
        let events = Arc::new(EventSender::new());
        let task = Task {
            link: Arc::clone(&link),
            services: Arc::clone(&services),
            events: Arc::clone(&events),
            target,
            backoff: self.backoff,
            secrets: self.secrets,
            audience: self.audience,
            instance,
            limits,
            timeout,
            has_been_connected: false,
            child: ChildGuard::default(),
        };
        runtime.spawn(task.run());
        Ok(Client::new(Owner { link, services, events }))
    }
}
