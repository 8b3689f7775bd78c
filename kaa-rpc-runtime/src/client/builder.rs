//! Settings of a client, and how it begins to connect.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;

use super::connecting::Task;
use super::target::{SecretSource, Secrets, Target};
use super::{Client, Owner};
use crate::backoff::Backoff;
use crate::connection::{Link, LinkContext, Registered, ServiceSet, Side};
use crate::error::{RegisterError, SetupError};
use crate::events::EventSender;
use crate::observe::Observers;
use crate::protocol::handshake::{Audience, InstanceId};
use crate::secret::{KeyId, Secret, SecretError};
use crate::service::{Service, role};
use crate::settings::Settings;
use crate::transport::{Address, ConnectOptions, Stream, take_stdio};

/// Settings of a [`Client`].
#[derive(Debug)]
#[must_use = "a builder does nothing until connect is called"]
pub struct ClientBuilder {
    pub(super) secrets: Secrets,
    pub(super) audience: Audience,
    pub(super) services: ServiceSet,
    pub(super) register_error: Option<RegisterError>,
    pub(super) backoff: Option<Backoff>,
    pub(super) options: ConnectOptions,
    pub(super) settings: Settings,
    pub(super) observers: Observers,
}

impl ClientBuilder {
    crate::builder::shared_setters!();

    /// The shared secret. There is none by default, and no connection without one.
    pub fn secret(mut self, secret: Secret) -> Self {
        self.secrets.source = SecretSource::Given(secret);
        self
    }

    /// Under which of the server's keys the secret is found; the empty one by default.
    pub fn key_id(mut self, key_id: KeyId) -> Self {
        self.secrets.key_id = key_id;
        self
    }

    /// Where to get the secret, and its key id, anew for each connection: a client that connects again takes up a secret
    /// that was replaced meanwhile. It takes the place of [`ClientBuilder::secret`] and [`ClientBuilder::key_id`].
    ///
    /// Where it fails there is no connection ([`ConnectError::Secret`](crate::ConnectError::Secret)), and with [`ClientBuilder::reconnect`] another try.
    /// It is called within the runtime: to read a small file is no harm, to wait for somebody is.
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
        self.secrets.source = SecretSource::Asked(Box::new(source));
        self
    }

    /// The logical name of the service that is meant; the empty one by default. A proof for one is worth nothing at
    /// another with the same secret.
    pub fn audience(mut self, audience: Audience) -> Self {
        self.audience = audience;
        self
    }

    /// Serves this to the server. A collision is told by `connect`.
    pub fn register(self, service: Service<role::Client>) -> Self {
        self.serve(service.into_registered())
    }

    pub(crate) fn serve(mut self, service: Registered) -> Self {
        if let Err(error) = self.services.register(service) {
            self.register_error.get_or_insert(error);
        }
        self
    }

    /// Connects again after a loss, and goes on trying if the server is not there yet. Queued calls are kept. Calls that
    /// were under way end with [`CallError::Disconnected`](crate::CallError::Disconnected), but for those of
    /// `#[idempotent]` methods, which are sent again, twice at most. An authentication failure is final, unless there
    /// was a success before it.
    pub fn reconnect(mut self, backoff: Backoff) -> Self {
        self.backoff = Some(backoff);
        self
    }

    /// How long connecting and authenticating may take together, 10 seconds by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.handshake_timeout = timeout;
        self
    }

    /// Permits plain TCP beyond this machine, where anybody on the way can read and change everything.
    pub fn allow_plaintext(mut self) -> Self {
        self.options = self.options.allow_plaintext();
        self
    }

    /// Asks a server at a `tls:` address for a certificate of one of these authorities, for the host of the address. By
    /// default any certificate will do: the secret vouches for the server, and the proofs are bound to the channel. They
    /// are so in either case.
    #[cfg(feature = "_tls")]
    pub fn tls_verify(mut self, roots: crate::transport::TlsRoots) -> Self {
        self.options = self.options.tls_verify(roots);
        self
    }

    /// Begins to connect, in the background, and returns at once. Calls can be made at once: they leave when the
    /// server has proved the secret. `stdio:` is connected already, and there is no reconnection.
    ///
    /// # Errors
    /// A malformed address, no secret, a collision of services, or no tokio runtime. Failures to connect are told by
    /// [`Client::ready`] and by every call.
    pub fn connect<A>(self, address: A) -> Result<Client, SetupError>
    where
        A: TryInto<Address>,
        SetupError: From<A::Error>,
    {
        let address = address.try_into()?;
        if address == Address::Stdio {
            self.check_with_secret()?;
            // Here and not in the background: what the program prints from now on must not get between.
            return self.connect_stream(take_stdio()?);
        }
        self.check_with_secret()?;
        let options = self.options.clone();
        self.start(Target::Address(address, options))
    }

    /// The same over something that is connected already. There is no reconnection.
    ///
    /// # Errors
    /// As [`ClientBuilder::connect`], but for the address.
    pub fn connect_stream(mut self, stream: Stream) -> Result<Client, SetupError> {
        self.check_with_secret()?;
        self.backoff = None;
        self.start(Target::Stream(Some(stream)))
    }

    /// The same over what `connector` makes, anew for each connection.
    pub(crate) fn connect_with(
        self,
        connector: impl FnMut() -> std::io::Result<Stream> + Send + 'static,
    ) -> Result<Client, SetupError> {
        self.check_with_secret()?;
        self.start(Target::Connector(Box::new(connector)))
    }

    /// Under which key the secret will be looked for.
    pub(crate) fn wanted_key(&self) -> &KeyId {
        &self.secrets.key_id
    }

    pub(super) fn check(&self) -> Result<(), SetupError> {
        if let Some(error) = &self.register_error {
            return Err(error.clone().into());
        }
        Handle::try_current().map_err(|_error| SetupError::NoRuntime)?;
        Ok(())
    }

    pub(super) fn check_with_secret(&self) -> Result<(), SetupError> {
        self.check()?;
        match self.secrets.source {
            SecretSource::None => Err(SetupError::MissingSecret),
            SecretSource::Given(_) | SecretSource::Asked(_) => Ok(()),
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
            child: None,
        };
        runtime.spawn(task.run());
        Ok(Client {
            owner: Arc::new(Owner { link, services, events }),
            #[cfg(feature = "process")]
            process: None,
        })
    }
}
