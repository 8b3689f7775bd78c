//! What each frame of the peer does to a link (`docs/wire.md`, section 4).

use std::sync::Arc;
use std::task::Waker;

use tokio::time::Instant;

use super::farewell::Farewell;
use super::inbound::InboundState;
use super::link::{Link, LinkConfiguration, State, inbound_limit};
use super::reader::Part;
use crate::protocol::calls::{Admission, Terminal};
use crate::protocol::error::ProtocolError;
use crate::protocol::frame::{CallId, Frame, Header, Kind, Status};
use crate::protocol::streams::{Receiving, StreamId};

/// Nested calls of the peer that may be open beyond its limit. They need not wait for a place, lest two sides wait for
/// each other; this is where that ends.
const MOST_NESTED: usize = 1024;

/// The detail of pings that ask for a sign of life, and of their answers; those of a farewell have 0.
const PING_OF_LIFE: u32 = 1;

/// What the frames of one read ask the driver to do when the lock is free again.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) wakers: Vec<Waker>,
    pub(super) inbound: Vec<(Frame, Verdict)>,
    pub(super) cancelled: Vec<Arc<InboundState>>,
    pub(super) peer_leaves: bool,
}

/// What becomes of a call of the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is run; a nested one whatever others run.
    Run {
        nested: bool,
    },
    OverLimit,
    TooDeep,
    /// There is no memory for it.
    NoMemory,
    /// Given up by the peer before it began.
    Cancelled,
}

impl Batch {
    /// A call and its Cancel came with the same read. Ids only grow, so the call is soon found.
    fn cancel_before_begin(&mut self, id: CallId) {
        let place = self.inbound.binary_search_by_key(&id, |(frame, _)| frame.header.id);
        let call = place.ok().and_then(|place| self.inbound.get_mut(place));
        if let Some((frame, verdict)) = call
            && frame.header.kind == Kind::Call
            && matches!(verdict, Verdict::Run { .. })
        {
            *verdict = Verdict::Cancelled;
        }
    }
}

impl State {
    /// Applies a frame.
    ///
    /// # Errors
    /// What the peer may not do: the connection must end.
    #[inline]
    pub(super) fn handle_frame(
        &mut self,
        frame: Frame,
        configuration: &LinkConfiguration,
        batch: &mut Batch,
    ) -> Result<(), ProtocolError> {
        let header = frame.header;
        match header.kind {
            Kind::Reply => self.handle_reply(frame, batch),
            Kind::Call => self.handle_call(frame, Part::Whole, configuration, batch),
            Kind::Oneway => self.handle_oneway(frame, Part::Whole, configuration, batch),
            Kind::Cancel => self.handle_cancel(&header, batch),
            Kind::StreamItem => self.handle_stream_item(frame, &configuration.resources, batch),
            Kind::StreamEnd => self.handle_stream_end(frame, batch),
            Kind::StreamCredit => self.handle_stream_credit(&header, batch),
            Kind::Ping => {
                if self.output.pending() > configuration.output_budget {
                    return Err(ProtocolError::Flood { what: "pings" });
                }
                // Without the options that the ping may have.
                let pong = Header::new(Kind::Pong, header.id, header.token, header.detail);
                self.output.plain_frame(&pong, b"");
                Ok(())
            }
            Kind::Pong if header.detail == PING_OF_LIFE => {
                if let Some(pinged) = self.pinged.take() {
                    self.counts.round_trip = Some(pinged.elapsed());
                }
                Ok(())
            }
            Kind::Pong => {
                if self.farewell == Farewell::Announced {
                    self.name_last_call();
                }
                Ok(())
            }
            Kind::Goodbye => self.handle_goodbye(&frame, configuration, batch),
            Kind::OnewayCredit => {
                let credit = self.oneway_credit.checked_add(header.detail);
                match credit.filter(|credit| *credit <= self.peer_limits.oneway_window) {
                    Some(credit) => self.oneway_credit = credit,
                    None => return Err(ProtocolError::Misplaced { frame: "OnewayCredit" }),
                }
                self.pump(configuration, &mut batch.wakers);
                Ok(())
            }
            Kind::Schema => self.handle_schema(&frame),
        }
    }

    /// Applies a frame whose payload was passed over for want of memory.
    ///
    /// # Errors
    /// What the peer may not do: the connection must end.
    #[cold]
    pub(super) fn handle_head(
        &mut self,
        frame: Frame,
        configuration: &LinkConfiguration,
        batch: &mut Batch,
    ) -> Result<(), ProtocolError> {
        match frame.header.kind {
            Kind::Call => self.handle_call(frame, Part::Head, configuration, batch),
            Kind::Oneway => self.handle_oneway(frame, Part::Head, configuration, batch),
            _ => {
                self.break_arguments(&frame.header, batch);
                Ok(())
            }
        }
    }

    #[inline]
    fn handle_reply(&mut self, frame: Frame, batch: &mut Batch) -> Result<(), ProtocolError> {
        let Frame { header, payload, .. } = frame;
        let status = Status::from_number(header.detail).ok_or(ProtocolError::Misplaced { frame: "Reply" })?;
        let waker = self.outgoing.finish(header.id, header.token, Terminal { status, payload })?;
        batch.wakers.extend(waker);
        Ok(())
    }

    #[inline]
    fn handle_call(
        &mut self,
        frame: Frame,
        part: Part,
        configuration: &LinkConfiguration,
        batch: &mut Batch,
    ) -> Result<(), ProtocolError> {
        let header = &frame.header;
        if !self.comparison.lets_peer_call() {
            return Err(ProtocolError::Misplaced { frame: "Call" });
        }
        self.incoming.note_id(header.id)?;
        self.calls_seen += 1;
        self.counts.calls_received += 1;
        let nested = header.parent.is_some_and(|parent| self.outgoing.is_unanswered(&parent));
        if let Farewell::Final(last) = self.farewell
            && header.id > last
            && !nested
        {
            // The Goodbye has told the peer that this call is not run.
            return Ok(());
        }
        let limit = inbound_limit(&configuration.limits).saturating_add(MOST_NESTED);
        let admission = self.incoming.begin(nested && self.incoming.open() < limit)?;
        let verdict = match admission {
            Admission::Refuse => Verdict::OverLimit,
            Admission::Run
                if header.parent.is_some_and(|parent| parent.depth > configuration.max_nesting) =>
            {
                Verdict::TooDeep
            }
            Admission::Run if part == Part::Head => Verdict::NoMemory,
            Admission::Run if !nested && configuration.resources.has_no_memory_for(frame.size()) => {
                Verdict::NoMemory
            }
            Admission::Run => Verdict::Run { nested },
        };
        if header.has_stream && verdict != Verdict::NoMemory {
            let half = Receiving::new(configuration.limits.stream_window);
            self.streams.receive(StreamId::Theirs(header.id), half);
        }
        match verdict {
            Verdict::Run { .. } => self.incoming.hold(frame.size()),
            _ => self.counts.calls_refused += 1,
        }
        batch.inbound.push((frame, verdict));
        Ok(())
    }

    fn handle_oneway(
        &mut self,
        frame: Frame,
        part: Part,
        configuration: &LinkConfiguration,
        batch: &mut Batch,
    ) -> Result<(), ProtocolError> {
        if !self.comparison.lets_peer_call() {
            return Err(ProtocolError::Misplaced { frame: "Oneway" });
        }
        if frame.header.has_stream {
            return Err(ProtocolError::Misplaced { frame: "Oneway" });
        }
        self.incoming.note_id(frame.header.id)?;
        self.oneways_open += 1;
        self.counts.calls_received += 1;
        if self.oneways_open > configuration.limits.oneway_window {
            return Err(ProtocolError::Flood { what: "oneway calls" });
        }
        if matches!(self.farewell, Farewell::Final(last) if frame.header.id > last) {
            self.oneways_open -= 1;
            return Ok(());
        }
        if part == Part::Head || configuration.resources.has_no_memory_for(frame.size()) {
            tracing::debug!(method = frame.header.detail, "dropped a oneway call for want of memory");
            self.counts.oneways_dropped += 1;
            self.end_oneway(configuration);
            return Ok(());
        }
        self.incoming.hold(frame.size());
        batch.inbound.push((frame, Verdict::Run { nested: false }));
        Ok(())
    }

    fn handle_cancel(&mut self, header: &Header, batch: &mut Batch) -> Result<(), ProtocolError> {
        if header.id > self.incoming.highest_id() {
            return Err(ProtocolError::Misplaced { frame: "Cancel" });
        }
        // A call is cancelled once at most, so there cannot be more Cancels than calls.
        self.cancels += 1;
        if self.cancels > self.calls_seen || !self.cancel_bucket.take(self.began.elapsed()) {
            return Err(ProtocolError::Flood { what: "cancels" });
        }
        self.cancel_streams(header.id, batch);
        match self.incoming.running(header.id) {
            Some(call) => batch.cancelled.push(Arc::clone(call)),
            None => batch.cancel_before_begin(header.id),
        }
        Ok(())
    }
}

impl Link {
    /// Asks the peer for a sign of life.
    pub(super) fn ping(&self) {
        let mut state = self.lock();
        state.pinged = Some(Instant::now());
        state.output.plain_frame(&Header::of_connection(Kind::Ping, PING_OF_LIFE), b"");
        let flusher = state.schedule_flush();
        drop(state);
        flusher.into_iter().for_each(Waker::wake);
    }

    /// A call of the peer finds no place.
    #[cold]
    pub(super) fn count_refused(&self, call: &InboundState) {
        let mut state = self.lock();
        if call.oneway {
            tracing::debug!(method = call.method.0, "dropped a oneway call: as many handlers run as may");
            state.counts.oneways_dropped += 1;
        } else {
            state.counts.calls_refused += 1;
        }
    }

    /// A oneway call of the peer came to nothing.
    #[cold]
    pub(crate) fn count_dropped_oneway(&self) {
        self.lock().counts.oneways_dropped += 1;
    }

    /// The handler of a oneway call is over: its place in the window is free.
    pub(super) fn oneway_ended(&self, call: &InboundState) {
        let mut state = self.lock();
        if state.epoch != call.epoch {
            return;
        }
        state.incoming.forget(call.id);
        state.incoming.release(call.size);
        state.end_oneway(&self.configuration);
        state.tell_usage();
        let flusher = if state.output.is_empty() { None } else { state.schedule_flush() };
        let nudge = state.nudge();
        drop(state);
        flusher.into_iter().chain(nudge).for_each(Waker::wake);
    }
}

impl State {
    /// A place in the window of oneway calls is free; the peer is told by half windows.
    fn end_oneway(&mut self, configuration: &LinkConfiguration) {
        self.oneways_open = self.oneways_open.saturating_sub(1);
        self.oneways_done += 1;
        if self.oneways_done >= configuration.limits.oneway_window.div_ceil(2) {
            let credit = std::mem::take(&mut self.oneways_done);
            self.output.plain_frame(&Header::of_connection(Kind::OnewayCredit, credit), b"");
        }
    }
}
