//! Streams of calls on a link: what their frames do, and what their two ends ask for (`docs/wire.md`, section 7).
//!
//! Invariants: a stream sends only while it has credit and the output has room, so that no stream holds up calls or
//! other streams; nothing of a call is sent when it has ended; whoever waits is woken once per batch, never per item.

use std::sync::Arc;
use std::task::Waker;

use bytes::Bytes;

use super::calling::frame_limit;
use super::frames::Batch;
use super::inbound::InboundState;
use super::link::{Link, LocalEnd, Phase, State};
use crate::codec::Buffer;
use crate::error::CloseReason;
use crate::protocol::calls::{CallPoll, CallState, Terminal};
use crate::protocol::error::ProtocolError;
use crate::protocol::frame::{CallId, Frame, HEADER_LENGTH, Header, Kind, Token};
use crate::protocol::streams::{
    Caller, EndCode, Receiving, Sending, StreamDetail, StreamEnd, StreamId, Streams, Taken,
};
use crate::resources::Resources;

/// With so many bytes in the output streams wait, so that what is not a stream need not wait for more than these.
const OUTPUT_MARK: u64 = 256 * 1024;
/// The room that is counted for each stream that is let go on.
const ROOM_PER_STREAM: u64 = 16 * 1024;

/// The end of a stream that sends: whose call it is.
#[derive(Debug, Clone)]
pub(crate) enum Route {
    /// Arguments of a call of this side.
    Arguments { link: Arc<Link>, token: Token },
    /// Results of a call of the peer.
    Results(Arc<InboundState>),
}

/// What became of an attempt to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shipment {
    /// What there was is in the output, if there was anything. The credit that is left, above zero, and the largest
    /// payload of a frame.
    Sent { credit: usize, largest: usize },
    /// The waker is kept until there is credit or room.
    Wait,
    /// Nobody takes any more.
    Over,
}

/// What the caller of a method that returns a stream finds.
pub(crate) enum Results {
    Items(Bytes),
    End(Result<Terminal, LocalEnd>),
    Nothing,
}

/// What the handler of a method with a stream parameter finds.
pub(crate) enum Arguments {
    Items(Bytes),
    End(StreamEnd),
    Nothing,
    /// The call brought no stream, or is over.
    None,
    /// The connection is gone.
    Lost(CloseReason),
}

impl Route {
    /// Sends the items in `payload`, which is then empty; asks for credit and room if there are none.
    pub(crate) fn ship(&self, payload: &mut Buffer, waker: &Waker) -> Shipment {
        let (link, id) = match self {
            Self::Arguments { link, token } => (link, StreamId::Ours(*token)),
            Self::Results(call) => (&call.link, StreamId::Theirs(call.id)),
        };
        let mut state = link.lock();
        let (call, token, caller) = match self {
            Self::Arguments { token, .. } => match state.outgoing.state(*token) {
                CallState::Waiting(id) => (id, *token, Caller::Us),
                CallState::Queued => return state.await_credit(id, waker),
                CallState::Ended => return Shipment::Over,
            },
            Self::Results(call) if state.epoch != call.epoch => return Shipment::Over,
            Self::Results(call) => (call.id, call.token, Caller::Peer),
        };
        let Some(half) = state.streams.sending(id) else { return Shipment::Over };
        if half.is_stopped() {
            return Shipment::Over;
        }
        if half.credit() <= 0 {
            // A peer that has closed its side gives no more.
            let is_last = state.peer_farewell.input_ended;
            return if is_last { Shipment::Over } else { state.await_credit(id, waker) };
        }
        if state.output.pending() >= OUTPUT_MARK {
            state.streams.wait_for_room(id);
            return state.await_credit(id, waker);
        }
        let mut flusher = None;
        if !payload.is_empty() {
            let detail = StreamDetail { caller, value: 0 }.encode();
            let length =
                state.output.shared_frame(&Header::new(Kind::StreamItem, call, token, detail), payload);
            if let Some(half) = state.streams.sending(id) {
                half.spend(length);
            }
            flusher = state.schedule_flush();
        }
        let largest = frame_limit(&state).saturating_sub(HEADER_LENGTH);
        let credit = state.streams.sending(id).map_or(0, |half| half.credit());
        let shipment = match usize::try_from(credit) {
            Ok(credit) if credit > 0 => Shipment::Sent { credit, largest },
            // What there was has left; more will wait at the next attempt.
            _ => Shipment::Sent { credit: 0, largest },
        };
        drop(state);
        flusher.into_iter().for_each(Waker::wake);
        shipment
    }
}

impl Route {
    /// Whether nobody takes any more. If not, the waker is kept until that is so; a handler is dropped then, and its
    /// results need not be looked after.
    pub(crate) fn is_over(&self, waker: &Waker) -> bool {
        let Self::Arguments { link, token } = self else { return false };
        let mut state = link.lock();
        state.await_credit(StreamId::Ours(*token), waker) == Shipment::Over
    }
}

impl State {
    fn await_credit(&mut self, id: StreamId, waker: &Waker) -> Shipment {
        match self.streams.sending(id) {
            Some(half) if half.is_stopped() => Shipment::Over,
            Some(half) => {
                half.keep(|kept| keep(kept, waker));
                Shipment::Wait
            }
            None => Shipment::Over,
        }
    }

    /// The output has room again: streams that wait for it go on, each in its turn.
    pub(super) fn let_streams_go_on(&mut self, wakers: &mut Vec<Waker>) {
        let mut pending = self.output.pending();
        while pending < OUTPUT_MARK / 2 {
            let Some(waker) = self.streams.next_waiter() else { break };
            wakers.push(waker);
            pending += ROOM_PER_STREAM;
        }
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

    /// There is no memory for an item of a call of the peer: its stream ends here, for both sides. The call may not have begun,
    /// and its token is known by the item.
    #[cold]
    pub(super) fn break_arguments(&mut self, item: &Header, batch: &mut Batch) {
        let Header { id, token, .. } = *item;
        let Some(half) = self.streams.receiving(StreamId::Theirs(id)).filter(|half| !half.is_finished())
        else {
            return;
        };
        let before = half.held();
        batch.wakers.extend(half.abort(b"this side has no memory left for the stream"));
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
                if self.outgoing.was_never_issued(id) {
                    return Err(ProtocolError::UnopenedStream { id: id.0 });
                }
                if self.outgoing.state(token) == CallState::Waiting(id) {
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
            Caller::Us if self.outgoing.state(token) == CallState::Waiting(id) => {
                (Some(StreamId::Ours(token)), false)
            }
            Caller::Us => (None, self.outgoing.was_never_issued(id)),
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

    /// The caller has given the call up: its stream will not go on, and it takes no results.
    pub(super) fn cancel_streams(&mut self, call: CallId, batch: &mut Batch) {
        if self.streams.is_empty() {
            return;
        }
        let stream = StreamId::Theirs(call);
        batch.wakers.extend(self.streams.sending(stream).and_then(Sending::stop));
        if let Some(half) = self.streams.receiving(stream).filter(|half| !half.is_finished()) {
            let end = StreamEnd::Broken(Bytes::from_static(b"the caller has given the call up"));
            batch.wakers.extend(half.finish(end, call.0).ok().flatten());
        }
    }

    /// Where items of this call go; nowhere, if nobody takes them any more.
    fn receiving_half(
        &mut self,
        caller: Caller,
        id: CallId,
        token: Token,
    ) -> Result<Option<&mut Receiving<Waker>>, ProtocolError> {
        let unopened = ProtocolError::UnopenedStream { id: id.0 };
        match caller {
            // The Reply is the end of results: nothing comes behind it, so the call must be unanswered.
            Caller::Us => match self.outgoing.state(token) {
                CallState::Waiting(made) if made == id => {
                    self.streams.receiving(StreamId::Ours(token)).map(Some).ok_or(unopened)
                }
                _ if self.outgoing.is_abandoned(id, token) => Ok(None),
                _ => Err(unopened),
            },
            Caller::Peer if id > self.incoming.highest_id() => Err(unopened),
            Caller::Peer => {
                let without = self.incoming.running(id).is_some_and(|call| !call.has_stream);
                match self.streams.receiving(StreamId::Theirs(id)) {
                    None if without => Err(unopened),
                    // They may have left before the peer knew that the call is over, or the stream stopped.
                    half => Ok(half),
                }
            }
        }
    }

    /// The next items of a stream, if it is open.
    fn take_items(&mut self, stream: StreamId) -> Option<Taken> {
        let half = self.streams.receiving(stream)?;
        let before = half.held();
        let taken = half.take();
        let after = half.held();
        self.streams.note_change(before, after);
        self.tell_usage();
        Some(taken)
    }

    /// What a receiver has taken is credit for the sender; the driver's waker, if it is to be told now.
    fn give_credit(&mut self, stream: StreamId, call: CallId, token: Token) -> Option<Waker> {
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
    /// Looks for results of a call, and for its end behind them.
    pub(crate) fn poll_results(&self, token: Token, waker: &Waker) -> Results {
        let stream = StreamId::Ours(token);
        let mut state = self.lock();
        let taken = state.take_items(stream).unwrap_or(Taken::Nothing);
        if let Taken::Items(items) = taken {
            let flusher = match state.outgoing.state(token) {
                CallState::Waiting(call) => state.give_credit(stream, call, token),
                CallState::Queued | CallState::Ended => None,
            };
            drop(state);
            flusher.into_iter().for_each(Waker::wake);
            return Results::Items(items);
        }
        let progress = state.outgoing.poll(token, |kept| keep(kept, waker));
        if let CallPoll::Ready(end) = progress {
            drop(state.streams.close(stream));
            return Results::End(end);
        }
        let mut flusher = None;
        if let CallState::Waiting(call) = state.outgoing.state(token) {
            flusher = state.give_credit(stream, call, token);
        }
        if let Some(half) = state.streams.receiving(stream) {
            half.keep(|kept| keep(kept, waker));
        }
        drop(state);
        flusher.into_iter().for_each(Waker::wake);
        Results::Nothing
    }

    /// The end of a call with a stream of arguments, if it has come.
    pub(crate) fn poll_streamed(&self, token: Token, waker: &Waker) -> CallPoll<LocalEnd> {
        let mut state = self.lock();
        let progress = state.outgoing.poll(token, |kept| keep(kept, waker));
        if matches!(progress, CallPoll::Ready(_)) {
            drop(state.streams.close(StreamId::Ours(token)));
        }
        progress
    }

    /// The stream of arguments has ended.
    pub(crate) fn end_arguments(&self, token: Token, code: EndCode, message: &str) {
        let mut state = self.lock();
        let half = state.streams.end_sending(StreamId::Ours(token));
        let CallState::Waiting(call) = state.outgoing.state(token) else { return };
        if half.is_none_or(|half| half.is_stopped()) {
            return;
        }
        let detail = StreamDetail { caller: Caller::Us, value: code.to_number() }.encode();
        let limit = frame_limit(&state);
        let message = super::inbound::shorten(message, limit);
        state.output.plain_frame(&Header::new(Kind::StreamEnd, call, token, detail), message.as_bytes());
        let flusher = state.schedule_flush();
        drop(state);
        flusher.into_iter().for_each(Waker::wake);
    }
}

impl InboundState {
    /// The handler's results will go out item by item.
    pub(crate) fn open_results(&self) {
        let mut state = self.link.lock();
        if state.epoch == self.epoch {
            let window = state.peer_limits.stream_window;
            state.streams.send(StreamId::Theirs(self.id), Sending::new(window));
        }
    }

    /// Looks for items of the stream parameter.
    pub(crate) fn poll_arguments(&self, waker: &Waker) -> Arguments {
        let stream = StreamId::Theirs(self.id);
        let mut state = self.link.lock();
        if state.epoch != self.epoch {
            return Arguments::Lost(match &state.phase {
                Phase::Closed(reason) | Phase::PeerLeaves(reason) => reason.clone(),
                Phase::Connecting | Phase::Open => CloseReason::ConnectionLost(None),
            });
        }
        let Some(taken) = state.take_items(stream) else { return Arguments::None };
        let arguments = match taken {
            Taken::Items(items) => Arguments::Items(items),
            Taken::End(end) => Arguments::End(end),
            Taken::Nothing => {
                if let Some(half) = state.streams.receiving(stream) {
                    half.keep(|kept| keep(kept, waker));
                }
                Arguments::Nothing
            }
        };
        let flusher = state.give_credit(stream, self.id, self.token);
        drop(state);
        flusher.into_iter().for_each(Waker::wake);
        arguments
    }

    /// The handler takes no more items.
    pub(crate) fn stop_arguments(&self) {
        let mut state = self.link.lock();
        if state.epoch != self.epoch {
            return;
        }
        let half = state.streams.end_receiving(StreamId::Theirs(self.id));
        state.tell_usage();
        if half.is_none_or(|half| half.is_finished()) {
            return;
        }
        let detail = StreamDetail { caller: Caller::Peer, value: EndCode::Stop.to_number() }.encode();
        state.output.plain_frame(&Header::new(Kind::StreamEnd, self.id, self.token, detail), b"");
        let flusher = state.schedule_flush();
        drop(state);
        flusher.into_iter().for_each(Waker::wake);
    }
}

/// The halves of the streams of a call of this side.
pub(super) fn open(
    streams: &mut Streams<Waker>,
    token: Token,
    which: crate::descriptor::Streams,
    window: u32,
) {
    if which.arguments {
        streams.send(StreamId::Ours(token), Sending::waiting());
    }
    if which.returns {
        streams.receive(StreamId::Ours(token), Receiving::new(window));
    }
}

fn keep(kept: &mut Option<Waker>, waker: &Waker) {
    match kept {
        Some(kept) => kept.clone_from(waker),
        None => *kept = Some(waker.clone()),
    }
}
