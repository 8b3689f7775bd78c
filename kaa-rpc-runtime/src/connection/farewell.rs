//! How the two sides of a link take leave: Goodbye, Ping and Pong, Goodbye with the last call that is answered.
//!
//! Invariants: who leaves makes and takes no new calls, but those that were made before and those nested in them are
//! finished; a call ends as not sent only if the peer cannot have run it; nobody waits for a peer that has nothing more
//! to say.

use std::task::Waker;

use super::frames::Batch;
use super::link::{Link, LinkConfiguration, LocalEnd, Phase, State};
use super::status::Status;
use crate::error::{CloseReason, ConnectError, Outcome};
use crate::protocol::error::ProtocolError;
use crate::protocol::frame::{CallId, Frame, Header, Kind, Token};

/// Longest text of a Goodbye.
const LONGEST_FAREWELL: usize = 1024;
/// Goodbyes that one connection may see: the announcement, the last call, a last word, and one to spare.
const MOST_FAREWELLS: u32 = 4;
/// The token of a Goodbye whose call id is the last that will be answered.
const LAST_IS_NAMED: Token = Token(1);

/// This side's own farewell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Farewell {
    None,
    /// To be said as soon as there is a connection to say it on.
    Wanted,
    /// Goodbye without a last id and a Ping are on their way.
    Announced,
    /// Goodbye with the last id has been said.
    Final(CallId),
}

/// Why a side says goodbye; the `detail` of the frame's header (`docs/wire.md`, clause 4.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GoodbyeCode {
    Shutdown,
    Protocol,
    Schema,
    /// The program has closed the connection, and takes no more answers.
    Closed,
    /// The peer did something too often.
    RateLimited,
    /// The peer announced a frame over the limit.
    FrameTooLarge,
}

impl GoodbyeCode {
    /// An unknown code is a peer's own reason to leave.
    fn from_number(number: u32) -> Self {
        match number {
            1 => Self::Protocol,
            2 => Self::Schema,
            3 => Self::Closed,
            4 => Self::RateLimited,
            5 => Self::FrameTooLarge,
            _ => Self::Shutdown,
        }
    }

    fn to_number(self) -> u32 {
        match self {
            Self::Shutdown => 0,
            Self::Protocol => 1,
            Self::Schema => 2,
            Self::Closed => 3,
            Self::RateLimited => 4,
            Self::FrameTooLarge => 5,
        }
    }

    /// Whether its sender closes without waiting for anything.
    fn ends_now(self) -> bool {
        self != Self::Shutdown
    }
}

/// What the peer has said of its leaving.
#[derive(Debug, Default)]
pub(super) struct PeerFarewell {
    said: u32,
    /// The first id given after the peer's first Goodbye: from here on all calls are nested ones, which it runs.
    nested_from: Option<CallId>,
    /// It has said which call was the last.
    pub(super) named_last: bool,
    /// It ends the connection at once: nobody is there to take answers.
    pub(super) ends_now: bool,
    /// It has closed its sending half: no reply can come any more.
    pub(super) input_ended: bool,
}

impl Link {
    /// Says goodbye, or will when there is a connection: no new calls are made or taken, those there are get finished,
    /// then the connection ends.
    pub(crate) fn begin_drain(&self) {
        let mut wakers = Vec::new();
        {
            let mut state = self.lock();
            if state.farewell != Farewell::None {
                return;
            }
            match state.phase {
                Phase::Closed(_) => return,
                Phase::Connecting => state.farewell = Farewell::Wanted,
                Phase::Open => state.announce_farewell(&mut wakers),
                Phase::PeerLeaves(_) => {
                    state.announce_farewell(&mut wakers);
                    // The peer takes them no more, and there will be no other connection.
                    state.end_queue(&CloseReason::ClosedLocally, &mut wakers);
                }
            }
            wakers.extend(state.queue.take_line());
        }
        wakers.into_iter().for_each(Waker::wake);
        self.tell_draining();
    }

    /// Whether this side has said goodbye, or is about to.
    pub(crate) fn is_leaving(&self) -> bool {
        self.lock().farewell != Farewell::None
    }

    /// One side has said goodbye.
    pub(super) fn tell_draining(&self) {
        self.tell_if(Status::Draining, |status| matches!(status, Status::Open));
    }

    /// The peer has closed its sending half after its Goodbye: its calls may still be answered, ours will not be.
    pub(super) fn end_input(&self) {
        let mut wakers = Vec::new();
        {
            let mut state = self.lock();
            let Phase::PeerLeaves(reason) = &state.phase else { return };
            let reason = reason.clone();
            state.peer_farewell.input_ended = true;
            state.end_sent(&reason, &mut wakers);
            wakers.extend(state.streams.end_input(b"the caller has closed its side"));
        }
        wakers.into_iter().for_each(Waker::wake);
    }
}

impl State {
    pub(super) fn announce_farewell(&mut self, wakers: &mut Vec<Waker>) {
        self.farewell = Farewell::Announced;
        self.output.plain_frame(&Header::of_connection(Kind::Goodbye, 0), b"");
        self.output.plain_frame(&Header::of_connection(Kind::Ping, 0), b"");
        wakers.extend(self.schedule_flush());
    }

    /// The peer has seen that no new calls are taken: tell it which was the last.
    pub(super) fn name_last_call(&mut self) {
        let last = self.incoming.highest_id();
        self.farewell = Farewell::Final(last);
        self.output.plain_frame(&Header::new(Kind::Goodbye, last, LAST_IS_NAMED, 0), b"");
    }

    /// A last word before the connection is closed or cut.
    pub(super) fn say_goodbye(&mut self, code: GoodbyeCode, message: &str) {
        let mut length = message.len().min(LONGEST_FAREWELL);
        while !message.is_char_boundary(length) {
            length -= 1;
        }
        let text = message.get(..length).unwrap_or_default();
        let last = self.incoming.highest_id();
        let header = Header::new(Kind::Goodbye, last, LAST_IS_NAMED, code.to_number());
        self.output.plain_frame(&header, text.as_bytes());
    }

    pub(super) fn handle_goodbye(
        &mut self,
        frame: &Frame,
        configuration: &LinkConfiguration,
        batch: &mut Batch,
    ) -> Result<(), ProtocolError> {
        self.peer_farewell.said += 1;
        if frame.payload.len() > LONGEST_FAREWELL || self.peer_farewell.said > MOST_FAREWELLS {
            return Err(ProtocolError::Misplaced { frame: "Goodbye" });
        }
        let message = String::from_utf8_lossy(&frame.payload).into_owned();
        let code = GoodbyeCode::from_number(frame.header.detail);
        self.peer_farewell.ends_now |= code.ends_now();
        let reason = match code {
            GoodbyeCode::Schema => {
                CloseReason::NotConnected(ConnectError::Schema(format!("the peer says: {message}")))
            }
            GoodbyeCode::Shutdown
            | GoodbyeCode::Protocol
            | GoodbyeCode::Closed
            | GoodbyeCode::RateLimited
            | GoodbyeCode::FrameTooLarge => CloseReason::ClosedByPeer { message },
        };
        batch.peer_leaves = true;
        if frame.header.token == LAST_IS_NAMED {
            self.peer_farewell.named_last = true;
            let last = frame.header.id;
            let nested_from = self.peer_farewell.nested_from;
            self.outgoing.end_sent(
                |id, _| {
                    let is_run = id <= last || nested_from.is_some_and(|first| id >= first);
                    (!is_run).then(|| LocalEnd::not_sent(reason.clone()))
                },
                |waker| batch.wakers.push(waker),
            );
        }
        let (next_id, _) = self.outgoing.next();
        self.peer_farewell.nested_from.get_or_insert(next_id);
        self.phase = Phase::PeerLeaves(reason.clone());
        if !configuration.reconnects || self.farewell != Farewell::None {
            self.end_queue(&reason, &mut batch.wakers);
            batch.wakers.extend(self.queue.take_line());
        } else {
            self.end_fail_fast(&reason, &mut batch.wakers);
        }
        Ok(())
    }

    /// Ends the queued calls that do not wait for another connection. Whoever stands in line looks again.
    pub(super) fn end_fail_fast(&mut self, reason: &CloseReason, wakers: &mut Vec<Waker>) {
        for call in self.queue.take_fail_fast() {
            let end = LocalEnd::not_sent(reason.clone());
            wakers.extend(call.token.and_then(|token| self.outgoing.end_queued(token, end)));
        }
        wakers.extend(self.queue.line());
        self.tell_usage();
    }

    /// Ends every queued call: it will never leave.
    pub(super) fn end_queue(&mut self, reason: &CloseReason, wakers: &mut Vec<Waker>) {
        while let Some(call) = self.queue.pop() {
            let end = LocalEnd::not_sent(reason.clone());
            wakers.extend(call.token.and_then(|token| self.outgoing.end_queued(token, end)));
        }
        self.tell_usage();
    }

    /// Ends every call that has left, truthfully.
    pub(super) fn end_sent(&mut self, reason: &CloseReason, wakers: &mut Vec<Waker>) {
        let handed_over = self.output.handed_over();
        self.outgoing.end_sent(
            |_, sent_at| {
                let outcome = if sent_at >= handed_over { Outcome::NotSent } else { Outcome::Unknown };
                Some(LocalEnd::Lost { outcome, reason: reason.clone() })
            },
            |waker| wakers.push(waker),
        );
    }

    /// Whether nothing of the peer's is unfinished and nothing waits to be written.
    pub(super) fn is_settled(&self) -> bool {
        self.incoming.open() == 0 && self.oneways_open == 0 && self.output.pending() == 0
    }

    /// Whether one side has said goodbye, so that the driver waits for the last call to end.
    pub(super) fn is_ending(&self) -> bool {
        self.farewell != Farewell::None || !matches!(self.phase, Phase::Open)
    }

    /// The driver's waker, if it waits for something to end.
    pub(super) fn nudge(&self) -> Option<Waker> {
        if self.is_ending() && !self.driver_active { self.driver.clone() } else { None }
    }
}
