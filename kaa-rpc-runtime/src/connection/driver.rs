//! The driver of one connection: reads, applies frames, runs handlers, writes.
//!
//! Invariants: it is the only one who waits for the transport; everything that the frames of one read lead to is
//! written with one write; before a flush that somebody else asked for it yields once, so that other ready tasks can
//! add to it; it never waits for a handler.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::Instant;

use super::calling::FURTHEST_DEADLINE;
use super::comparing::Opening;
use super::farewell::{Farewell, GoodbyeCode};
use super::frames::{Batch, Verdict};
use super::inbound::{self, Answer, InboundState};
use super::keepalive::{KeepaliveTimer, Sign};
use super::link::{Link, LinkConfiguration, Phase, State};
use super::reader::{FrameReader, Part};
use super::registry::{Methods, Placement};
use super::stall::Watch;
use crate::codec::Buffer;
use crate::error::{CloseReason, ConnectError};
use crate::observe::InboundObservation;
use crate::protocol::error::ProtocolError;
use crate::protocol::frame::{Frame, Kind, MethodId, Status, parse_frame};
use crate::service::InboundCall;
use crate::transport::Stream;

/// Reads in one poll before other connections get their turn.
const MOST_READS: usize = 16;
/// How long handlers may be polled in place before what they answered is written and others get their turn.
const INLINE_TIME: Duration = Duration::from_millis(1);
/// Handlers between looks at the clock.
const CALLS_PER_LOOK: usize = 4;
/// How long the peer may take to close after a finished drain.
const FAREWELL_TIME: Duration = Duration::from_secs(2);
/// Bytes that the peer must take of what waits within the stall limit.
const LEAST_TAKEN: u64 = 32 * 1024;

/// A connection at work.
pub(crate) struct Driver {
    pub(super) link: Arc<Link>,
    reader: FrameReader,
    pub(super) stream: Arc<Stream>,
    methods: Methods,
    pub(super) epoch: u32,
    pub(super) flushing: Buffer,
    batch: Batch,
    /// Calls that have been read and not begun. Nothing more is read before they are.
    backlog: VecDeque<(Frame, Verdict)>,
    /// A service may have been registered that the peer's schemas are compared with.
    is_comparing: bool,
    has_new_service: bool,
    pub(super) has_yielded: bool,
    end_of_input: bool,
    frame_limit: usize,
    frames_read: u64,
    /// Over frames that the peer leaves unfinished, output that it does not take, and its closing when all is done.
    reading: Watch,
    writing: Watch,
    leaving: Watch,
    /// Over a peer that says nothing.
    keepalive: KeepaliveTimer,
    reads: u64,
    has_shut_down: bool,
}

/// How the link stands when there is nothing to read.
struct Standing {
    phase: Phase,
    farewell: Farewell,
    peer_named_last: bool,
    peer_ends_now: bool,
    /// See [`State::is_settled`].
    settled: bool,
    /// No call of this side waits for its answer, or to leave.
    all_answered: bool,
    written: u64,
    pending: u64,
}

impl State {
    fn standing(&self) -> Standing {
        Standing {
            phase: self.phase.clone(),
            farewell: self.farewell,
            peer_named_last: self.peer_farewell.named_last,
            peer_ends_now: self.peer_farewell.ends_now,
            settled: self.is_settled(),
            all_answered: self.outgoing.in_flight() == 0
                && (self.queue.is_empty() || !matches!(self.phase, Phase::Open)),
            written: self.output.written(),
            pending: self.output.pending(),
        }
    }
}

impl Driver {
    /// Opens the link over an authenticated connection. `None` if the link was closed
    /// meanwhile.
    pub(crate) fn open(
        link: Arc<Link>,
        reader: FrameReader,
        methods: Methods,
        opening: Opening<'_>,
    ) -> Option<Self> {
        let stream = Arc::clone(&opening.stream);
        let epoch = link.open(opening)?;
        let frame_limit = usize::try_from(link.configuration.limits.max_frame).unwrap_or(usize::MAX);
        let keepalive = KeepaliveTimer::new(link.configuration.keepalive);
        Some(Self {
            link,
            reader,
            stream,
            methods,
            epoch,
            flushing: Buffer::new(),
            batch: Batch::default(),
            backlog: VecDeque::new(),
            is_comparing: false,
            has_new_service: false,
            has_yielded: false,
            end_of_input: false,
            frame_limit,
            frames_read: 0,
            reading: Watch::default(),
            writing: Watch::default(),
            leaving: Watch::default(),
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
        if let Some(reason) = self.renew_waker(context.waker()) {
            return Poll::Ready(reason);
        }
        self.has_new_service |= self.methods.synchronize();
        for _ in 0..MOST_READS {
            match self.poll_once(context) {
                Ok(Turn::Again) => {}
                Ok(Turn::Yield) => break,
                Ok(Turn::Rest) => return self.rest(context),
                Err(reason) => return Poll::Ready(reason),
            }
        }
        context.waker().wake_by_ref();
        self.rest(context)
    }

    /// One read with all it leads to, and a flush.
    fn poll_once(&mut self, context: &mut Context<'_>) -> Result<Turn, CloseReason> {
        let mut turn = Turn::Rest;
        // What the handshake read beyond itself comes first.
        let left_over = self.frames_read == 0 && self.reader.is_amid_frame();
        if !self.backlog.is_empty() {
            self.link.lock().driver_active = true;
            self.begin_calls();
            turn = Turn::Again;
        } else if left_over {
            self.frames_read = 1;
            self.handle_input().map_err(|error| self.cut(error))?;
            turn = Turn::Again;
        } else if !self.end_of_input {
            match self.reader.poll_fill(context) {
                Poll::Ready(Ok(0)) => {
                    self.end_of_input = true;
                    self.link.end_input();
                }
                Poll::Ready(Ok(_)) => {
                    self.reads += 1;
                    self.handle_input().map_err(|error| self.cut(error))?;
                    turn = Turn::Again;
                }
                Poll::Ready(Err(error)) => return Err(self.lost(Some(error))),
                Poll::Pending => {}
            }
        }
        match self.flush(context, turn) {
            // A peer that takes nothing more may have said why, behind what is already here.
            Err(error) if turn == Turn::Rest => Err(self.lost(Some(error))),
            _ if !self.backlog.is_empty() => Ok(Turn::Yield),
            _ => Ok(turn),
        }
    }

    /// Applies every whole frame that is here, then does what they ask for.
    fn handle_input(&mut self) -> Result<(), ProtocolError> {
        let mut outcome = Ok(());
        let is_opening;
        let is_settled;
        {
            let mut state = self.link.lock();
            state.driver_active = true;
            if state.epoch == self.epoch {
                let before = state.counts.frames_read;
                let configuration = &self.link.configuration;
                outcome = apply_frames(
                    &mut self.reader,
                    self.frame_limit,
                    &mut state,
                    configuration,
                    &mut self.batch,
                );
                self.frames_read += state.counts.frames_read - before;
            }
            is_opening = state.comparison.is_opening();
            is_settled = state.comparison.is_settled();
            if outcome.is_ok() && !state.queue.is_empty() {
                state.pump(&self.link.configuration, &mut self.batch.wakers);
            }
            state.tell_usage();
        }
        for waker in self.batch.wakers.drain(..) {
            waker.wake();
        }
        for call in self.batch.cancelled.drain(..) {
            call.cancel();
        }
        if std::mem::take(&mut self.batch.peer_leaves) {
            self.link.tell_draining();
        }
        let is_new = std::mem::take(&mut self.has_new_service) || self.methods.synchronize();
        self.is_comparing = is_new || !is_settled;
        if is_opening {
            self.link.tell_open();
        }
        self.backlog.extend(self.batch.inbound.drain(..));
        self.begin_calls();
        outcome
    }

    /// Begins the calls that have been read, in their order, for so long as their handlers do not take too long.
    fn begin_calls(&mut self) {
        let began = (self.backlog.len() > CALLS_PER_LOOK).then(std::time::Instant::now);
        let mut begun = 0;
        while let Some((frame, verdict)) = self.backlog.pop_front() {
            self.begin_call(frame, verdict);
            begun += 1;
            if let Some(began) = began
                && begun % CALLS_PER_LOOK == 0
                && began.elapsed() > INLINE_TIME
            {
                break;
            }
        }
        self.link.lock().driver_active = false;
    }

    /// Gives a call of the peer to its service.
    #[inline]
    fn begin_call(&self, frame: Frame, verdict: Verdict) {
        // What was refused is not held.
        let size = match verdict {
            Verdict::Run { .. } | Verdict::Cancelled => frame.size(),
            Verdict::OverLimit | Verdict::TooDeep | Verdict::NoMemory => 0,
        };
        let Frame { header, metadata, payload } = frame;
        let deadline = header
            .remaining_time
            .and_then(|time| Instant::now().checked_add(Duration::from_micros(time).min(FURTHEST_DEADLINE)));
        // A call of a service that is being compared left before its caller knew that this side has it.
        let found = self
            .methods
            .find(MethodId(header.detail))
            .filter(|found| !self.is_comparing || !self.link.compares(found.descriptor.service));
        let method = found.map(|found| found.descriptor);
        let state =
            InboundState::new(Arc::clone(&self.link), self.epoch, &header, size, metadata, deadline, method);
        let exhausted = |text: &str| state.answer(Answer::Text(Status::ResourceExhausted, text));
        match verdict {
            Verdict::Run { .. } if header.kind == Kind::Call && header.remaining_time == Some(0) => {
                return state.answer(Answer::Text(Status::DeadlineExceeded, ""));
            }
            Verdict::Run { nested: false } if self.link.configuration.resources.has_no_handler_left() => {
                self.link.count_refused(&state);
                exhausted("this peer runs as many handlers as it may");
                return inbound::run(&state, Placement::InPlace, || None);
            }
            Verdict::Run { .. } => {}
            // It is run all the same: whether it is must not depend on how reads fall.
            Verdict::Cancelled if state.detached => state.cancel(),
            Verdict::Cancelled => return state.answer(Answer::Text(Status::Cancelled, "")),
            Verdict::OverLimit => return exhausted("more calls in flight than this peer takes"),
            Verdict::TooDeep => return exhausted("calls are nested too deep"),
            Verdict::NoMemory => return exhausted("this peer has no memory left for the call"),
        }
        let Some(found) = found else {
            if header.kind == Kind::Oneway {
                self.link.count_dropped_oneway();
                tracing::debug!(method = header.detail, "dropped a oneway call of an unknown method");
            }
            inbound::run(&state, Placement::InPlace, || {
                state.answer(Answer::Text(Status::UnknownMethod, ""));
                None
            });
            return;
        };
        let call = InboundCall::new(Arc::clone(&state), payload);
        inbound::run(&state, found.placement, || {
            if InboundObservation::is_wanted(&self.link, state.metadata()) && !state.show_to(found.descriptor)
            {
                return None;
            }
            found.instance.dispatch(call)
        });
    }

    /// Nothing to read: decide whether the connection is over, and watch over what is half done.
    fn rest(&mut self, context: &mut Context<'_>) -> Poll<CloseReason> {
        let standing = self.link.lock().standing();
        if self.end_of_input {
            return match standing.phase {
                Phase::Closed(reason) => Poll::Ready(reason),
                // The peer has only closed its sending half: its calls are finished and their replies flushed.
                Phase::PeerLeaves(reason) if standing.settled || standing.peer_ends_now => {
                    Poll::Ready(reason)
                }
                Phase::PeerLeaves(_) => self.watch_writing(context, &standing),
                _ if standing.farewell != Farewell::None => Poll::Ready(CloseReason::ClosedLocally),
                _ => Poll::Ready(CloseReason::ConnectionLost(None)),
            };
        }
        let nothing_left = standing.settled && standing.all_answered;
        if nothing_left && matches!(standing.farewell, Farewell::Final(_)) {
            return self.wait_for_close(context);
        }
        if let Phase::PeerLeaves(reason) = &standing.phase {
            // It has had all it waited for: one that does not close then is closed on this side.
            let over = (nothing_left && standing.peer_named_last) || standing.peer_ends_now;
            if self.leaving.poll(context, over, self.frames_read, FAREWELL_TIME).is_ready() {
                return Poll::Ready(reason.clone());
            }
        }
        // A peer that has announced its leaving tells the last call at once.
        let owes_last = matches!(standing.phase, Phase::PeerLeaves(_)) && !standing.peer_named_last;
        let half_read = self.reader.is_amid_frame() || owes_last;
        let limit = self.link.configuration.stall_timeout;
        if self.reading.poll(context, half_read, self.frames_read, limit).is_ready() {
            return Poll::Ready(CloseReason::PeerStalled);
        }
        match self.keepalive.poll(context, self.reads, standing.pending > 0) {
            Sign::Fine => {}
            Sign::Silent => self.link.ping(),
            Sign::Gone => return Poll::Ready(CloseReason::PeerStalled),
        }
        self.watch_writing(context, &standing)
    }

    /// The drain is done: nothing more is sent, and the peer gets a moment to close, lest a reset destroy replies that
    /// it has not read.
    fn wait_for_close(&mut self, context: &mut Context<'_>) -> Poll<CloseReason> {
        if !std::mem::replace(&mut self.has_shut_down, true) {
            // Not done yet, or broken: either way there is nothing more to do about it.
            let _ignored = self.stream.shutdown_write();
        }
        self.leaving.poll(context, true, 0, FAREWELL_TIME).map(|()| CloseReason::ClosedLocally)
    }

    fn watch_writing(&mut self, context: &mut Context<'_>, standing: &Standing) -> Poll<CloseReason> {
        let half_done = standing.pending > 0 && !self.flushing.is_empty();
        let limit = self.link.configuration.stall_timeout;
        // A peer that takes a byte now and then takes nothing.
        let progress = standing.written / LEAST_TAKEN;
        self.writing.poll(context, half_done, progress, limit).map(|()| CloseReason::PeerStalled)
    }

    /// Keeps the waker that callers wake; tells if the link was closed under the driver.
    fn renew_waker(&self, waker: &Waker) -> Option<CloseReason> {
        let mut state = self.link.lock();
        if let Phase::Closed(reason) = &state.phase {
            return Some(reason.clone());
        }
        match &mut state.driver {
            Some(kept) => kept.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
        None
    }

    /// The peer broke the protocol, or the schemas do not fit: a last word, as far as it goes without waiting.
    fn cut(&mut self, error: ProtocolError) -> CloseReason {
        match error {
            ProtocolError::Incompatible(report) => {
                let report = report.to_string();
                self.last_word(GoodbyeCode::Schema, &report);
                CloseReason::NotConnected(ConnectError::Schema(report))
            }
            error => {
                let code = match error {
                    ProtocolError::Flood { .. } => GoodbyeCode::RateLimited,
                    ProtocolError::FrameTooLarge { .. } => GoodbyeCode::FrameTooLarge,
                    _ => GoodbyeCode::Protocol,
                };
                self.last_word(code, &error.to_string());
                CloseReason::Protocol(error)
            }
        }
    }

    fn lost(&self, error: Option<io::Error>) -> CloseReason {
        match &self.link.lock().phase {
            Phase::PeerLeaves(reason) | Phase::Closed(reason) => reason.clone(),
            _ => CloseReason::ConnectionLost(error.map(Arc::new)),
        }
    }

    /// Says goodbye and writes what the transport takes at once.
    fn last_word(&mut self, code: GoodbyeCode, message: &str) {
        {
            let mut state = self.link.lock();
            if state.epoch != self.epoch {
                return;
            }
            state.say_goodbye(code, message);
        }
        self.has_yielded = true;
        // Best effort: the connection is being cut.
        let _ignored = self.flush(&mut Context::from_waker(Waker::noop()), Turn::Again);
    }
}

/// Applies every whole frame that is here.
#[inline]
fn apply_frames(
    reader: &mut FrameReader,
    limit: usize,
    state: &mut State,
    configuration: &LinkConfiguration,
    batch: &mut Batch,
) -> Result<(), ProtocolError> {
    while let Some((bytes, part)) = reader.next_frame(limit)? {
        state.counts.frames_read += 1;
        state.counts.bytes_read += u64::try_from(bytes.len()).unwrap_or_default();
        let frame = parse_frame(bytes)?;
        match part {
            Part::Whole => state.handle_frame(frame, configuration, batch)?,
            Part::Head => state.handle_head(frame, configuration, batch)?,
        }
    }
    Ok(())
}

impl Drop for Driver {
    /// What it holds it is not writing any more: how much of it was sent is known exactly. Whoever writes something after it,
    /// be it a last word, must not do so behind half a frame.
    fn drop(&mut self) {
        let mut state = self.link.lock();
        if state.epoch == self.epoch {
            state.output.give_back(std::mem::take(&mut self.flushing));
        }
        drop(state);
        // A socket that is closed says that nothing more comes. A channel within one has to say so itself, as far as that
        // goes without waiting.
        if self.stream.is_over_socket() && !self.stream.is_socket() && !self.has_shut_down {
            let _ignored = self.stream.shutdown_write();
        }
    }
}

/// Whether to read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Again,
    /// There is more to do, after others.
    Yield,
    Rest,
}
