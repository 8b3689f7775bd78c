//! A token bucket. The caller passes the time.

use std::time::Duration;

/// Limits how often something may happen.
#[derive(Debug, Clone)]
pub struct TokenBucket {
    capacity: f64,
    per_second: f64,
    tokens: f64,
    /// The time of the last call, counted from any fixed moment.
    at: Duration,
}

impl TokenBucket {
    /// Creates a full bucket with `burst` tokens, which gains `per_second` tokens.
    #[must_use]
    pub fn new(burst: u32, per_second: u32) -> Self {
        let capacity = f64::from(burst.max(1));
        Self { capacity, per_second: f64::from(per_second), tokens: capacity, at: Duration::ZERO }
    }

    /// Takes a token at the given time. Returns whether there was one.
    pub fn take(&mut self, now: Duration) -> bool {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.at = self.at.max(now);
        self.tokens = (self.tokens + passed * self.per_second).min(self.capacity);
        let has_one = self.tokens >= 1.0;
        if has_one {
            self.tokens -= 1.0;
        }
        has_one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_allows_burst_then_rate() {
        let mut bucket = TokenBucket::new(3, 2);
        let taken = |bucket: &mut TokenBucket, at: u64| {
            std::iter::repeat_with(|| bucket.take(Duration::from_millis(at)))
                .take(9)
                .filter(|took| *took)
                .count()
        };
        assert_eq!(taken(&mut bucket, 0), 3);
        assert_eq!(taken(&mut bucket, 499), 0);
        assert_eq!(taken(&mut bucket, 500), 1);
        assert_eq!(taken(&mut bucket, 1500), 2);
        assert_eq!(taken(&mut bucket, 1400), 0, "a clock that goes backwards adds no tokens");
        assert_eq!(taken(&mut bucket, 1_000_000), 3);
    }
}
