//! The futures of calls: [`Call`] and [`OnewayCall`].

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::runtime::Handle;

use super::method::{Method, Reply, StreamMethod, Value};
use super::pending::{Kind, PendingCall};
use crate::error::CallError;
use crate::peer::Peer;
use crate::protocol::metadata::Metadata;
use crate::stream::IntoOutgoing;

/// A call: a future of the handler's result. The call is made when the future is first polled, and cancelled
/// when the future is dropped.
#[must_use = "a call is made when it is awaited"]
pub struct Call<M: Method> {
    call: PendingCall<M>,
}

/// A oneway call: a future that resolves when the call is queued. There is no reply.
#[must_use = "a call is made when it is awaited"]
pub struct OnewayCall<M: Method> {
    call: PendingCall<M>,
}

impl<M: Method> Call<M> {
    /// The call, not made yet.
    #[inline]
    pub fn new(peer: &Peer, method: M) -> Self {
        Self { call: PendingCall::new(peer, method) }
    }

    /// Ends the call with [`CallError::DeadlineExceeded`] after this time, counted from the first poll. The
    /// peer receives the remaining time. This replaces the method's `#[timeout]`, if it has one.
    ///
    /// A call that a handler makes to its own caller ends no later than the handler's own deadline, unless
    /// the handler's method is `#[detached]`.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.call.timeout = Some(timeout);
        self
    }

    /// Lets the call take any time, even if the method has a `#[timeout]`.
    pub fn no_timeout(mut self) -> Self {
        self.call.timeout = None;
        self
    }

    /// The runtime of the connection's tasks.
    pub(crate) fn runtime(&self) -> Handle {
        self.call.runtime()
    }

    /// Sends metadata with the call, in place of metadata set before.
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.call.metadata = Some(Box::new(metadata));
        self
    }
}

impl<M: StreamMethod> Call<M> {
    /// The call of a method with a stream parameter, not made yet. Polling the call polls the stream.
    pub fn with_stream(peer: &Peer, method: M, outgoing: impl IntoOutgoing<Value<M::Item>>) -> Self {
        Self { call: PendingCall::with_stream(peer, method, outgoing.into_outgoing()) }
    }
}

impl<M: Method> OnewayCall<M> {
    /// The call, not made yet.
    #[inline]
    pub fn new(peer: &Peer, method: M) -> Self {
        Self { call: PendingCall::new(peer, method) }
    }

    /// Limits the wait for room in the queue, counted from the first poll. This replaces the method's
    /// `#[timeout]`, if it has one.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.call.timeout = Some(timeout);
        self
    }

    /// Waits for room in the queue without limit, even if the method has a `#[timeout]`.
    pub fn no_timeout(mut self) -> Self {
        self.call.timeout = None;
        self
    }

    /// The runtime of the connection's tasks.
    pub(crate) fn runtime(&self) -> Handle {
        self.call.runtime()
    }

    /// Sends metadata with the call, in place of metadata set before.
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.call.metadata = Some(Box::new(metadata));
        self
    }
}

// No field is pinned: the timer is boxed.
impl<M: Method> Unpin for Call<M> {}
impl<M: Method> Unpin for OnewayCall<M> {}

impl<M: Method> Future for Call<M> {
    type Output = Reply<M>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = self.call.poll_reply(context);
        if let Poll::Ready(result) = &polled {
            self.call.on_end(result.as_ref().map(|_| ()));
        }
        polled
    }
}

impl<M: Method> Future for OnewayCall<M> {
    type Output = Result<(), CallError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = self.call.start(context, Kind::Oneway);
        if let Poll::Ready(result) = &polled {
            self.call.on_end(result.as_ref().copied());
        }
        polled
    }
}

impl<M: Method> fmt::Debug for Call<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.call.fmt_as("Call", formatter)
    }
}

impl<M: Method> fmt::Debug for OnewayCall<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.call.fmt_as("OnewayCall", formatter)
    }
}
