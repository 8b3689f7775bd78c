//! An inbound call: what its handler and its reply need, and its one answer.
//!
//! Invariants: every call gets exactly one terminal frame, whether its handler returns, fails, panics or is
//! dropped; nothing of a lost connection is answered on the next one.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::link::Link;
use super::observer::{CallStart, Direction, Observation, ObservedScope};
use super::output::truncated;
use super::state::{RunningHandler, State};
use super::status::Phase;
use crate::codec::{EncodeError, Encoder};
use crate::descriptor::MethodDescriptor;
use crate::error::CallEnd;
use crate::protocol::frame::{CallId, Header, Kind, MethodId, Parent, Status, Token};
use crate::protocol::metadata::Metadata;
use crate::protocol::streams::StreamId;
use crate::trace::TraceContext;

/// A running handler. It answers its call itself.
pub(crate) type HandlerFuture = Pin<Box<dyn Future<Output = ()> + Send>>;

/// With more bytes of pending output, replies are refused while the process is over its memory budget.
const MAX_OUTPUT_OVER_BUDGET: u64 = 64 * 1024;

/// The maximum length of a refusal or a fault in bytes.
const MAX_MESSAGE: usize = 64 * 1024;

mod flag {
    /// The terminal frame is queued, or the call will have none.
    pub(super) const ANSWERED: u8 = 1;
    /// The caller has cancelled the call.
    pub(super) const CANCELLED: u8 = 2;
    /// The handler has asked whether it is cancelled, so it gets time to react.
    pub(super) const WATCHED: u8 = 4;
    /// The connection is gone: the handler gets no time to react.
    pub(super) const ABORTED: u8 = 8;
    /// The credit of a oneway call was returned.
    pub(super) const ENDED: u8 = 16;
}

/// A call of the peer on its way to a handler.
#[derive(Debug)]
pub struct InboundCall {
    pub(crate) state: Arc<InboundState>,
    pub(crate) payload: Bytes,
}

/// The state of a call of the peer, from its arrival to the end of its handler.
#[derive(Debug)]
pub(crate) struct InboundState {
    pub(crate) link: Arc<Link>,
    pub(crate) epoch: u32,
    pub(crate) id: CallId,
    pub(crate) token: Token,
    pub(crate) method: MethodId,
    pub(crate) depth: u32,
    pub(crate) oneway: bool,
    /// The handler runs to its end even if the caller is gone.
    pub(crate) detached: bool,
    pub(crate) has_stream: bool,
    /// The size of the arguments, as counted for the memory budget.
    pub(crate) size: u64,
    pub(crate) deadline: Option<Instant>,
    metadata: Option<Box<Metadata>>,
    observation: OnceLock<Box<dyn Observation>>,
    flags: AtomicU8,
    changed: Notify,
}

/// The content of a terminal frame.
pub(crate) enum Answer<'a> {
    /// A result or a declared error.
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
    /// `method` is the method with the header's id, if there is one.
    pub(super) fn new(
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

    /// A synthetic call, for tests of handlers. It came over no connection, so it has no reply, and calls
    /// made to `link` within it have no parent. They still end with its deadline.
    pub(crate) fn synthetic(
        link: Arc<Link>,
        metadata: Option<Box<Metadata>>,
        deadline: Option<Instant>,
    ) -> Arc<Self> {
        let header = Header::new(Kind::Oneway, CallId(0), Token(0), 0);
        Self::new(link, 0, &header, 0, metadata, deadline, None)
    }

    /// The parent of calls that this call's handler makes, while this call is unanswered and connected.
    pub(crate) fn as_parent(&self) -> Option<Parent> {
        let is_open = !self.oneway && !self.has(flag::ANSWERED | flag::ABORTED);
        is_open.then(|| Parent { id: self.id, token: self.token, depth: self.depth.saturating_add(1) })
    }

    /// The latest deadline of calls that this call's handler makes.
    pub(crate) fn deadline_of_nested(&self) -> Option<Instant> {
        self.deadline.filter(|_| !self.detached && !self.is_answered())
    }

    /// The call's metadata, after interceptors have changed it.
    #[inline]
    pub(crate) fn metadata(&self) -> Option<&Metadata> {
        match self.observation.get() {
            Some(observation) => Some(observation.metadata()),
            None => self.metadata.as_deref(),
        }
    }

    /// The call's place in a trace.
    pub(crate) fn trace(&self) -> Option<&TraceContext> {
        self.observation.get().and_then(|observation| observation.trace()).map(Arc::as_ref)
    }

    /// Whether the program, a log or a trace observes this call.
    #[inline]
    pub(super) fn is_observed(&self) -> bool {
        self.link.observes(Direction::Inbound)
            || tracing::enabled!(target: "kaa_rpc", tracing::Level::DEBUG)
            || TraceContext::is_in(self.metadata.as_deref())
    }

    /// Reports the start of the call to its observers. If one of them refuses the call, answers it and
    /// returns false.
    #[cold]
    pub(super) fn on_start(&self, method: &'static MethodDescriptor) -> bool {
        let call = CallStart {
            direction: Direction::Inbound,
            method,
            metadata: self.metadata.as_deref().cloned().unwrap_or_default(),
            deadline: self.deadline,
        };
        match self.link.observer.on_start(&self.link, call) {
            Ok(observation) => self.observation.set(observation).is_ok(),
            Err(refusal) => {
                self.answer(Answer::Text(Status::Refused, refusal.message()));
                false
            }
        }
    }

    /// Enters the call's span and trace, for one poll of its handler.
    #[inline]
    pub(super) fn enter(&self) -> Option<ObservedScope<'_>> {
        self.observation.get().map(|observation| ObservedScope::enter(&**observation))
    }

    /// Reports the end of the call to its observers.
    #[inline]
    fn on_end(&self, end: CallEnd) {
        if let Some(observation) = self.observation.get() {
            observation.on_end(end);
        }
    }

    pub(super) fn is_answered(&self) -> bool {
        self.has(flag::ANSWERED)
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.flags.fetch_or(flag::WATCHED, Ordering::AcqRel) & flag::CANCELLED != 0
    }

    /// Whether the handler has ever asked if it is cancelled.
    pub(crate) fn is_watched(&self) -> bool {
        self.has(flag::WATCHED)
    }

    /// Waits until the caller has cancelled the call.
    pub(crate) async fn cancelled(&self) {
        self.flags.fetch_or(flag::WATCHED, Ordering::AcqRel);
        self.until(flag::CANCELLED).await;
    }

    /// Queues the terminal frame, unless there was one already.
    #[inline]
    pub(crate) fn answer(&self, answer: Answer<'_>) {
        if self.flags.fetch_or(flag::ANSWERED, Ordering::AcqRel) & flag::ANSWERED != 0 {
            return;
        }
        if self.oneway {
            return self.on_end(CallEnd::of_status(answer.status()));
        }
        let is_unwanted = self.detached && self.has(flag::CANCELLED);
        let answer = if is_unwanted { Answer::Text(Status::Cancelled, "") } else { answer };
        let mut guard = self.link.update();
        let state = &mut *guard.state;
        if state.epoch != self.epoch || matches!(state.phase, Phase::Connecting | Phase::Closed(_)) {
            drop(guard);
            return self.on_end(CallEnd::Disconnected);
        }
        let unanswered = Unanswered(&self.flags);
        let status = self.write_answer(state, answer);
        std::mem::forget(unanswered);
        let position = state.output.queued();
        state.incoming.answered(self.id, position);
        state.incoming.release(self.size);
        if !state.streams.is_empty() {
            guard.wakers.extend(state.streams.close(StreamId::Theirs(self.id)));
        }
        guard.wakers.extend(state.flush_or_schedule());
        state.report_memory();
        drop(guard);
        self.on_end(CallEnd::of_status(status));
    }

    /// Writes the terminal frame, or one with an error if the answer cannot be sent. Returns the status that
    /// was sent.
    #[inline]
    fn write_answer(&self, state: &mut State, answer: Answer<'_>) -> Status {
        let limit = state.frame_limit();
        let header = |status: Status| Header::new(Kind::Reply, self.id, self.token, status.to_number());
        // Without a payload it is shorter than the error.
        let is_empty = matches!(answer, Answer::Text(_, ""));
        let pending = state.output.pending();
        let settings = &self.link.settings;
        let is_over_budget = pending > MAX_OUTPUT_OVER_BUDGET && settings.resources.has_no_memory_for(0);
        if !is_empty && (pending > settings.output_budget || is_over_budget) {
            let text = "response buffer full: the peer is not reading";
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
                    state.output.plain_frame(&header(Status::Fault), message(&text, limit));
                    Status::Fault
                }
            },
            Answer::Text(status, text) => {
                state.output.plain_frame(&header(status), message(text, limit));
                status
            }
        }
    }

    /// The handler has returned, panicked or was dropped. Answers the call if the handler has not.
    pub(super) fn handler_ended(&self, panicked: bool) {
        if self.oneway {
            if panicked {
                tracing::error!(method = self.method.0, call = self.id.0, "a oneway handler panicked");
            }
            if self.flags.fetch_or(flag::ANSWERED | flag::ENDED, Ordering::AcqRel) & flag::ENDED == 0 {
                self.link.oneway_ended(self.epoch, self.id, self.size);
            }
            return self.on_end(if panicked { CallEnd::Fault } else { CallEnd::Cancelled });
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
    pub(super) async fn abort_signal(&self) {
        if self.detached {
            return self.link.detached.aborted().await;
        }
        let deadline = async {
            match self.deadline {
                Some(deadline) => tokio::time::sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        let cancelled = async {
            self.until(flag::CANCELLED).await;
            if self.has(flag::WATCHED) && !self.has(flag::ABORTED) {
                tokio::select! {
                    () = self.until(flag::ABORTED) => {}
                    () = tokio::time::sleep(self.link.settings.cancel_grace) => {}
                }
            }
        };
        tokio::select! {
            () = deadline => {}
            () = cancelled => {}
        }
    }

    /// Registers the running handler, so that a Cancel reaches it. Returns false if its connection is gone.
    pub(super) fn register_handler(self: &Arc<Self>) -> bool {
        let mut state = self.link.lock();
        let is_connected = state.epoch == self.epoch;
        if is_connected {
            let handler: Arc<dyn RunningHandler> = Arc::<Self>::clone(self);
            state.incoming.keep(self.id, handler);
        }
        is_connected
    }
}

impl RunningHandler for InboundState {
    fn cancel(&self) {
        self.flags.fetch_or(flag::CANCELLED, Ordering::AcqRel);
        self.changed.notify_waiters();
    }

    fn abort(&self) {
        self.flags.fetch_or(flag::CANCELLED | flag::ABORTED, Ordering::AcqRel);
        self.changed.notify_waiters();
    }

    fn is_detached(&self) -> bool {
        self.detached
    }

    fn has_stream(&self) -> bool {
        self.has_stream
    }
}

/// When dropped, marks the call as unanswered again, because the encoder of its answer has panicked.
struct Unanswered<'a>(&'a AtomicU8);

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        self.0.fetch_and(!flag::ANSWERED, Ordering::AcqRel);
    }
}

/// As much of a text as a frame holds besides its header.
pub(super) fn message(text: &str, frame_limit: usize) -> &[u8] {
    truncated(text, MAX_MESSAGE.min(frame_limit.saturating_sub(64))).as_bytes()
}
