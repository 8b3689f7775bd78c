//! A call of the peer: what its handler and its reply need to know, and the task of a handler that does not finish at
//! once.
//!
//! Invariants: every call gets exactly one terminal frame, whatever its handler does (returns, fails, panics, is
//! dropped); a handler's panic goes no further than its call; nothing of a lost connection is answered on the next.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, Waker};
use tokio::time::Instant;

use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::calling::frame_limit;
use super::link::{Link, Phase, State};
use super::parking::run_to_end;
use super::registry::Placement;
use crate::codec::{EncodeError, Encoder};
use crate::descriptor::MethodDescriptor;
use crate::observe::{CallEnd, InboundObservation, InboundScope, TraceContext};
use crate::protocol::frame::{CallId, Header, Kind, MethodId, Parent, Status, Token};
use crate::protocol::metadata::Metadata;
use crate::protocol::streams::StreamId;
use crate::resources::HandlerPlace;

/// A handler on its way: it answers its call itself.
pub(crate) type HandlerFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Bytes of output beyond which replies are refused while the process has no memory left.
const REPLIES_IN_NEED: u64 = 64 * 1024;

/// Largest message that a refusal or a fault carries, in bytes.
const LONGEST_MESSAGE: usize = 64 * 1024;

mod flag {
    /// The terminal frame is in the output, or never will be.
    pub(super) const ANSWERED: u8 = 1;
    /// The peer has given the call up.
    pub(super) const CANCELLED: u8 = 2;
    /// The handler has asked for its cancellation token: it gets time to react.
    pub(super) const WATCHED: u8 = 4;
    /// No time to react: the connection is gone.
    pub(super) const AT_ONCE: u8 = 8;
    /// A oneway call's place in the window is free again.
    pub(super) const ENDED: u8 = 16;
}

/// What stands on the wire about a call.
#[derive(Debug)]
pub(crate) struct InboundState {
    pub(crate) link: Arc<Link>,
    pub(crate) epoch: u32,
    pub(crate) id: CallId,
    pub(crate) token: Token,
    pub(crate) method: MethodId,
    pub(crate) depth: u32,
    pub(crate) oneway: bool,
    /// The handler runs to its end when nobody waits for it any more.
    pub(crate) detached: bool,
    pub(crate) has_stream: bool,
    /// Bytes of its arguments, as they were counted.
    pub(crate) size: u64,
    pub(crate) deadline: Option<Instant>,
    metadata: Option<Box<Metadata>>,
    observation: OnceLock<Box<InboundObservation>>,
    flags: AtomicU8,
    changed: Notify,
}

/// A terminal frame's content.
pub(crate) enum Answer<'a> {
    /// A result, or a declared error.
    Value(Status, &'a mut dyn FnMut(&mut Encoder<'_>) -> Result<(), EncodeError>),
    /// A status with a text.
    Text(Status, &'a str),
}

impl Answer<'_> {
    fn status(&self) -> Status {
        match self {
            Self::Value(status, _) | Self::Text(status, _) => *status,
        }
    }
}

impl InboundState {
    /// `method` is what was found by the header's method id.
    pub(crate) fn new(
        link: Arc<Link>,
        epoch: u32,
        header: &Header,
        size: u64,
        metadata: Option<Box<Metadata>>,
        deadline: Option<Instant>,
        method: Option<&MethodDescriptor>,
    ) -> Arc<Self> {
        Arc::new(Self {
            link,
            epoch,
            id: header.id,
            token: header.token,
            method: MethodId(header.detail),
            depth: header.parent.map_or(0, |parent| parent.depth),
            oneway: header.kind == Kind::Oneway,
            detached: method.is_some_and(|method| method.detached),
            has_stream: header.has_stream,
            size,
            deadline,
            metadata,
            observation: OnceLock::new(),
            flags: AtomicU8::new(0),
            changed: Notify::new(),
        })
    }

    /// A call that stands on no connection: nobody waits for its reply, and no call can name it as its parent. Those made
    /// to `link` for it end with its time, as ever.
    pub(crate) fn made_up(
        link: Arc<Link>,
        metadata: Option<Box<Metadata>>,
        deadline: Option<Instant>,
    ) -> Arc<Self> {
        let header = Header::new(Kind::Oneway, CallId(0), Token(0), 0);
        Self::new(link, 0, &header, 0, metadata, deadline, None)
    }

    /// What a call made by this call's handler names as its parent, while this one is unanswered and its connection
    /// there.
    pub(crate) fn as_parent(&self) -> Option<Parent> {
        let unanswered = !self.oneway && !self.has(flag::ANSWERED | flag::AT_ONCE);
        unanswered.then(|| Parent { id: self.id, token: self.token, depth: self.depth.saturating_add(1) })
    }

    /// When a call made by this call's handler ends at the latest: with the handler.
    pub(crate) fn deadline_of_nested(&self) -> Option<Instant> {
        self.deadline.filter(|_| !self.detached && !self.is_answered())
    }

    /// What came beside the arguments, if anything; what interceptors made of it, where there are any.
    #[inline]
    pub(crate) fn metadata(&self) -> Option<&Metadata> {
        match self.observation.get() {
            Some(observation) => Some(observation.metadata()),
            None => self.metadata.as_deref(),
        }
    }

    /// The handler's place in a trace.
    pub(crate) fn trace(&self) -> Option<&TraceContext> {
        self.observation.get().and_then(|observation| observation.trace())
    }

    /// Shows the call to who watches. False if it was refused, which is then its answer.
    #[cold]
    pub(super) fn show_to(&self, method: &'static MethodDescriptor) -> bool {
        match InboundObservation::begin(&self.link, method, self.metadata.as_deref(), self.deadline) {
            Ok(observation) => self.observation.set(observation).is_ok(),
            Err(refusal) => {
                self.answer(Answer::Text(Status::Refused, refusal.message()));
                false
            }
        }
    }

    /// Makes the call's span and trace those of this thread.
    #[inline]
    pub(super) fn enter(&self) -> Option<InboundScope<'_>> {
        self.observation.get().map(|observation| observation.enter())
    }

    /// Tells who watches how the call has ended.
    #[inline]
    fn tell_end(&self, end: CallEnd) {
        if let Some(observation) = self.observation.get() {
            observation.end(end);
        }
    }

    pub(crate) fn is_answered(&self) -> bool {
        self.has(flag::ANSWERED)
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.flags.fetch_or(flag::WATCHED, Ordering::AcqRel) & flag::CANCELLED != 0
    }

    /// Whether the handler has ever asked if its caller has given up.
    pub(crate) fn is_watched(&self) -> bool {
        self.has(flag::WATCHED)
    }

    /// Waits until the caller has given the call up.
    pub(crate) async fn cancelled(&self) {
        self.flags.fetch_or(flag::WATCHED, Ordering::AcqRel);
        self.until(flag::CANCELLED).await;
    }

    /// The caller has given the call up.
    pub(crate) fn cancel(&self) {
        self.flags.fetch_or(flag::CANCELLED, Ordering::AcqRel);
        self.changed.notify_waiters();
    }

    /// The connection is gone.
    pub(crate) fn cancel_at_once(&self) {
        self.flags.fetch_or(flag::CANCELLED | flag::AT_ONCE, Ordering::AcqRel);
        self.changed.notify_waiters();
    }

    /// Queues the terminal frame, unless there was one already.
    #[inline]
    pub(crate) fn answer(&self, answer: Answer<'_>) {
        if self.flags.fetch_or(flag::ANSWERED, Ordering::AcqRel) & flag::ANSWERED != 0 {
            return;
        }
        if self.oneway {
            return self.tell_end(CallEnd::of_status(answer.status()));
        }
        let nobody_waits = self.detached && self.has(flag::CANCELLED);
        let answer = if nobody_waits { Answer::Text(Status::Cancelled, "") } else { answer };
        let mut state = self.link.lock();
        if state.epoch != self.epoch || matches!(state.phase, Phase::Connecting | Phase::Closed(_)) {
            drop(state);
            return self.tell_end(CallEnd::Disconnected);
        }
        let unwritten = Unanswered(&self.flags);
        let status = self.write_answer(&mut state, answer);
        std::mem::forget(unwritten);
        let position = state.output.queued();
        state.incoming.answered(self.id, position);
        state.incoming.release(self.size);
        let waiting = (!state.streams.is_empty()).then(|| state.streams.close(StreamId::Theirs(self.id)));
        let flusher = state.flush_or_schedule();
        state.tell_usage();
        drop(state);
        flusher.into_iter().chain(waiting.into_iter().flatten()).for_each(Waker::wake);
        self.tell_end(CallEnd::of_status(status));
    }

    /// Puts the terminal frame, or what stands for it where it does not fit, into the output. The status that is told.
    #[inline]
    fn write_answer(&self, state: &mut State, answer: Answer<'_>) -> Status {
        let limit = frame_limit(state);
        let header = |status: Status| Header::new(Kind::Reply, self.id, self.token, status.to_number());
        // Without a payload it takes less room than the refusal.
        let is_empty = matches!(answer, Answer::Text(_, ""));
        let pending = state.output.pending();
        let configuration = &self.link.configuration;
        let is_short = pending > REPLIES_IN_NEED && configuration.resources.has_no_memory_for(0);
        if !is_empty && (pending > configuration.output_budget || is_short) {
            let text = "replies pile up: the caller does not read them";
            state.output.plain_frame(&header(Status::ResourceExhausted), text.as_bytes());
            return Status::ResourceExhausted;
        }
        match answer {
            Answer::Value(status, encode) => match state.output.frame(&header(status), None, limit, encode) {
                Ok(()) => status,
                Err(EncodeError::TooLarge { size, limit }) => {
                    let mut payload = [0_u8; 16];
                    let (head, tail) = payload.split_at_mut(8);
                    head.copy_from_slice(&u64::try_from(size).unwrap_or(u64::MAX).to_le_bytes());
                    tail.copy_from_slice(&u64::try_from(limit).unwrap_or(u64::MAX).to_le_bytes());
                    state.output.plain_frame(&header(Status::TooLarge), &payload);
                    Status::TooLarge
                }
                Err(error) => {
                    let text = format!("the reply could not be encoded: {error}");
                    state.output.plain_frame(&header(Status::Fault), shorten(&text, limit).as_bytes());
                    Status::Fault
                }
            },
            Answer::Text(status, text) => {
                state.output.plain_frame(&header(status), shorten(text, limit).as_bytes());
                status
            }
        }
    }

    /// The handler is over without an answer of its own.
    fn over(&self, panicked: bool) {
        if self.oneway {
            if panicked {
                tracing::error!(method = self.method.0, call = self.id.0, "a oneway handler panicked");
            }
            if self.flags.fetch_or(flag::ANSWERED | flag::ENDED, Ordering::AcqRel) & flag::ENDED == 0 {
                self.link.oneway_ended(self);
            }
            return self.tell_end(if panicked { CallEnd::Fault } else { CallEnd::Cancelled });
        }
        if self.is_answered() {
            return;
        }
        if panicked {
            tracing::error!(method = self.method.0, call = self.id.0, "a handler panicked");
            self.answer(Answer::Text(Status::Fault, "the handler panicked"));
        } else if self.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
            self.answer(Answer::Text(Status::DeadlineExceeded, ""));
        } else {
            self.answer(Answer::Text(Status::Cancelled, ""));
        }
    }

    fn has(&self, flag: u8) -> bool {
        self.flags.load(Ordering::Acquire) & flag != 0
    }

    async fn until(&self, flag: u8) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if self.has(flag) {
                return;
            }
            changed.await;
        }
    }

    /// Resolves when the handler is to be dropped.
    async fn must_end(&self) {
        if self.detached {
            return self.link.configuration.detached.are_cut().await;
        }
        let deadline = async {
            match self.deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        let cancelled = async {
            self.until(flag::CANCELLED).await;
            if self.has(flag::WATCHED) && !self.has(flag::AT_ONCE) {
                tokio::select! {
                    () = self.until(flag::AT_ONCE) => {}
                    () = tokio::time::sleep(self.link.configuration.cancel_grace) => {}
                }
            }
        };
        tokio::select! {
            () = deadline => {}
            () = cancelled => {}
        }
    }
}

/// Begins a handler where it is to run. In place, it is polled once; one that is not ready becomes a task.
///
/// The waker of this first poll does nothing: the task polls again before it waits.
pub(super) fn run(
    state: &Arc<InboundState>,
    placement: Placement,
    begin: impl FnOnce() -> Option<HandlerFuture>,
) {
    let attempt = catch_unwind(AssertUnwindSafe(|| {
        let mut future = begin()?;
        if placement != Placement::InPlace {
            return Some(future);
        }
        let _scope = state.enter();
        match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(()) => None,
            Poll::Pending => Some(future),
        }
    }));
    match attempt {
        Ok(None) => state.over(false),
        Ok(Some(future)) => spawn(future, state, placement),
        Err(_payload) => state.over(true),
    }
}

/// Goes on with a handler elsewhere.
fn spawn(future: HandlerFuture, state: &Arc<InboundState>, placement: Placement) {
    if !state.link.keep(state) {
        state.cancel_at_once();
    }
    let place = state.link.configuration.resources.begin_handler();
    let over = OnDrop(Arc::clone(state));
    let task = finish(future, Arc::clone(state), (place, over));
    let detached = &state.link.configuration.detached;
    match (placement, state.detached) {
        (Placement::Blocking, is_detached) => {
            let runtime = Handle::current();
            let work = move || run_to_end(&runtime, task);
            if is_detached {
                detached.spawn_blocking(work);
            } else {
                tokio::task::spawn_blocking(work);
            }
        }
        (_, true) => detached.spawn(task),
        (_, false) => {
            tokio::spawn(task);
        }
    }
}

/// The task of a handler that did not finish at once.
async fn finish(mut future: HandlerFuture, state: Arc<InboundState>, _ends: (HandlerPlace, OnDrop)) {
    let work = std::future::poll_fn(|context| {
        let _scope = state.enter();
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(())) => Poll::Ready(false),
            Err(_payload) => Poll::Ready(true),
        }
    });
    let panicked = tokio::select! {
        biased;
        panicked = work => panicked,
        // A handler that never rests leaves nothing of tokio's budget for a task.
        () = tokio::task::coop::unconstrained(state.must_end()) => false,
    };
    // A destructor of the user's may panic as well.
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(future)));
    state.over(panicked || dropped.is_err());
}

/// Takes the mark back that a call is answered: what encodes its answer has panicked.
struct Unanswered<'a>(&'a AtomicU8);

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        self.0.fetch_and(!flag::ANSWERED, Ordering::AcqRel);
    }
}

impl Link {
    /// Keeps the handle of a handler at work for a Cancel. False if its connection is gone already.
    fn keep(&self, handler: &Arc<InboundState>) -> bool {
        let mut state = self.lock();
        let lives = state.epoch == handler.epoch;
        if lives {
            state.incoming.keep(handler.id, Arc::clone(handler));
        }
        lives
    }
}

/// Answers for a task that was dropped with its runtime.
struct OnDrop(Arc<InboundState>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.over(false);
    }
}

/// As much of a message as a frame takes.
pub(super) fn shorten(text: &str, limit: usize) -> &str {
    let mut length = text.len().min(LONGEST_MESSAGE).min(limit.saturating_sub(64));
    while !text.is_char_boundary(length) {
        length -= 1;
    }
    text.get(..length).unwrap_or_default()
}
