//! Places in text: byte spans, and the table that converts offsets to lines.
//!
//! Invariants: the start of a [`Span`] is never after its end; a lookup in a [`LineTable`] takes logarithmic
//! time.

/// A range of bytes in one file.
///
/// Offsets take four bytes each, because a schema has very many spans. Every file that can be read fits;
/// larger offsets are reduced to the maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// The span from `start` to `end`; empty if `end` is before `start`.
    #[must_use]
    pub fn new(start: usize, end: usize) -> Self {
        Self { start: narrow(start), end: narrow(end.max(start)) }
    }

    /// The empty span at an offset.
    #[must_use]
    pub fn at(offset: usize) -> Self {
        Self::new(offset, offset)
    }

    /// The offset of the first byte.
    #[must_use]
    pub fn start(self) -> usize {
        widen(self.start)
    }

    /// The offset after the last byte.
    #[must_use]
    pub fn end(self) -> usize {
        widen(self.end)
    }

    /// The smallest span that contains both.
    #[must_use]
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The text that the span covers; empty if the span is not valid for the text.
    #[must_use]
    pub fn text(self, source: &str) -> &str {
        source.get(self.start()..self.end()).unwrap_or_default()
    }
}

fn narrow(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(u32::MAX)
}

fn widen(offset: u32) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

/// The offsets at which the lines of a text begin, to convert an offset to a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineTable {
    starts: Vec<u32>,
}

impl LineTable {
    /// Creates the table for a text in one pass.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let starts = std::iter::once(0).chain(newlines.map(|(offset, _)| narrow(offset + 1))).collect();
        Self { starts }
    }

    /// The one-based line that contains an offset.
    #[must_use]
    pub fn line(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| widen(*start) <= offset).max(1)
    }

    /// The offset at which a one-based line begins; `None` after the last line.
    #[must_use]
    pub fn start(&self, line: usize) -> Option<usize> {
        self.starts.get(line.checked_sub(1)?).copied().map(widen)
    }
}
