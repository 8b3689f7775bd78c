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

    /// By how much each delay is longer than the last; from 1 up.
    #[must_use]
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = if factor.is_finite() { factor.max(1.0) } else { 1.0 };
        self
    }

    /// After so long in health the delays begin anew with the first.
    #[must_use]
    pub fn healthy_after(mut self, time: Duration) -> Self {
        self.healthy_after = time;
        self
    }

    /// The longest delay, spread aside.
    pub(crate) fn longest_delay(&self) -> Duration {
        self.longest
    }

    /// Whether a connection of this age was in health.
    pub(crate) fn is_healthy(&self, age: Duration) -> bool {
        age >= self.healthy_after
    }

    /// The delay after so many failures in a row before this one.
    pub(crate) fn delay(&self, failures: u32) -> Duration {
        self.delay_at(failures, crate::random::chance())
    }

    /// `chance` from 0 to 1.
    fn delay_at(&self, failures: u32, chance: f64) -> Duration {
        let exponent = i32::try_from(failures.min(64)).unwrap_or(64);
        let seconds = self.first.as_secs_f64() * self.factor.powi(exponent);
        let seconds = seconds.min(self.longest.as_secs_f64());
        let spread = seconds * (1.0 - SPREAD + 2.0 * SPREAD * chance);
        Duration::try_from_secs_f64(spread).unwrap_or(self.longest)
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

    #[test]
    fn whatever_is_set_gives_a_delay() {
        let backoff = Backoff::default().factor(f64::NAN).longest(Duration::MAX).first(Duration::MAX);
        assert_eq!(backoff.delay_at(u32::MAX, 1.0), Duration::MAX);
        assert_eq!(Backoff::default().factor(0.0).delay_at(9, 0.5), Duration::from_millis(100));
        assert_eq!(Backoff::default().factor(2.0).delay_at(2, 0.5), Duration::from_millis(400));
    }
}
