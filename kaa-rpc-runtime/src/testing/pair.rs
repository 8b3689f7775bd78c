//! A server and a client that are connected in memory, and proxies that own such a pair.
//!
//! Invariants:
//! - Both ends work as over a socket, and prove a secret to each other.
//! - A proxy from this module owns its pair. When the last one is dropped, the pair shuts down gracefully, so
//!   that no oneway call is lost.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::context::disconnected_peer;
use super::faults::Faults;
use crate::client::{Client, ClientBuilder};
use crate::connection::Side;
use crate::error::{CloseReason, ConnectError, SetupError};
use crate::peer::Proxy;
use crate::secret::Secret;
use crate::server::{Server, ServerBuilder};
use crate::service::{Service, role};
use crate::transport::pair;

/// The default capacity of each direction in bytes: about that of a unix socket.
const DEFAULT_CAPACITY: usize = 64 * 1024;

/// How long calls may keep running after the last handle was dropped.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// Connects a server and a client in memory. They receive a new secret, which replaces any other with the
/// same key id.
///
/// Everything else works as over a socket: the client connects in the background, and with
/// [`ClientBuilder::reconnect`] it reconnects after a loss as long as the server exists.
///
/// ```
/// use kaa_rpc_runtime::{Client, Server, testing};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // Add .register(Epg::server(…)) to one builder and .register(Epg::client(…)) to the other.
/// let (server, client) = testing::connect(Server::builder(), Client::builder())?;
/// client.ready().await?;
/// let peer = server.peers().next().await.ok_or("connected")?;
/// assert_eq!(peer.information().ok_or("known")?.address.to_string(), "memory");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Services collide, there is no tokio runtime, or the operating system returns no random bytes.
pub fn connect(server: ServerBuilder, client: ClientBuilder) -> Result<(Server, Client), SetupError> {
    join(server, client, None, DEFAULT_CAPACITY)
}

fn join(
    server: ServerBuilder,
    client: ClientBuilder,
    faults: Option<Faults>,
    capacity: usize,
) -> Result<(Server, Client), SetupError> {
    let secret = Secret::generate().map_err(|error| SetupError::NoRandomness(io::Error::other(error)))?;
    let server = server.key(client.configured_key_id().clone(), secret.clone()).start()?;
    let weak_server = server.downgrade();
    let client = client.secret(secret).connect_with(move || {
        let (near, far) = match &faults {
            None => pair(capacity),
            Some(faults) => faults.pair(capacity),
        };
        weak_server.accept(far)?;
        Ok(near)
    })?;
    Ok((server, client))
}

/// Creates a proxy whose calls go to this service, usually a fake, over a connection in memory. The proxy and
/// its clones own the connection.
///
/// The type of the proxy determines the side that serves, so you can write `let epg: EpgServerProxy =
/// proxy(Epg::server(Fake)).await?` as well as `let screen: EpgClientProxy =
/// proxy(Epg::client(Fake)).await?`. If the service is not the proxy's, its calls end with
/// [`CallError::UnknownMethod`](crate::CallError::UnknownMethod). For several services or other settings use
/// [`Pair`].
///
/// ```
/// # use kaa_rpc_runtime::{Peer, Proxy, Service, codegen::*, role};
/// # #[derive(Clone)]
/// # struct ScreenClientProxy(Peer);
/// # static DESCRIPTOR: ServiceDescriptor = ServiceDescriptor {
/// #     name: "tv.Screen", fingerprint: [0; 32], server_methods: &[], client_methods: &[],
/// #     table: ServiceTable { methods: &[], types: &[] },
/// # };
/// # impl Proxy for ScreenClientProxy {
/// #     type Role = role::Client;
/// #     const SERVICE: &'static ServiceDescriptor = &DESCRIPTOR;
/// #     fn from_peer(peer: Peer) -> Self { Self(peer) }
/// #     fn peer(&self) -> &Peer { &self.0 }
/// # }
/// # struct Screen;
/// # impl Screen {
/// #     fn client(fake: Fake) -> Service<role::Client> {
/// #         Service::shared(&DESCRIPTOR, fake, |_, call| call.unknown_method())
/// #     }
/// # }
/// # struct Fake;
/// use kaa_rpc_runtime::testing;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), testing::PairError> {
/// let screen: ScreenClientProxy = testing::proxy(Screen::client(Fake)).await?;
/// assert!(screen.peer().is_connected());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// There is no tokio runtime, or the operating system returns no random bytes.
#[expect(private_bounds, reason = "there are only two roles")]
pub async fn proxy<P>(service: Service<P::Role>) -> Result<P, PairError>
where
    P: Proxy,
    P::Role: role::Role,
{
    Ok(Pair::builder().register(service).connect().await?.proxy())
}

/// A server and a client that are connected in memory. Clones refer to the same pair.
///
/// When the last clone and the last proxy of the pair are dropped, both sides shut down gracefully: running
/// calls have a second to finish.
///
/// ```
/// use kaa_rpc_runtime::{Limits, testing};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), testing::PairError> {
/// let faults = testing::Faults::new();
/// let pair = testing::Pair::builder()
///     // .register(Epg::server(Guide)).register(Epg::client(Screen)): any number of services, of both sides
///     .server(|server| server.limits(Limits::default())) // any other setting
///     .client(|client| client.hide_faults())
///     .faults(&faults)
///     .connect()
///     .await?;
/// faults.cut();
/// pair.client().closed().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Pair {
    ends: Arc<Ends>,
}

struct Ends {
    client: Arc<Client>,
    server: Arc<Server>,
}

/// A handler that a test calls directly may drop the last proxy. Its oneway calls must still arrive.
impl Drop for Ends {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (client, server) = (Arc::clone(&self.client), Arc::clone(&self.server));
        runtime.spawn(
            async move { tokio::join!(client.shutdown(DRAIN_TIMEOUT), server.shutdown(DRAIN_TIMEOUT)) },
        );
    }
}

/// Settings of a [`Pair`].
#[derive(Debug)]
#[must_use = "a builder does nothing until connect is called"]
pub struct PairBuilder {
    server: ServerBuilder,
    client: ClientBuilder,
    faults: Option<Faults>,
    capacity: usize,
}

/// Why a pair cannot be created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PairError {
    /// One of the sides cannot be started.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// The two sides do not accept each other, or faults prevent the connection.
    #[error(transparent)]
    Connect(#[from] ConnectError),
}

impl Pair {
    /// Creates a builder with the default settings and no services.
    pub fn builder() -> PairBuilder {
        PairBuilder {
            server: Server::builder(),
            client: Client::builder(),
            faults: None,
            capacity: DEFAULT_CAPACITY,
        }
    }

    /// Creates a proxy for a service of the server or of the client. It owns the pair, so do not store it in
    /// a service of the same pair.
    ///
    /// A proxy for a service of the client belongs to the current connection and does not follow the client
    /// when it reconnects. Without a connection it is disconnected.
    #[must_use]
    #[expect(private_bounds, reason = "there are only two roles")]
    pub fn proxy<P>(&self) -> P
    where
        P: Proxy,
        P::Role: role::Role,
    {
        let server = self.ends.client.peer();
        let peer = match <P::Role as role::Role>::SIDE {
            Side::Accepting => server,
            Side::Connecting => {
                let disconnected = || disconnected_peer(&server.link().runtime);
                self.ends.server.latest_peer().unwrap_or_else(disconnected)
            }
        };
        peer.owning(Arc::<Ends>::clone(&self.ends)).proxy()
    }

    /// The server.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.ends.server
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.ends.client
    }
}

impl PairBuilder {
    /// Registers a service on the side to which it belongs. If it collides with another service, `connect`
    /// returns the error.
    #[expect(private_bounds, reason = "there are only two roles")]
    pub fn register<R: role::Role>(mut self, service: Service<R>) -> Self {
        let service = service.into_registered();
        match R::SIDE {
            Side::Accepting => self.server = self.server.serve(service),
            Side::Connecting => self.client = self.client.serve(service),
        }
        self
    }

    /// Changes settings of the server.
    pub fn server(mut self, set: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        self.server = set(self.server);
        self
    }

    /// Changes settings of the client.
    pub fn client(mut self, set: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self {
        self.client = set(self.client);
        self
    }

    /// Wraps the client's end of every connection in these faults. *Outgoing* is then the direction to the
    /// server.
    pub fn faults(mut self, faults: &Faults) -> Self {
        self.faults = Some(faults.clone());
        self
    }

    /// Sets how many bytes may be in transit in each direction; 64 KiB by default.
    pub fn capacity(mut self, bytes: usize) -> Self {
        // With a capacity of zero nothing would ever arrive.
        self.capacity = bytes.max(1);
        self
    }

    /// Starts both sides and returns at once. The client connects in the background, and its calls wait for
    /// the connection.
    ///
    /// # Errors
    /// Those of [`connect`].
    pub fn start(self) -> Result<Pair, SetupError> {
        let (server, client) = join(self.server, self.client, self.faults, self.capacity)?;
        Ok(Pair { ends: Arc::new(Ends { client: Arc::new(client), server: Arc::new(server) }) })
    }

    /// Starts both sides, and waits until they are connected.
    ///
    /// # Errors
    /// Those of [`connect`], or the two sides do not accept each other.
    pub async fn connect(self) -> Result<Pair, PairError> {
        let pair = self.start()?;
        let Ends { client, server } = &*pair.ends;
        let mut peers = server.peers();
        client.ready().await?;
        tokio::select! {
            biased;
            _peer = peers.next() => {}
            reason = client.closed() => return Err(PairError::Connect(match reason {
                CloseReason::NotConnected(error) => error,
                other => ConnectError::Protocol(other.to_string()),
            })),
        }
        Ok(pair)
    }
}

impl fmt::Debug for Pair {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Pair")
            .field("client", &self.ends.client)
            .field("server", &self.ends.server)
            .finish()
    }
}
