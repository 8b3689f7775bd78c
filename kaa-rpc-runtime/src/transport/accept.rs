//! Handling of errors from accepting a connection: an accept loop never ends because of one (clause 1.6).

use std::io;
use std::time::Duration;

use rustix::io::Errno;

/// How to handle an error from accepting a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcceptFailure {
    /// The connection was lost before it was accepted. Accept the next one at once.
    Retry,
    /// The process or the system lacks a resource, or the cause is unknown. Wait before the next attempt.
    BackOff,
}

impl AcceptFailure {
    /// Classifies an error.
    #[must_use]
    pub fn of(error: &io::Error) -> Self {
        match Errno::from_io_error(error) {
            Some(
                Errno::CONNABORTED
                | Errno::CONNRESET
                | Errno::INTR
                | Errno::PROTO
                | Errno::PERM
                | Errno::NETDOWN
                | Errno::NETUNREACH
                | Errno::HOSTDOWN
                | Errno::HOSTUNREACH
                | Errno::TIMEDOUT,
            ) => Self::Retry,
            _ => Self::BackOff,
        }
    }
}

/// The delay after an error: 50 ms at first, doubled up to one second for consecutive errors.
#[derive(Debug, Clone)]
pub struct AcceptBackoff {
    next: Duration,
}

impl AcceptBackoff {
    const INITIAL: Duration = Duration::from_millis(50);
    const MAX: Duration = Duration::from_secs(1);

    /// Starts with the initial delay.
    #[must_use]
    pub fn new() -> Self {
        Self { next: Self::INITIAL }
    }

    /// The delay after this error; `None` to continue at once.
    pub fn delay_after(&mut self, error: &io::Error) -> Option<Duration> {
        match AcceptFailure::of(error) {
            AcceptFailure::Retry => None,
            AcceptFailure::BackOff => {
                let delay = self.next;
                self.next = delay.saturating_mul(2).min(Self::MAX);
                Some(delay)
            }
        }
    }

    /// Resets the delay after a connection was accepted.
    pub fn reset(&mut self) {
        self.next = Self::INITIAL;
    }
}

impl Default for AcceptBackoff {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_descriptors_back_off_until_success() {
        let mut backoff = AcceptBackoff::new();
        for errno in [Errno::MFILE, Errno::NFILE, Errno::NOBUFS, Errno::NOMEM, Errno::INVAL] {
            backoff.reset();
            let error = io::Error::from(errno);
            let delays: Vec<_> =
                (0..7).filter_map(|_| backoff.delay_after(&error)).map(|d| d.as_millis()).collect();
            assert_eq!(delays, [50, 100, 200, 400, 800, 1000, 1000], "{errno:?}");
        }
    }

    #[test]
    fn lost_connection_is_retried_at_once() {
        let mut backoff = AcceptBackoff::new();
        for errno in [Errno::CONNABORTED, Errno::CONNRESET, Errno::INTR, Errno::PROTO] {
            assert_eq!(backoff.delay_after(&errno.into()), None, "{errno:?}");
        }
        assert_eq!(backoff.delay_after(&Errno::MFILE.into()), Some(Duration::from_millis(50)));
    }
}
