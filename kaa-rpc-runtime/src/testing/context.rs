//! Contexts for handlers that a test calls directly, without a connection.
//!
//! Invariant: such a call is not sent over a connection, so no nested call names it as its parent. Otherwise
//! its context behaves like any other.

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

/// Creates a context for a handler that a test calls directly. The call has this caller and no deadline, and
/// is never cancelled. Use [`TestCall`] for other contexts.
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

/// Creates a proxy without a connection: each call through it fails at once without being sent. Use it for
/// handlers that do not call their caller.
///
/// # Panics
/// Outside a tokio runtime.
#[must_use]
pub fn disconnected_proxy<P: Proxy>() -> P {
    P::from_peer(disconnected_peer(&Handle::current()))
}

pub(super) fn disconnected_peer(runtime: &Handle) -> Peer {
    let observer = Observers::default().into_observer();
    let context = LinkContext::new(Side::Accepting, runtime.clone(), observer);
    let link = Link::new(Settings::default(), context);
    link.close(&CloseReason::ClosedLocally);
    Peer::of_link(link)
}

/// A synthetic call, for a test that calls a handler directly.
///
/// ```
/// # use kaa_rpc_runtime::{Context, Proxy, testing};
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {}
/// async fn handler_stops_when_cancelled<P: Proxy>(caller: P, handler: impl AsyncFn(Context<P>)) {
///     let call = testing::TestCall::of(caller).timeout(Duration::from_secs(2));
///     let handling = handler(call.context());
///     call.cancel();
///     handling.await; // the handler notices that its call was cancelled
/// }
/// ```
pub struct TestCall<P> {
    caller: P,
    metadata: Metadata,
    deadline: Option<Instant>,
    state: Arc<InboundState>,
}

impl<P: Proxy> TestCall<P> {
    /// A call by this caller, without a deadline.
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

    /// Sets the metadata of the call.
    #[must_use]
    pub fn metadata(self, metadata: Metadata) -> Self {
        Self::new(self.caller, metadata, self.deadline)
    }

    /// Sets the deadline of the call, counted from now. Calls that the handler makes through its context end
    /// at the deadline; the handler itself is not dropped.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        // A timeout that is too long for an `Instant` counts as none.
        let deadline = Instant::now().checked_add(timeout);
        Self::new(self.caller, self.metadata, deadline)
    }

    /// The context for the handler of this call.
    #[must_use]
    pub fn context(&self) -> Context<P> {
        Context::synthetic(&self.caller, Arc::clone(&self.state))
    }
}

impl<P> TestCall<P> {
    /// Cancels the call: [`Context::is_cancelled`] and [`Context::cancelled`] report it. The handler is not
    /// dropped; the test can drop its future.
    pub fn cancel(&self) {
        self.state.cancel();
    }
}

impl<P: fmt::Debug> fmt::Debug for TestCall<P> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TestCall").field("caller", &self.caller).finish_non_exhaustive()
    }
}
