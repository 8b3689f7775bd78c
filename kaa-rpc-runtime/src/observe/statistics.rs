//! What connections and servers have done so far.

use std::time::Duration;

/// What a connection has done so far; a client's, all its connections together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionStatistics {
    /// How often it was connected: more than once where a client connects again.
    pub connections: u64,
    /// Bytes read, handshakes aside.
    pub bytes_read: u64,
    /// Bytes written, handshakes aside.
    pub bytes_written: u64,
    /// Frames read.
    pub frames_read: u64,
    /// Calls that have left, oneway calls included.
    pub calls_made: u64,
    /// Calls of the peer, oneway calls included.
    pub calls_received: u64,
    /// Calls of the peer that were answered with a limit, and not run.
    pub calls_refused: u64,
    /// Oneway calls of the peer that nobody serves, or that could not be decoded.
    pub oneways_dropped: u64,
    /// Calls that have left and are unanswered.
    pub calls_in_flight: usize,
    /// Calls that have been made and wait to leave.
    pub calls_queued: usize,
    /// Calls of the peer whose handlers did not finish at once and are at work.
    pub handlers_running: usize,
    /// Bytes that wait to be written.
    pub output_pending: u64,
    /// How long the last ping took that this side sent because the peer was silent.
    pub round_trip: Option<Duration>,
}

/// What a server has done so far, all its connections together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerStatistics {
    /// Connections now.
    pub connections: usize,
    /// Connections that were not let in.
    pub refused: u64,
    /// Handlers of `#[detached]` methods at work, also those whose connection is over.
    pub detached_handlers: usize,
    /// The sum over all connections, those that are over included; `round_trip` is the longest of the living ones.
    pub total: ConnectionStatistics,
}

/// What a link counts for its statistics.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    pub(crate) connections: u64,
    pub(crate) bytes_read: u64,
    pub(crate) bytes_written: u64,
    pub(crate) frames_read: u64,
    pub(crate) calls_received: u64,
    pub(crate) calls_refused: u64,
    pub(crate) oneways_dropped: u64,
    pub(crate) round_trip: Option<Duration>,
    /// Bytes read and written when the connection began.
    pub(crate) at_open: (u64, u64),
}

impl Counts {
    /// A connection begins.
    pub(crate) fn open(&mut self) {
        self.connections += 1;
        self.at_open = (self.bytes_read, self.bytes_written);
    }

    /// Bytes read and written since it began.
    pub(crate) fn since_open(&self) -> (u64, u64) {
        (self.bytes_read - self.at_open.0, self.bytes_written - self.at_open.1)
    }
}

impl ConnectionStatistics {
    /// Adds what another connection has done.
    pub(crate) fn add(&mut self, other: &Self) {
        self.connections += other.connections;
        self.bytes_read += other.bytes_read;
        self.bytes_written += other.bytes_written;
        self.frames_read += other.frames_read;
        self.calls_made += other.calls_made;
        self.calls_received += other.calls_received;
        self.calls_refused += other.calls_refused;
        self.oneways_dropped += other.oneways_dropped;
        self.calls_in_flight += other.calls_in_flight;
        self.calls_queued += other.calls_queued;
        self.handlers_running += other.handlers_running;
        self.output_pending += other.output_pending;
        self.round_trip = self.round_trip.max(other.round_trip);
    }
}
