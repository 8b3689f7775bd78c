//! Calls of methods that return a stream, as the source of its items.
//!
//! Invariants: the call's end comes after all items; the deadline holds even for a stream that is always
//! ready; a call whose items have arrived is not retried.

use std::task::{Context, Poll};
use std::time::Duration;

use super::method::{Method, StreamMethod, Value};
use super::pending::{Kind, PendingCall, Stage};
use crate::codec::Wire;
use crate::connection::Received;
use crate::error::CallError;
use crate::peer::Peer;
use crate::protocol::calls::Terminal;
use crate::protocol::frame::Status;
use crate::protocol::metadata::Metadata;
use crate::stream::{Incoming, IntoOutgoing, Source};

type Error<M> = CallError<Value<<M as Method>::Throws>>;

/// The call of a method that returns a stream.
struct ResultSource<M: Method> {
    call: PendingCall<M>,
    /// Whether the caller has received items, so that the call cannot be retried.
    has_items: bool,
}

impl<T, E> Incoming<T, E> {
    /// The call of a method that returns a stream, not made yet.
    pub fn call<M>(peer: &Peer, method: M) -> Self
    where
        M: Method,
        M::Returns: Wire<Value = T>,
        M::Throws: Wire<Value = E>,
    {
        Self::of_results(PendingCall::new(peer, method))
    }

    /// The call of a method that has a stream parameter and returns a stream, not made yet.
    pub fn call_with_stream<M>(peer: &Peer, method: M, outgoing: impl IntoOutgoing<Value<M::Item>>) -> Self
    where
        M: StreamMethod,
        M::Returns: Wire<Value = T>,
        M::Throws: Wire<Value = E>,
    {
        Self::of_results(PendingCall::with_stream(peer, method, outgoing.into_outgoing()))
    }

    fn of_results<M>(mut call: PendingCall<M>) -> Self
    where
        M: Method,
        M::Returns: Wire<Value = T>,
        M::Throws: Wire<Value = E>,
    {
        call.streams.returns = true;
        let (runtime, limits) = (call.runtime(), call.peer.link().settings.decode);
        Self::new::<M::Returns>(Box::new(ResultSource { call, has_items: false }), runtime, limits)
    }
}

impl<M: Method> ResultSource<M> {
    fn poll_call(&mut self, context: &mut Context<'_>) -> Poll<Received<Result<(), Error<M>>>> {
        let call = &mut self.call;
        let failed = |error| Received::End(Err(error));
        if let Stage::Made(token) = call.stage {
            // A stream that is always ready would starve the timer.
            if call.is_late() {
                return Poll::Ready(failed(CallError::DeadlineExceeded { outcome: call.cancel() }));
            }
            match call.peer.link().poll_results(token, context.waker()) {
                Poll::Ready(Received::Items(items)) => {
                    self.has_items = true;
                    return Poll::Ready(match call.poll_unanswered(context) {
                        Poll::Ready(error) => failed(error),
                        Poll::Pending => Received::Items(items),
                    });
                }
                Poll::Ready(Received::End(end)) => {
                    call.stage = Stage::Done;
                    if self.has_items || !call.retries_after(&end) {
                        call.producer = None;
                        return Poll::Ready(match end {
                            Ok(Terminal { status: Status::Ok, .. }) => Received::End(Ok(())),
                            end => failed(call.failure(end)),
                        });
                    }
                    call.stage = Stage::New;
                }
                Poll::Pending => return call.poll_unanswered(context).map(failed),
            }
        }
        match call.start(context, Kind::TwoWay) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(error)) => Poll::Ready(failed(error)),
            // Polls for results once, to store the waker.
            Poll::Ready(Ok(())) => self.poll_call(context),
        }
    }
}

impl<M: Method> Source<Value<M::Throws>> for ResultSource<M> {
    fn poll_items(&mut self, context: &mut Context<'_>) -> Poll<Received<Result<(), Error<M>>>> {
        let polled = self.poll_call(context);
        if let Poll::Ready(Received::End(end)) = &polled {
            self.call.on_end(end.as_ref().copied());
        }
        polled
    }

    fn fail(&mut self, error: &Error<M>) {
        self.call.on_end(Err(error));
    }

    fn set_timeout(&mut self, timeout: Option<Duration>) {
        self.call.timeout = timeout;
    }

    fn set_metadata(&mut self, metadata: Metadata) {
        self.call.metadata = Some(Box::new(metadata));
    }
}
