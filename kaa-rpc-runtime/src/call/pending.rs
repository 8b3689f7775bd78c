//! A call from its creation to its end.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::coop::Unconstrained;
use tokio::time::{Instant, Sleep};

use super::method::{Method, Reply, StreamMethod, Value};
use crate::codec::{Encoded, Encoder};
use crate::connection::{
    CallParameters, CallStart, Direction, LocalEnd, Observation, OnDisconnect, Progress, Start, WaiterId,
};
use crate::descriptor::Streams;
use crate::error::{CallEnd, CallError, MessageKind, Outcome};
use crate::peer::Peer;
use crate::protocol::calls::Terminal;
use crate::protocol::frame::{MethodId, Token};
use crate::protocol::metadata::Metadata;
use crate::stream::{Outgoing, Produce, Producer};
use crate::trace;

/// How often an idempotent call is retried. A call that crashes the peer must not do so without end.
const MAX_RETRIES: u8 = 2;

/// A call of either kind, until it has ended.
pub(super) struct PendingCall<M> {
    pub(super) peer: Peer,
    method: M,
    pub(super) timeout: Option<Duration>,
    deadline: Option<Instant>,
    /// Not subject to tokio's budget for a task, which a stream parameter that is always ready would use up.
    timer: Option<Pin<Box<Unconstrained<Sleep>>>>,
    /// The encoded arguments, if encoding them runs the user's own code.
    encoded: Option<Encoded>,
    /// The stream parameter, until it ends.
    pub(super) producer: Option<Box<dyn Produce>>,
    /// Which of the call's directions are streams.
    pub(super) streams: Streams,
    pub(super) stage: Stage,
    /// How often an idempotent call was retried.
    retries: u8,
    /// An earlier attempt may have run.
    may_have_run: bool,
    pub(super) metadata: Option<Box<Metadata>>,
    /// Set while the call is observed.
    observation: Option<Box<dyn Observation>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    New,
    /// The queue is full.
    Waiting(WaiterId),
    /// Queued or sent.
    Made(Token),
    Done,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    TwoWay,
    Oneway,
}

impl<M: Method> PendingCall<M> {
    pub(super) fn new(peer: &Peer, method: M) -> Self {
        Self {
            peer: peer.clone(),
            method,
            timeout: M::DESCRIPTOR.timeout,
            deadline: None,
            timer: None,
            encoded: None,
            producer: None,
            streams: Streams::default(),
            stage: Stage::New,
            retries: 0,
            may_have_run: false,
            metadata: None,
            observation: None,
        }
    }

    pub(super) fn with_stream(peer: &Peer, method: M, outgoing: Outgoing<Value<M::Item>>) -> Self
    where
        M: StreamMethod,
    {
        let mut call = Self::new(peer, method);
        call.producer = Some(Box::new(Producer::<M::Item>::new(outgoing)));
        call.streams.arguments = true;
        call
    }

    pub(super) fn runtime(&self) -> Handle {
        self.peer.link().runtime.clone()
    }

    /// Makes the call, and polls for its end.
    #[inline]
    pub(super) fn poll_reply(&mut self, context: &mut Context<'_>) -> Poll<Reply<M>> {
        if let Stage::Made(token) = self.stage {
            let progress = if self.streams.arguments {
                self.peer.link().poll_streamed(token, context.waker())
            } else {
                self.peer.link().poll_call(token, context.waker())
            };
            match progress {
                Progress::Ready(end) => {
                    self.stage = Stage::Done;
                    if !self.retries_after(&end) {
                        self.producer = None;
                        return Poll::Ready(self.interpret(end));
                    }
                    self.stage = Stage::New;
                }
                Progress::Pending => return self.poll_unanswered(context).map(Err),
                Progress::Gone => return Poll::Pending,
            }
        }
        match self.start(context, Kind::TwoWay) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) => self.poll_unanswered(context).map(Err),
        }
    }

    /// Makes the call. `Ready(Ok)` if it is queued or sent.
    #[inline]
    pub(super) fn start<E>(
        &mut self,
        context: &mut Context<'_>,
        kind: Kind,
    ) -> Poll<Result<(), CallError<E>>> {
        let waiter = match self.stage {
            Stage::New => None,
            Stage::Waiting(waiter) => Some(waiter),
            // Polled again after its end.
            Stage::Made(_) | Stage::Done => return Poll::Pending,
        };
        if waiter.is_none() && self.retries == 0 {
            self.set_deadline(kind);
            if self.is_observed()
                && let Err(error) = self.on_start()
            {
                return Poll::Ready(Err(error));
            }
        }
        let parameters = CallParameters {
            service: M::DESCRIPTOR.service,
            method: MethodId(M::DESCRIPTOR.id),
            parent: self.peer.parent(),
            on_disconnect: self.peer.on_disconnect(),
            deadline: self.deadline,
            streams: self.streams,
            metadata: match &self.observation {
                Some(observation) => Some(observation.metadata()).filter(|metadata| !metadata.is_empty()),
                None => self.metadata.as_deref(),
            },
        };
        let link = self.peer.link();
        if M::FOREIGN && self.encoded.is_none() {
            self.encoded =
                Some(Encoded::new(link.frame_limit(), |encoder| self.method.encode_arguments(encoder)));
        }
        let encode = |encoder: &mut Encoder<'_>| match &self.encoded {
            Some(encoded) => encoded.write(encoder),
            None => self.method.encode_arguments(encoder),
        };
        let start = match kind {
            Kind::TwoWay => link.start_call(&parameters, waiter, context.waker(), &encode),
            Kind::Oneway => link.start_oneway(&parameters, waiter, context.waker(), &encode),
        };
        match start {
            Start::Made(token) => {
                self.stage = Stage::Made(token);
                Poll::Ready(Ok(()))
            }
            Start::Sent => {
                self.stage = Stage::Done;
                Poll::Ready(Ok(()))
            }
            Start::Waiting(waiter) => {
                self.stage = Stage::Waiting(waiter);
                self.poll_deadline(context).map(Err)
            }
            Start::Unencodable(error) => {
                self.stage = Stage::Done;
                Poll::Ready(Err(CallError::of_encoding(error, MessageKind::Call)))
            }
            Start::UnknownService => {
                self.stage = Stage::Done;
                Poll::Ready(Err(CallError::UnknownMethod { method: M::DESCRIPTOR.to_string() }))
            }
            Start::Closed(reason) => {
                self.stage = Stage::Done;
                let outcome = self.outcome(Outcome::NotSent);
                Poll::Ready(Err(CallError::Disconnected { outcome, reason }))
            }
        }
    }

    /// Whether the program, a log or a trace observes this call.
    #[inline]
    fn is_observed(&self) -> bool {
        self.peer.link().observes(Direction::Outbound)
            || trace::is_traced()
            || tracing::enabled!(target: "kaa_rpc", tracing::Level::DEBUG)
    }

    /// Reports the start of the call to its observers.
    #[cold]
    fn on_start<E>(&mut self) -> Result<(), CallError<E>> {
        let link = self.peer.link();
        let call = CallStart {
            direction: Direction::Outbound,
            method: M::DESCRIPTOR,
            metadata: self.metadata.take().map(|metadata| *metadata).unwrap_or_default(),
            deadline: self.deadline,
        };
        match link.observer.on_start(link, call) {
            Ok(observation) => {
                self.observation = Some(observation);
                Ok(())
            }
            Err(refusal) => {
                self.stage = Stage::Done;
                Err(CallError::Refused(refusal.message().to_owned()))
            }
        }
    }

    /// Reports the end of the call to its observers.
    #[inline]
    pub(super) fn on_end<E>(&mut self, result: Result<(), &CallError<E>>) {
        if let Some(observation) = self.observation.take() {
            observation.on_end(result.map_or_else(CallEnd::from, |()| CallEnd::Ok));
        }
    }

    #[inline]
    fn set_deadline(&mut self, kind: Kind) {
        // A timeout beyond the range of `Instant` is no limit.
        let own = self.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let inherited = if kind == Kind::TwoWay { self.peer.deadline() } else { None };
        if let Some(deadline) = own.into_iter().chain(inherited).min() {
            self.deadline = Some(deadline);
            let sleep = tokio::time::sleep_until(deadline);
            self.timer = Some(Box::pin(tokio::task::coop::unconstrained(sleep)));
        }
    }

    #[inline]
    fn poll_deadline<E>(&mut self, context: &mut Context<'_>) -> Poll<CallError<E>> {
        match &mut self.timer {
            None => Poll::Pending,
            Some(timer) => match timer.as_mut().poll(context) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(()) => Poll::Ready(CallError::DeadlineExceeded { outcome: self.cancel() }),
            },
        }
    }

    /// Whether the call is sent again on the next connection: it is idempotent, and the connection was lost.
    #[inline]
    pub(super) fn retries_after(&mut self, end: &Result<Terminal, LocalEnd>) -> bool {
        // A stream that was sent in part cannot be sent again.
        let is_repeatable = M::DESCRIPTOR.idempotent
            && !self.streams.arguments
            && self.peer.on_disconnect() == OnDisconnect::WaitForReady;
        let Err(LocalEnd::Lost { outcome, .. }) = end else { return false };
        let retries = is_repeatable && self.retries < MAX_RETRIES && self.peer.link().reconnects();
        if retries {
            self.retries += 1;
            self.may_have_run |= *outcome != Outcome::NotSent;
        }
        retries
    }

    /// The outcome of all attempts, given the outcome of the last.
    #[inline]
    pub(super) fn outcome(&self, last: Outcome) -> Outcome {
        if self.may_have_run { Outcome::Unknown } else { last }
    }

    /// Polls what runs until the call is answered: the stream parameter and the deadline.
    #[inline]
    pub(super) fn poll_unanswered<E>(&mut self, context: &mut Context<'_>) -> Poll<CallError<E>> {
        if let Some(producer) = &mut self.producer
            && let Stage::Made(token) = self.stage
            && let Poll::Ready(result) = producer.poll(context, self.peer.link(), token)
        {
            self.producer = None;
            if let Err(error) = result {
                self.cancel();
                return Poll::Ready(CallError::of_encoding(error, MessageKind::Item));
            }
        }
        self.poll_deadline(context)
    }

    /// Whether the deadline has passed, even if the timer was not polled.
    pub(super) fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= Instant::now())
    }

    /// Cancels the call. Returns whether its handler may have run.
    pub(super) fn cancel(&mut self) -> Outcome {
        self.producer = None;
        let outcome = match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::New | Stage::Done => Outcome::NotSent,
            Stage::Waiting(waiter) => {
                self.peer.link().remove_waiter(waiter);
                Outcome::NotSent
            }
            Stage::Made(token) => self.peer.link().cancel_call(token),
        };
        self.outcome(outcome)
    }

    pub(super) fn fmt_as(&self, name: &str, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct(name)
            .field("method", &format_args!("{}", M::DESCRIPTOR))
            .field("timeout", &self.timeout)
            .field("stage", &self.stage)
            .finish_non_exhaustive()
    }
}

impl<M> Drop for PendingCall<M> {
    #[inline]
    fn drop(&mut self) {
        match self.stage {
            Stage::New | Stage::Done => {}
            Stage::Waiting(waiter) => self.peer.link().remove_waiter(waiter),
            Stage::Made(token) => {
                self.peer.link().cancel_call(token);
            }
        }
    }
}
