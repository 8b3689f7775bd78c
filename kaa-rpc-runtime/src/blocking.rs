//! For programs without async: clients and servers whose tasks run on a thread of their own, calls and streams that are
//! waited for.
//!
//! Invariants: one thread serves all of them in a process, and it never runs a handler of a service that may block; the
//! traits are the same as with async, so a program can go over to it piece by piece.

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

/// Waits for a future on this thread, for instance for several calls at once or with a timeout around them.
///
/// # Errors
/// If the thread that does the work cannot be started.
///
/// # Panics
/// Within an async task, whose thread must not wait: there is `.await`.
#[track_caller]
pub fn wait<F: Future>(future: F) -> io::Result<F::Output> {
    Ok(background()?.block_on(future))
}

/// The runtime that does the work, on one thread.
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

/// A client for programs without async; see [`crate::Client`].
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use kaa_rpc_runtime::{Client, Secret};
///
/// let client = Client::builder().secret(Secret::from_file("epg.secret")?).connect_blocking("unix:/run/tv/epg.sock")?;
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

/// A server for programs without async; see [`crate::Server`]. Register services with [`Service::blocking`], whose handlers
/// may then wait as they like.
#[derive(Debug)]
pub struct Server {
    server: crate::Server,
    background: Handle,
}

impl ClientBuilder {
    /// Like [`ClientBuilder::connect`], for programs without async.
    ///
    /// # Errors
    /// As there, and if the thread that does the work cannot be started.
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
    /// As there, and if the thread that does the work cannot be started.
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
    /// A proxy for what the server serves; its calls are waited for with [`Call::wait`].
    #[must_use]
    pub fn proxy<P: Proxy<Role = role::Server>>(&self) -> P {
        self.client.proxy()
    }

    /// Waits until both sides have proved the secret.
    ///
    /// # Errors
    /// Why there is no connection and will be none.
    #[track_caller]
    pub fn ready(&self) -> Result<(), ConnectError> {
        self.background.block_on(self.client.ready())
    }

    /// Waits until the connection is over for good, and tells why.
    #[track_caller]
    pub fn closed(&self) -> CloseReason {
        self.background.block_on(self.client.closed())
    }

    /// Whether there is a connection now.
    #[must_use]
    pub fn status(&self) -> ClientStatus {
        self.client.status()
    }

    /// The server as a peer.
    #[must_use]
    pub fn peer(&self) -> Peer {
        self.client.peer()
    }

    /// Serves one more service to the server.
    ///
    /// # Errors
    /// If it is registered already, or one of its method ids is taken.
    pub fn register(&self, service: Service<role::Client>) -> Result<(), RegisterError> {
        self.client.register(service)
    }

    /// Serves this service no longer; see [`crate::Client::deregister`].
    pub fn deregister(&self, service: &str) -> bool {
        self.client.deregister(service)
    }

    /// What happens to the connection, waited for one by one.
    pub fn events(&self) -> impl Iterator<Item = ClientEvent> + use<> {
        blocking_iter(self.client.events(), self.background.clone())
    }

    /// Takes no new calls, lets those that run finish for at most this time, and closes.
    #[track_caller]
    pub fn shutdown(&self, grace: Duration) -> ShutdownReport {
        self.background.block_on(self.client.shutdown(grace))
    }
}

impl Server {
    /// Where it listens; for TCP the address and port that the system gave.
    #[must_use]
    pub fn address(&self) -> Option<&Address> {
        self.server.address()
    }

    /// The connected peers, then each new one, waited for one by one; it ends when the server is shut down.
    pub fn peers(&self) -> impl Iterator<Item = Peer> + use<> {
        let (mut peers, background) = (self.server.peers(), self.background.clone());
        std::iter::from_fn(move || background.block_on(peers.next()))
    }

    /// What happens, waited for one by one.
    pub fn events(&self) -> impl Iterator<Item = ServerEvent> + use<> {
        blocking_iter(self.server.events(), self.background.clone())
    }

    /// Serves one more service, on living connections too.
    ///
    /// # Errors
    /// If it is registered already, or one of its method ids is taken.
    pub fn register(&self, service: Service<role::Server>) -> Result<(), RegisterError> {
        self.server.register(service)
    }

    /// Serves this service no longer; see [`crate::Server::deregister`].
    pub fn deregister(&self, service: &str) -> bool {
        self.server.deregister(service)
    }

    /// What it has done so far.
    #[must_use]
    pub fn statistics(&self) -> ServerStatistics {
        self.server.statistics()
    }

    /// How many connections there are.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.server.connections()
    }

    /// Waits until no connection is left and none will be accepted any more: at `stdio:` the host has gone, elsewhere the
    /// server was shut down.
    #[track_caller]
    pub fn closed(&self) {
        self.background.block_on(self.server.closed());
    }

    /// Takes no more connections and no new calls, lets those that run finish for at most this time, and closes.
    #[track_caller]
    pub fn shutdown(&self, grace: Duration) -> ShutdownReport {
        self.background.block_on(self.server.shutdown(grace))
    }
}

fn blocking_iter<E: Clone>(mut events: Events<E>, background: Handle) -> impl Iterator<Item = E> {
    std::iter::from_fn(move || background.block_on(events.next()))
}

impl<M: Method> Call<M> {
    /// Makes the call and waits for its end on this thread, for programs without async and for handlers that may block.
    ///
    /// # Errors
    /// As when it is awaited.
    ///
    /// # Panics
    /// Within an async task, whose thread must not wait: there is `.await`. A handler is such a task, unless its service is
    /// registered with [`blocking()`](Service::blocking).
    #[track_caller]
    pub fn wait(self) -> Result<<M::Returns as Wire>::Value, CallError<<M::Throws as Wire>::Value>> {
        let runtime = self.runtime();
        runtime.block_on(self)
    }
}

impl<M: Method> OnewayCall<M> {
    /// Makes the call and waits until it is queued; see [`Call::wait`].
    ///
    /// # Errors
    /// As when it is awaited.
    ///
    /// # Panics
    /// Within an async task, whose thread must not wait: there is `.await`.
    #[track_caller]
    pub fn wait(self) -> Result<(), CallError> {
        let runtime = self.runtime();
        runtime.block_on(self)
    }
}

impl<T, E> Incoming<T, E> {
    /// The items one by one, each waited for on this thread.
    ///
    /// # Panics
    /// The iterator, within an async task, whose thread must not wait: there is `next().await`.
    pub fn blocking_iter(mut self) -> impl Iterator<Item = Result<T, CallError<E>>> {
        let runtime = self.runtime();
        std::iter::from_fn(move || runtime.block_on(self.next()))
    }
}
