//! How long to wait before connecting again.

use std::time::Duration;

/// Delays between attempts to connect: growing by a factor, spread by chance so that many clients do not come at once.
///
/// By default 100 ms, then each 1.6 times the last, at most 30 s, each ±20 %; after 10 s of health from the start.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    initial: Duration,
    factor: f64,
    max: Duration,
    reset_after: Duration,
}

/// Largest part by which a delay is shortened or lengthened.
const SPREAD: f64 = 0.2;

impl Default for Backoff {
    fn default() -> Self {
        Self {
            initial: Duration::from_millis(100),
            factor: 1.6,
            max: Duration::from_secs(30),
            reset_after: Duration::from_secs(10),
        }
    }
}

impl Backoff {
    /// The first delay.
    #[must_use]
    pub fn initial(mut self, initial: Duration) -> Self {
        self.initial = initial;
        self
    }

    /// The longest delay.
    #[must_use]
    pub fn max(mut self, max: Duration) -> Self {
        self.max = max;
        self
    }

    /// By how much each delay is longer than the last; from 1 up.
    #[must_use]
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = if factor.is_finite() { factor.max(1.0) } else { 1.0 };
        self
    }

    /// After a connection has lasted this long, the next delay is the initial one again.
    #[must_use]
    pub fn reset_after(mut self, time: Duration) -> Self {
        self.reset_after = time;
        self
    }

    /// The longest delay, before the random spread.
    pub(crate) fn max_delay(&self) -> Duration {
        self.max
    }

    /// Whether a connection of this age was in health.
    pub(crate) fn is_healthy(&self, age: Duration) -> bool {
        age >= self.reset_after
    }

    /// The delay after so many failures in a row before this one.
    pub(crate) fn delay(&self, failures: u32) -> Duration {
        self.delay_at(failures, crate::random::chance())
    }

    /// `chance` from 0 to 1.
    fn delay_at(&self, failures: u32, chance: f64) -> Duration {
        let exponent = i32::try_from(failures.min(64)).unwrap_or(64);
        let seconds = self.initial.as_secs_f64() * self.factor.powi(exponent);
        let seconds = seconds.min(self.max.as_secs_f64());
        let spread = seconds * (1.0 - SPREAD + 2.0 * SPREAD * chance);
        Duration::try_from_secs_f64(spread).unwrap_or(self.max)
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
        let backoff = Backoff::default().factor(f64::NAN).max(Duration::MAX).initial(Duration::MAX);
        assert_eq!(backoff.delay_at(u32::MAX, 1.0), Duration::MAX);
        assert_eq!(Backoff::default().factor(0.0).delay_at(9, 0.5), Duration::from_millis(100));
        assert_eq!(Backoff::default().factor(2.0).delay_at(2, 0.5), Duration::from_millis(400));
    }
}
