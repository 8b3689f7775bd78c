//! The call of a method that returns a stream, as the source of its items.
//!
//! Invariants: the call's end comes behind all items; a deadline holds however many items there are; a call whose items
//! have come is not made anew.

use std::task::{Context, Poll};
use std::time::Duration;

use super::{Kind, Method, Shared, Stage, StreamMethod, Value};
use crate::connection::Results;
use crate::error::CallError;
use crate::peer::Peer;
use crate::protocol::calls::Terminal;
use crate::protocol::frame::Status;
use crate::protocol::metadata::Metadata;
use crate::stream::{Batch, Outgoing, Source};

/// The call of a method that returns a stream: where its items come from.
pub(crate) struct ResultSource<M: Method> {
    shared: Shared<M>,
    /// Whether the caller has had items, so that the call cannot be made anew.
    has_begun: bool,
}

impl<M: Method> ResultSource<M> {
    pub(crate) fn new(peer: &Peer, method: M) -> Self {
        Self::of(Shared::new(peer, method))
    }

    pub(crate) fn with_stream(peer: &Peer, method: M, outgoing: Outgoing<Value<M::Item>>) -> Self
    where
        M: StreamMethod,
    {
        Self::of(Shared::with_stream(peer, method, outgoing))
    }

    fn of(mut shared: Shared<M>) -> Self {
        shared.streams.returns = true;
        Self { shared, has_begun: false }
    }
}

impl<M: Method> ResultSource<M> {
    fn poll_call(&mut self, context: &mut Context<'_>) -> Poll<Batch<Value<M::Throws>>> {
        let call = &mut self.shared;
        if let Stage::Made(token) = call.stage {
            // A stream that always has items leaves its timer no time.
            if call.is_late() {
                return Poll::Ready(Batch::Failed(CallError::DeadlineExceeded { outcome: call.give_up() }));
            }
            match call.peer.link().poll_results(token, context.waker()) {
                Results::Items(items) => {
                    self.has_begun = true;
                    return match call.poll_unanswered(context) {
                        Poll::Ready(error) => Poll::Ready(Batch::Failed(error)),
                        Poll::Pending => Poll::Ready(Batch::Items(items)),
                    };
                }
                Results::End(end) => {
                    call.stage = Stage::Done;
                    if self.has_begun || !call.is_sent_again_after(&end) {
                        call.producer = None;
                        return Poll::Ready(match end {
                            Ok(Terminal { status: Status::Ok, .. }) => Batch::End,
                            end => Batch::Failed(call.failure(end)),
                        });
                    }
                    call.stage = Stage::New;
                }
                Results::Nothing => return call.poll_unanswered(context).map(Batch::Failed),
            }
        }
        match call.start(context, Kind::TwoWay) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(error)) => Poll::Ready(Batch::Failed(error)),
            // The first look for results keeps the waker.
            Poll::Ready(Ok(())) => self.poll_call(context),
        }
    }
}

impl<M: Method> Source<Value<M::Throws>> for ResultSource<M> {
    fn poll_batch(&mut self, context: &mut Context<'_>) -> Poll<Batch<Value<M::Throws>>> {
        let polled = self.poll_call(context);
        match &polled {
            Poll::Pending | Poll::Ready(Batch::Items(_)) => {}
            Poll::Ready(Batch::End) => self.shared.tell_end::<Value<M::Throws>>(Ok(())),
            Poll::Ready(Batch::Failed(error)) => self.shared.tell_end(Err(error)),
        }
        polled
    }

    fn fail(&mut self, error: &CallError<Value<M::Throws>>) {
        self.shared.tell_end(Err(error));
    }

    fn set_timeout(&mut self, timeout: Option<Duration>) {
        self.shared.timeout = timeout;
    }

    fn set_metadata(&mut self, metadata: Metadata) {
        self.shared.metadata = Some(Box::new(metadata));
    }
}
