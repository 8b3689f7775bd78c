//! Clients, servers, calls and streams for programs without async.
//!
//! All clients and servers of this module run on one background thread per process. The generated traits and
//! proxies are the same as with async, so a program can move to async step by step.
//!
//! Invariant: the background thread never runs a handler that may block.

use std::future::Future;
use std::io;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::runtime::{Builder, Handle};

use crate::call::{Call, Method, OnewayCall};
use crate::client::{ClientBuilder, ClientEvent, ClientStatus};
use crate::codec::Wire;
use crate::connection::ServerStatistics;
use crate::connection::ShutdownReport;
use crate::error::{CallError, CloseReason, ConnectError, RegisterError, SetupError};
use crate::events::Events;
use crate::peer::{Peer, Proxy};
use crate::server::{ServerBuilder, ServerEvent};
use crate::service::{Service, role};
use crate::stream::Incoming;
use crate::transport::Address;

/// Blocks this thread until a future completes, for example several concurrent calls, or a call with a
/// timeout.
///
/// # Errors
/// The background thread cannot be started.
///
/// # Panics
/// In an async task, whose thread must not block. Use `.await` there.
#[track_caller]
pub fn wait<F: Future>(future: F) -> io::Result<F::Output> {
    Ok(background()?.block_on(future))
}

/// The runtime of the background thread.
fn background() -> io::Result<Handle> {
    static BACKGROUND: Mutex<Option<Handle>> = Mutex::new(None);
    let mut background = BACKGROUND.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(handle) = &*background {
        return Ok(handle.clone());
    }
    let runtime = Builder::new_current_thread().enable_all().thread_name("kaa-rpc-blocking").build()?;
    let handle = runtime.handle().clone();
    let run = move || runtime.block_on(std::future::pending::<()>());
    std::thread::Builder::new().name("kaa-rpc".to_owned()).spawn(run)?;
    *background = Some(handle.clone());
    Ok(handle)
}

/// A client for programs without async. See [`crate::Client`].
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use kaa_rpc_runtime::{Client, Secret};
///
/// let secret = Secret::from_file("epg.secret")?;
/// let client = Client::builder().secret(secret).connect_blocking("unix:/run/tv/epg.sock")?;
/// client.ready()?;
/// // let epg: EpgServerProxy = client.proxy();
/// // let found = epg.search("news").wait()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Client {
    client: crate::Client,
    background: Handle,
}

/// A server for programs without async. See [`crate::Server`]. Register services with [`Service::blocking`],
/// so that their handlers may block.
#[derive(Debug)]
pub struct Server {
    server: crate::Server,
    background: Handle,
}

impl ClientBuilder {
    /// Like [`ClientBuilder::connect`], for programs without async.
    ///
    /// # Errors
    /// Those of the async method, or the background thread cannot be started.
    pub fn connect_blocking<A>(self, address: A) -> Result<Client, SetupError>
    where
        A: TryInto<Address>,
        SetupError: From<A::Error>,
    {
        let background = background().map_err(SetupError::NoThread)?;
        let client = {
            let _entered = background.enter();
            self.connect(address)?
        };
        Ok(Client { client, background })
    }
}

impl ServerBuilder {
    /// Like [`ServerBuilder::listen`], for programs without async.
    ///
    /// # Errors
    /// Those of the async method, or the background thread cannot be started.
    pub fn listen_blocking<A>(self, address: A) -> Result<Server, SetupError>
    where
        A: TryInto<Address>,
        SetupError: From<A::Error>,
    {
        let background = background().map_err(SetupError::NoThread)?;
        let server = background.block_on(self.listen(address))?;
        Ok(Server { server, background })
    }
}

impl Client {
    /// Creates a proxy for a service of the server. Wait for its calls with [`Call::wait`].
    #[must_use]
    pub fn proxy<P: Proxy<Role = role::Server>>(&self) -> P {
        self.client.proxy()
    }

    /// Waits until both sides have proved the secret and calls can be sent.
    ///
    /// # Errors
    /// The connection failed permanently.
    #[track_caller]
    pub fn ready(&self) -> Result<(), ConnectError> {
        self.background.block_on(self.client.ready())
    }

    /// Waits until the connection has ended permanently, and returns the reason.
    #[track_caller]
    pub fn closed(&self) -> CloseReason {
        self.background.block_on(self.client.closed())
    }

    /// The current state of the connection.
    #[must_use]
    pub fn status(&self) -> ClientStatus {
        self.client.status()
    }

    /// The server as a peer.
    #[must_use]
    pub fn peer(&self) -> Peer {
        self.client.peer()
    }

    /// Starts serving a service to the server. See [`crate::Client::register`].
    ///
    /// # Errors
    /// The service is already registered, or one of its method ids is in use.
    pub fn register(&self, service: Service<role::Client>) -> Result<(), RegisterError> {
        self.client.register(service)
    }

    /// Stops serving a service. See [`crate::Client::deregister`].
    pub fn deregister(&self, service: &str) -> bool {
        self.client.deregister(service)
    }

    /// The events of the connection. The iterator blocks until the next event.
    pub fn events(&self) -> impl Iterator<Item = ClientEvent> + use<> {
        blocking_iter(self.client.events(), self.background.clone())
    }

    /// Shuts down gracefully. See [`crate::Client::shutdown`].
    #[track_caller]
    pub fn shutdown(&self, grace: Duration) -> ShutdownReport {
        self.background.block_on(self.client.shutdown(grace))
    }
}

impl Server {
    /// The address at which the server listens. For TCP it has the actual IP address and port.
    #[must_use]
    pub fn address(&self) -> Option<&Address> {
        self.server.address()
    }

    /// The connected peers, then each new one. The iterator blocks until the next peer connects, and ends
    /// when the server is shut down.
    pub fn peers(&self) -> impl Iterator<Item = Peer> + use<> {
        let (mut peers, background) = (self.server.peers(), self.background.clone());
        std::iter::from_fn(move || background.block_on(peers.next()))
    }

    /// The server's events. The iterator blocks until the next event.
    pub fn events(&self) -> impl Iterator<Item = ServerEvent> + use<> {
        blocking_iter(self.server.events(), self.background.clone())
    }

    /// Starts serving a service, on open connections too. See [`crate::Server::register`].
    ///
    /// # Errors
    /// The service is already registered, or one of its method ids is in use.
    pub fn register(&self, service: Service<role::Server>) -> Result<(), RegisterError> {
        self.server.register(service)
    }

    /// Stops serving a service. See [`crate::Server::deregister`].
    pub fn deregister(&self, service: &str) -> bool {
        self.server.deregister(service)
    }

    /// The server's statistics since its start.
    #[must_use]
    pub fn statistics(&self) -> ServerStatistics {
        self.server.statistics()
    }

    /// The number of connections.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.server.connections()
    }

    /// Waits until the server has no connection and accepts no more. See [`crate::Server::closed`].
    #[track_caller]
    pub fn closed(&self) {
        self.background.block_on(self.server.closed());
    }

    /// Shuts down gracefully. See [`crate::Server::shutdown`].
    #[track_caller]
    pub fn shutdown(&self, grace: Duration) -> ShutdownReport {
        self.background.block_on(self.server.shutdown(grace))
    }
}

fn blocking_iter<E: Clone>(mut events: Events<E>, background: Handle) -> impl Iterator<Item = E> {
    std::iter::from_fn(move || background.block_on(events.next()))
}

impl<M: Method> Call<M> {
    /// Makes the call and blocks this thread until it has ended, for programs without async and for handlers
    /// that may block.
    ///
    /// # Errors
    /// Those of awaiting the call.
    ///
    /// # Panics
    /// In an async task, whose thread must not block. Use `.await` there. Handlers are async tasks, unless
    /// their service is registered with [`blocking()`](Service::blocking).
    #[track_caller]
    pub fn wait(self) -> Result<<M::Returns as Wire>::Value, CallError<<M::Throws as Wire>::Value>> {
        let runtime = self.runtime();
        runtime.block_on(self)
    }
}

impl<M: Method> OnewayCall<M> {
    /// Makes the call and blocks this thread until it is queued. See [`Call::wait`].
    ///
    /// # Errors
    /// Those of awaiting the call.
    ///
    /// # Panics
    /// In an async task, whose thread must not block. Use `.await` there.
    #[track_caller]
    pub fn wait(self) -> Result<(), CallError> {
        let runtime = self.runtime();
        runtime.block_on(self)
    }
}

impl<T, E> Incoming<T, E> {
    /// Turns the stream into an iterator that blocks this thread until the next item arrives.
    ///
    /// # Panics
    /// The iterator panics in an async task, whose thread must not block. Use `next().await` there.
    pub fn blocking_iter(mut self) -> impl Iterator<Item = Result<T, CallError<E>>> {
        let runtime = self.runtime();
        std::iter::from_fn(move || runtime.block_on(self.next()))
    }
}
