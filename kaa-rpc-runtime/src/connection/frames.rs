//! How a link handles the peer's frames (`docs/wire.md`, section 4).

use std::sync::Arc;

use tokio::time::Instant;

use super::goodbye::Shutdown;
use super::link::Link;
use super::reader::Part;
use super::state::{Batch, State, Verdict, inbound_limit};
use crate::protocol::calls::{Admission, Terminal};
use crate::protocol::error::ProtocolError;
use crate::protocol::frame::{CallId, Frame, Header, Kind, Status};
use crate::protocol::streams::{Receiving, StreamId};
use crate::settings::Settings;

/// How many nested calls of the peer may be open beyond its limit. They do not wait for the limit, so that
/// the two sides cannot wait for each other.
const MAX_NESTED_OVER_LIMIT: usize = 1024;

/// The detail of keepalive pings and their pongs. Those of a shutdown have 0.
const KEEPALIVE_PING: u32 = 1;

impl State {
    /// Handles a frame.
    ///
    /// # Errors
    /// A violation of the protocol, which ends the connection.
    #[inline]
    pub(super) fn handle_frame(
        &mut self,
        frame: Frame,
        settings: &Settings,
        batch: &mut Batch,
    ) -> Result<(), ProtocolError> {
        let header = frame.header;
        match header.kind {
            Kind::Reply => self.handle_reply(frame, batch),
            Kind::Call => self.handle_call(frame, Part::Whole, settings, batch),
            Kind::Oneway => self.handle_oneway(frame, Part::Whole, settings, batch),
            Kind::Cancel => self.handle_cancel(&header, batch),
            Kind::StreamItem => self.handle_stream_item(frame, &settings.resources, batch),
            Kind::StreamEnd => self.handle_stream_end(frame, batch),
            Kind::StreamCredit => self.handle_stream_credit(&header, batch),
            Kind::Ping => {
                if self.output.pending() > settings.output_budget {
                    return Err(ProtocolError::Flood { what: "pings" });
                }
                // A pong does not repeat the ping's options.
                let pong = Header::new(Kind::Pong, header.id, header.token, header.detail);
                self.output.plain_frame(&pong, b"");
                Ok(())
            }
            Kind::Pong if header.detail == KEEPALIVE_PING => {
                if let Some(pinged) = self.pinged.take() {
                    self.counts.round_trip = Some(pinged.elapsed());
                }
                Ok(())
            }
            Kind::Pong => {
                if self.shutdown == Shutdown::Announced {
                    self.name_last_call();
                }
                Ok(())
            }
            Kind::Goodbye => self.handle_goodbye(&frame, batch),
            Kind::OnewayCredit => {
                let credit = self.oneway_credit.checked_add(header.detail);
                match credit.filter(|credit| *credit <= self.peer_limits.oneway_window) {
                    Some(credit) => self.oneway_credit = credit,
                    None => return Err(ProtocolError::Misplaced { frame: "OnewayCredit" }),
                }
                self.send_queued(settings, &mut batch.wakers);
                Ok(())
            }
            Kind::Schema => self.handle_schema(&frame),
        }
    }

    /// Handles a frame whose payload was discarded because it exceeds the memory budget.
    ///
    /// # Errors
    /// A violation of the protocol, which ends the connection.
    #[cold]
    pub(super) fn handle_head(
        &mut self,
        frame: Frame,
        settings: &Settings,
        batch: &mut Batch,
    ) -> Result<(), ProtocolError> {
        match frame.header.kind {
            Kind::Call => self.handle_call(frame, Part::Head, settings, batch),
            Kind::Oneway => self.handle_oneway(frame, Part::Head, settings, batch),
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
        settings: &Settings,
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
        if let Shutdown::Final(last) = self.shutdown
            && header.id > last
            && !nested
        {
            // The Goodbye has informed the peer that this call does not run.
            return Ok(());
        }
        let limit = inbound_limit(&settings.limits).saturating_add(MAX_NESTED_OVER_LIMIT);
        let admission = self.incoming.begin(nested && self.incoming.open() < limit)?;
        let verdict = match admission {
            Admission::Refuse => Verdict::OverLimit,
            Admission::Run if header.parent.is_some_and(|parent| parent.depth > settings.max_nesting) => {
                Verdict::TooDeep
            }
            Admission::Run if part == Part::Head => Verdict::NoMemory,
            Admission::Run if !nested && settings.resources.has_no_memory_for(frame.size()) => {
                Verdict::NoMemory
            }
            Admission::Run => Verdict::Run { nested },
        };
        if header.has_stream && verdict != Verdict::NoMemory {
            let half = Receiving::new(settings.limits.stream_window);
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
        settings: &Settings,
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
        if self.oneways_open > settings.limits.oneway_window {
            return Err(ProtocolError::Flood { what: "oneway calls" });
        }
        if matches!(self.shutdown, Shutdown::Final(last) if frame.header.id > last) {
            self.oneways_open -= 1;
            return Ok(());
        }
        if part == Part::Head || settings.resources.has_no_memory_for(frame.size()) {
            tracing::debug!(method = frame.header.detail, "dropped a oneway call: over the memory budget");
            self.counts.oneways_dropped += 1;
            self.end_oneway(settings);
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
        // A call is cancelled at most once, so there cannot be more Cancels than calls.
        self.cancels += 1;
        if self.cancels > self.calls_seen || !self.cancel_bucket.take(self.started.elapsed()) {
            return Err(ProtocolError::Flood { what: "cancels" });
        }
        self.cancel_streams(header.id, batch);
        match self.incoming.running(header.id) {
            Some(call) => batch.cancelled.push(Arc::clone(call)),
            None => batch.cancel_before_start(header.id),
        }
        Ok(())
    }
}

impl Link {
    /// Sends a keepalive ping.
    pub(super) fn ping(&self) {
        let mut guard = self.update();
        let state = &mut guard.state;
        state.pinged = Some(Instant::now());
        state.output.plain_frame(&Header::of_connection(Kind::Ping, KEEPALIVE_PING), b"");
        guard.wakers.extend(state.schedule_flush());
    }

    /// An inbound call was refused because the process has no handlers left.
    #[cold]
    pub(super) fn count_refused(&self, call: &Header) {
        let mut state = self.lock();
        if call.kind == Kind::Oneway {
            tracing::debug!(method = call.detail, "dropped a oneway call: over the limit of handlers");
            state.counts.oneways_dropped += 1;
        } else {
            state.counts.calls_refused += 1;
        }
    }

    /// An inbound oneway call was dropped.
    #[cold]
    pub(crate) fn count_dropped_oneway(&self) {
        self.lock().counts.oneways_dropped += 1;
    }

    /// The handler of a oneway call has ended: returns the call's credit. `size` is the size of its
    /// arguments.
    pub(super) fn oneway_ended(&self, epoch: u32, id: CallId, size: u64) {
        let mut guard = self.update();
        let (state, wakers) = (&mut guard.state, &mut guard.wakers);
        if state.epoch != epoch {
            return;
        }
        state.incoming.forget(id);
        state.incoming.release(size);
        state.end_oneway(&self.settings);
        state.report_memory();
        if !state.output.is_empty() {
            wakers.extend(state.schedule_flush());
        }
        wakers.extend(state.waiting_driver());
    }
}

impl State {
    /// Counts an ended oneway call. Sends credit to the peer by half windows.
    fn end_oneway(&mut self, settings: &Settings) {
        self.oneways_open = self.oneways_open.saturating_sub(1);
        self.oneways_done += 1;
        if self.oneways_done >= settings.limits.oneway_window.div_ceil(2) {
            let credit = std::mem::take(&mut self.oneways_done);
            self.output.plain_frame(&Header::of_connection(Kind::OnewayCredit, credit), b"");
        }
    }
}
