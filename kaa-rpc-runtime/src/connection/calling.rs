//! The caller's side of a link: a call is made, looked after, and given up.
//!
//! Invariants: arguments are encoded when the call is made; calls leave in the order in which they were made; a
//! caller that goes away leaves nothing behind but a Cancel.

use std::task::Waker;
use std::time::Duration;

use tokio::time::Instant;

use super::farewell::Farewell;
use super::link::{Link, LocalEnd, Phase, State};
use super::queue::{QueuedCall, Ticket};
use super::streaming;
use crate::codec::{Buffer, EncodeError, Encoder};
use crate::descriptor::Streams;
use crate::error::{CloseReason, ConnectError, Outcome};
use crate::peer::Absence;
use crate::protocol::calls::{AbandonedCall, CallPoll};
use crate::protocol::frame::{HEADER_LENGTH, Header, Kind, MethodId, Parent, Token};
use crate::protocol::metadata::Metadata;
use crate::protocol::streams::StreamId;

/// Furthest deadline that is sent, or believed.
pub(super) const FURTHEST_DEADLINE: Duration = Duration::from_secs(30 * 24 * 3600);

/// What a call is, without its arguments.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallParameters<'a> {
    pub(crate) service: &'static str,
    pub(crate) method: MethodId,
    pub(crate) parent: Option<Parent>,
    pub(crate) absence: Absence,
    pub(crate) deadline: Option<Instant>,
    pub(crate) streams: Streams,
    pub(crate) metadata: Option<&'a Metadata>,
}

/// What became of an attempt to make a call.
#[derive(Debug)]
pub(crate) enum Start {
    /// It is made: the slot to look into.
    Made(Token),
    /// A oneway is made: nothing more to wait for.
    Sent,
    /// No room in the queue: the waker stands in line.
    InLine(Ticket),
    /// The arguments cannot be encoded.
    Unencodable(EncodeError),
    /// The peer has no such service, as it has said itself.
    UnknownService,
    /// There is no connection and there will be none.
    Closed(CloseReason),
}

/// What a caller finds.
pub(crate) type Progress = CallPoll<LocalEnd>;

/// How a call was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Abandonment {
    /// It had not left.
    NotSent,
    /// It was with the peer.
    Sent,
}

/// Writes a call's arguments; called again if the first place turns out to be the wrong one.
pub(crate) type EncodeArguments<'a> = &'a dyn Fn(&mut Encoder<'_>) -> Result<(), EncodeError>;

impl Link {
    /// The largest frame that the peer takes, as far as it is known now.
    pub(crate) fn frame_limit(&self) -> usize {
        frame_limit(&self.lock())
    }

    /// Makes a call.
    #[inline]
    pub(crate) fn start_call(
        &self,
        parameters: &CallParameters<'_>,
        ticket: Option<Ticket>,
        waker: &Waker,
        encode: EncodeArguments<'_>,
    ) -> Start {
        let mut state = self.lock();
        let nested = parameters.parent.is_some();
        if state.may_depart(nested, self.configuration.output_budget) && (nested || state.queue.is_empty()) {
            let limit = frame_limit(&state);
            let place = state.output.queued();
            let (id, token) = state.outgoing.next();
            let mut header = Header::new(Kind::Call, id, token, parameters.method.0);
            header.remaining_time = parameters.deadline.map(remaining_time);
            header.parent = parameters.parent;
            header.has_stream = parameters.streams.arguments;
            header.metadata_length = metadata_length(parameters.metadata);
            let body = &mut |encoder: &mut Encoder<'_>| encode(encoder);
            if let Err(error) = state.output.frame(&header, parameters.metadata, limit, body) {
                return Start::Unencodable(error);
            }
            let token = state.outgoing.insert_sent(place, waker.clone());
            if parameters.streams != Streams::default() {
                self.open_streams(&mut state, token, parameters.streams);
                state.open_arguments(token);
            }
            let flusher = state.flush_or_schedule();
            drop(state);
            flusher.into_iter().for_each(Waker::wake);
            return Start::Made(token);
        }
        self.enqueue(state, parameters, Kind::Call, ticket, waker, encode)
    }

    /// Makes a oneway call.
    pub(crate) fn start_oneway(
        &self,
        parameters: &CallParameters<'_>,
        ticket: Option<Ticket>,
        waker: &Waker,
        encode: EncodeArguments<'_>,
    ) -> Start {
        let mut state = self.lock();
        if state.comparison.peer_lacks(parameters.service) {
            let next = ticket.and_then(|ticket| state.queue.leave_line(ticket));
            drop(state);
            next.into_iter().for_each(Waker::wake);
            return Start::UnknownService;
        }
        let may_leave = state.oneway_credit > 0 && state.may_depart(false, self.configuration.output_budget);
        if may_leave && state.queue.is_empty() {
            let limit = frame_limit(&state);
            let id = state.outgoing.issue_id();
            let mut header = Header::new(Kind::Oneway, id, Token(0), parameters.method.0);
            header.metadata_length = metadata_length(parameters.metadata);
            let body = &mut |encoder: &mut Encoder<'_>| encode(encoder);
            if let Err(error) = state.output.frame(&header, parameters.metadata, limit, body) {
                return Start::Unencodable(error);
            }
            state.oneway_credit -= 1;
            let flusher = state.schedule_flush();
            drop(state);
            flusher.into_iter().for_each(Waker::wake);
            return Start::Sent;
        }
        self.enqueue(state, parameters, Kind::Oneway, ticket, waker, encode)
    }

    #[cold]
    fn enqueue(
        &self,
        mut state: std::sync::MutexGuard<'_, State>,
        parameters: &CallParameters<'_>,
        kind: Kind,
        ticket: Option<Ticket>,
        waker: &Waker,
        encode: EncodeArguments<'_>,
    ) -> Start {
        if let Some(reason) = self.reason_not_to_wait(&state, parameters.absence) {
            let next = ticket.and_then(|ticket| state.queue.leave_line(ticket));
            drop(state);
            next.into_iter().for_each(Waker::wake);
            return Start::Closed(reason);
        }
        let mut buffer = Buffer::new();
        let options = 12 + usize::from(metadata_length(parameters.metadata));
        let limit = frame_limit(&state).saturating_sub(HEADER_LENGTH + options);
        if let Err(error) = encode(&mut Encoder::new(&mut buffer, limit)) {
            let next = ticket.and_then(|ticket| state.queue.leave_line(ticket));
            drop(state);
            next.into_iter().for_each(Waker::wake);
            return Start::Unencodable(error);
        }
        if !state.queue.has_room(buffer.len(), ticket) {
            return Start::InLine(state.queue.stand_in_line(ticket, waker));
        }
        let mut wakers: Vec<Waker> = Vec::new();
        wakers.extend(ticket.and_then(|ticket| state.queue.leave_line(ticket)));
        let token = (kind == Kind::Call).then(|| state.outgoing.reserve());
        if let Some(token) = token {
            let _pending = state.outgoing.poll(token, |kept| *kept = Some(waker.clone()));
            self.open_streams(&mut state, token, parameters.streams);
        }
        state.queue.push(QueuedCall {
            token,
            method: parameters.method,
            deadline: parameters.deadline,
            arguments: buffer.into_bytes(),
            has_stream: parameters.streams.arguments,
            absence: parameters.absence,
            metadata: parameters.metadata.cloned().map(Box::new),
        });
        state.pump(&self.configuration, &mut wakers);
        state.tell_usage();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        match token {
            Some(token) => Start::Made(token),
            None => Start::Sent,
        }
    }

    /// Why a call that cannot leave now never will, or does not want to.
    fn reason_not_to_wait(&self, state: &State, absence: Absence) -> Option<CloseReason> {
        match &state.phase {
            Phase::Closed(reason) => Some(reason.clone()),
            Phase::PeerLeaves(reason) if !self.configuration.reconnects => Some(reason.clone()),
            _ if state.farewell != Farewell::None => Some(CloseReason::ClosedLocally),
            Phase::PeerLeaves(reason) if absence == Absence::Fail => Some(reason.clone()),
            Phase::Connecting if absence == Absence::Fail => {
                let reason = state.last_loss.clone();
                Some(reason.unwrap_or(CloseReason::NotConnected(ConnectError::StillConnecting)))
            }
            Phase::Connecting | Phase::Open | Phase::PeerLeaves(_) => None,
        }
    }

    fn open_streams(&self, state: &mut State, token: Token, which: Streams) {
        streaming::open(&mut state.streams, token, which, self.configuration.limits.stream_window);
    }

    /// Looks for the end of a call.
    #[inline]
    pub(crate) fn poll_call(&self, token: Token, waker: &Waker) -> Progress {
        self.lock().outgoing.poll(token, |kept| match kept {
            Some(kept) => kept.clone_from(waker),
            None => *kept = Some(waker.clone()),
        })
    }

    /// Gives a call up.
    pub(crate) fn abandon_call(&self, token: Token) -> Abandonment {
        let mut state = self.lock();
        let mut wakers = Vec::new();
        if !state.streams.is_empty() {
            wakers.extend(state.streams.close(StreamId::Ours(token)));
        }
        let abandonment = match state.outgoing.abandon(token) {
            AbandonedCall::Unsent => {
                state.queue.remove(token);
                wakers.extend(state.queue.next_in_line());
                state.pump(&self.configuration, &mut wakers);
                wakers.extend(state.nudge());
                Abandonment::NotSent
            }
            AbandonedCall::Sent(id) => {
                state.output.plain_frame(&Header::new(Kind::Cancel, id, token, 0), b"");
                wakers.extend(state.schedule_flush());
                Abandonment::Sent
            }
            AbandonedCall::Ended => Abandonment::Sent,
        };
        state.tell_usage();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
        abandonment
    }

    /// Leaves the line before the queue.
    pub(crate) fn leave_line(&self, ticket: Ticket) {
        let next = self.lock().queue.leave_line(ticket);
        next.into_iter().for_each(Waker::wake);
    }
}

/// The end that a call without a connection comes to.
impl LocalEnd {
    pub(crate) fn not_sent(reason: CloseReason) -> Self {
        Self::Lost { outcome: Outcome::NotSent, reason }
    }
}

/// Bytes of metadata, as a header announces them.
pub(super) fn metadata_length(metadata: Option<&Metadata>) -> u16 {
    metadata.map_or(0, Metadata::encoded_length)
}

/// Time left, in microseconds, clamped to what is sensible.
pub(super) fn remaining_time(deadline: Instant) -> u64 {
    let left = deadline.saturating_duration_since(Instant::now()).min(FURTHEST_DEADLINE);
    u64::try_from(left.as_micros()).unwrap_or(u64::MAX)
}

/// The largest frame that the peer takes.
pub(super) fn frame_limit(state: &State) -> usize {
    usize::try_from(state.peer_limits.max_frame).unwrap_or(usize::MAX)
}
