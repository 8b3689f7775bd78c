//! Delays between attempts to connect.

use std::time::Duration;

/// Delays between attempts to connect. They grow exponentially, with random jitter so that many clients do
/// not reconnect at the same moment.
///
/// By default the first delay is 100 ms, and each following one is 1.6 times longer, up to 30 s, all ±20 %.
/// After a connection of 10 s or more the delays start again at 100 ms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    initial: Duration,
    factor: f64,
    max: Duration,
    reset_after: Duration,
}

/// The maximum random change of a delay, as a fraction.
const JITTER: f64 = 0.2;

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
    /// Sets the first delay.
    #[must_use]
    pub fn initial(mut self, initial: Duration) -> Self {
        self.initial = initial;
        self
    }

    /// Sets the maximum delay, before jitter.
    #[must_use]
    pub fn max(mut self, max: Duration) -> Self {
        self.max = max;
        self
    }

    /// Sets the factor by which each delay is longer than the one before. Values below 1 count as 1.
    #[must_use]
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = if factor.is_finite() { factor.max(1.0) } else { 1.0 };
        self
    }

    /// Sets how long a connection must last so that the next delay is the initial one again.
    #[must_use]
    pub fn reset_after(mut self, time: Duration) -> Self {
        self.reset_after = time;
        self
    }

    /// The maximum delay, before jitter.
    pub(crate) fn max_delay(&self) -> Duration {
        self.max
    }

    /// Whether a connection that lasted this long resets the delays.
    pub(crate) fn resets_after(&self, age: Duration) -> bool {
        age >= self.reset_after
    }

    /// The delay after the given number of consecutive failures.
    pub(crate) fn delay(&self, failures: u32) -> Duration {
        self.delay_at(failures, crate::random::fraction())
    }

    /// `random` is from 0 to 1.
    fn delay_at(&self, failures: u32, random: f64) -> Duration {
        let exponent = i32::try_from(failures.min(64)).unwrap_or(64);
        let seconds = self.initial.as_secs_f64() * self.factor.powi(exponent);
        let seconds = seconds.min(self.max.as_secs_f64());
        let jittered = seconds * (1.0 - JITTER + 2.0 * JITTER * random);
        Duration::try_from_secs_f64(jittered).unwrap_or(self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_maximum_with_jitter() {
        let backoff = Backoff::default();
        assert_eq!(backoff.delay_at(0, 0.5), Duration::from_millis(100));
        assert_eq!(backoff.delay_at(1, 0.5), Duration::from_millis(160));
        assert_eq!(backoff.delay_at(1000, 0.5), Duration::from_secs(30));
        assert_eq!(backoff.delay_at(0, 0.0), Duration::from_millis(80));
        assert_eq!(backoff.delay_at(0, 1.0), Duration::from_millis(120));
    }

    #[test]
    fn extreme_settings_give_valid_delays() {
        let backoff = Backoff::default().factor(f64::NAN).max(Duration::MAX).initial(Duration::MAX);
        assert_eq!(backoff.delay_at(u32::MAX, 1.0), Duration::MAX);
        assert_eq!(Backoff::default().factor(0.0).delay_at(9, 0.5), Duration::from_millis(100));
        assert_eq!(Backoff::default().factor(2.0).delay_at(2, 0.5), Duration::from_millis(400));
    }
}
