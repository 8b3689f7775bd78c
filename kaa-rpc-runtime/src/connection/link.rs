//! A link: what callers, handlers and the driver of one peer share, through reconnections.
//!
//! Invariants: one lock, held for table and output work only; wakers are collected under it and woken outside; the
//! epoch counts connections, so that nothing of a lost one reaches the next; every phase change is told through
//! `status`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::Instant;

use super::closing::Closers;
use super::comparing::{Comparison, Opening};
use super::detached::Detached;
use super::farewell::{Farewell, GoodbyeCode, PeerFarewell};
use super::inbound::InboundState;
use super::keepalive::Keepalive;
use super::output::Output;
use super::queue::{Queue, QueueLimits};
use super::status::Status;
use crate::codec::DecodeLimits;
use crate::error::{CloseReason, ConnectError, Outcome};
use crate::observe::{self, ConnectionStatistics, Counts, Observers};
use crate::peer::PeerInformation;
use crate::protocol::calls::{InboundCalls, OutboundCalls};
use crate::protocol::frame::{CallId, Header, Kind, Token};
use crate::protocol::limits::Limits;
use crate::protocol::rate::TokenBucket;
use crate::protocol::schema::Compatibility;
use crate::protocol::streams::{Sending, StreamId, Streams};
use crate::resources::{Resources, Usage};
use crate::transport::Stream;

/// Which side of a connection this is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Side {
    Accepting,
    Connecting,
}

/// The settings of a link.
#[derive(Debug, Clone)]
pub(crate) struct LinkConfiguration {
    pub(crate) side: Side,
    pub(crate) limits: Limits,
    /// Most bytes that may wait for the transport before callers wait and replies are replaced.
    pub(crate) output_budget: u64,
    /// How long a cancelled handler that watches its token may take.
    pub(crate) cancel_grace: Duration,
    /// Whether a loss is followed by another connection, so that queued calls are kept.
    pub(crate) reconnects: bool,
    /// Whether a fault's message is replaced by an id that is also in the log.
    pub(crate) hides_faults: bool,
    /// How long a peer may leave a frame unfinished or refuse to read.
    pub(crate) stall_timeout: Duration,
    /// How much the peer's schemas may differ from this side's.
    pub(crate) compatibility: Compatibility,
    /// The handlers that outlive their callers.
    pub(crate) detached: Detached,
    /// How long the peer may be silent; for ever, without.
    pub(crate) keepalive: Option<Keepalive>,
    /// Who watches calls.
    pub(crate) observers: Observers,
    /// What is shared with other connections.
    pub(crate) resources: Resources,
    pub(crate) queue: QueueLimits,
    pub(crate) decode: DecodeLimits,
    /// Deepest nesting of calls.
    pub(crate) max_nesting: u32,
    /// How often the peer may cancel calls.
    pub(crate) cancels: CancelRate,
    /// Where the connection's tasks run.
    pub(crate) runtime: Handle,
}

/// How often the peer may cancel calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CancelRate {
    pub(crate) burst: u32,
    pub(crate) per_second: u32,
}

/// An end of a call that this side made up.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum LocalEnd {
    /// There is no connection, or no longer.
    Lost { outcome: Outcome, reason: CloseReason },
    /// It was made before the peer's limit was known, and is over it.
    TooLarge { size: usize, limit: usize },
}

#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) configuration: LinkConfiguration,
    state: Mutex<State>,
    pub(super) status: watch::Sender<Status>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Phase {
    Connecting,
    Open,
    /// The peer has said goodbye, with why: no new calls but nested ones.
    PeerLeaves(CloseReason),
    Closed(CloseReason),
}

#[derive(Debug)]
pub(crate) struct State {
    pub(super) phase: Phase,
    pub(super) farewell: Farewell,
    pub(super) peer_farewell: PeerFarewell,
    /// Why there is no connection, where there was one or a try.
    pub(super) last_loss: Option<CloseReason>,
    pub(super) epoch: u32,
    pub(super) outgoing: OutboundCalls<Waker, LocalEnd>,
    pub(super) incoming: InboundCalls<Arc<InboundState>>,
    pub(super) streams: Streams<Waker>,
    pub(super) output: Output,
    pub(super) stream: Option<Arc<Stream>>,
    pub(super) driver: Option<Waker>,
    /// The driver is at work and will flush before it rests.
    pub(super) driver_active: bool,
    pub(super) queue: Queue,
    pub(super) peer_limits: Limits,
    pub(super) oneway_credit: u32,
    pub(super) oneways_open: u32,
    pub(super) oneways_done: u32,
    /// Calls of the peer, and how many of them it has cancelled.
    pub(super) calls_seen: u64,
    pub(super) cancels: u64,
    pub(super) information: Option<Arc<PeerInformation>>,
    pub(super) comparison: Comparison,
    pub(super) counts: Counts,
    /// When the peer was last pinged for being silent, if it has not answered.
    pub(super) pinged: Option<Instant>,
    /// Memory, as the process knows of it.
    usage: Usage,
    pub(super) cancel_bucket: TokenBucket,
    pub(super) closers: Closers,
    /// The moment from which time is counted.
    pub(super) began: Instant,
}

impl Link {
    pub(crate) fn new(configuration: LinkConfiguration) -> Arc<Self> {
        let state = State {
            phase: Phase::Connecting,
            farewell: Farewell::None,
            peer_farewell: PeerFarewell::default(),
            last_loss: None,
            epoch: 0,
            outgoing: OutboundCalls::default(),
            incoming: InboundCalls::new(inbound_limit(&configuration.limits)),
            streams: Streams::default(),
            output: Output::default(),
            stream: None,
            driver: None,
            driver_active: false,
            queue: Queue::new(configuration.queue),
            peer_limits: configuration.limits,
            oneway_credit: 0,
            oneways_open: 0,
            oneways_done: 0,
            calls_seen: 0,
            cancels: 0,
            information: None,
            comparison: Comparison::default(),
            counts: Counts::default(),
            pinged: None,
            usage: configuration.resources.usage(),
            cancel_bucket: cancel_bucket(&configuration),
            closers: Closers::default(),
            began: Instant::now(),
        };
        let (status, _) = watch::channel(Status::Connecting);
        Arc::new(Self { configuration, state: Mutex::new(state), status })
    }

    /// The shared state. A panic while it was held (in a user's encoder) left it whole, so poison means nothing.
    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn information(&self) -> Option<Arc<PeerInformation>> {
        self.lock().information.clone()
    }

    /// Handlers that did not finish at once and are at work.
    pub(crate) fn running_handlers(&self) -> usize {
        self.lock().incoming.running_count()
    }

    /// Whether there is one whose schemas may still be compared.
    pub(crate) fn has_connection(&self) -> bool {
        self.lock().stream.is_some()
    }

    /// The services of this side have changed: an idle driver follows.
    pub(crate) fn services_changed(&self) {
        let driver = self.lock().driver.clone();
        driver.into_iter().for_each(Waker::wake);
    }

    /// What it has done so far.
    pub(crate) fn statistics(&self) -> ConnectionStatistics {
        self.lock().statistics()
    }

    /// Those of them that would end with the connection.
    pub(crate) fn attached_handlers(&self) -> usize {
        self.lock().incoming.each_running().filter(|handler| !handler.detached).count()
    }

    /// Authentication is over: schemas are compared if they differ, then calls may leave, the queued ones first. The
    /// connection's epoch; `None` if the link was closed meanwhile.
    pub(super) fn open(&self, opening: Opening<'_>) -> Option<u32> {
        let mut wakers = Vec::new();
        let epoch;
        {
            let mut state = self.lock();
            if matches!(state.phase, Phase::Closed(_)) {
                return None;
            }
            epoch = state.epoch;
            state.phase = Phase::Open;
            state.counts.open();
            state.begin_comparison(&opening, self.configuration.compatibility);
            state.stream = Some(opening.stream);
            state.information = Some(opening.information);
            state.peer_limits = opening.peer_limits;
            state.oneway_credit = opening.peer_limits.oneway_window;
            state.pump(&self.configuration, &mut wakers);
            if state.farewell == Farewell::Wanted {
                state.announce_farewell(&mut wakers);
            }
        }
        observe::connection_opened(self.configuration.side);
        self.tell_open();
        wakers.into_iter().for_each(Waker::wake);
        Some(epoch)
    }

    /// The connection is gone. What had left ends, truthfully; what is queued stays if another connection will come.
    pub(crate) fn lost(&self, reason: &CloseReason) {
        let mut wakers = Vec::new();
        let mut handlers = Vec::new();
        let carried;
        {
            let mut state = self.lock();
            if matches!(state.phase, Phase::Closed(_)) {
                return;
            }
            state.phase = Phase::Connecting;
            carried = state.tear_down(reason, &mut wakers, &mut handlers, &self.configuration);
            state.end_fail_fast(reason, &mut wakers);
            state.last_loss = Some(reason.clone());
        }
        self.count_end(carried);
        self.tell(Status::Connecting);
        for handler in handlers {
            handler.cancel_at_once();
        }
        wakers.into_iter().for_each(Waker::wake);
    }

    /// The link is over for good.
    pub(crate) fn close(&self, reason: &CloseReason) {
        let mut wakers = Vec::new();
        let mut handlers = Vec::new();
        let (closers, carried);
        {
            let mut state = self.lock();
            if matches!(state.phase, Phase::Closed(_)) {
                return;
            }
            let can_be_told = state.stream.as_ref().is_some_and(|stream| stream.is_over_socket());
            if *reason == CloseReason::ClosedLocally && can_be_told && !state.output.flusher_holds {
                // Best effort, so that the peer need not call it a loss.
                state.say_goodbye(GoodbyeCode::Closed, "");
                state.write_through();
            }
            state.phase = Phase::Closed(reason.clone());
            carried = state.tear_down(reason, &mut wakers, &mut handlers, &self.configuration);
            state.end_queue(reason, &mut wakers);
            wakers.extend(state.queue.take_line());
            wakers.extend(state.driver.take());
            closers = state.closers.take();
        }
        self.count_end(carried);
        self.tell(Status::Closed(reason.clone()));
        closers.for_each(|then| then());
        for handler in handlers {
            handler.cancel_at_once();
        }
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Counts the end of a connection, if there was one. The program's recorder is not ours: outside of the lock.
    fn count_end(&self, carried: Option<(u64, u64)>) {
        if let Some(bytes) = carried {
            observe::connection_closed(self.configuration.side, bytes);
        }
    }
}

impl State {
    fn statistics(&self) -> ConnectionStatistics {
        let counts = &self.counts;
        let (next_id, _) = self.outgoing.next();
        ConnectionStatistics {
            connections: counts.connections,
            bytes_read: counts.bytes_read,
            bytes_written: counts.bytes_written,
            frames_read: counts.frames_read,
            calls_made: next_id.0 - 1,
            calls_received: counts.calls_received,
            calls_refused: counts.calls_refused,
            oneways_dropped: counts.oneways_dropped,
            calls_in_flight: self.outgoing.in_flight(),
            calls_queued: self.queue.len(),
            handlers_running: self.incoming.running_count(),
            output_pending: self.output.pending(),
            round_trip: counts.round_trip,
        }
    }

    /// Whether a call may leave now, if none stands before it.
    #[inline]
    pub(super) fn may_depart(&self, nested: bool, budget: u64) -> bool {
        match self.phase {
            Phase::Open => nested || (self.farewell == Farewell::None && self.is_window_open(budget)),
            Phase::PeerLeaves(_) => nested && !self.peer_farewell.input_ended,
            Phase::Connecting | Phase::Closed(_) => false,
        }
    }

    #[inline]
    fn is_window_open(&self, budget: u64) -> bool {
        self.comparison.is_settled()
            && self.outgoing.in_flight() < inbound_limit(&self.peer_limits)
            && self.output.pending() < budget
    }

    /// Lets queued calls leave, as far as the limits allow. They were made before a farewell of this side.
    pub(super) fn pump(&mut self, configuration: &LinkConfiguration, wakers: &mut Vec<Waker>) {
        let mut moved = false;
        while let Some(call) = self.queue.front() {
            let is_call = call.token.is_some();
            let room = if is_call {
                self.is_window_open(configuration.output_budget)
            } else {
                self.oneway_credit > 0
            };
            if !room || !matches!(self.phase, Phase::Open) || !self.comparison.is_settled() {
                break;
            }
            let Some(call) = self.queue.pop() else { break };
            moved = true;
            if is_call && call.deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                // It stays unsent: its caller's timer is about to say so.
                continue;
            }
            let kind = if is_call { Kind::Call } else { Kind::Oneway };
            let mut header = Header::new(kind, CallId(0), call.token.unwrap_or(Token(0)), call.method.0);
            header.remaining_time = call.deadline.filter(|_| is_call).map(super::calling::remaining_time);
            header.has_stream = call.has_stream;
            let metadata = call.metadata.as_deref();
            header.metadata_length = super::calling::metadata_length(metadata);
            let size = header.encoded_length() + call.arguments.len();
            let limit = super::calling::frame_limit(self);
            if size > limit {
                let end = LocalEnd::TooLarge { size, limit };
                match call.token {
                    Some(token) => wakers.extend(self.outgoing.end_queued(token, end)),
                    None => tracing::warn!(size, limit, "dropped a oneway call that the peer would not take"),
                }
                continue;
            }
            header.id = match call.token {
                Some(token) => self.outgoing.mark_sent(token, self.output.queued()),
                None => {
                    self.oneway_credit -= 1;
                    self.outgoing.issue_id()
                }
            };
            self.output.queued_frame(&header, metadata, &call.arguments);
            if call.has_stream {
                wakers.extend(call.token.and_then(|token| self.open_arguments(token)));
            }
        }
        if moved {
            wakers.extend(self.queue.next_in_line());
            wakers.extend(self.schedule_flush());
            wakers.extend(self.nudge());
        }
    }

    /// A call with a stream of arguments has left: they may follow. Who waits for that.
    pub(super) fn open_arguments(&mut self, token: Token) -> Option<Waker> {
        let window = self.peer_limits.stream_window;
        self.streams.sending(StreamId::Ours(token)).and_then(|half: &mut Sending<Waker>| half.open(window))
    }

    /// Tells the process how much memory this connection takes. Whoever gives some back says so, since nothing may happen
    /// after that.
    #[inline]
    pub(super) fn tell_usage(&mut self) {
        let queued = u64::try_from(self.queue.bytes()).unwrap_or(u64::MAX);
        self.usage.update(self.incoming.held() + self.streams.held() + self.output.pending() + queued);
    }

    /// Sees to it that what was queued is flushed; the driver's waker, if it must be woken.
    #[inline]
    pub(super) fn schedule_flush(&mut self) -> Option<Waker> {
        if self.driver_active || self.output.flush_scheduled {
            return None;
        }
        self.output.flush_scheduled = true;
        self.driver.clone()
    }

    /// Like [`Self::schedule_flush`], but writes at once where nobody else has anything to do on this connection.
    #[inline]
    pub(super) fn flush_or_schedule(&mut self) -> Option<Waker> {
        // While somebody takes leave, the driver has to see each call end.
        let alone = self.outgoing.in_flight() + self.incoming.open() <= 2 && !self.is_ending();
        if !self.driver_active
            && alone
            && !self.output.flush_scheduled
            && !self.output.flusher_holds
            && self.stream.as_ref().is_some_and(|stream| stream.is_socket())
        {
            self.write_through();
            if self.output.is_empty() {
                return None;
            }
        }
        self.schedule_flush()
    }

    /// One synchronous try, so that a dropped future cannot cut a frame in two. What does not go is the flusher's.
    fn write_through(&mut self) {
        let Some(stream) = &self.stream else { return };
        let buffer = self.output.buffer_mut();
        let mut slices = [std::io::IoSlice::new(&[]); 8];
        let count = buffer.chunks(&mut slices);
        let written = stream.try_write_vectored(slices.get(..count).unwrap_or_default());
        // Errors are the flusher's to meet: it tries again.
        if let Ok(written) = written {
            buffer.advance(written);
            self.output.note_written(written);
            self.counts.bytes_written += u64::try_from(written).unwrap_or_default();
            let position = self.output.written();
            self.incoming.flushed(position);
        }
    }

    /// Ends what belongs to a connection. What it has read and written, if there was one.
    fn tear_down(
        &mut self,
        reason: &CloseReason,
        wakers: &mut Vec<Waker>,
        handlers: &mut Vec<Arc<InboundState>>,
        configuration: &LinkConfiguration,
    ) -> Option<(u64, u64)> {
        self.epoch = self.epoch.wrapping_add(1);
        let carried = self.stream.take().map(|_stream| self.counts.since_open());
        // Whoever was about to leave goes on doing so where another connection comes.
        if self.farewell != Farewell::None {
            self.farewell = Farewell::Wanted;
        }
        self.peer_farewell = PeerFarewell::default();
        self.oneway_credit = 0;
        self.oneways_open = 0;
        self.oneways_done = 0;
        self.calls_seen = 0;
        self.cancels = 0;
        self.pinged = None;
        self.cancel_bucket = cancel_bucket(configuration);
        self.end_sent(reason, wakers);
        handlers.extend(self.incoming.take_running());
        wakers.extend(self.streams.close_theirs());
        self.incoming = InboundCalls::new(inbound_limit(&configuration.limits));
        self.output.reset();
        self.tell_usage();
        carried
    }
}

fn cancel_bucket(configuration: &LinkConfiguration) -> TokenBucket {
    TokenBucket::new(configuration.cancels.burst, configuration.cancels.per_second)
}

/// The limit on calls as a count.
pub(super) fn inbound_limit(limits: &Limits) -> usize {
    usize::try_from(limits.max_inbound_calls).unwrap_or(usize::MAX)
}

impl From<ConnectError> for CloseReason {
    fn from(error: ConnectError) -> Self {
        Self::NotConnected(error)
    }
}
