//! What to do when accepting a connection fails: the loop that accepts never ends for it (clause 1.6).

use std::io;
use std::time::Duration;

use rustix::io::Errno;

/// What an error from accepting asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcceptFailure {
    /// The one connection is gone that was about to be accepted; the next may be well.
    Retry,
    /// The process or the system is out of something, or nobody knows: trying at once would only spin.
    BackOff,
}

impl AcceptFailure {
    /// What this error asks for.
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

/// How long to wait after an error: 50 ms at first, doubled up to one second while errors follow each other.
#[derive(Debug, Clone)]
pub struct AcceptBackoff {
    next: Duration,
}

impl AcceptBackoff {
    const FIRST: Duration = Duration::from_millis(50);
    const LONGEST: Duration = Duration::from_secs(1);

    /// No error so far.
    #[must_use]
    pub fn new() -> Self {
        Self { next: Self::FIRST }
    }

    /// How long to wait after this error; `None` is not at all.
    pub fn delay_after(&mut self, error: &io::Error) -> Option<Duration> {
        match AcceptFailure::of(error) {
            AcceptFailure::Retry => None,
            AcceptFailure::BackOff => {
                let delay = self.next;
                self.next = delay.saturating_mul(2).min(Self::LONGEST);
                Some(delay)
            }
        }
    }

    /// A connection was accepted.
    pub fn reset(&mut self) {
        self.next = Self::FIRST;
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
    fn out_of_descriptors_backs_off_up_to_a_second_and_success_resets() {
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
    fn a_connection_that_went_away_costs_no_wait() {
        let mut backoff = AcceptBackoff::new();
        for errno in [Errno::CONNABORTED, Errno::CONNRESET, Errno::INTR, Errno::PROTO] {
            assert_eq!(backoff.delay_after(&errno.into()), None, "{errno:?}");
        }
        assert_eq!(backoff.delay_after(&Errno::MFILE.into()), Some(Duration::from_millis(50)));
    }
}
