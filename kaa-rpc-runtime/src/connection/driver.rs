//! The driver of one connection: reads, handles frames, runs handlers, writes.
//!
//! Invariants: only the driver waits for the transport; the output that the frames of one read cause is
//! written with one write; the driver never waits for a handler.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::Instant;

use super::executor::Placement;
use super::goodbye::{GoodbyeCode, Shutdown};
use super::guard::store;
use super::handler;
use super::inbound::{Answer, InboundCall, InboundState};
use super::link::Link;
use super::opening::Opening;
use super::outbound::MAX_REMAINING_TIME;
use super::reader::{FrameReader, Part};
use super::services::Methods;
use super::state::{Batch, RunningHandler, State, Verdict};
use super::status::Phase;
use super::timers::{KeepaliveAction, KeepaliveTimer, StallTimer};
use crate::codec::Buffer;
use crate::error::{CloseReason, ConnectError};
use crate::protocol::error::ProtocolError;
use crate::protocol::frame::{Frame, Kind, MethodId, Status, parse_frame};
use crate::settings::Settings;
use crate::transport::Stream;

/// The maximum number of reads in one poll, so that other tasks can run.
const MAX_READS: usize = 16;
/// How long handlers may run in place before their replies are written and other tasks can run.
const MAX_INLINE_TIME: Duration = Duration::from_millis(1);
/// The number of handlers between two readings of the clock.
const CALLS_PER_CLOCK_READ: usize = 4;
/// How long the peer may take to close after the drain is finished.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// How many bytes of pending output the peer must read within the stall timeout.
const MIN_PROGRESS: u64 = 32 * 1024;

/// The driver of a connection.
pub(crate) struct Driver {
    pub(super) link: Arc<Link>,
    reader: FrameReader,
    pub(super) stream: Arc<Stream>,
    methods: Methods,
    pub(super) epoch: u32,
    pub(super) flushing: Buffer,
    batch: Batch,
    /// Calls that were read and not started. Nothing more is read until they are started.
    backlog: VecDeque<(Frame, Verdict)>,
    /// The schema of a registered service may not be compared yet.
    may_compare: bool,
    has_new_service: bool,
    pub(super) has_yielded: bool,
    end_of_input: bool,
    frame_limit: usize,
    frames_read: u64,
    /// For incomplete frames.
    reading: StallTimer,
    /// For unread output.
    writing: StallTimer,
    /// For a peer that does not close after the drain.
    closing: StallTimer,
    keepalive: KeepaliveTimer,
    reads: u64,
    has_shut_down: bool,
}

/// The state of the link when there is nothing to read.
struct Snapshot {
    phase: Phase,
    shutdown: Shutdown,
    has_peer_named_last: bool,
    peer_closes_at_once: bool,
    /// See [`State::is_idle`].
    is_idle: bool,
    /// No outbound call is unanswered or can still be sent.
    is_all_answered: bool,
    written: u64,
    pending: u64,
}

impl State {
    fn snapshot(&self) -> Snapshot {
        Snapshot {
            phase: self.phase.clone(),
            shutdown: self.shutdown,
            has_peer_named_last: self.peer_shutdown.has_named_last,
            peer_closes_at_once: self.peer_shutdown.closes_at_once,
            is_idle: self.is_idle(),
            is_all_answered: self.outgoing.in_flight() == 0
                && (self.queue.is_empty() || !matches!(self.phase, Phase::Open)),
            written: self.output.written(),
            pending: self.output.pending(),
        }
    }
}

impl Driver {
    /// Opens the link over an authenticated connection. `None` if the link was closed in the meantime.
    pub(crate) fn open(
        link: Arc<Link>,
        reader: FrameReader,
        methods: Methods,
        opening: Opening<'_>,
    ) -> Option<Self> {
        let stream = Arc::clone(&opening.stream);
        let epoch = link.open(opening)?;
        let frame_limit = usize::try_from(link.settings.limits.max_frame).unwrap_or(usize::MAX);
        let keepalive = KeepaliveTimer::new(link.settings.keepalive);
        Some(Self {
            link,
            reader,
            stream,
            methods,
            epoch,
            flushing: Buffer::new(),
            batch: Batch::default(),
            backlog: VecDeque::new(),
            may_compare: false,
            has_new_service: false,
            has_yielded: false,
            end_of_input: false,
            frame_limit,
            frames_read: 0,
            reading: StallTimer::default(),
            writing: StallTimer::default(),
            closing: StallTimer::default(),
            keepalive,
            reads: 0,
            has_shut_down: false,
        })
    }

    /// Drives the connection to its end.
    pub(crate) async fn run(mut self) -> CloseReason {
        std::future::poll_fn(|context| self.poll(context)).await
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<CloseReason> {
        if let Some(reason) = self.register(context.waker()) {
            return Poll::Ready(reason);
        }
        self.has_new_service |= self.methods.synchronize();
        for _ in 0..MAX_READS {
            match self.poll_once(context) {
                Ok(Turn::Again) => {}
                Ok(Turn::Yield) => break,
                Ok(Turn::Idle) => return self.on_idle(context),
                Err(reason) => return Poll::Ready(reason),
            }
        }
        context.waker().wake_by_ref();
        self.on_idle(context)
    }

    /// Reads once, does what the frames require, and flushes.
    fn poll_once(&mut self, context: &mut Context<'_>) -> Result<Turn, CloseReason> {
        let mut turn = Turn::Idle;
        // Bytes that the handshake has read after its last message come first.
        let has_early_input = self.frames_read == 0 && self.reader.is_inside_frame();
        if !self.backlog.is_empty() {
            self.link.lock().is_driver_active = true;
            self.start_calls();
            turn = Turn::Again;
        } else if has_early_input {
            self.frames_read = 1;
            self.handle_input().map_err(|error| self.abort(error))?;
            turn = Turn::Again;
        } else if !self.end_of_input {
            match self.reader.poll_fill(context) {
                Poll::Ready(Ok(0)) => {
                    self.end_of_input = true;
                    self.link.end_input();
                }
                Poll::Ready(Ok(_)) => {
                    self.reads += 1;
                    self.handle_input().map_err(|error| self.abort(error))?;
                    turn = Turn::Again;
                }
                Poll::Ready(Err(error)) => return Err(self.lost(Some(error))),
                Poll::Pending => {}
            }
        }
        match self.flush(context, turn) {
            // A peer that reads no more may have sent the reason, so all input is handled first.
            Err(error) if turn == Turn::Idle => Err(self.lost(Some(error))),
            _ if !self.backlog.is_empty() => Ok(Turn::Yield),
            _ => Ok(turn),
        }
    }

    /// Handles all frames that have arrived, then does what they require.
    fn handle_input(&mut self) -> Result<(), ProtocolError> {
        let mut result = Ok(());
        let is_newly_open;
        let is_settled;
        {
            let mut state = self.link.lock();
            state.is_driver_active = true;
            if state.epoch == self.epoch {
                let before = state.counts.frames_read;
                let settings = &self.link.settings;
                result =
                    handle_frames(&mut self.reader, self.frame_limit, &mut state, settings, &mut self.batch);
                self.frames_read += state.counts.frames_read - before;
            }
            is_newly_open = state.comparison.is_newly_open();
            is_settled = state.comparison.is_settled();
            if result.is_ok() && !state.queue.is_empty() {
                state.send_queued(&self.link.settings, &mut self.batch.wakers);
            }
            state.report_memory();
        }
        self.batch.wakers.wake_all();
        for call in self.batch.cancelled.drain(..) {
            call.cancel();
        }
        if std::mem::take(&mut self.batch.is_peer_draining) {
            self.link.set_draining();
        }
        let is_new = std::mem::take(&mut self.has_new_service) || self.methods.synchronize();
        self.may_compare = is_new || !is_settled;
        if is_newly_open {
            self.link.report_open();
        }
        self.backlog.extend(self.batch.inbound.drain(..));
        self.start_calls();
        result
    }

    /// Starts the calls that were read, in their order, until their handlers have taken too much time.
    fn start_calls(&mut self) {
        let start = (self.backlog.len() > CALLS_PER_CLOCK_READ).then(std::time::Instant::now);
        let mut count = 0;
        while let Some((frame, verdict)) = self.backlog.pop_front() {
            self.start_call(frame, verdict);
            count += 1;
            if let Some(start) = start
                && count % CALLS_PER_CLOCK_READ == 0
                && start.elapsed() > MAX_INLINE_TIME
            {
                break;
            }
        }
        self.link.lock().is_driver_active = false;
    }

    /// Passes an inbound call to its service.
    #[inline]
    fn start_call(&self, frame: Frame, verdict: Verdict) {
        // Refused calls are not counted for the memory budget.
        let size = match verdict {
            Verdict::Run { .. } | Verdict::Cancelled => frame.size(),
            Verdict::OverLimit | Verdict::TooDeep | Verdict::NoMemory => 0,
        };
        let Frame { header, metadata, payload } = frame;
        let deadline = header
            .remaining_time
            .and_then(|time| Instant::now().checked_add(Duration::from_micros(time).min(MAX_REMAINING_TIME)));
        // A call to a service whose comparison is not finished was sent before its caller knew that this side
        // serves it.
        let found = self
            .methods
            .find(MethodId(header.detail))
            .filter(|found| !self.may_compare || !self.link.is_comparing(found.descriptor.service));
        let method = found.map(|found| found.descriptor);
        let state =
            InboundState::new(Arc::clone(&self.link), self.epoch, &header, size, metadata, deadline, method);
        let exhausted = |text: &str| state.answer(Answer::Text(Status::ResourceExhausted, text));
        match verdict {
            Verdict::Run { .. } if header.kind == Kind::Call && header.remaining_time == Some(0) => {
                return state.answer(Answer::Text(Status::DeadlineExceeded, ""));
            }
            Verdict::Run { nested: false } if self.link.settings.resources.has_no_handler_left() => {
                self.link.count_refused(&header);
                exhausted("too many running handlers");
                return handler::run(&state, Placement::InPlace, || None);
            }
            Verdict::Run { .. } => {}
            // A detached handler runs even so: it must not depend on whether the Cancel came with the same
            // read.
            Verdict::Cancelled if state.detached => state.cancel(),
            Verdict::Cancelled => return state.answer(Answer::Text(Status::Cancelled, "")),
            Verdict::OverLimit => return exhausted("too many calls in flight"),
            Verdict::TooDeep => return exhausted("calls are nested too deep"),
            Verdict::NoMemory => return exhausted("no memory left for the call"),
        }
        let Some(found) = found else {
            if header.kind == Kind::Oneway {
                self.link.count_dropped_oneway();
                tracing::debug!(method = header.detail, "dropped a oneway call: unknown method");
            }
            handler::run(&state, Placement::InPlace, || {
                state.answer(Answer::Text(Status::UnknownMethod, ""));
                None
            });
            return;
        };
        let call = InboundCall { state: Arc::clone(&state), payload };
        handler::run(&state, found.placement, || {
            if state.is_observed() && !state.on_start(found.descriptor) {
                return None;
            }
            found.instance.dispatch(call)
        });
    }

    /// There is nothing to read: checks whether the connection has ended, and polls the timers.
    fn on_idle(&mut self, context: &mut Context<'_>) -> Poll<CloseReason> {
        let snapshot = self.link.lock().snapshot();
        if self.end_of_input {
            return match snapshot.phase {
                Phase::Closed(reason) => Poll::Ready(reason),
                // The peer has closed its sending half only: its calls are finished and their replies
                // written.
                Phase::PeerDraining(reason) if snapshot.is_idle || snapshot.peer_closes_at_once => {
                    Poll::Ready(reason)
                }
                Phase::PeerDraining(_) => self.poll_writing(context, &snapshot),
                _ if snapshot.shutdown != Shutdown::None => Poll::Ready(CloseReason::ClosedLocally),
                _ => Poll::Ready(CloseReason::ConnectionLost(None)),
            };
        }
        let is_drained = snapshot.is_idle && snapshot.is_all_answered;
        if is_drained && matches!(snapshot.shutdown, Shutdown::Final(_)) {
            return self.wait_for_close(context);
        }
        if let Phase::PeerDraining(reason) = &snapshot.phase {
            // A peer that has received everything and does not close is closed by this side.
            let is_over = (is_drained && snapshot.has_peer_named_last) || snapshot.peer_closes_at_once;
            if self.closing.poll(context, is_over, self.frames_read, CLOSE_TIMEOUT).is_ready() {
                return Poll::Ready(reason.clone());
            }
        }
        // A peer that has announced its shutdown names the last call at once.
        let owes_last = matches!(snapshot.phase, Phase::PeerDraining(_)) && !snapshot.has_peer_named_last;
        let is_incomplete = self.reader.is_inside_frame() || owes_last;
        let limit = self.link.settings.stall_timeout;
        if self.reading.poll(context, is_incomplete, self.frames_read, limit).is_ready() {
            return Poll::Ready(CloseReason::PeerStalled);
        }
        match self.keepalive.poll(context, self.reads, snapshot.pending > 0) {
            KeepaliveAction::None => {}
            KeepaliveAction::Ping => self.link.ping(),
            KeepaliveAction::Close => return Poll::Ready(CloseReason::PeerStalled),
        }
        self.poll_writing(context, &snapshot)
    }

    /// The drain is finished: sends nothing more, and gives the peer time to close, because a reset could
    /// destroy replies that it has not read.
    fn wait_for_close(&mut self, context: &mut Context<'_>) -> Poll<CloseReason> {
        if !std::mem::replace(&mut self.has_shut_down, true) {
            // If this fails, the close that follows has the same effect.
            let _ignored = self.stream.shutdown_write();
        }
        self.closing.poll(context, true, 0, CLOSE_TIMEOUT).map(|()| CloseReason::ClosedLocally)
    }

    fn poll_writing(&mut self, context: &mut Context<'_>, snapshot: &Snapshot) -> Poll<CloseReason> {
        let is_incomplete = snapshot.pending > 0 && !self.flushing.is_empty();
        let limit = self.link.settings.stall_timeout;
        // Smaller progress than this does not count.
        let progress = snapshot.written / MIN_PROGRESS;
        self.writing.poll(context, is_incomplete, progress, limit).map(|()| CloseReason::PeerStalled)
    }

    /// Stores the waker by which callers wake the driver. Returns the reason if the link was closed.
    fn register(&self, waker: &Waker) -> Option<CloseReason> {
        let mut state = self.link.lock();
        if let Phase::Closed(reason) = &state.phase {
            return Some(reason.clone());
        }
        store(&mut state.driver, waker);
        None
    }

    /// The peer violated the protocol, or the schemas are incompatible: attempts to send a final goodbye.
    fn abort(&mut self, error: ProtocolError) -> CloseReason {
        match error {
            ProtocolError::Incompatible(report) => {
                let report = report.to_string();
                self.send_goodbye(GoodbyeCode::Schema, &report);
                CloseReason::NotConnected(ConnectError::Schema(report))
            }
            error => {
                let code = match error {
                    ProtocolError::Flood { .. } => GoodbyeCode::RateLimited,
                    ProtocolError::FrameTooLarge { .. } => GoodbyeCode::FrameTooLarge,
                    _ => GoodbyeCode::Protocol,
                };
                self.send_goodbye(code, &error.to_string());
                CloseReason::Protocol(error)
            }
        }
    }

    fn lost(&self, error: Option<io::Error>) -> CloseReason {
        match &self.link.lock().phase {
            Phase::PeerDraining(reason) | Phase::Closed(reason) => reason.clone(),
            _ => CloseReason::ConnectionLost(error.map(Arc::new)),
        }
    }

    /// Sends a final goodbye, as far as the transport accepts it at once.
    fn send_goodbye(&mut self, code: GoodbyeCode, message: &str) {
        {
            let mut state = self.link.lock();
            if state.epoch != self.epoch {
                return;
            }
            state.queue_goodbye(code, message);
        }
        self.has_yielded = true;
        // The connection is closed next, whether this succeeds or not.
        let _ignored = self.flush(&mut Context::from_waker(Waker::noop()), Turn::Again);
    }
}

/// Handles all frames that have arrived.
#[inline]
fn handle_frames(
    reader: &mut FrameReader,
    limit: usize,
    state: &mut State,
    settings: &Settings,
    batch: &mut Batch,
) -> Result<(), ProtocolError> {
    while let Some((bytes, part)) = reader.next_frame(limit)? {
        state.counts.frames_read += 1;
        state.counts.bytes_read += u64::try_from(bytes.len()).unwrap_or_default();
        let frame = parse_frame(bytes)?;
        match part {
            Part::Whole => state.handle_frame(frame, settings, batch)?,
            Part::Head => state.handle_head(frame, settings, batch)?,
        }
    }
    Ok(())
}

impl Drop for Driver {
    /// Puts back the output that was not written. So it is known exactly what was sent, and a final goodbye
    /// does not follow half a frame.
    fn drop(&mut self) {
        let mut state = self.link.lock();
        if state.epoch == self.epoch {
            state.output.give_back(std::mem::take(&mut self.flushing));
        }
        drop(state);
        // Closing a socket signals the end of the stream. A TLS channel must send its own signal; this
        // attempts to, without waiting.
        if self.stream.is_over_socket() && !self.stream.is_socket() && !self.has_shut_down {
            let _ignored = self.stream.shutdown_write();
        }
    }
}

/// What the driver does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Again,
    /// Let other tasks run first.
    Yield,
    Idle,
}
