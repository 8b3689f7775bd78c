//! A point in time in the form of the wire.
//!
//! Invariant: `nanoseconds` is less than a second and counts forward, before 1970 too. The derived order is
//! therefore the order in time.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

const NANOSECONDS_PER_SECOND: u32 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// A point in time: seconds since 1970-01-01T00:00:00Z, without leap seconds, and nanoseconds.
///
/// `Display` writes it as in RFC 3339, in UTC. In serde formats it is a pair of the two numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    seconds: i64,
    nanoseconds: u32,
}

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const UNIX_EPOCH: Self = Self { seconds: 0, nanoseconds: 0 };

    /// The earliest time.
    pub const MIN: Self = Self { seconds: i64::MIN, nanoseconds: 0 };

    /// The latest time.
    pub const MAX: Self = Self { seconds: i64::MAX, nanoseconds: NANOSECONDS_PER_SECOND - 1 };

    /// The time `nanoseconds` after `seconds` since 1970. `seconds` may be negative. Returns `None` if
    /// `nanoseconds` is a second or more.
    #[must_use]
    pub const fn new(seconds: i64, nanoseconds: u32) -> Option<Self> {
        if nanoseconds < NANOSECONDS_PER_SECOND { Some(Self { seconds, nanoseconds }) } else { None }
    }

    /// The current time of the system clock.
    #[must_use]
    pub fn now() -> Self {
        SystemTime::now().into()
    }

    /// Whole seconds since 1970, rounded down.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds after [`Timestamp::seconds`], less than a second.
    #[must_use]
    pub const fn nanoseconds(self) -> u32 {
        self.nanoseconds
    }

    /// Converts to the type of the system clock; `None` if the time is out of its range.
    #[must_use]
    pub fn to_system_time(self) -> Option<SystemTime> {
        let whole = Duration::from_secs(self.seconds.unsigned_abs());
        let time = if self.seconds < 0 {
            SystemTime::UNIX_EPOCH.checked_sub(whole)
        } else {
            SystemTime::UNIX_EPOCH.checked_add(whole)
        };
        time?.checked_add(Duration::from_nanos(self.nanoseconds.into()))
    }

    /// The time `duration` later; `None` if it is out of range.
    #[must_use]
    pub fn checked_add(self, duration: Duration) -> Option<Self> {
        let nanoseconds = self.nanoseconds + duration.subsec_nanos();
        let carry = u64::from(nanoseconds >= NANOSECONDS_PER_SECOND);
        let seconds = self.seconds.checked_add_unsigned(duration.as_secs())?.checked_add_unsigned(carry)?;
        Self::new(seconds, nanoseconds % NANOSECONDS_PER_SECOND)
    }

    /// The time `duration` earlier; `None` if it is out of range.
    #[must_use]
    pub fn checked_sub(self, duration: Duration) -> Option<Self> {
        let seconds = self.seconds.checked_sub_unsigned(duration.as_secs())?;
        match self.nanoseconds.checked_sub(duration.subsec_nanos()) {
            Some(nanoseconds) => Self::new(seconds, nanoseconds),
            None => Self::new(
                seconds.checked_sub(1)?,
                self.nanoseconds + NANOSECONDS_PER_SECOND - duration.subsec_nanos(),
            ),
        }
    }

    /// The time since `earlier`; `None` if `earlier` is later.
    #[must_use]
    pub fn duration_since(self, earlier: Self) -> Option<Duration> {
        if self < earlier {
            return None;
        }
        let seconds = self.seconds.abs_diff(earlier.seconds);
        match self.nanoseconds.checked_sub(earlier.nanoseconds) {
            Some(nanoseconds) => Some(Duration::new(seconds, nanoseconds)),
            None => {
                let nanoseconds = self.nanoseconds + NANOSECONDS_PER_SECOND - earlier.nanoseconds;
                Some(Duration::new(seconds.checked_sub(1)?, nanoseconds))
            }
        }
    }
}

impl From<SystemTime> for Timestamp {
    /// A time out of range becomes [`Timestamp::MIN`] or [`Timestamp::MAX`].
    fn from(time: SystemTime) -> Self {
        match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => Self::UNIX_EPOCH.checked_add(after).unwrap_or(Self::MAX),
            Err(before) => Self::UNIX_EPOCH.checked_sub(before.duration()).unwrap_or(Self::MIN),
        }
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil_date(self.seconds.div_euclid(SECONDS_PER_DAY));
        let second = self.seconds.rem_euclid(SECONDS_PER_DAY);
        // RFC 3339 has years of four digits. ISO 8601 requires a sign for all others.
        if (0..=9999).contains(&year) {
            write!(formatter, "{year:04}")?;
        } else {
            write!(formatter, "{year:+05}")?;
        }
        write!(
            formatter,
            "-{month:02}-{day:02}T{:02}:{:02}:{:02}",
            second / 3600,
            second / 60 % 60,
            second % 60
        )?;
        match self.nanoseconds {
            0 => {}
            nanoseconds if nanoseconds % 1_000_000 == 0 => {
                write!(formatter, ".{:03}", nanoseconds / 1_000_000)?
            }
            nanoseconds if nanoseconds % 1_000 == 0 => write!(formatter, ".{:06}", nanoseconds / 1_000)?,
            nanoseconds => write!(formatter, ".{nanoseconds:09}")?,
        }
        formatter.write_str("Z")
    }
}

/// The year, month and day of a day number that counts from 1970-01-01, in the proleptic Gregorian calendar.
///
/// It counts in cycles of 400 years that begin on March 1, so that a leap day is the last day of its year and
/// cycle.
fn civil_date(day: i64) -> (i64, i64, i64) {
    const DAYS_TO_1970: i64 = 719_468;
    const DAYS_PER_CYCLE: i64 = 146_097;
    let day = day + DAYS_TO_1970;
    let cycle = day.div_euclid(DAYS_PER_CYCLE);
    let day_of_cycle = day.rem_euclid(DAYS_PER_CYCLE);
    let year_of_cycle =
        (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
    let day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let months_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * months_from_march + 2) / 5 + 1;
    let month = if months_from_march < 10 { months_from_march + 3 } else { months_from_march - 9 };
    let year = cycle * 400 + year_of_cycle + i64::from(month <= 2);
    (year, month, day_of_month)
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.seconds, self.nanoseconds).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (seconds, nanoseconds) = Deserialize::deserialize(deserializer)?;
        Self::new(seconds, nanoseconds)
            .ok_or_else(|| serde::de::Error::custom("the nanoseconds are a second or more"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64, nanoseconds: u32) -> Timestamp {
        Timestamp::new(seconds, nanoseconds).unwrap()
    }

    #[test]
    fn display_follows_rfc_3339() {
        let check = |timestamp: Timestamp, expected: &str| assert_eq!(timestamp.to_string(), expected);
        check(Timestamp::UNIX_EPOCH, "1970-01-01T00:00:00Z");
        check(at(-1, 999_000_000), "1969-12-31T23:59:59.999Z");
        check(at(951_782_400, 0), "2000-02-29T00:00:00Z");
        check(at(951_868_799, 1_000), "2000-02-29T23:59:59.000001Z");
        check(at(4_107_542_400, 0), "2100-03-01T00:00:00Z");
        check(at(1_700_000_000, 123_456_789), "2023-11-14T22:13:20.123456789Z");
        check(at(-62_167_219_200, 0), "0000-01-01T00:00:00Z");
        check(at(-62_167_219_201, 0), "-0001-12-31T23:59:59Z");
        check(at(253_402_300_799, 0), "9999-12-31T23:59:59Z");
        check(at(253_402_300_800, 0), "+10000-01-01T00:00:00Z");
        check(Timestamp::MAX, "+292277026596-12-04T15:30:07.999999999Z");
        check(Timestamp::MIN, "-292277022657-01-27T08:29:52Z");
    }

    #[test]
    fn civil_dates_are_consecutive() {
        let (mut year, mut month, mut day) = civil_date(-800_000);
        for number in -799_999..800_000 {
            let next = civil_date(number);
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let days = match month {
                2 => 28 + i64::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            let expected = match (month, day) {
                (12, 31) => (year + 1, 1, 1),
                _ if day == days => (year, month + 1, 1),
                _ => (year, month, day + 1),
            };
            assert_eq!(next, expected);
            (year, month, day) = next;
        }
    }

    #[test]
    fn system_time_round_trips() {
        for (seconds, nanoseconds) in [(0, 0), (1, 5), (-1, 0), (-1, 999_999_999), (-5, 1), (1 << 40, 7)] {
            let timestamp = at(seconds, nanoseconds);
            let time = timestamp.to_system_time().unwrap();
            assert_eq!(Timestamp::from(time), timestamp);
        }
        assert!(at(-1, 999_999_999).to_system_time().unwrap() < SystemTime::UNIX_EPOCH);
        let before = SystemTime::now();
        let now = Timestamp::now();
        assert!(Timestamp::from(before) <= now && now <= Timestamp::from(SystemTime::now()));
    }

    #[test]
    fn nanoseconds_count_forward() {
        let half = Duration::from_millis(500);
        assert_eq!(at(-1, 500_000_000).checked_add(half), Some(Timestamp::UNIX_EPOCH));
        assert_eq!(Timestamp::UNIX_EPOCH.checked_sub(half), Some(at(-1, 500_000_000)));
        assert_eq!(at(3, 200_000_000).duration_since(at(1, 700_000_000)), Some(Duration::from_millis(1_500)));
        assert_eq!(at(1, 0).duration_since(at(1, 1)), None);
        assert_eq!(Timestamp::MAX.duration_since(Timestamp::MIN), Some(Duration::new(u64::MAX, 999_999_999)));
        assert_eq!(Timestamp::MAX.checked_add(Duration::from_nanos(1)), None);
        assert_eq!(Timestamp::MIN.checked_sub(Duration::from_nanos(1)), None);
        assert_eq!(Timestamp::MIN.checked_add(Duration::MAX), Some(Timestamp::MAX));
        assert!(at(-1, 0) < at(-1, 1) && at(-1, 1) < at(0, 0));
        assert_eq!(Timestamp::new(0, 1_000_000_000), None);
    }
}
