//! The connecting side.
//!
//! Invariants: `connect` returns at once and calls can be made at once; one task owns the connection, through all
//! reconnections, and ends with the [`Client`]; what ends a connection for good is told to every queued call.

#[cfg(feature = "process")]
mod hosting;
mod target;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;

use self::target::{Opened, SecretSource, Secrets, Target};
use crate::backoff::Backoff;
use crate::connection::{
    Detached, Driver, FrameReader, HandshakeFailure, Link, Methods, Opening, Registered, ServiceSet, Side,
    Status, shake_hands,
};
use crate::error::{AuthenticationError, CloseReason, ConnectError, SetupError};
use crate::events::{EventSender, Events};
use crate::peer::{Peer, PeerInformation, Proxy};
use crate::process::Kept;
use crate::protocol::handshake::{Audience, ClientHandshake, ClientParameters, HandshakeError, InstanceId};
use crate::protocol::limits::Limits;
use crate::secret::{KeyId, Secret, SecretError};
use crate::service::{RegisterError, Service, role};
use crate::settings::Settings;
use crate::shutdown::{ShutdownReport, shut_down};
use crate::transport::{Address, ConnectOptions, Stream, take_stdio};

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
        self.link.close(&CloseReason::ClosedHere);
        self.link.configuration.detached.cut();
    }
}

/// Settings of a [`Client`].
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
}

/// Something that happened to a client's connection.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ClientEvent {
    /// It tries to connect: for the first time, or so many times since there was a connection.
    Connecting {
        /// 1 for the first try.
        attempt: u32,
    },
    /// Both sides have proved the secret, and their schemas fit.
    Connected(Arc<PeerInformation>),
    /// A try came to nothing.
    Refused {
        /// Why.
        error: ConnectError,
        /// When it tries again; never, if not said.
        retry_in: Option<Duration>,
    },
    /// A connection is over.
    Disconnected {
        /// Why.
        reason: CloseReason,
        /// When it tries to connect again; never, if not said.
        retry_in: Option<Duration>,
    },
}

/// Whether a client has a connection.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ClientStatus {
    /// Connecting or authenticating; calls are queued.
    Connecting,
    /// Connected and authenticated.
    Connected,
    /// One side has said goodbye.
    Draining,
    /// Over for good.
    Closed(CloseReason),
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
        self.owner.link.know(descriptor);
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
        let detached = &link.configuration.detached;
        let began = Instant::now();
        let mut report = shut_down(link, grace).await;
        let left = grace.saturating_sub(began.elapsed());
        if tokio::time::timeout(left, detached.ended()).await.is_err() {
            report.cancelled_handlers += detached.count();
            detached.cut();
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

impl ClientBuilder {
    crate::settings::setters_of_both!();

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
    /// Where it fails there is no connection ([`ConnectError::Secret`]), and with [`ClientBuilder::reconnect`] another try.
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

    fn check(&self) -> Result<(), SetupError> {
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
            SecretSource::Given(_) | SecretSource::Asked(_) => Ok(()),
        }
    }

    fn start(self, target: Target) -> Result<Client, SetupError> {
        self.check()?;
        let runtime = Handle::try_current().map_err(|_error| SetupError::NoRuntime)?;
        let instance = InstanceId::new(crate::random::bytes().map_err(SetupError::NoRandomness)?);
        let link = Link::new(self.settings.link_configuration(
            Side::Connecting,
            self.backoff.is_some(),
            &Detached::default(),
            &runtime,
        ));
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
            limits: self.settings.limits,
            timeout: self.settings.handshake_timeout,
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

/// The task that owns a client's connections, one after the other.
struct Task {
    link: Arc<Link>,
    services: Arc<ServiceSet>,
    events: Arc<EventSender<ClientEvent>>,
    target: Target,
    backoff: Option<Backoff>,
    secrets: Secrets,
    audience: Audience,
    instance: InstanceId,
    limits: Limits,
    timeout: Duration,
    has_been_connected: bool,
    /// The child process that is the server, for as long as there is a connection to it, or may be.
    child: Option<Kept>,
}

/// However the task ends, with its runtime or by a panic, nobody waits for it in vain.
impl Drop for Task {
    fn drop(&mut self) {
        self.link.close(&CloseReason::ClosedHere);
    }
}

impl Task {
    async fn run(mut self) {
        let (mut failures, mut attempt) = (0, 1);
        loop {
            self.events.tell(ClientEvent::Connecting { attempt });
            let link = Arc::clone(&self.link);
            let ended = tokio::select! {
                biased;
                over = link.closed() => Ended { reason: over, healthy_for: None },
                ended = self.connect_and_explain() => ended,
            };
            let again = self.is_worth_another_try(&ended.reason) && !link.is_leaving() && !link.is_over();
            let delay = match &self.backoff {
                Some(backoff) if again => {
                    if ended.healthy_for.is_some_and(|time| backoff.is_healthy(time)) {
                        failures = 0;
                    }
                    Some(backoff.delay(failures).max(retry_after(&ended.reason)))
                }
                _ => None,
            };
            failures += 1;
            attempt = if ended.healthy_for.is_some() { 1 } else { attempt.saturating_add(1) };
            self.tell_end(&ended, delay);
            let Some(delay) = delay else { return link.close(&ended.reason) };
            link.lost(&ended.reason);
            tracing::debug!(reason = %ended.reason, ?delay, "will connect again");
            tokio::select! {
                biased;
                _over = link.closed() => return,
                () = tokio::time::sleep(delay) => {}
            }
        }
    }

    fn tell_end(&self, ended: &Ended, retry_in: Option<Duration>) {
        let reason = ended.reason.clone();
        self.events.tell(match reason {
            CloseReason::NotConnected(error) if ended.healthy_for.is_none() => {
                ClientEvent::Refused { error, retry_in }
            }
            reason => ClientEvent::Disconnected { reason, retry_in },
        });
    }

    fn is_worth_another_try(&self, reason: &CloseReason) -> bool {
        match reason {
            CloseReason::ClosedHere | CloseReason::Protocol(_) => false,
            CloseReason::ClosedByPeer { .. } | CloseReason::ConnectionLost(_) | CloseReason::PeerStalled => {
                true
            }
            // A REJECT is not authenticated: after a success it may be anybody's.
            CloseReason::NotConnected(ConnectError::Authentication(AuthenticationError::RejectedByPeer)) => {
                self.has_been_connected
            }
            CloseReason::NotConnected(error) => error.is_transient(),
        }
    }

    /// One connection, with how a child process at its other end ended.
    async fn connect_and_explain(&mut self) -> Ended {
        let Ended { reason, healthy_for } = self.connect_and_drive().await;
        match self.child.take() {
            Some(child) => Ended { reason: child.explain(reason).await, healthy_for },
            None => Ended { reason, healthy_for },
        }
    }

    /// One connection from its beginning to its end.
    async fn connect_and_drive(&mut self) -> Ended {
        let driver = match tokio::time::timeout(self.timeout, self.establish()).await {
            Ok(Ok(driver)) => driver,
            Ok(Err(error)) => return Ended::never_began(CloseReason::NotConnected(error)),
            Err(_elapsed) => {
                let error = ConnectError::Timeout(self.timeout);
                return Ended::never_began(CloseReason::NotConnected(error));
            }
        };
        let Some(driver) = driver else { return Ended::never_began(CloseReason::ClosedHere) };
        self.has_been_connected = true;
        let mut since = None;
        let mut running = std::pin::pin!(driver.run());
        // Schemas that differ are compared first: until then there is nobody to call.
        let early_end = tokio::select! {
            biased;
            opened = self.link.ready() => {
                if let (Ok(()), Some(information)) = (opened, self.link.information()) {
                    since = Some(Instant::now());
                    self.events.tell(ClientEvent::Connected(information));
                }
                None
            }
            reason = &mut running => Some(reason),
        };
        let reason = match early_end {
            Some(reason) => reason,
            None => running.await,
        };
        Ended { reason, healthy_for: since.map(|since| since.elapsed()) }
    }

    async fn establish(&mut self) -> Result<Option<Driver>, ConnectError> {
        let Opened { stream, key_id, secret, child } = self.target.open(&mut self.secrets).await?;
        self.child = child;
        let stream = Arc::new(stream);
        let described = self.link.describe(self.services.descriptors());
        let schema = crate::fingerprint::combined(&described);
        let mut handshake = ClientHandshake::new(ClientParameters {
            nonce: crate::random::bytes().map_err(|error| ConnectError::Io(Arc::new(error)))?,
            instance: self.instance,
            key_id,
            secret,
            audience: self.audience.clone(),
            binding: stream.channel_binding(),
            limits: self.limits,
            schema,
        });
        let mut reader = FrameReader::new(Arc::clone(&stream), &self.link.configuration.resources);
        let established =
            shake_hands(&mut handshake, &stream, &mut reader, None).await.map_err(connect_error)?;
        let information = Arc::new(PeerInformation::new(&stream, &established, schema));
        let methods = Methods::new(Arc::clone(&self.services), Arc::clone(&self.link));
        let peer_limits = established.peer_limits;
        let opening = Opening { stream, information, peer_limits, described: &described };
        Ok(Driver::open(Arc::clone(&self.link), reader, methods, opening))
    }
}

/// How a try to connect ended, or the connection it brought.
struct Ended {
    reason: CloseReason,
    /// How long there was a connection; `None` if there was none.
    healthy_for: Option<Duration>,
}

impl Ended {
    fn never_began(reason: CloseReason) -> Self {
        Self { reason, healthy_for: None }
    }
}

fn retry_after(reason: &CloseReason) -> Duration {
    match reason {
        CloseReason::NotConnected(ConnectError::Busy { retry_after: Some(time) }) => *time,
        _ => Duration::ZERO,
    }
}

fn connect_error(failure: HandshakeFailure) -> ConnectError {
    match failure {
        HandshakeFailure::Io(error) => ConnectError::Io(Arc::new(error)),
        HandshakeFailure::TooSlow(time) => ConnectError::Timeout(time),
        HandshakeFailure::Protocol(error) => match error {
            HandshakeError::RejectedByPeer => {
                ConnectError::Authentication(AuthenticationError::RejectedByPeer)
            }
            HandshakeError::ServerProofInvalid => {
                ConnectError::Authentication(AuthenticationError::ServerProofInvalid)
            }
            HandshakeError::BindingRequired { .. } => {
                ConnectError::Authentication(AuthenticationError::BindingRequired)
            }
            HandshakeError::Version { ours, theirs } => ConnectError::Version { ours, theirs },
            HandshakeError::Busy { retry_after } => {
                ConnectError::Busy { retry_after: (!retry_after.is_zero()).then_some(retry_after) }
            }
            HandshakeError::SelfConnection => ConnectError::SelfConnection,
            other => ConnectError::Protocol(other.to_string()),
        },
    }
}
