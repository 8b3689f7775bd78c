//! Times in attributes, as in `#[timeout("5s")]`.
//!
//! Invariants: a time is one decimal integer and one unit, from a millisecond to [`LONGEST`].

use std::time::Duration;

use super::resolver::Resolver;
use crate::ast::{Expression, ExpressionKind};
use crate::diagnostic::{Code, Diagnostic, Place};

/// Beyond this nobody waits for a call.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const LONGEST_WRITTEN: &str = "168h";

/// The units with their milliseconds.
const UNITS: &[(&str, u64)] = &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)];

/// What is wrong with a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Problem {
    /// No number with a unit.
    Malformed,
    Negative,
    Zero,
    TooLong,
}

impl Resolver<'_> {
    /// The time that a value of an attribute says; `None` after a complaint.
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
        self.report(complaint(problem, value, text, place));
        None
    }
}

fn complaint(problem: Problem, value: &Expression, text: &str, place: Place) -> Diagnostic {
    let units =
        "a time is an integer and one of the units `ms`, `s`, `m` and `h`, in quotes: `\"5s\"`, `\"250ms\"`";
    match problem {
        Problem::Malformed => {
            let label = match &value.kind {
                ExpressionKind::Integer(_) => "needs a unit",
                ExpressionKind::String(text) if text.parse::<u64>().is_ok() => "needs a unit",
                ExpressionKind::String(text) if text.contains('.') => "not an integer",
                _ => "not a time",
            };
            Diagnostic::error(Code::BadAttribute, "malformed `#[timeout]`", place, label).with_help(units)
        }
        Problem::Negative => {
            Diagnostic::error(Code::OutOfRange, "a timeout cannot be negative", place, "less than nothing")
                .with_help("the least is `1ms`")
        }
        Problem::Zero => {
            let message = "with a timeout of zero every call would fail";
            Diagnostic::error(Code::OutOfRange, message, place, "no time at all")
                .with_help("without `#[timeout]` a call waits as long as it takes")
        }
        Problem::TooLong => {
            let message = format!("`{text}` is longer than a week");
            Diagnostic::error(
                Code::OutOfRange,
                message,
                place,
                format!("must be at most `{LONGEST_WRITTEN}`"),
            )
            .with_help("without `#[timeout]` a call waits as long as it takes")
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
    // Digits that do not fit are many, so the time is long.
    let number: u64 = digits.parse().unwrap_or(u64::MAX);
    match Duration::from_millis(number.saturating_mul(*milliseconds)) {
        Duration::ZERO => Err(Problem::Zero),
        duration if duration > LONGEST => Err(Problem::TooLong),
        duration => Ok(duration),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Problem, parse};

    #[test]
    fn a_time_is_an_integer_and_a_unit() {
        let good = [("250ms", 250), ("5s", 5_000), ("2m", 120_000), ("1h", 3_600_000), ("168h", 604_800_000)];
        for (text, milliseconds) in good {
            assert_eq!(parse(text), Ok(Duration::from_millis(milliseconds)), "{text}");
        }
    }

    #[test]
    fn everything_else_is_said_to_be_wrong() {
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
