//! The path to a value inside another one, for errors.
//!
//! Invariants
//! - A path costs nothing without an error: the names are added while the error is returned.
//! - Only the outermost type is named. Inside it, fields and indexes identify the value.

use std::fmt;

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Segment {
    /// The type at the start of the path.
    Type(&'static str),
    /// A field, or a parameter of a method.
    Field(&'static str),
    /// The index of an element of a sequence or array, or of an entry of a set or map in the order of the
    /// wire.
    Index(usize),
}

/// The maximum number of displayed steps. A path into a recursive value may have many more.
const MAX_DISPLAYED: usize = 15;

/// A path to a value inside another one, displayed as `Program.tags[3]`. It is empty for the value as a
/// whole.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Path(Option<Box<Step>>);

#[derive(Clone, PartialEq, Eq)]
struct Step {
    segment: Segment,
    inner: Path,
}

impl Path {
    /// The steps from the outermost value inwards.
    pub fn segments(&self) -> impl Iterator<Item = &Segment> {
        let mut next = self.0.as_deref();
        std::iter::from_fn(move || {
            let step = next?;
            next = step.inner.0.as_deref();
            Some(&step.segment)
        })
    }

    /// Whether the path is that of the value as a whole.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Adds a step at the start. The name of a type is removed if the type is not the outermost one.
    pub(super) fn push(&mut self, segment: Segment) {
        let inner = match self.0.take() {
            Some(step) if matches!(step.segment, Segment::Type(_)) => step.inner,
            step => Self(step),
        };
        self.0 = Some(Box::new(Step { segment, inner }));
    }
}

impl fmt::Display for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.segments().enumerate() {
            match segment {
                _ if index == MAX_DISPLAYED => return formatter.write_str("…"),
                Segment::Type(name) => formatter.write_str(name)?,
                Segment::Field(name) if index == 0 => formatter.write_str(name)?,
                Segment::Field(name) => write!(formatter, ".{name}")?,
                Segment::Index(at) => write!(formatter, "[{at}]")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Path({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inner_types_are_not_named() {
        let mut path = Path::default();
        path.push(Segment::Type("TimeRange"));
        assert_eq!(path.to_string(), "TimeRange");
        path.push(Segment::Index(3));
        path.push(Segment::Field("ranges"));
        path.push(Segment::Type("Program"));
        assert_eq!(path.to_string(), "Program.ranges[3]");
        path.push(Segment::Field("first"));
        assert_eq!(path.to_string(), "first.ranges[3]");
    }
}
