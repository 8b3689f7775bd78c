//! Durations in attributes, as in `#[timeout("5s")]`.
//!
//! Invariants: a duration is one decimal integer and one unit, from one millisecond to [`MAX_TIMEOUT`].

use std::time::Duration;

use super::resolver::Resolver;
use crate::ast::{Expression, ExpressionKind};
use crate::diagnostic::{Code, Diagnostic, Place};

/// A longer timeout is certainly a mistake.
const MAX_TIMEOUT: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const MAX_TIMEOUT_TEXT: &str = "168h";

/// The units in milliseconds.
const UNITS: &[(&str, u64)] = &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];

/// What is wrong with a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Problem {
    /// Not a number with a unit.
    Malformed,
    Negative,
    Zero,
    TooLong,
}

impl Resolver<'_> {
    /// The duration that an attribute's value gives. Reports an error and returns `None` if it is invalid.
    pub(super) fn duration(&mut self, file: usize, value: &Expression) -> Option<Duration> {
        let text = match &value.kind {
            ExpressionKind::String(text) => text.as_str(),
            _ => "",
        };
        let problem = match parse(text) {
            Ok(duration) => return Some(duration),
            Err(problem) => problem,
        };
        let place = self.place(file, value.span);
        self.report(error(problem, value, text, place));
        None
    }
}

fn error(problem: Problem, value: &Expression, text: &str, place: Place) -> Diagnostic {
    let units =
        "a duration is an integer and a unit (`ms`, `s`, `m` or `h`) in quotes: `\"5s\"`, `\"250ms\"`";
    match problem {
        Problem::Malformed => {
            let label = match &value.kind {
                ExpressionKind::Integer(_) => "needs a unit",
                ExpressionKind::String(text) if text.parse::<u64>().is_ok() => "needs a unit",
                ExpressionKind::String(text) if text.contains('.') => "not an integer",
                _ => "not a duration",
            };
            Diagnostic::error(Code::BadAttribute, "malformed `#[timeout]`", place, label).with_help(units)
        }
        Problem::Negative => {
            Diagnostic::error(Code::OutOfRange, "a timeout cannot be negative", place, "negative duration")
                .with_help("the minimum is `1ms`")
        }
        Problem::Zero => {
            let message = "a timeout of zero would fail every call";
            Diagnostic::error(Code::OutOfRange, message, place, "zero duration")
                .with_help("without `#[timeout]` a call waits without limit")
        }
        Problem::TooLong => {
            let message = format!("`{text}` is longer than one week");
            Diagnostic::error(
                Code::OutOfRange,
                message,
                place,
                format!("must be at most `{MAX_TIMEOUT_TEXT}`"),
            )
            .with_help("without `#[timeout]` a call waits without limit")
        }
    }
}

fn parse(text: &str) -> Result<Duration, Problem> {
    let (text, negative) = text.strip_prefix('-').map_or((text, false), |rest| (rest, true));
    let unit = text.trim_start_matches(|character: char| character.is_ascii_digit());
    let digits = text.strip_suffix(unit).unwrap_or_default();
    let (_, milliseconds) = UNITS.iter().find(|(name, _)| *name == unit).ok_or(Problem::Malformed)?;
    if digits.is_empty() {
        return Err(Problem::Malformed);
    }
    if negative {
        return Err(Problem::Negative);
    }
    // A number that does not fit in 64 bits is too long as well.
    let number: u64 = digits.parse().unwrap_or(u64::MAX);
    match Duration::from_millis(number.saturating_mul(*milliseconds)) {
        Duration::ZERO => Err(Problem::Zero),
        duration if duration > MAX_TIMEOUT => Err(Problem::TooLong),
        duration => Ok(duration),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Problem, parse};

    #[test]
    fn valid_durations_are_parsed() {
        let good = [("250ms", 250), ("5s", 5_000), ("2m", 120_000), ("1h", 3_600_000), ("168h", 604_800_000)];
        for (text, milliseconds) in good {
            assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn invalid_durations_are_rejected() {
        let bad = [
            ("", Problem::Malformed),
            ("5", Problem::Malformed),
            ("s", Problem::Malformed),
            ("5 s", Problem::Malformed),
            ("1.5s", Problem::Malformed),
            ("1h30m", Problem::Malformed),
            ("+5s", Problem::Malformed),
            ("5S", Problem::Malformed),
            ("-5s", Problem::Negative),
            ("0s", Problem::Zero),
            ("000ms", Problem::Zero),
            ("169h", Problem::TooLong),
            ("99999999999999999999999h", Problem::TooLong),
        ];
        for (text, problem) in bad {
            assert_eq!(parse(text), Err(problem), "{text}");
        }
    }
}
