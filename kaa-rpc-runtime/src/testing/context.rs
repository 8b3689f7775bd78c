//! Contexts for handlers that are called directly, without a call on a connection.
//!
//! Invariant: such a call is on no wire, so nothing names it as its parent; all else is as a handler knows it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::connection::{InboundState, Link, LinkContext, RunningHandler, Side};
use crate::context::Context;
use crate::error::CloseReason;
use crate::observe::Observers;
use crate::peer::{Peer, Proxy};
use crate::protocol::metadata::Metadata;
use crate::settings::Settings;

/// A context for a handler that is called directly: by `caller`, without a time limit, never cancelled. [`TestCall`]
/// makes others.
///
/// ```
/// # use kaa_rpc_runtime::{Peer, Proxy, codegen::*, role};
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
/// use kaa_rpc_runtime::{Context, Fault, testing};
///
/// struct Guide;
///
/// impl Guide {
///     async fn update(&self, cx: Context<ScreenClientProxy>) -> Result<u32, Fault> {
///         Ok(if cx.is_cancelled() { 0 } else { 7 })
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let updated = Guide.update(testing::context(testing::disconnected_proxy())).await;
/// assert_eq!(updated.unwrap(), 7);
/// # }
/// ```
#[must_use]
pub fn context<P: Proxy>(caller: P) -> Context<P> {
    TestCall::of(caller).context()
}

/// A proxy behind which nobody is: each call through it ends at once, and has not been sent. For handlers that call
/// nobody back.
///
/// # Panics
/// Outside of a tokio runtime, where no handler could be awaited either.
#[must_use]
pub fn disconnected_proxy<P: Proxy>() -> P {
    P::from_peer(absent_peer(&Handle::current()))
}

pub(super) fn absent_peer(runtime: &Handle) -> Peer {
    let observer = Observers::default().into_observer();
    let context = LinkContext::new(Side::Accepting, runtime.clone(), observer);
    let link = Link::new(Settings::default(), context);
    link.close(&CloseReason::ClosedLocally);
    Peer::of_link(link)
}

/// A call that a test makes up, for a handler to be called with.
///
/// ```
/// # use kaa_rpc_runtime::{Context, Proxy, testing};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {}
/// async fn a_handler_gives_up<P: Proxy>(caller: P, handler: impl AsyncFn(Context<P>)) {
///     let call = testing::TestCall::of(caller).timeout(Duration::from_secs(2));
///     let handling = handler(call.context());
///     call.cancel();
///     handling.await; // it sees that its caller has gone
/// }
/// ```
pub struct TestCall<P> {
    caller: P,
    metadata: Metadata,
    deadline: Option<Instant>,
    state: Arc<InboundState>,
}

impl<P: Proxy> TestCall<P> {
    /// A call by this caller, without a time limit.
    #[must_use]
    pub fn of(caller: P) -> Self {
        Self::new(caller, Metadata::new(), None)
    }

    fn new(caller: P, metadata: Metadata, deadline: Option<Instant>) -> Self {
        let link = Arc::clone(caller.peer().link());
        let sent = (!metadata.is_empty()).then(|| Box::new(metadata.clone()));
        let state = InboundState::synthetic(link, sent, deadline);
        Self { caller, metadata, deadline, state }
    }

    /// The caller sends this along, in place of what was said before.
    #[must_use]
    pub fn metadata(self, metadata: Metadata) -> Self {
        Self::new(self.caller, metadata, self.deadline)
    }

    /// The caller stops waiting after this time, counted from now: so much time remains to the handler, and what it
    /// calls back ends with it. The handler itself is not dropped by that.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        // A time too far to be written as an instant is none.
        let deadline = Instant::now().checked_add(timeout);
        Self::new(self.caller, self.metadata, deadline)
    }

    /// What the handler of this call is given.
    #[must_use]
    pub fn context(&self) -> Context<P> {
        Context::synthetic(&self.caller, Arc::clone(&self.state))
    }
}

impl<P> TestCall<P> {
    /// The caller gives the call up: [`Context::is_cancelled`] and [`Context::cancelled`] say so. The handler is not
    /// dropped by that; whoever called it can drop its future.
    pub fn cancel(&self) {
        self.state.cancel();
    }
}

impl<P: fmt::Debug> fmt::Debug for TestCall<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TestCall").field("caller", &self.caller).finish_non_exhaustive()
    }
}
