//! Counters of connections and servers.

use std::time::Duration;

/// Counters of one connection; of a client, the sum over all its connections.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionStatistics {
    /// Established connections: more than one if a client reconnected.
    pub connections: u64,
    /// Bytes read, without handshakes.
    pub bytes_read: u64,
    /// Bytes written, without handshakes.
    pub bytes_written: u64,
    /// Frames read.
    pub frames_read: u64,
    /// Outbound calls sent, including oneway calls.
    pub calls_made: u64,
    /// Inbound calls, including oneway calls.
    pub calls_received: u64,
    /// Inbound calls that were refused because of a limit.
    pub calls_refused: u64,
    /// Inbound oneway calls that were dropped: their method is unknown, they could not be decoded, or a
    /// budget was exceeded.
    pub oneways_dropped: u64,
    /// Outbound calls that were sent and are unanswered.
    pub calls_in_flight: usize,
    /// Outbound calls that wait to be sent.
    pub calls_queued: usize,
    /// Running handlers, without those that finish at their first poll.
    pub handlers_running: usize,
    /// Bytes of output that the transport has not accepted.
    pub output_pending: u64,
    /// The round-trip time of the last keepalive ping.
    pub round_trip: Option<Duration>,
}

/// Counters of a server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerStatistics {
    /// Current connections.
    pub connections: usize,
    /// Refused connections.
    pub refused: u64,
    /// Running handlers of `#[detached]` methods, including those whose connection has ended.
    pub detached_handlers: usize,
    /// The sum over all current and ended connections. `round_trip` is the maximum over the current ones.
    pub total: ConnectionStatistics,
}

/// The counters of a link.
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
    /// Bytes read and written before the current connection.
    pub(crate) at_open: (u64, u64),
}

impl Counts {
    /// Counts a new connection.
    pub(crate) fn open(&mut self) {
        self.connections += 1;
        self.at_open = (self.bytes_read, self.bytes_written);
    }

    /// Bytes read and written on the current connection.
    pub(crate) fn since_open(&self) -> (u64, u64) {
        (self.bytes_read - self.at_open.0, self.bytes_written - self.at_open.1)
    }
}

impl ConnectionStatistics {
    /// Adds the counters of another connection.
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
