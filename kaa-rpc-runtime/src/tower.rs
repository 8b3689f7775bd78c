//! A client as a `tower::Service` (feature `tower`), for programs that call several servers with tower's load
//! balancing, limits and retries.
//!
//! Invariants:
//! - A service is ready while its connection is open, pending while it reconnects, and fails when the
//!   connection has ended permanently. A load balancer skips a pending service and drops a failed one.
//! - No call waits for a lost connection, since another service may be connected.

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

/// A call that any service with a proxy of type `P` can make. It is a closure from the proxy to the call, an
/// [`Invocation`], which a retry can clone, or your own type.
pub trait Request<P> {
    /// The return type of the call.
    type Response;
    /// The error type that the method declares, or [`Infallible`](std::convert::Infallible).
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

/// A method with its arguments; not for oneway methods. The generated modules `epg::server` and `epg::client`
/// of a service `Epg` have a type for each method.
///
/// ```
/// # use kaa_rpc_runtime::{CallError, Method, Outcome};
/// # use kaa_rpc_runtime::tower::Invocation;
/// /// Whether a retry policy may repeat a call that ended with this error.
/// fn may_retry<M: Method, E>(_call: &Invocation<M>, error: &CallError<E>) -> bool {
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

/// Waits until a connection can be used, or has ended permanently.
type Readiness = Pin<Box<dyn Future<Output = Result<(), CloseReason>> + Send>>;

/// A client as a `tower::Service` of [`Request`]s. It owns the client; dropping the last clone closes the
/// connection.
///
/// Its calls [fail fast](crate::Peer::fail_fast) while the connection is lost, so that a retry can choose
/// another service.
pub struct ProxyService<P> {
    client: Arc<Client>,
    proxy: P,
    /// Waits for the connection while it is not open.
    ready: Option<Readiness>,
}

impl<P: Proxy<Role = role::Server>> ProxyService<P> {
    /// Creates a service from a client.
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
