//! A client as a `tower::Service`, behind the feature `tower`, so that tower's balance, limits and retries serve those who
//! call more than one server.
//!
//! Invariants: a service is ready while its connection is, not ready while it connects again, and in error when it is over
//! for good: what balances over several passes over the one and lets go of the other. No call waits for a connection that
//! is lost, since another service may have one.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::call::{Call, Method};
use crate::client::Client;
use crate::codec::Wire;
use crate::connection::Link;
use crate::error::{CallError, CloseReason, Outcome};
use crate::peer::Proxy;
use crate::service::role;

/// A call to be made through a proxy of type `P`, by whichever service is chosen: a closure from the proxy to the call, an
/// [`Invocation`], which a retry can clone, or a type of the program's own.
pub trait Request<P> {
    /// What the call returns.
    type Response;
    /// The error that its method declares; [`Infallible`](std::convert::Infallible) where there is none.
    type Error;
    /// The call.
    type Future: Future<Output = Result<Self::Response, CallError<Self::Error>>>;

    /// Makes the call.
    fn call(self, proxy: P) -> Self::Future;
}

impl<P, F, R, T, E> Request<P> for F
where
    F: FnOnce(P) -> R,
    R: IntoFuture<Output = Result<T, CallError<E>>>,
{
    type Response = T;
    type Error = E;
    type Future = R::IntoFuture;

    fn call(self, proxy: P) -> Self::Future {
        self(proxy).into_future()
    }
}

/// A two-way method with its arguments. For each method of a service `Epg` there is a type in the generated modules
/// `epg::server` and `epg::client`.
///
/// ```
/// # use kaa_rpc_runtime::{CallError, Method, Outcome};
/// # use kaa_rpc_runtime::tower::Invocation;
/// /// Whether a retry policy may make a call again that has ended with this error.
/// fn may_be_made_again<M: Method, E>(_call: &Invocation<M>, error: &CallError<E>) -> bool {
///     match error.outcome() {
///         Outcome::NotSent => true,
///         Outcome::Unknown => M::DESCRIPTOR.idempotent,
///         Outcome::Run => false,
///     }
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Invocation<M>(pub M);

impl<P: Proxy, M: Method> Request<P> for Invocation<M> {
    type Response = <M::Returns as Wire>::Value;
    type Error = <M::Throws as Wire>::Value;
    type Future = Call<M>;

    fn call(self, proxy: P) -> Call<M> {
        Call::new(proxy.peer(), self.0)
    }
}

/// Waits until a connection is usable, or over for good.
type Readiness = Pin<Box<dyn Future<Output = Result<(), CloseReason>> + Send>>;

/// A client's connection as a `tower::Service` of [`Request`]s. It owns the client, which is closed with the last clone.
///
/// Its calls [fail fast](crate::Peer::fail_fast): where the connection is lost, it is the retry's to choose another.
pub struct ProxyService<P> {
    client: Arc<Client>,
    proxy: P,
    /// Waits for the connection, while there is none.
    ready: Option<Readiness>,
}

impl<P: Proxy<Role = role::Server>> ProxyService<P> {
    /// The service of a client.
    #[must_use]
    pub fn new(client: Client) -> Self {
        let proxy = client.peer().fail_fast().proxy();
        Self { client: Arc::new(client), proxy, ready: None }
    }

    /// The client.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    fn link(&self) -> &Arc<Link> {
        self.proxy.peer().link()
    }
}

impl<P, R> tower_service::Service<R> for ProxyService<P>
where
    P: Proxy<Role = role::Server>,
    R: Request<P>,
{
    type Response = R::Response;
    type Error = CallError<R::Error>;
    type Future = R::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        if self.ready.is_none() && self.link().is_usable() {
            return Poll::Ready(Ok(()));
        }
        let link = Arc::clone(self.link());
        let ready = self.ready.get_or_insert_with(|| Box::pin(async move { link.usable().await }));
        let polled = ready.as_mut().poll(context);
        if polled.is_ready() {
            self.ready = None;
        }
        polled.map_err(|reason| CallError::Disconnected { outcome: Outcome::NotSent, reason })
    }

    fn call(&mut self, request: R) -> R::Future {
        request.call(self.proxy.clone())
    }
}

impl<P: Clone> Clone for ProxyService<P> {
    fn clone(&self) -> Self {
        Self { client: Arc::clone(&self.client), proxy: self.proxy.clone(), ready: None }
    }
}

impl<P> fmt::Debug for ProxyService<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ProxyService").field("client", &self.client).finish_non_exhaustive()
    }
}
