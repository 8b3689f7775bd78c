//! How a link handles the frames of streams (`docs/wire.md`, section 7).

use std::task::Waker;

use bytes::Bytes;

use super::state::{Batch, State};
use crate::protocol::calls::CallState;
use crate::protocol::error::ProtocolError;
use crate::protocol::frame::{CallId, Frame, Header, Kind, Token};
use crate::protocol::streams::{Caller, EndCode, Receiving, Sending, StreamDetail, StreamEnd, StreamId};
use crate::resources::Resources;

impl State {
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
        batch.wakers.extend(half.abort(b"no memory left for the stream"));
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
            Caller::Us => match self.outgoing.state(token) {
                CallState::Waiting(made) if made == id => {
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
}
