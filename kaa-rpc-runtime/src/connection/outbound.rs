//! Outbound calls on a link: started, queued, polled and cancelled.
//!
//! Invariants: arguments are encoded when the call is made; calls are sent in the order in which they were
//! made; a caller that is dropped leaves only a Cancel.

use std::task::Waker;
use std::time::Duration;

use tokio::time::Instant;

use super::goodbye::Shutdown;
use super::guard::{Wakers, store};
use super::link::{Link, StateGuard};
use super::queue::{OnDisconnect, QueuedCall, WaiterId};
use super::state::{LocalEnd, State, inbound_limit};
use super::status::Phase;
use crate::codec::{Buffer, EncodeError, Encoder};
use crate::descriptor::Streams;
use crate::error::{CloseReason, ConnectError, Outcome};
use crate::protocol::calls::{AbandonedCall, CallPoll};
use crate::protocol::frame::{CallId, HEADER_LENGTH, Header, Kind, MethodId, Parent, Token};
use crate::protocol::metadata::Metadata;
use crate::protocol::streams::StreamId;
use crate::settings::Settings;

/// The maximum remaining time that a call sends. An inbound call with more counts as if it had this.
pub(super) const MAX_REMAINING_TIME: Duration = Duration::from_secs(30 * 24 * 3600);

/// A call without its arguments.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallParameters<'a> {
    pub(crate) service: &'static str,
    pub(crate) method: MethodId,
    pub(crate) parent: Option<Parent>,
    pub(crate) on_disconnect: OnDisconnect,
    pub(crate) deadline: Option<Instant>,
    pub(crate) streams: Streams,
    pub(crate) metadata: Option<&'a Metadata>,
}

/// The result of an attempt to make a call.
#[derive(Debug)]
pub(crate) enum Start {
    /// The call is sent or queued, and has this slot.
    Made(Token),
    /// A oneway call is sent or queued. There is nothing more to wait for.
    Sent,
    /// The queue is full, and the caller waits for room.
    Waiting(WaiterId),
    /// The arguments cannot be encoded.
    Unencodable(EncodeError),
    /// The peer has reported that it has no such service.
    UnknownService,
    /// There is no connection that the caller would wait for.
    Closed(CloseReason),
}

/// What a caller finds in its slot.
pub(crate) type Progress = CallPoll<LocalEnd>;

/// Encodes a call's arguments. It is called again if a call turns out to be queued instead of sent.
pub(crate) type EncodeArguments<'a> = &'a dyn Fn(&mut Encoder<'_>) -> Result<(), EncodeError>;

impl Link {
    /// Makes a call.
    #[inline]
    pub(crate) fn start_call(
        &self,
        parameters: &CallParameters<'_>,
        waiter: Option<WaiterId>,
        waker: &Waker,
        encode: EncodeArguments<'_>,
    ) -> Start {
        let mut guard = self.update();
        let state = &mut *guard.state;
        let nested = parameters.parent.is_some();
        if state.can_send(nested, self.settings.output_budget) && (nested || state.queue.is_empty()) {
            let position = state.output.queued();
            let (id, token) = state.outgoing.next();
            let mut header = Header::new(Kind::Call, id, token, parameters.method.0);
            header.remaining_time = parameters.deadline.map(remaining_time);
            header.parent = parameters.parent;
            header.has_stream = parameters.streams.arguments;
            if let Err(error) = state.encode_call(header, parameters.metadata, encode) {
                return Start::Unencodable(error);
            }
            let token = state.outgoing.insert_sent(position, waker.clone());
            if parameters.streams != Streams::default() {
                state.open_streams(token, parameters.streams, self.settings.limits.stream_window);
                state.open_arguments(token);
            }
            guard.wakers.extend(state.flush_or_schedule());
            return Start::Made(token);
        }
        self.enqueue(guard, parameters, Kind::Call, waiter, waker, encode)
    }

    /// Makes a oneway call.
    pub(crate) fn start_oneway(
        &self,
        parameters: &CallParameters<'_>,
        waiter: Option<WaiterId>,
        waker: &Waker,
        encode: EncodeArguments<'_>,
    ) -> Start {
        let mut guard = self.update();
        let state = &mut *guard.state;
        if state.comparison.peer_lacks(parameters.service) {
            guard.wakers.extend(waiter.and_then(|id| state.queue.remove_waiter(id)));
            return Start::UnknownService;
        }
        let can_send = state.oneway_credit > 0 && state.can_send(false, self.settings.output_budget);
        if can_send && state.queue.is_empty() {
            let id = state.outgoing.issue_id();
            let header = Header::new(Kind::Oneway, id, Token(0), parameters.method.0);
            if let Err(error) = state.encode_call(header, parameters.metadata, encode) {
                return Start::Unencodable(error);
            }
            state.oneway_credit -= 1;
            guard.wakers.extend(state.schedule_flush());
            return Start::Sent;
        }
        self.enqueue(guard, parameters, Kind::Oneway, waiter, waker, encode)
    }

    #[cold]
    fn enqueue(
        &self,
        mut guard: StateGuard<'_>,
        parameters: &CallParameters<'_>,
        kind: Kind,
        waiter: Option<WaiterId>,
        waker: &Waker,
        encode: EncodeArguments<'_>,
    ) -> Start {
        let (state, wakers) = (&mut *guard.state, &mut guard.wakers);
        if let Some(reason) = state.reason_to_fail(parameters.on_disconnect) {
            wakers.extend(waiter.and_then(|id| state.queue.remove_waiter(id)));
            return Start::Closed(reason);
        }
        let mut buffer = Buffer::new();
        let options = 12 + usize::from(metadata_length(parameters.metadata));
        let limit = state.frame_limit().saturating_sub(HEADER_LENGTH + options);
        if let Err(error) = encode(&mut Encoder::new(&mut buffer, limit)) {
            wakers.extend(waiter.and_then(|id| state.queue.remove_waiter(id)));
            return Start::Unencodable(error);
        }
        if !state.queue.has_room(buffer.len(), waiter) {
            return Start::Waiting(state.queue.add_waiter(waiter, waker));
        }
        wakers.extend(waiter.and_then(|id| state.queue.remove_waiter(id)));
        let token = (kind == Kind::Call).then(|| state.outgoing.reserve());
        if let Some(token) = token {
            let _pending = state.outgoing.poll(token, |stored| *stored = Some(waker.clone()));
            state.open_streams(token, parameters.streams, self.settings.limits.stream_window);
        }
        state.queue.push(QueuedCall {
            token,
            method: parameters.method,
            deadline: parameters.deadline,
            arguments: buffer.into_bytes(),
            has_stream: parameters.streams.arguments,
            on_disconnect: parameters.on_disconnect,
            metadata: parameters.metadata.cloned().map(Box::new),
        });
        state.send_queued(&self.settings, wakers);
        state.report_memory();
        match token {
            Some(token) => Start::Made(token),
            None => Start::Sent,
        }
    }

    /// Polls for the end of a call.
    #[inline]
    pub(crate) fn poll_call(&self, token: Token, waker: &Waker) -> Progress {
        self.lock().outgoing.poll(token, |stored| store(stored, waker))
    }

    /// Cancels a call. Returns whether its handler may have run.
    pub(crate) fn cancel_call(&self, token: Token) -> Outcome {
        let mut guard = self.update();
        let (state, wakers) = (&mut *guard.state, &mut guard.wakers);
        if !state.streams.is_empty() {
            wakers.extend(state.streams.close(StreamId::Ours(token)));
        }
        let outcome = match state.outgoing.abandon(token) {
            AbandonedCall::Unsent => {
                state.queue.remove(token);
                wakers.extend(state.queue.first_waiter());
                state.send_queued(&self.settings, wakers);
                wakers.extend(state.waiting_driver());
                Outcome::NotSent
            }
            AbandonedCall::Sent(id) => {
                state.output.plain_frame(&Header::new(Kind::Cancel, id, token, 0), b"");
                wakers.extend(state.schedule_flush());
                Outcome::Unknown
            }
            AbandonedCall::Ended => Outcome::Unknown,
        };
        state.report_memory();
        outcome
    }

    /// Removes a caller that waits for room in the queue.
    pub(crate) fn remove_waiter(&self, id: WaiterId) {
        let mut guard = self.update();
        let first = guard.state.queue.remove_waiter(id);
        guard.wakers.extend(first);
    }
}

impl State {
    /// Whether a call can be sent now, if no other waits.
    #[inline]
    fn can_send(&self, nested: bool, output_budget: u64) -> bool {
        match self.phase {
            Phase::Open => nested || (self.shutdown == Shutdown::None && self.is_window_open(output_budget)),
            Phase::PeerDraining(_) => nested && !self.peer_shutdown.input_ended,
            Phase::Connecting | Phase::Closed(_) => false,
        }
    }

    #[inline]
    fn is_window_open(&self, output_budget: u64) -> bool {
        self.comparison.is_settled()
            && self.outgoing.in_flight() < inbound_limit(&self.peer_limits)
            && self.output.pending() < output_budget
    }

    /// Encodes a call directly into the output.
    #[inline]
    fn encode_call(
        &mut self,
        mut header: Header,
        metadata: Option<&Metadata>,
        encode: EncodeArguments<'_>,
    ) -> Result<(), EncodeError> {
        header.metadata_length = metadata_length(metadata);
        let limit = self.frame_limit();
        self.output.frame(&header, metadata, limit, &mut |encoder| encode(encoder))
    }

    /// Why a call that cannot be sent now fails instead of waiting.
    fn reason_to_fail(&self, on_disconnect: OnDisconnect) -> Option<CloseReason> {
        let fails_fast = on_disconnect == OnDisconnect::FailFast;
        match &self.phase {
            Phase::Closed(reason) => Some(reason.clone()),
            Phase::PeerDraining(reason) if !self.reconnects => Some(reason.clone()),
            _ if self.shutdown != Shutdown::None => Some(CloseReason::ClosedLocally),
            Phase::PeerDraining(reason) if fails_fast => Some(reason.clone()),
            Phase::Connecting if fails_fast => {
                let reason = self.last_loss.clone();
                Some(reason.unwrap_or(CloseReason::NotConnected(ConnectError::StillConnecting)))
            }
            Phase::Connecting | Phase::Open | Phase::PeerDraining(_) => None,
        }
    }

    /// Sends queued calls as far as the limits allow. They were made before a shutdown of this side, so they
    /// are sent during it too.
    pub(super) fn send_queued(&mut self, settings: &Settings, wakers: &mut Wakers) {
        let mut has_changed = false;
        while let Some(call) = self.queue.front() {
            let is_call = call.token.is_some();
            let has_room =
                if is_call { self.is_window_open(settings.output_budget) } else { self.oneway_credit > 0 };
            if !has_room || !matches!(self.phase, Phase::Open) || !self.comparison.is_settled() {
                break;
            }
            let Some(call) = self.queue.pop() else { break };
            has_changed = true;
            if is_call && call.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                // Not sent: the caller's timer is about to end it.
                continue;
            }
            let kind = if is_call { Kind::Call } else { Kind::Oneway };
            let mut header = Header::new(kind, CallId(0), call.token.unwrap_or(Token(0)), call.method.0);
            header.remaining_time = call.deadline.filter(|_| is_call).map(remaining_time);
            header.has_stream = call.has_stream;
            let metadata = call.metadata.as_deref();
            header.metadata_length = metadata_length(metadata);
            let size = header.encoded_length() + call.arguments.len();
            let limit = self.frame_limit();
            if size > limit {
                let end = LocalEnd::TooLarge { size, limit };
                match call.token {
                    Some(token) => wakers.extend(self.outgoing.end_queued(token, end)),
                    None => tracing::warn!(size, limit, "dropped a oneway call: over the peer's frame limit"),
                }
                continue;
            }
            header.id = match call.token {
                Some(token) => self.outgoing.mark_sent(token, self.output.queued()),
                None => {
                    self.oneway_credit -= 1;
                    self.outgoing.issue_id()
                }
            };
            self.output.queued_frame(&header, metadata, &call.arguments);
            if call.has_stream {
                wakers.extend(call.token.and_then(|token| self.open_arguments(token)));
            }
        }
        if has_changed {
            wakers.extend(self.queue.first_waiter());
            wakers.extend(self.schedule_flush());
            wakers.extend(self.waiting_driver());
        }
    }
}

/// The length of metadata, for a header.
fn metadata_length(metadata: Option<&Metadata>) -> u16 {
    metadata.map_or(0, Metadata::encoded_length)
}

/// The time until a deadline in microseconds, for a header.
fn remaining_time(deadline: Instant) -> u64 {
    let left = deadline.saturating_duration_since(Instant::now()).min(MAX_REMAINING_TIME);
    u64::try_from(left.as_micros()).unwrap_or(u64::MAX)
}
