//! How a shutdown went, of a server, a client or one connection.

use std::sync::Arc;
use std::time::Duration;

use crate::connection::Link;
use crate::error::CloseReason;

/// How a shutdown went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShutdownReport {
    /// Connections there were.
    pub connections: usize,
    /// Connections that were cut because they did not end in time.
    pub cut: usize,
    /// Handlers that were still at work: on those, or detached from connections that had ended before.
    pub cancelled_handlers: usize,
    /// Calls of this side that were still unanswered on those.
    pub unanswered_calls: usize,
}

impl ShutdownReport {
    /// Closes a connection that has not ended in time.
    pub(crate) fn cut(&mut self, link: &Link) {
        // It may be waiting for a connection.
        self.cut += usize::from(link.has_connection());
        self.cancelled_handlers += link.attached_handlers();
        let statistics = link.statistics();
        self.unanswered_calls += statistics.calls_in_flight + statistics.calls_queued;
        link.close(&CloseReason::ClosedLocally);
    }
}

/// Takes leave of the peer; cuts the connection where that takes longer than this.
pub(crate) async fn shut_down(link: &Arc<Link>, grace: Duration) -> ShutdownReport {
    let connections = usize::from(link.has_connection());
    let mut report = ShutdownReport { connections, ..ShutdownReport::default() };
    link.begin_drain();
    if tokio::time::timeout(grace, link.closed()).await.is_err() {
        report.cut(link);
    }
    report
}
