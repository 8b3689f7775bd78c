//! The two ends of the streams of calls on a link (`docs/wire.md`, section 7).
//!
//! Invariants: a stream sends only while it has credit and the output has room, so that no stream delays
//! calls or other streams; nothing of a call is sent after its end; a waiting task is woken once per batch,
//! not per item.

use std::sync::Arc;
use std::task::{Poll, Waker};

use bytes::Bytes;

use super::guard::{Wakers, store};
use super::inbound::{InboundState, message};
use super::link::Link;
use super::outbound::Progress;
use super::state::{LocalEnd, State};
use super::status::Phase;
use crate::codec::Buffer;
use crate::error::{CallError, CloseReason, Outcome};
use crate::protocol::calls::{CallState, Terminal};
use crate::protocol::frame::{CallId, HEADER_LENGTH, Header, Kind, Token};
use crate::protocol::streams::{
    Caller, EndCode, Receiving, Sending, StreamDetail, StreamEnd, StreamId, Taken,
};

/// With more pending output in bytes streams wait, so that other frames wait for this much at most.
const MAX_OUTPUT: u64 = 256 * 1024;
/// The room in bytes that is reserved for each stream that is woken.
const ROOM_PER_STREAM: u64 = 16 * 1024;

/// The sending end of a stream.
#[derive(Debug, Clone)]
pub(crate) enum Route {
    /// Arguments of an outbound call.
    Arguments { link: Arc<Link>, token: Token },
    /// Results of an inbound call.
    Results(Arc<InboundState>),
}

/// The result of an attempt to send items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SendOutcome {
    /// The items are queued, if there were any. `credit` is what is left, and `max_payload` the largest
    /// payload of a frame.
    Sent { credit: usize, max_payload: usize },
    /// There is no credit or no room. The waker is stored.
    Blocked,
    /// The receiver takes no more items.
    Closed,
}

/// What a receiver finds: items, or the end of the stream.
pub(crate) enum Received<End> {
    Items(Bytes),
    End(End),
}

impl Route {
    /// Sends the items in `payload`, which is empty then. Without items it checks for credit and room.
    pub(crate) fn send(&self, payload: &mut Buffer, waker: &Waker) -> SendOutcome {
        let (link, id) = match self {
            Self::Arguments { link, token } => (link, StreamId::Ours(*token)),
            Self::Results(call) => (&call.link, StreamId::Theirs(call.id)),
        };
        let mut guard = link.update();
        let state = &mut *guard.state;
        let (call, token, caller) = match self {
            Self::Arguments { token, .. } => match state.outgoing.state(*token) {
                CallState::Waiting(id) => (id, *token, Caller::Us),
                CallState::Queued => return state.await_credit(id, waker),
                CallState::Ended => return SendOutcome::Closed,
            },
            Self::Results(call) if state.epoch != call.epoch => return SendOutcome::Closed,
            Self::Results(call) => (call.id, call.token, Caller::Peer),
        };
        let Some(half) = state.streams.sending(id) else { return SendOutcome::Closed };
        if half.is_stopped() {
            return SendOutcome::Closed;
        }
        if half.credit() <= 0 {
            // A peer that has closed its side gives no more credit.
            let is_last = state.peer_shutdown.input_ended;
            return if is_last { SendOutcome::Closed } else { state.await_credit(id, waker) };
        }
        if state.output.pending() >= MAX_OUTPUT {
            state.streams.wait_for_room(id);
            return state.await_credit(id, waker);
        }
        if !payload.is_empty() {
            let detail = StreamDetail { caller, value: 0 }.encode();
            let length =
                state.output.shared_frame(&Header::new(Kind::StreamItem, call, token, detail), payload);
            if let Some(half) = state.streams.sending(id) {
                half.spend(length);
            }
            guard.wakers.extend(state.schedule_flush());
        }
        let max_payload = state.frame_limit().saturating_sub(HEADER_LENGTH);
        let credit = state.streams.sending(id).map_or(0, |half| half.credit());
        // Without credit the next attempt waits.
        let credit = usize::try_from(credit).unwrap_or(0);
        SendOutcome::Sent { credit, max_payload }
    }

    /// Whether the receiver takes no more items. If it does, the waker is stored for a change. The results of
    /// an inbound call need no check, because its handler is dropped instead.
    pub(crate) fn is_closed(&self, waker: &Waker) -> bool {
        let Self::Arguments { link, token } = self else { return false };
        let mut state = link.lock();
        state.await_credit(StreamId::Ours(*token), waker) == SendOutcome::Closed
    }
}

impl State {
    fn await_credit(&mut self, id: StreamId, waker: &Waker) -> SendOutcome {
        match self.streams.sending(id) {
            Some(half) if half.is_stopped() => SendOutcome::Closed,
            Some(half) => {
                half.keep(|stored| store(stored, waker));
                SendOutcome::Blocked
            }
            None => SendOutcome::Closed,
        }
    }

    /// The output has room again: wakes streams that wait for it, in their order.
    pub(super) fn wake_streams(&mut self, wakers: &mut Wakers) {
        let mut pending = self.output.pending();
        while pending < MAX_OUTPUT / 2 {
            let Some(waker) = self.streams.next_waiter() else { break };
            wakers.push(waker);
            pending += ROOM_PER_STREAM;
        }
    }

    /// Opens the streams of a new outbound call.
    pub(super) fn open_streams(&mut self, token: Token, which: crate::descriptor::Streams, window: u32) {
        if which.arguments {
            self.streams.send(StreamId::Ours(token), Sending::waiting());
        }
        if which.returns {
            self.streams.receive(StreamId::Ours(token), Receiving::new(window));
        }
    }

    /// A call with a stream parameter was sent, so the stream may follow. Returns its waker.
    pub(super) fn open_arguments(&mut self, token: Token) -> Option<Waker> {
        let window = self.peer_limits.stream_window;
        self.streams.sending(StreamId::Ours(token)).and_then(|half: &mut Sending<Waker>| half.open(window))
    }

    /// Takes the next items of a stream, if it is open.
    fn take_items(&mut self, stream: StreamId) -> Option<Taken> {
        let half = self.streams.receiving(stream)?;
        let before = half.held();
        let taken = half.take();
        let after = half.held();
        self.streams.note_change(before, after);
        self.report_memory();
        Some(taken)
    }

    /// Returns credit for what the receiver has taken, if there is enough. Returns the driver's waker if it
    /// must flush.
    fn return_credit(&mut self, stream: StreamId, call: CallId, token: Token) -> Option<Waker> {
        let grant = self.streams.receiving(stream).and_then(Receiving::take_grant)?;
        let caller = match stream {
            StreamId::Ours(_) => Caller::Us,
            StreamId::Theirs(_) => Caller::Peer,
        };
        let detail = StreamDetail { caller, value: grant }.encode();
        self.output.plain_frame(&Header::new(Kind::StreamCredit, call, token, detail), b"");
        self.schedule_flush()
    }
}

impl Link {
    /// Polls for results of a call, and for its end after them.
    pub(crate) fn poll_results(
        &self,
        token: Token,
        waker: &Waker,
    ) -> Poll<Received<Result<Terminal, LocalEnd>>> {
        let stream = StreamId::Ours(token);
        let mut guard = self.update();
        let state = &mut *guard.state;
        if let Some(Taken::Items(items)) = state.take_items(stream) {
            if let CallState::Waiting(call) = state.outgoing.state(token) {
                guard.wakers.extend(state.return_credit(stream, call, token));
            }
            return Poll::Ready(Received::Items(items));
        }
        match state.outgoing.poll(token, |stored| store(stored, waker)) {
            Progress::Ready(end) => {
                drop(state.streams.close(stream));
                return Poll::Ready(Received::End(end));
            }
            Progress::Pending | Progress::Gone => {}
        }
        if let CallState::Waiting(call) = state.outgoing.state(token) {
            guard.wakers.extend(state.return_credit(stream, call, token));
        }
        if let Some(half) = state.streams.receiving(stream) {
            half.keep(|stored| store(stored, waker));
        }
        Poll::Pending
    }

    /// Polls for the end of a call with a stream parameter.
    pub(crate) fn poll_streamed(&self, token: Token, waker: &Waker) -> Progress {
        let mut state = self.lock();
        let progress = state.outgoing.poll(token, |stored| store(stored, waker));
        if matches!(progress, Progress::Ready(_)) {
            drop(state.streams.close(StreamId::Ours(token)));
        }
        progress
    }

    /// Ends the stream parameter of a call.
    pub(crate) fn end_arguments(&self, token: Token, code: EndCode, text: &str) {
        let mut guard = self.update();
        let state = &mut *guard.state;
        let half = state.streams.end_sending(StreamId::Ours(token));
        let CallState::Waiting(call) = state.outgoing.state(token) else { return };
        if half.is_none_or(|half| half.is_stopped()) {
            return;
        }
        let detail = StreamDetail { caller: Caller::Us, value: code.to_number() }.encode();
        let text = message(text, state.frame_limit());
        state.output.plain_frame(&Header::new(Kind::StreamEnd, call, token, detail), text);
        guard.wakers.extend(state.schedule_flush());
    }
}

impl InboundState {
    /// Opens the stream of results.
    pub(crate) fn open_results(&self) {
        let mut state = self.link.lock();
        if state.epoch == self.epoch {
            let window = state.peer_limits.stream_window;
            state.streams.send(StreamId::Theirs(self.id), Sending::new(window));
        }
    }

    /// Polls for items of the stream parameter.
    pub(crate) fn poll_arguments(&self, waker: &Waker) -> Poll<Received<Result<(), CallError>>> {
        let stream = StreamId::Theirs(self.id);
        let mut guard = self.link.update();
        let state = &mut *guard.state;
        if state.epoch != self.epoch {
            let reason = match &state.phase {
                Phase::Closed(reason) | Phase::PeerDraining(reason) => reason.clone(),
                Phase::Connecting | Phase::Open => CloseReason::ConnectionLost(None),
            };
            let error = CallError::Disconnected { outcome: Outcome::Unknown, reason };
            return Poll::Ready(Received::End(Err(error)));
        }
        let Some(taken) = state.take_items(stream) else {
            let text = "the call has no stream parameter, or has ended".to_owned();
            return Poll::Ready(Received::End(Err(CallError::Broken(text))));
        };
        let received = match taken {
            Taken::Items(items) => Poll::Ready(Received::Items(items)),
            Taken::End(StreamEnd::Finished) => Poll::Ready(Received::End(Ok(()))),
            Taken::End(StreamEnd::Broken(text)) => {
                let text = String::from_utf8_lossy(&text).into_owned();
                Poll::Ready(Received::End(Err(CallError::Broken(text))))
            }
            Taken::Nothing => {
                if let Some(half) = state.streams.receiving(stream) {
                    half.keep(|stored| store(stored, waker));
                }
                Poll::Pending
            }
        };
        guard.wakers.extend(state.return_credit(stream, self.id, self.token));
        received
    }

    /// The handler takes no more items.
    pub(crate) fn stop_arguments(&self) {
        let mut guard = self.link.update();
        let state = &mut *guard.state;
        if state.epoch != self.epoch {
            return;
        }
        let half = state.streams.end_receiving(StreamId::Theirs(self.id));
        state.report_memory();
        if half.is_none_or(|half| half.is_finished()) {
            return;
        }
        let detail = StreamDetail { caller: Caller::Peer, value: EndCode::Stop.to_number() }.encode();
        state.output.plain_frame(&Header::new(Kind::StreamEnd, self.id, self.token, detail), b"");
        guard.wakers.extend(state.schedule_flush());
    }
}
