//! A server and a client that are connected in memory, and proxies that carry such a pair with them.
//!
//! Invariants: both ends are what they are over a socket, and prove a secret to each other; a proxy that was made here
//! holds its pair, and the pair takes leave with the last of them, so that no oneway call is lost that was made.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::context::absent_peer;
use super::faults::Faults;
use crate::client::{Client, ClientBuilder};
use crate::connection::Side;
use crate::error::{CloseReason, ConnectError, SetupError};
use crate::peer::Proxy;
use crate::secret::Secret;
use crate::server::{Server, ServerBuilder};
use crate::service::{Service, role};
use crate::transport::pair;

/// Bytes on their way in each direction, if nothing else is said: about what a unix socket takes.
const CAPACITY: usize = 64 * 1024;

/// How long calls may go on that were made through proxies that are gone.
const LEAVE: Duration = Duration::from_secs(1);

/// Joins a server and a client in memory, with a fresh secret, which replaces what they have under the same key id.
///
/// All else is as it is over a socket: the client connects in the background, and with [`ClientBuilder::reconnect`] it
/// connects again after a loss, as long as there is the server.
///
/// ```
/// use kaa_rpc_runtime::{Client, Server, testing};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // With .register(Epg::server(…)) on the one side, and .register(Epg::client(…)) on the other.
/// let (server, client) = testing::connect(Server::builder(), Client::builder())?;
/// client.ready().await?;
/// let peer = server.peers().next().await.ok_or("it is there")?;
/// assert_eq!(peer.information().ok_or("it is known")?.address.to_string(), "memory");
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// A collision of services, no tokio runtime, or no randomness.
pub fn connect(server: ServerBuilder, client: ClientBuilder) -> Result<(Server, Client), SetupError> {
    join(server, client, None, CAPACITY)
}

fn join(
    server: ServerBuilder,
    client: ClientBuilder,
    faults: Option<Faults>,
    capacity: usize,
) -> Result<(Server, Client), SetupError> {
    let secret = Secret::generate().map_err(|error| SetupError::NoRandomness(io::Error::other(error)))?;
    let server = server.key(client.wanted_key().clone(), secret.clone()).start()?;
    let door = server.door();
    let client = client.secret(secret).connect_with(move || {
        let (near, far) = match &faults {
            None => pair(capacity),
            Some(faults) => faults.pair(capacity),
        };
        door.enter(far)?;
        Ok(near)
    })?;
    Ok((server, client))
}

/// A proxy that is answered by this service, which is most often a fake: over a connection in memory that is held by the
/// proxy and its clones. Which side serves follows from the proxy's type, so both
/// `let epg: EpgServerProxy = proxy(Epg::server(Fake)).await?` and
/// `let screen: EpgClientProxy = proxy(Epg::client(Fake)).await?` do what they say.
///
/// For several services, or other settings, there is [`Pair`]. A service of another name than the proxy's is no answer
/// to it: its calls end with [`CallError::UnknownMethod`](crate::CallError::UnknownMethod).
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
/// No tokio runtime, or no randomness.
#[expect(private_bounds, reason = "the two roles are all there are")]
pub async fn proxy<P>(service: Service<P::Role>) -> Result<P, PairError>
where
    P: Proxy,
    P::Role: role::Role,
{
    Ok(Pair::builder().register(service).connect().await?.proxy())
}

/// A server and a client that are connected in memory. A handle: clones mean the same pair.
///
/// When the last of them is gone, and of the proxies that they have made, both sides take leave: what was called is
/// finished, for a second at most.
///
/// ```
/// use kaa_rpc_runtime::{Limits, testing};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), testing::PairError> {
/// let faults = testing::Faults::new();
/// let pair = testing::Pair::builder()
///     // .register(Epg::server(Guide)).register(Epg::client(Screen)): as many services as you like, of either side
///     .server(|server| server.limits(Limits::default())) // what else is to be set
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
    joined: Arc<Joined>,
}

struct Joined {
    client: Arc<Client>,
    server: Arc<Server>,
}

/// A handler that is called directly takes the last proxy with it; what it has called oneway has still to arrive.
impl Drop for Joined {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (client, server) = (Arc::clone(&self.client), Arc::clone(&self.server));
        runtime.spawn(async move { tokio::join!(client.shutdown(LEAVE), server.shutdown(LEAVE)) });
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

/// Why there is no pair.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PairError {
    /// One of the sides cannot be set up.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// They do not accept each other, or faults kept them apart.
    #[error(transparent)]
    Connect(#[from] ConnectError),
}

impl Pair {
    /// Starts with the defaults, and without services.
    pub fn builder() -> PairBuilder {
        PairBuilder { server: Server::builder(), client: Client::builder(), faults: None, capacity: CAPACITY }
    }

    /// A proxy of either side: for what the server serves, or for what the client does. It holds the pair, so it does not
    /// belong into a service of the same pair.
    ///
    /// A proxy for what the client serves belongs to the connection that is there now, also where the client connects
    /// again; where there is none, nobody is behind it.
    #[must_use]
    #[expect(private_bounds, reason = "the two roles are all there are")]
    pub fn proxy<P>(&self) -> P
    where
        P: Proxy,
        P::Role: role::Role,
    {
        let server = self.joined.client.peer();
        let peer = match <P::Role as role::Role>::SIDE {
            Side::Accepting => server,
            Side::Connecting => {
                let absent = || absent_peer(&server.link().runtime);
                self.joined.server.latest_peer().unwrap_or_else(absent)
            }
        };
        peer.owning(Arc::<Joined>::clone(&self.joined)).proxy()
    }

    /// The server.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.joined.server
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.joined.client
    }
}

impl PairBuilder {
    /// Serves this, on the side that it belongs to. A collision is told by `connect`.
    #[expect(private_bounds, reason = "the two roles are all there are")]
    pub fn register<R: role::Role>(mut self, service: Service<R>) -> Self {
        let service = service.into_registered();
        match R::SIDE {
            Side::Accepting => self.server = self.server.serve(service),
            Side::Connecting => self.client = self.client.serve(service),
        }
        self
    }

    /// Changes the server's settings.
    pub fn server(mut self, set: impl FnOnce(ServerBuilder) -> ServerBuilder) -> Self {
        self.server = set(self.server);
        self
    }

    /// Changes the client's settings.
    pub fn client(mut self, set: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self {
        self.client = set(self.client);
        self
    }

    /// Puts the client's end of every connection under these faults: what is outgoing to them goes to the server.
    pub fn faults(mut self, faults: &Faults) -> Self {
        self.faults = Some(faults.clone());
        self
    }

    /// How many bytes may be on their way in each direction; 64 KiB by default.
    pub fn capacity(mut self, bytes: usize) -> Self {
        // Nothing would ever arrive with none.
        self.capacity = bytes.max(1);
        self
    }

    /// Joins both and returns at once: the client connects in the background, and its calls wait until it has.
    ///
    /// # Errors
    /// As [`connect`].
    pub fn start(self) -> Result<Pair, SetupError> {
        let (server, client) = join(self.server, self.client, self.faults, self.capacity)?;
        Ok(Pair { joined: Arc::new(Joined { client: Arc::new(client), server: Arc::new(server) }) })
    }

    /// Joins both, and waits until each knows the other.
    ///
    /// # Errors
    /// As [`connect`], or they do not accept each other.
    pub async fn connect(self) -> Result<Pair, PairError> {
        let pair = self.start()?;
        let Joined { client, server } = &*pair.joined;
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
            .field("client", &self.joined.client)
            .field("server", &self.joined.server)
            .finish()
    }
}
