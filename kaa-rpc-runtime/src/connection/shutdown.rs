//! How the two sides of a link shut down gracefully: Goodbye, Ping and Pong, then a Goodbye that names the
//! last call to be answered (`docs/wire.md`, clause 4.9).
//!
//! Invariants: a side that shuts down makes and accepts no new calls, but finishes calls made before and
//! calls nested in them; a call ends as not sent only if the peer cannot have run it; no side waits for a
//! peer that sends nothing more.

use std::sync::Arc;
use std::time::Duration;

use super::goodbye::{GoodbyeCode, Shutdown};
use super::guard::Wakers;
use super::link::Link;
use super::output::truncated;
use super::state::{Batch, LocalEnd, State};
use super::status::{Phase, Status};
use crate::error::{CloseReason, ConnectError};
use crate::protocol::error::ProtocolError;
use crate::protocol::frame::{Frame, Header, Kind, Token};

/// The maximum length of a goodbye's text in bytes.
const MAX_GOODBYE_TEXT: usize = 1024;
/// The maximum number of goodbyes on one connection: the announcement, the last call, a final one before
/// closing, and a spare one.
const MAX_GOODBYES: u32 = 4;
/// The token of a Goodbye whose call id is the last call to be answered.
const NAMES_LAST_CALL: Token = Token(1);

/// The result of a shutdown of a server, a client or one connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Connections at the start.
    pub connections: usize,
    /// Connections that did not end in time and were closed.
    pub aborted: usize,
    /// Handlers that still ran then: on those connections, or detached from connections that had ended
    /// before.
    pub cancelled_handlers: usize,
    /// Outbound calls that were still unanswered on those connections.
    pub unanswered_calls: usize,
}

impl ShutdownReport {
    /// Closes a connection that has not ended in time.
    pub(crate) fn close(&mut self, link: &Link) {
        // A client may be waiting for a connection.
        self.aborted += usize::from(link.has_connection());
        self.cancelled_handlers += link.attached_handlers();
        let statistics = link.statistics();
        self.unanswered_calls += statistics.calls_in_flight + statistics.calls_queued;
        link.close(&CloseReason::ClosedLocally);
    }
}

impl Link {
    /// Shuts the connection down gracefully. Closes it if that takes longer than `grace`.
    pub(crate) async fn shut_down(self: &Arc<Self>, grace: Duration) -> ShutdownReport {
        let connections = usize::from(self.has_connection());
        let mut report = ShutdownReport { connections, ..ShutdownReport::default() };
        self.start_shutdown();
        if tokio::time::timeout(grace, self.closed()).await.is_err() {
            report.close(self);
        }
        report
    }

    /// Starts a shutdown, now or when a connection opens: no new calls are made or accepted, running calls
    /// finish, then the connection ends.
    pub(crate) fn start_shutdown(&self) {
        {
            let mut guard = self.update();
            let (state, wakers) = (&mut guard.state, &mut guard.wakers);
            if state.shutdown != Shutdown::None {
                return;
            }
            match state.phase {
                Phase::Closed(_) => return,
                Phase::Connecting => state.shutdown = Shutdown::Requested,
                Phase::Open => state.announce_shutdown(wakers),
                Phase::PeerDraining(_) => {
                    state.announce_shutdown(wakers);
                    // The peer accepts them no more, and no other connection follows.
                    state.end_queue(&CloseReason::ClosedLocally, wakers);
                }
            }
            wakers.extend(state.queue.take_waiters());
        }
        self.set_draining();
    }

    /// Whether this side shuts down.
    pub(crate) fn is_shutting_down(&self) -> bool {
        self.lock().shutdown != Shutdown::None
    }

    /// One side has sent a goodbye.
    pub(super) fn set_draining(&self) {
        self.set_status_if(Status::Draining, |status| matches!(status, Status::Open));
    }

    /// The peer has closed its sending half after its Goodbye. It can still receive replies, but sends none.
    pub(super) fn end_input(&self) {
        let mut guard = self.update();
        let (state, wakers) = (&mut guard.state, &mut guard.wakers);
        let Phase::PeerDraining(reason) = &state.phase else { return };
        let reason = reason.clone();
        state.peer_shutdown.input_ended = true;
        state.end_sent(&reason, wakers);
        wakers.extend(state.streams.end_input(b"the caller has closed its side of the connection"));
    }
}

impl State {
    pub(super) fn announce_shutdown(&mut self, wakers: &mut Wakers) {
        self.shutdown = Shutdown::Announced;
        self.output.plain_frame(&Header::of_connection(Kind::Goodbye, 0), b"");
        self.output.plain_frame(&Header::of_connection(Kind::Ping, 0), b"");
        wakers.extend(self.schedule_flush());
    }

    /// The peer has received the announcement. Names the last call that this side answers.
    pub(super) fn name_last_call(&mut self) {
        let last = self.incoming.highest_id();
        self.shutdown = Shutdown::Final(last);
        self.output.plain_frame(&Header::new(Kind::Goodbye, last, NAMES_LAST_CALL, 0), b"");
    }

    /// Queues a final goodbye, before the connection is closed.
    pub(super) fn queue_goodbye(&mut self, code: GoodbyeCode, message: &str) {
        let last = self.incoming.highest_id();
        let header = Header::new(Kind::Goodbye, last, NAMES_LAST_CALL, code.to_number());
        self.output.plain_frame(&header, truncated(message, MAX_GOODBYE_TEXT).as_bytes());
    }

    pub(super) fn handle_goodbye(&mut self, frame: &Frame, batch: &mut Batch) -> Result<(), ProtocolError> {
        self.peer_shutdown.goodbyes += 1;
        if frame.payload.len() > MAX_GOODBYE_TEXT || self.peer_shutdown.goodbyes > MAX_GOODBYES {
            return Err(ProtocolError::Misplaced { frame: "Goodbye" });
        }
        let message = String::from_utf8_lossy(&frame.payload).into_owned();
        let code = GoodbyeCode::from_number(frame.header.detail);
        self.peer_shutdown.closes_at_once |= code.closes_at_once();
        let reason = match code {
            GoodbyeCode::Schema => {
                CloseReason::NotConnected(ConnectError::Schema(format!("reported by the peer: {message}")))
            }
            GoodbyeCode::Shutdown
            | GoodbyeCode::Protocol
            | GoodbyeCode::Closed
            | GoodbyeCode::RateLimited
            | GoodbyeCode::FrameTooLarge => CloseReason::ClosedByPeer { message },
        };
        batch.is_peer_draining = true;
        if frame.header.token == NAMES_LAST_CALL {
            self.peer_shutdown.has_named_last = true;
            let last = frame.header.id;
            let nested_from = self.peer_shutdown.nested_from;
            self.outgoing.end_sent(
                |id, _| {
                    let is_run = id <= last || nested_from.is_some_and(|first| id >= first);
                    (!is_run).then(|| LocalEnd::not_sent(reason.clone()))
                },
                |waker| batch.wakers.push(waker),
            );
        }
        let (next_id, _) = self.outgoing.next();
        self.peer_shutdown.nested_from.get_or_insert(next_id);
        self.phase = Phase::PeerDraining(reason.clone());
        if !self.reconnects || self.shutdown != Shutdown::None {
            self.end_queue(&reason, &mut batch.wakers);
            batch.wakers.extend(self.queue.take_waiters());
        } else {
            self.end_fail_fast(&reason, &mut batch.wakers);
        }
        Ok(())
    }
}
