//! What each frame of the peer does to a link (`docs/wire.md`, section 4).

use std::sync::Arc;
use std::task::Waker;

use super::inbound::InboundState;
use super::link::{DEEPEST_NESTING, Farewell, Link, LinkConfiguration, Phase, State};
use crate::error::{CloseReason, Outcome};
use crate::protocol::calls::{Admission, Terminal};
use crate::protocol::error::ProtocolError;
use crate::protocol::frame::{CallId, Frame, Header, Kind, Status, Token};

/// Longest text of a Goodbye.
pub(super) const LONGEST_FAREWELL: usize = 1024;

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
    Run,
    OverLimit,
    TooDeep,
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
            Kind::Call => self.handle_call(frame, batch),
            Kind::Oneway => self.handle_oneway(frame, configuration, batch),
            Kind::Cancel => self.handle_cancel(&header, batch),
            Kind::Ping => {
                if self.output.pending() > configuration.output_budget {
                    return Err(ProtocolError::Flood { what: "pings" });
                }
                self.output.plain_frame(&Header { kind: Kind::Pong, ..header }, b"");
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
            Kind::Schema => Err(ProtocolError::Misplaced { frame: "Schema" }),
            Kind::StreamItem | Kind::StreamEnd | Kind::StreamCredit => {
                Err(ProtocolError::Misplaced { frame: "stream" })
            }
        }
    }

    #[inline]
    fn handle_reply(&mut self, frame: Frame, batch: &mut Batch) -> Result<(), ProtocolError> {
        let Frame { header, payload } = frame;
        let status = Status::from_number(header.detail).ok_or(ProtocolError::Misplaced { frame: "Reply" })?;
        let waker = self.outgoing.finish(header.id, header.token, Terminal { status, payload })?;
        batch.wakers.extend(waker);
        Ok(())
    }

    #[inline]
    fn handle_call(&mut self, frame: Frame, batch: &mut Batch) -> Result<(), ProtocolError> {
        let header = &frame.header;
        self.incoming.note_id(header.id)?;
        let nested = header.parent.is_some_and(|parent| self.outgoing.is_unanswered(&parent));
        if let Farewell::Final(last) = self.farewell
            && header.id > last
            && !nested
        {
            // The Goodbye has told the peer that this call is not run.
            return Ok(());
        }
        let admission = self.incoming.begin(nested)?;
        let verdict = match admission {
            Admission::Refuse => Verdict::OverLimit,
            Admission::Run if header.parent.is_some_and(|parent| parent.depth > DEEPEST_NESTING) => {
                Verdict::TooDeep
            }
            Admission::Run => Verdict::Run,
        };
        batch.inbound.push((frame, verdict));
        Ok(())
    }

    fn handle_oneway(
        &mut self,
        frame: Frame,
        configuration: &LinkConfiguration,
        batch: &mut Batch,
    ) -> Result<(), ProtocolError> {
        self.incoming.note_id(frame.header.id)?;
        self.oneways_open += 1;
        if self.oneways_open > configuration.limits.oneway_window {
            return Err(ProtocolError::Flood { what: "oneway calls" });
        }
        if matches!(self.farewell, Farewell::Final(last) if frame.header.id > last) {
            self.oneways_open -= 1;
            return Ok(());
        }
        batch.inbound.push((frame, Verdict::Run));
        Ok(())
    }

    fn handle_cancel(&mut self, header: &Header, batch: &mut Batch) -> Result<(), ProtocolError> {
        if header.id > self.incoming.highest_id() {
            return Err(ProtocolError::Misplaced { frame: "Cancel" });
        }
        // A call is cancelled once at most, so there cannot be more Cancels than ids.
        self.cancels += 1;
        if self.cancels > self.incoming.highest_id().0 {
            return Err(ProtocolError::Flood { what: "cancels" });
        }
        batch.cancelled.extend(self.incoming.running(header.id).cloned());
        Ok(())
    }

    fn handle_goodbye(
        &mut self,
        frame: &Frame,
        configuration: &LinkConfiguration,
        batch: &mut Batch,
    ) -> Result<(), ProtocolError> {
        if frame.payload.len() > LONGEST_FAREWELL {
            return Err(ProtocolError::Misplaced { frame: "Goodbye" });
        }
        let message = String::from_utf8_lossy(&frame.payload).into_owned();
        let reason = CloseReason::ClosedByPeer { message };
        batch.peer_leaves = true;
        if frame.header.token == LAST_IS_NAMED {
            let last = frame.header.id;
            self.outgoing.end_sent(
                |id, _| {
                    (id > last)
                        .then(|| super::link::LocalEnd { outcome: Outcome::NotSent, reason: reason.clone() })
                },
                |waker| batch.wakers.push(waker),
            );
        }
        self.phase = Phase::PeerLeaves(reason.clone());
        if !configuration.reconnects {
            while let Some(call) = self.queue.pop() {
                let end = super::link::LocalEnd::not_sent(reason.clone());
                batch.wakers.extend(call.token.and_then(|token| self.outgoing.end_queued(token, end)));
            }
            batch.wakers.extend(self.queue.take_line());
        }
        Ok(())
    }

    /// The peer has seen that no new calls are taken: tell it which was the last.
    fn name_last_call(&mut self) {
        let last = self.incoming.highest_id();
        self.farewell = Farewell::Final(last);
        self.output.plain_frame(&Header::new(Kind::Goodbye, last, LAST_IS_NAMED, 0), b"");
    }

    /// A last word before the connection is cut.
    pub(super) fn say_goodbye(&mut self, code: u32, message: &str) {
        let mut length = message.len().min(LONGEST_FAREWELL);
        while !message.is_char_boundary(length) {
            length -= 1;
        }
        let text = message.get(..length).unwrap_or_default();
        let header = Header::new(Kind::Goodbye, self.incoming.highest_id(), LAST_IS_NAMED, code);
        self.output.plain_frame(&header, text.as_bytes());
    }

    /// Whether nothing of the peer's is unfinished and nothing waits to be written.
    pub(super) fn is_settled(&self) -> bool {
        self.incoming.open() == 0 && self.oneways_open == 0 && self.output.pending() == 0
    }
}

/// The token of a Goodbye whose call id is the last that will be answered.
const LAST_IS_NAMED: Token = Token(1);

impl Link {
    /// The handler of a oneway call is over: its place in the window is free.
    pub(super) fn oneway_ended(&self, epoch: u32, id: CallId) {
        let mut state = self.lock();
        if state.epoch != epoch {
            return;
        }
        state.incoming.forget(id);
        state.oneways_open = state.oneways_open.saturating_sub(1);
        state.oneways_done += 1;
        let mut flusher = None;
        if state.oneways_done >= self.configuration.limits.oneway_window.div_ceil(2) {
            let credit = std::mem::take(&mut state.oneways_done);
            state.output.plain_frame(&Header::of_connection(Kind::OnewayCredit, credit), b"");
            flusher = state.schedule_flush();
        } else if state.farewell != Farewell::None && !state.driver_active {
            // The driver waits for the last handler.
            flusher = state.driver.clone();
        }
        drop(state);
        flusher.into_iter().for_each(Waker::wake);
    }
}
