//! The state of a link, which callers, handlers and the driver share under one lock.
//!
//! Invariants: the lock is held for table and output work only; `epoch` counts connections, so that nothing
//! of a lost one reaches the next; code that frees memory reports it, since nothing else may happen after
//! that.

use std::sync::Arc;
use std::task::Waker;

use tokio::time::Instant;

use super::comparison::Comparison;
use super::goodbye::{PeerShutdown, Shutdown};
use super::guard::Wakers;
use super::opening::PeerInformation;
use super::output::Output;
use super::queue::Queue;
use super::statistics::{ConnectionStatistics, Counts};
use super::status::{OnCloseCallbacks, Phase};
use crate::error::{CloseReason, Outcome};
use crate::protocol::calls::{InboundCalls, OutboundCalls};
use crate::protocol::frame::{CallId, Frame, Kind};
use crate::protocol::limits::Limits;
use crate::protocol::rate::TokenBucket;
use crate::protocol::streams::Streams;
use crate::resources::MemoryAccount;
use crate::settings::{CancelRate, Settings};
use crate::transport::Stream;

/// A handler that did not finish at its first poll.
pub(crate) trait RunningHandler: std::fmt::Debug + Send + Sync {
    /// The caller has cancelled the call.
    fn cancel(&self);

    /// The connection is gone: the handler gets no time to react.
    fn abort(&self);

    /// Whether the handler outlives its connection.
    fn is_detached(&self) -> bool;

    /// Whether the call has a stream parameter.
    fn has_stream(&self) -> bool;
}

/// An end of a call that this side determined.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum LocalEnd {
    /// There is no connection.
    Lost { outcome: Outcome, reason: CloseReason },
    /// The call was made before the peer's frame limit was known, and exceeds it.
    TooLarge { size: usize, limit: usize },
}

impl LocalEnd {
    pub(super) fn not_sent(reason: CloseReason) -> Self {
        Self::Lost { outcome: Outcome::NotSent, reason }
    }
}

/// What to do about an inbound call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Run it. A nested one runs even if the process has no handlers left.
    Run {
        nested: bool,
    },
    OverLimit,
    TooDeep,
    /// The call exceeds the memory budget.
    NoMemory,
    /// The peer has cancelled it before it started.
    Cancelled,
}

/// What the driver does, after the frames of one read, when the lock is released.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) wakers: Wakers,
    pub(super) inbound: Vec<(Frame, Verdict)>,
    pub(super) cancelled: Vec<Arc<dyn RunningHandler>>,
    /// The peer has sent a goodbye.
    pub(super) is_peer_draining: bool,
}

impl Batch {
    /// A call and its Cancel came with the same read. Ids are ascending, so a binary search finds the call.
    pub(super) fn cancel_before_start(&mut self, id: CallId) {
        let index = self.inbound.binary_search_by_key(&id, |(frame, _)| frame.header.id);
        let call = index.ok().and_then(|index| self.inbound.get_mut(index));
        if let Some((frame, verdict)) = call
            && frame.header.kind == Kind::Call
            && matches!(verdict, Verdict::Run { .. })
        {
            *verdict = Verdict::Cancelled;
        }
    }
}

#[derive(Debug)]
pub(crate) struct State {
    pub(super) phase: Phase,
    pub(super) shutdown: Shutdown,
    pub(super) peer_shutdown: PeerShutdown,
    /// Whether another connection follows a lost one, so that queued calls are kept.
    pub(super) reconnects: bool,
    /// Why the last connection, or the last attempt to connect, failed.
    pub(super) last_loss: Option<CloseReason>,
    pub(super) epoch: u32,
    pub(super) outgoing: OutboundCalls<Waker, LocalEnd>,
    pub(super) incoming: InboundCalls<Arc<dyn RunningHandler>>,
    pub(super) streams: Streams<Waker>,
    pub(super) output: Output,
    pub(super) stream: Option<Arc<Stream>>,
    pub(super) driver: Option<Waker>,
    /// The driver is running and will flush before it goes idle.
    pub(super) is_driver_active: bool,
    pub(super) queue: Queue,
    pub(super) peer_limits: Limits,
    pub(super) oneway_credit: u32,
    /// Inbound oneway calls whose handlers have not ended.
    pub(super) oneways_open: u32,
    /// Inbound oneway calls that have ended and whose credit was not returned yet.
    pub(super) oneways_done: u32,
    /// Two-way calls of the peer on this connection.
    pub(super) calls_seen: u64,
    /// How many of them it has cancelled.
    pub(super) cancels: u64,
    pub(super) information: Option<Arc<PeerInformation>>,
    pub(super) comparison: Comparison,
    pub(super) counts: Counts,
    /// When the unanswered keepalive ping was sent.
    pub(super) pinged: Option<Instant>,
    memory: MemoryAccount,
    pub(super) cancel_bucket: TokenBucket,
    pub(super) on_close: OnCloseCallbacks,
    /// The start of `cancel_bucket`'s clock.
    pub(super) started: Instant,
}

impl State {
    pub(super) fn new(settings: &Settings, reconnects: bool) -> Self {
        Self {
            phase: Phase::Connecting,
            shutdown: Shutdown::None,
            peer_shutdown: PeerShutdown::default(),
            reconnects,
            last_loss: None,
            epoch: 0,
            outgoing: OutboundCalls::default(),
            incoming: InboundCalls::new(inbound_limit(&settings.limits)),
            streams: Streams::default(),
            output: Output::default(),
            stream: None,
            driver: None,
            is_driver_active: false,
            queue: Queue::new(settings.queue),
            peer_limits: settings.limits,
            oneway_credit: 0,
            oneways_open: 0,
            oneways_done: 0,
            calls_seen: 0,
            cancels: 0,
            information: None,
            comparison: Comparison::default(),
            counts: Counts::default(),
            pinged: None,
            memory: settings.resources.memory_account(),
            cancel_bucket: cancel_bucket(settings.cancels),
            on_close: OnCloseCallbacks::default(),
            started: Instant::now(),
        }
    }

    pub(super) fn statistics(&self) -> ConnectionStatistics {
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

    /// The largest frame that the peer accepts.
    #[inline]
    pub(super) fn frame_limit(&self) -> usize {
        usize::try_from(self.peer_limits.max_frame).unwrap_or(usize::MAX)
    }

    /// Whether all of the peer's calls are finished and all output is written.
    pub(super) fn is_idle(&self) -> bool {
        self.incoming.open() == 0 && self.oneways_open == 0 && self.output.pending() == 0
    }

    /// Whether one side has sent a goodbye, so that the driver waits for the last call to end.
    pub(super) fn is_draining(&self) -> bool {
        self.shutdown != Shutdown::None || !matches!(self.phase, Phase::Open)
    }

    /// The driver's waker, if the driver waits for calls to end.
    pub(super) fn waiting_driver(&self) -> Option<Waker> {
        if self.is_draining() && !self.is_driver_active { self.driver.clone() } else { None }
    }

    /// Reports how much memory this connection uses.
    #[inline]
    pub(super) fn report_memory(&mut self) {
        let queued = u64::try_from(self.queue.bytes()).unwrap_or(u64::MAX);
        self.memory.update(self.incoming.held() + self.streams.held() + self.output.pending() + queued);
    }

    /// Ensures that queued output is flushed. Returns the driver's waker if it must be woken for that.
    #[inline]
    pub(super) fn schedule_flush(&mut self) -> Option<Waker> {
        if self.is_driver_active || self.output.flush_scheduled {
            return None;
        }
        self.output.flush_scheduled = true;
        self.driver.clone()
    }

    /// Like [`Self::schedule_flush`], but writes at once if the connection is not used otherwise.
    #[inline]
    pub(super) fn flush_or_schedule(&mut self) -> Option<Waker> {
        // During a shutdown the driver must see each call end.
        let is_alone = self.outgoing.in_flight() + self.incoming.open() <= 2 && !self.is_draining();
        if !self.is_driver_active
            && is_alone
            && !self.output.flush_scheduled
            && !self.output.is_taken
            && self.stream.as_ref().is_some_and(|stream| stream.is_socket())
        {
            self.write_now();
            if self.output.is_empty() {
                return None;
            }
        }
        self.schedule_flush()
    }

    /// Attempts one synchronous write, so that a dropped future cannot interrupt a frame. The driver writes
    /// the rest.
    pub(super) fn write_now(&mut self) {
        let Some(stream) = &self.stream else { return };
        let buffer = self.output.buffer_mut();
        let mut slices = [std::io::IoSlice::new(&[]); 8];
        let count = buffer.chunks(&mut slices);
        let written = stream.try_write_vectored(slices.get(..count).unwrap_or_default());
        // The driver's next write reports an error.
        if let Ok(written) = written {
            buffer.advance(written);
            self.output.note_written(written);
            self.counts.bytes_written += u64::try_from(written).unwrap_or_default();
            let position = self.output.written();
            self.incoming.flushed(position);
        }
    }

    /// Ends what belongs to the current connection. Returns the bytes read and written on it, if there was
    /// one.
    pub(super) fn reset_connection(
        &mut self,
        reason: &CloseReason,
        settings: &Settings,
        wakers: &mut Wakers,
        handlers: &mut Vec<Arc<dyn RunningHandler>>,
    ) -> Option<(u64, u64)> {
        self.epoch = self.epoch.wrapping_add(1);
        let bytes = self.stream.take().map(|_stream| self.counts.since_open());
        // A shutdown continues on the next connection, if there is one.
        if self.shutdown != Shutdown::None {
            self.shutdown = Shutdown::Requested;
        }
        self.peer_shutdown = PeerShutdown::default();
        self.oneway_credit = 0;
        self.oneways_open = 0;
        self.oneways_done = 0;
        self.calls_seen = 0;
        self.cancels = 0;
        self.pinged = None;
        self.cancel_bucket = cancel_bucket(settings.cancels);
        self.end_sent(reason, wakers);
        handlers.extend(self.incoming.take_running());
        wakers.extend(self.streams.close_theirs());
        self.incoming = InboundCalls::new(inbound_limit(&settings.limits));
        self.output.reset();
        self.report_memory();
        bytes
    }

    /// Ends all calls that were sent, each with the outcome that is known of it.
    pub(super) fn end_sent(&mut self, reason: &CloseReason, wakers: &mut Wakers) {
        let handed_over = self.output.handed_over();
        self.outgoing.end_sent(
            |_, sent_at| {
                let outcome = if sent_at >= handed_over { Outcome::NotSent } else { Outcome::Unknown };
                Some(LocalEnd::Lost { outcome, reason: reason.clone() })
            },
            |waker| wakers.push(waker),
        );
    }

    /// Ends the queued calls that do not wait for another connection. Callers that wait for room check the
    /// state again.
    pub(super) fn end_fail_fast(&mut self, reason: &CloseReason, wakers: &mut Wakers) {
        for call in self.queue.take_fail_fast() {
            let end = LocalEnd::not_sent(reason.clone());
            wakers.extend(call.token.and_then(|token| self.outgoing.end_queued(token, end)));
        }
        wakers.extend(self.queue.waiters());
        self.report_memory();
    }

    /// Ends all queued calls: they will not be sent.
    pub(super) fn end_queue(&mut self, reason: &CloseReason, wakers: &mut Wakers) {
        while let Some(call) = self.queue.pop() {
            let end = LocalEnd::not_sent(reason.clone());
            wakers.extend(call.token.and_then(|token| self.outgoing.end_queued(token, end)));
        }
        self.report_memory();
    }
}

fn cancel_bucket(rate: CancelRate) -> TokenBucket {
    TokenBucket::new(rate.burst, rate.per_second)
}

/// The limit on inbound calls as a count.
pub(super) fn inbound_limit(limits: &Limits) -> usize {
    usize::try_from(limits.max_inbound_calls).unwrap_or(usize::MAX)
}
