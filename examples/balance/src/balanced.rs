//! One tower service for several servers.
//!
//! Invariants: a call goes to a connected server, the less busy one of two; it is retried only if it certainly did not
//! run, or if its method is `#[idempotent]`.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use kaa_rpc_runtime::codec::Wire;
use kaa_rpc_runtime::tower::{Invocation, ProxyService};
use kaa_rpc_runtime::{CallError, DeclaredError, Method, Outcome};
use tower::balance::p2c::Balance;
use tower::discover::ServiceList;
use tower::load::{CompleteOnResponse, PendingRequestsDiscover};
use tower::retry::Policy;
use tower::util::BoxCloneService;
use tower::{BoxError, ServiceBuilder};

use crate::api::balance::WorkerServerProxy;

/// The maximum number of running calls. Further calls wait here, where they can still go to any server.
const MAX_CALLS: usize = 64;

/// The timeout of a call, including its retries and the time until a server is connected.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The maximum number of retries: a call that crashes its server must not crash all of them.
const MAX_RETRIES: u32 = 3;

/// Calls of one method, balanced over the servers.
pub type Balanced<M> = BoxCloneService<Invocation<M>, Value<<M as Method>::Returns>, BoxError>;

type Value<W> = <W as Wire>::Value;

/// Balances the calls of one method over these servers. Other methods can be balanced over clones of the same services.
pub fn balanced<M>(servers: Vec<ProxyService<WorkerServerProxy>>, policy: RetryPolicy) -> Balanced<M>
where
    M: Method + Clone,
    Value<M::Throws>: DeclaredError,
{
    let servers = ServiceList::new::<Invocation<M>>(servers);
    let by_load = PendingRequestsDiscover::new::<Invocation<M>>(servers, CompleteOnResponse::default());
    let stack = ServiceBuilder::new()
        .timeout(TIMEOUT)
        .retry(policy)
        .buffer(MAX_CALLS)
        .concurrency_limit(MAX_CALLS)
        .service(Balance::new(by_load));
    BoxCloneService::new(stack)
}

/// Retries a call where that is safe. The retry goes to another server, because a server that is not connected is not
/// ready.
#[derive(Debug, Clone)]
pub struct RetryPolicy {
    retries_left: u32,
    counts: Arc<RetryCounts>,
}

/// The number of retries, by the outcome of the failed call.
#[derive(Debug, Default)]
pub struct RetryCounts {
    /// The call certainly did not run.
    pub not_sent: AtomicU32,
    /// The call may have run.
    pub unknown: AtomicU32,
}

impl RetryPolicy {
    /// A policy that counts its retries.
    #[must_use]
    pub fn new(counts: Arc<RetryCounts>) -> Self {
        Self { retries_left: MAX_RETRIES, counts }
    }
}

impl<M, T> Policy<Invocation<M>, T, BoxError> for RetryPolicy
where
    M: Method + Clone,
    Value<M::Throws>: DeclaredError,
{
    type Future = Ready<()>;

    fn retry(&mut self, _call: &mut Invocation<M>, result: &mut Result<T, BoxError>) -> Option<Ready<()>> {
        let error = result.as_ref().err()?.downcast_ref::<CallError<Value<M::Throws>>>()?;
        let count = match error.outcome() {
            Outcome::NotSent => &self.counts.not_sent,
            Outcome::Unknown if M::DESCRIPTOR.idempotent => &self.counts.unknown,
            Outcome::Unknown | Outcome::Run => return None,
        };
        self.retries_left = self.retries_left.checked_sub(1)?;
        count.fetch_add(1, Ordering::Relaxed);
        Some(ready(()))
    }

    fn clone_request(&mut self, call: &Invocation<M>) -> Option<Invocation<M>> {
        Some(call.clone())
    }
}
