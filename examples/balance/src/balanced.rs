//! One service in place of several servers.
//!
//! Invariants: a call goes to a server that is connected, to the less busy one of two; it is made again only if it was
//! certainly not run, or if its method is `#[idempotent]`.

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

/// Most calls under way at a time; more wait here, where they can still go to any server.
const MOST_CALLS: usize = 64;

/// How long a call may take with all its repetitions, and where no server is there, how long it waits for one.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often a call is made again, lest one that brings a server down brings them all down.
const MOST_REPETITIONS: u32 = 3;

/// Calls of one method, on whichever server is best.
pub type Balanced<M> = BoxCloneService<Invocation<M>, Value<<M as Method>::Returns>, BoxError>;

type Value<W> = <W as Wire>::Value;

/// Balances the calls of one method over these servers. Other methods can be balanced over clones of the same services.
pub fn balanced<M>(servers: Vec<ProxyService<WorkerServerProxy>>, again: Again) -> Balanced<M>
where
    M: Method + Clone,
    Value<M::Throws>: DeclaredError,
{
    let servers = ServiceList::new::<Invocation<M>>(servers);
    let by_load = PendingRequestsDiscover::new::<Invocation<M>>(servers, CompleteOnResponse::default());
    let stack = ServiceBuilder::new()
        .timeout(PATIENCE)
        .retry(again)
        .buffer(MOST_CALLS)
        .concurrency_limit(MOST_CALLS)
        .service(Balance::new(by_load));
    BoxCloneService::new(stack)
}

/// Makes a call again where that can do no harm. It goes to another server, because one that is not connected is not ready.
#[derive(Debug, Clone)]
pub struct Again {
    left: u32,
    counts: Arc<Counts>,
}

/// How many calls were made again.
#[derive(Debug, Default)]
pub struct Counts {
    /// They had certainly not been run.
    pub not_sent: AtomicU32,
    /// They may have been run.
    pub unknown: AtomicU32,
}

impl Again {
    /// The policy, and what it counts.
    #[must_use]
    pub fn new(counts: Arc<Counts>) -> Self {
        Self { left: MOST_REPETITIONS, counts }
    }
}

impl<M, T> Policy<Invocation<M>, T, BoxError> for Again
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
        self.left = self.left.checked_sub(1)?;
        count.fetch_add(1, Ordering::Relaxed);
        Some(ready(()))
    }

    fn clone_request(&mut self, call: &Invocation<M>) -> Option<Invocation<M>> {
        Some(call.clone())
    }
}
