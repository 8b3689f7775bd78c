//! The streams of calls on a link: how their frames are handled, and how their two ends use them
//! (`docs/wire.md`, section 7).
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
use super::state::{Batch, LocalEnd, State};
use super::status::Phase;
use crate::codec::Buffer;
use crate::error::{CallError, CloseReason, Outcome};
use crate::protocol::calls::{Made, Terminal};
use crate::protocol::error::ProtocolError;
use crate::protocol::frame::{CallId, Frame, HEADER_LENGTH, Header, Kind, Token};
use crate::protocol::streams::{
    Caller, EndCode, Receiving, Sending, StreamDetail, StreamEnd, StreamId, Taken,
};
use crate::resources::Resources;

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
            Self::Arguments { token, .. } => match state.outgoing.made(*token) {
                Made::Waiting(id) => (id, *token, Caller::Us),
                Made::Queued => return state.await_credit(id, waker),
                Made::Over => return SendOutcome::Closed,
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
            state.streams.stand_in_line(id);
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
            let Some(waker) = self.streams.next_in_line() else { break };
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

    pub(super) fn handle_stream_item(
        &mut self,
        frame: Frame,
        resources: &Resources,
        batch: &mut Batch,
    ) -> Result<(), ProtocolError> {
        let Header { id, token, detail, .. } = frame.header;
        let detail = StreamDetail::decode(detail);
        if detail.value != 0 {
            return Err(ProtocolError::Misplaced { frame: "StreamItem" });
        }
        let Some(half) = self.receiving_half(detail.caller, id, token)? else { return Ok(()) };
        let before = half.held();
        batch.wakers.extend(half.receive(frame.payload, id.0)?);
        let after = half.held();
        self.streams.note_change(before, after);
        if detail.caller == Caller::Peer && resources.has_no_memory_for(0) {
            self.break_arguments(&frame.header, batch);
        }
        Ok(())
    }

    /// An item for an inbound call exceeds the memory budget: ends its stream for both sides. The call may
    /// not have started yet; `item` has its token.
    #[cold]
    pub(super) fn break_arguments(&mut self, item: &Header, batch: &mut Batch) {
        let Header { id, token, .. } = *item;
        let Some(half) = self.streams.receiving(StreamId::Theirs(id)).filter(|half| !half.is_finished())
        else {
            return;
        };
        let before = half.held();
        batch.wakers.extend(half.break_off(b"no memory left for the stream"));
        self.streams.note_change(before, 0);
        let detail = StreamDetail { caller: Caller::Peer, value: EndCode::Stop.to_number() }.encode();
        self.output.plain_frame(&Header::new(Kind::StreamEnd, id, token, detail), b"");
    }

    pub(super) fn handle_stream_end(&mut self, frame: Frame, batch: &mut Batch) -> Result<(), ProtocolError> {
        let Header { id, token, detail, .. } = frame.header;
        let detail = StreamDetail::decode(detail);
        let end = match (EndCode::from_number(detail.value), detail.caller) {
            (Some(EndCode::Finished), Caller::Peer) => StreamEnd::Finished,
            (Some(EndCode::Broken), Caller::Peer) => {
                StreamEnd::Broken(Bytes::copy_from_slice(&frame.payload))
            }
            (Some(EndCode::Stop), Caller::Us) => {
                if self.outgoing.was_never_made(id) {
                    return Err(ProtocolError::UnopenedStream { id: id.0 });
                }
                if self.outgoing.made(token) == Made::Waiting(id) {
                    let half = self.streams.sending(StreamId::Ours(token));
                    batch.wakers.extend(half.and_then(Sending::stop));
                }
                return Ok(());
            }
            _ => return Err(ProtocolError::Misplaced { frame: "StreamEnd" }),
        };
        if let Some(half) = self.receiving_half(Caller::Peer, id, token)? {
            batch.wakers.extend(half.finish(end, id.0)?);
        }
        Ok(())
    }

    pub(super) fn handle_stream_credit(
        &mut self,
        header: &Header,
        batch: &mut Batch,
    ) -> Result<(), ProtocolError> {
        let (id, token) = (header.id, header.token);
        let detail = StreamDetail::decode(header.detail);
        if detail.value == 0 {
            return Err(ProtocolError::Misplaced { frame: "StreamCredit" });
        }
        let (stream, never_made) = match detail.caller {
            Caller::Us if self.outgoing.made(token) == Made::Waiting(id) => {
                (Some(StreamId::Ours(token)), false)
            }
            Caller::Us => (None, self.outgoing.was_never_made(id)),
            Caller::Peer => (Some(StreamId::Theirs(id)), id > self.incoming.highest_id()),
        };
        if never_made {
            return Err(ProtocolError::UnopenedStream { id: id.0 });
        }
        if let Some(half) = stream.and_then(|stream| self.streams.sending(stream)) {
            batch.wakers.extend(half.grant(detail.value, id.0)?);
        }
        Ok(())
    }

    /// The caller has cancelled the call: it sends no more arguments and receives no results.
    pub(super) fn cancel_streams(&mut self, call: CallId, batch: &mut Batch) {
        if self.streams.is_empty() {
            return;
        }
        let stream = StreamId::Theirs(call);
        batch.wakers.extend(self.streams.sending(stream).and_then(Sending::stop));
        if let Some(half) = self.streams.receiving(stream).filter(|half| !half.is_finished()) {
            let end = StreamEnd::Broken(Bytes::from_static(b"the caller cancelled the call"));
            batch.wakers.extend(half.finish(end, call.0).ok().flatten());
        }
    }

    /// The receiving half for items of this call; `None` if they are discarded.
    fn receiving_half(
        &mut self,
        caller: Caller,
        id: CallId,
        token: Token,
    ) -> Result<Option<&mut Receiving<Waker>>, ProtocolError> {
        let unopened = ProtocolError::UnopenedStream { id: id.0 };
        match caller {
            // The Reply ends the results, so the call must be unanswered.
            Caller::Us => match self.outgoing.made(token) {
                Made::Waiting(made) if made == id => {
                    self.streams.receiving(StreamId::Ours(token)).map(Some).ok_or(unopened)
                }
                _ if self.outgoing.is_abandoned(id, token) => Ok(None),
                _ => Err(unopened),
            },
            Caller::Peer if id > self.incoming.highest_id() => Err(unopened),
            Caller::Peer => {
                let half = self.streams.receiving(StreamId::Theirs(id));
                let has_stream = || self.incoming.running(id).is_none_or(|call| call.has_stream());
                // Items for a call that has ended, or for a stopped stream, may have been sent before the
                // peer knew.
                if half.is_some() || has_stream() { Ok(half) } else { Err(unopened) }
            }
        }
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
            if let Made::Waiting(call) = state.outgoing.made(token) {
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
        if let Made::Waiting(call) = state.outgoing.made(token) {
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
        let Made::Waiting(call) = state.outgoing.made(token) else { return };
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
