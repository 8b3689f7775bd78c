//! How long to wait before connecting again.

use std::time::Duration;

/// Delays between attempts to connect: growing by a factor, spread by chance so that many clients do not come at once.
///
/// By default 100 ms, then each 1.6 times the last, at most 30 s, each ±20 %; after 10 s of health from the start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    first: Duration,
    factor: f64,
    longest: Duration,
    healthy_after: Duration,
}

/// Largest part by which a delay is shortened or lengthened.
const SPREAD: f64 = 0.2;

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(100),
            factor: 1.6,
            longest: Duration::from_secs(30),
            healthy_after: Duration::from_secs(10),
        }
    }
}

impl Backoff {
    /// The first delay.
    #[must_use]
    pub fn first(mut self, first: Duration) -> Self {
        self.first = first;
        self
    }

    /// The longest delay.
    #[must_use]
    pub fn longest(mut self, longest: Duration) -> Self {
        self.longest = longest;
        self
    }

    pub(crate) fn healthy_after(&self) -> Duration {
        self.healthy_after
    }

    /// The delay after so many failures in a row before this one.
    pub(crate) fn delay(&self, failures: u32) -> Duration {
        // Without randomness all clients wait the same time, which is no worse than no spread.
        let [byte] = crate::random::bytes::<1>().unwrap_or([128]);
        self.delay_at(failures, f64::from(byte) / 255.0)
    }

    /// `chance` from 0 to 1.
    fn delay_at(&self, failures: u32, chance: f64) -> Duration {
        let exponent = i32::try_from(failures.min(64)).unwrap_or(64);
        let seconds = self.first.as_secs_f64() * self.factor.powi(exponent);
        let seconds = seconds.min(self.longest.as_secs_f64());
        Duration::from_secs_f64(seconds * (1.0 - SPREAD + 2.0 * SPREAD * chance))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_the_longest_and_are_spread() {
        let backoff = Backoff::default();
        assert_eq!(backoff.delay_at(0, 0.5), Duration::from_millis(100));
        assert_eq!(backoff.delay_at(1, 0.5), Duration::from_millis(160));
        assert_eq!(backoff.delay_at(1000, 0.5), Duration::from_secs(30));
        assert_eq!(backoff.delay_at(0, 0.0), Duration::from_millis(80));
        assert_eq!(backoff.delay_at(0, 1.0), Duration::from_millis(120));
    }
}
