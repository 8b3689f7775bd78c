//! Calls as futures.
//!
//! Invariants: a call encodes its arguments and counts as made when it is first polled; dropping it gives it up; it
//! resolves exactly once.

mod ending;
mod results;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::coop::Unconstrained;
use tokio::time::{Instant, Sleep};

use crate::codec::{EncodeError, Encoded, Encoder, Wire};
use crate::connection::{Abandonment, CallParameters, LocalEnd, Progress, Start, Ticket};
use crate::descriptor::{MethodDescriptor, Streams};
use crate::error::{CallError, MessageKind, Outcome};
use crate::observe::{CallEnd, OutboundObservation};
use crate::peer::{Absence, Peer};
use crate::protocol::calls::Terminal;
use crate::protocol::frame::{MethodId, Token};
use crate::protocol::metadata::Metadata;
use crate::stream::{IntoOutgoing, Outgoing, Produce, Produced, Producer};

use ending::unencodable;
pub(crate) use results::ResultSource;

/// A generated call: a method with its arguments.
pub trait Method: Send + Sync + 'static {
    /// How the result is written.
    type Returns: Wire;
    /// How the declared error is written; `Infallible` where none is declared.
    type Throws: Wire;
    /// Which method it is.
    const DESCRIPTOR: &'static MethodDescriptor;
    /// Whether encoding the arguments runs code of the user's own: then it is not done while a connection is locked.
    const FOREIGN: bool = false;
    /// Writes the arguments.
    ///
    /// # Errors
    /// An argument over its bound, or all of them over the frame's limit.
    fn encode_arguments(&self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError>;
}

/// A method with a stream parameter.
pub trait StreamMethod: Method {
    /// How an item of the parameter is written.
    type Item: Wire;
}

type Value<W> = <W as Wire>::Value;

/// What a call comes to.
type Reply<M> = Result<Value<<M as Method>::Returns>, CallError<Value<<M as Method>::Throws>>>;

/// A call: a future of what the handler returns. It is made when it is first polled, and given up when dropped.
#[must_use = "a call is made when it is awaited"]
pub struct Call<M: Method> {
    shared: Shared<M>,
}

/// A oneway call: a future that is done when the call is queued. There is no answer.
#[must_use = "a call is made when it is awaited"]
pub struct OnewayCall<M: Method> {
    shared: Shared<M>,
}

/// What both kinds of calls are made of.
struct Shared<M> {
    peer: Peer,
    method: M,
    timeout: Option<Duration>,
    deadline: Option<Instant>,
    /// Out of tokio's budget for a task, which a producer that never rests would leave nothing of.
    timer: Option<Pin<Box<Unconstrained<Sleep>>>>,
    /// The arguments, where encoding them runs the user's own code.
    encoded: Option<Encoded>,
    /// The stream parameter, while the peer takes it.
    producer: Option<Box<dyn Produce>>,
    /// Whether there is one, and whether results come item by item.
    streams: Streams,
    stage: Stage,
    /// How often an idempotent call has been sent again.
    repetitions: u8,
    /// An earlier attempt may have been run.
    may_have_run: bool,
    metadata: Option<Box<Metadata>>,
    /// Where somebody watches the call: until its end.
    observation: Option<Box<OutboundObservation>>,
}

/// How often an idempotent call is sent again, lest one that brings the peer down does so for ever.
const MOST_REPETITIONS: u8 = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    New,
    InLine(Ticket),
    Made(Token),
    Done,
}

impl<M: Method> Call<M> {
    /// The call, not made yet.
    #[inline]
    pub fn new(peer: &Peer, method: M) -> Self {
        Self { shared: Shared::new(peer, method) }
    }

    /// Ends the call with [`CallError::DeadlineExceeded`] after this time, counted from the first poll. The peer is
    /// told how long it has. This replaces the method's `#[timeout]`, if it has one.
    ///
    /// A call that a handler makes to its own caller ends no later than the time that the handler has, unless the
    /// handler's method is `#[detached]`.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.shared.timeout = Some(timeout);
        self
    }

    /// Lets the call take as long as it takes, whatever the method's `#[timeout]`.
    pub fn no_timeout(mut self) -> Self {
        self.shared.timeout = None;
        self
    }

    /// Where the connection's tasks run.
    pub(crate) fn runtime(&self) -> Handle {
        self.shared.peer.link().configuration.runtime.clone()
    }

    /// Sends this along beside the arguments, in place of what was set before.
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.shared.metadata = Some(Box::new(metadata));
        self
    }
}

impl<M: StreamMethod> Call<M> {
    /// The call of a method with a stream parameter, not made yet. The stream is polled by whoever awaits the call.
    pub fn with_stream(
        peer: &Peer,
        method: M,
        outgoing: impl IntoOutgoing<<M::Item as Wire>::Value>,
    ) -> Self {
        Self { shared: Shared::with_stream(peer, method, outgoing.into_outgoing()) }
    }
}

impl<M: Method> OnewayCall<M> {
    /// The call, not made yet.
    #[inline]
    pub fn new(peer: &Peer, method: M) -> Self {
        Self { shared: Shared::new(peer, method) }
    }

    /// Ends the wait for a place in the queue after this time, counted from the first poll. This replaces the method's
    /// `#[timeout]`, if it has one.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.shared.timeout = Some(timeout);
        self
    }

    /// Waits for a place in the queue as long as it takes, whatever the method's `#[timeout]`.
    pub fn no_timeout(mut self) -> Self {
        self.shared.timeout = None;
        self
    }

    /// Where the connection's tasks run.
    pub(crate) fn runtime(&self) -> Handle {
        self.shared.peer.link().configuration.runtime.clone()
    }

    /// Sends this along beside the arguments, in place of what was set before.
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.shared.metadata = Some(Box::new(metadata));
        self
    }
}

// Nothing in a call is pinned: its timer has a box of its own.
impl<M: Method> Unpin for Call<M> {}
impl<M: Method> Unpin for OnewayCall<M> {}

impl<M: Method> Future for Call<M> {
    type Output = Reply<M>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = self.shared.poll_reply(context);
        if let Poll::Ready(result) = &polled {
            self.shared.tell_end(result.as_ref().map(|_| ()));
        }
        polled
    }
}

impl<M: Method> Shared<M> {
    /// Makes the call, and looks for its end.
    #[inline]
    fn poll_reply(&mut self, context: &mut Context<'_>) -> Poll<Reply<M>> {
        let call = self;
        if let Stage::Made(token) = call.stage {
            let progress = if call.streams.arguments {
                call.peer.link().poll_streamed(token, context.waker())
            } else {
                call.peer.link().poll_call(token, context.waker())
            };
            match progress {
                Progress::Ready(end) => {
                    call.stage = Stage::Done;
                    if !call.is_sent_again_after(&end) {
                        call.producer = None;
                        return Poll::Ready(call.interpret(end));
                    }
                    call.stage = Stage::New;
                }
                Progress::Pending => return call.poll_unanswered(context).map(Err),
                Progress::Gone => return Poll::Pending,
            }
        }
        match call.start(context, Kind::TwoWay) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) => call.poll_unanswered(context).map(Err),
        }
    }
}

impl<M: Method> Future for OnewayCall<M> {
    type Output = Result<(), CallError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let polled = self.shared.start(context, Kind::Oneway);
        if let Poll::Ready(result) = &polled {
            self.shared.tell_end(result.as_ref().copied());
        }
        polled
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    TwoWay,
    Oneway,
}

impl<M: Method> Shared<M> {
    fn new(peer: &Peer, method: M) -> Self {
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
            repetitions: 0,
            may_have_run: false,
            metadata: None,
            observation: None,
        }
    }

    fn with_stream(peer: &Peer, method: M, outgoing: Outgoing<Value<M::Item>>) -> Self
    where
        M: StreamMethod,
    {
        let mut shared = Self::new(peer, method);
        shared.producer = Some(Box::new(Producer::<M::Item>::new(outgoing)));
        shared.streams.arguments = true;
        shared
    }

    /// Makes the call. `Ready(Ok)`: it is made.
    #[inline]
    fn start<E>(&mut self, context: &mut Context<'_>, kind: Kind) -> Poll<Result<(), CallError<E>>> {
        let ticket = match self.stage {
            Stage::New => None,
            Stage::InLine(ticket) => Some(ticket),
            // Polled again after its end: there is nothing more to come.
            Stage::Made(_) | Stage::Done => return Poll::Pending,
        };
        if ticket.is_none() && self.repetitions == 0 {
            self.set_deadline(kind);
            if OutboundObservation::is_wanted(self.peer.link())
                && let Err(error) = self.show()
            {
                return Poll::Ready(Err(error));
            }
        }
        let parameters = CallParameters {
            service: M::DESCRIPTOR.service,
            method: MethodId(M::DESCRIPTOR.id),
            parent: self.peer.parent(),
            absence: self.peer.absence(),
            deadline: self.deadline,
            streams: self.streams,
            metadata: match &self.observation {
                Some(observation) => observation.metadata(),
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
            Kind::TwoWay => link.start_call(&parameters, ticket, context.waker(), &encode),
            Kind::Oneway => link.start_oneway(&parameters, ticket, context.waker(), &encode),
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
            Start::InLine(ticket) => {
                self.stage = Stage::InLine(ticket);
                self.poll_deadline(context).map(Err)
            }
            Start::Unencodable(error) => {
                self.stage = Stage::Done;
                Poll::Ready(Err(unencodable(error, MessageKind::Call)))
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

    /// Shows the call to who watches.
    #[cold]
    fn show<E>(&mut self) -> Result<(), CallError<E>> {
        let metadata = self.metadata.take().map(|metadata| *metadata);
        match OutboundObservation::begin(self.peer.link(), M::DESCRIPTOR, metadata, self.deadline) {
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

    /// Tells who watches how the call has ended.
    #[inline]
    fn tell_end<E>(&mut self, result: Result<(), &CallError<E>>) {
        if let Some(mut observation) = self.observation.take() {
            observation.end(result.map_or_else(CallEnd::from, |()| CallEnd::Ok));
        }
    }

    #[inline]
    fn set_deadline(&mut self, kind: Kind) {
        // A deadline too far to be written as an instant is none.
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
                Poll::Ready(()) => Poll::Ready(CallError::DeadlineExceeded { outcome: self.give_up() }),
            },
        }
    }

    /// Whether the connection was lost under an idempotent call, and another is to come.
    #[inline]
    fn is_sent_again_after(&mut self, end: &Result<Terminal, LocalEnd>) -> bool {
        // A stream that was sent in part cannot be sent again.
        let may_be =
            M::DESCRIPTOR.idempotent && !self.streams.arguments && self.peer.absence() == Absence::Wait;
        let Err(LocalEnd::Lost { outcome, .. }) = end else { return false };
        let again =
            may_be && self.peer.link().configuration.reconnects && self.repetitions < MOST_REPETITIONS;
        if again {
            self.repetitions += 1;
            self.may_have_run |= *outcome != Outcome::NotSent;
        }
        again
    }

    /// What is known of all attempts, given what is known of the last.
    #[inline]
    fn outcome(&self, last: Outcome) -> Outcome {
        if self.may_have_run { Outcome::Unknown } else { last }
    }

    /// While there is no answer: the stream parameter goes out, and the time runs.
    #[inline]
    fn poll_unanswered<E>(&mut self, context: &mut Context<'_>) -> Poll<CallError<E>> {
        if let Some(producer) = &mut self.producer
            && let Stage::Made(token) = self.stage
            && let Poll::Ready(produced) = producer.poll(context, self.peer.link(), token)
        {
            self.producer = None;
            if let Produced::Unencodable(error) = produced {
                self.give_up();
                return Poll::Ready(unencodable(error, MessageKind::Item));
            }
        }
        self.poll_deadline(context)
    }

    /// Whether the time is over, though nobody has waited for it.
    fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| deadline <= Instant::now())
    }

    /// Leaves nothing behind but a Cancel.
    fn give_up(&mut self) -> Outcome {
        self.producer = None;
        let outcome = match std::mem::replace(&mut self.stage, Stage::Done) {
            Stage::New | Stage::Done => Outcome::NotSent,
            Stage::InLine(ticket) => {
                self.peer.link().leave_line(ticket);
                Outcome::NotSent
            }
            Stage::Made(token) => match self.peer.link().abandon_call(token) {
                Abandonment::NotSent => Outcome::NotSent,
                Abandonment::Sent => Outcome::Unknown,
            },
        };
        self.outcome(outcome)
    }
}

impl<M> Drop for Shared<M> {
    #[inline]
    fn drop(&mut self) {
        match self.stage {
            Stage::New | Stage::Done => {}
            Stage::InLine(ticket) => self.peer.link().leave_line(ticket),
            Stage::Made(token) => {
                self.peer.link().abandon_call(token);
            }
        }
    }
}

impl<M: Method> fmt::Debug for Call<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(formatter, "Call", &self.shared)
    }
}

impl<M: Method> fmt::Debug for OnewayCall<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug(formatter, "OnewayCall", &self.shared)
    }
}

fn debug<M: Method>(formatter: &mut fmt::Formatter<'_>, name: &str, call: &Shared<M>) -> fmt::Result {
    formatter
        .debug_struct(name)
        .field("method", &format_args!("{}", M::DESCRIPTOR))
        .field("timeout", &call.timeout)
        .field("stage", &call.stage)
        .finish_non_exhaustive()
}
