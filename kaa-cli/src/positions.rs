//! Converts offsets to lines and columns.
//!
//! Invariants: lines and columns start at one; columns count Unicode characters; the cost of a conversion
//! does not depend on the length of the line.

use kaa_idl::LineTable;
use serde::Serialize;

/// The maximum number of bytes that a conversion reads.
const BLOCK: usize = 1024;

/// A range of a file.
#[derive(Debug, Serialize)]
pub(crate) struct Range {
    /// `None` if it is about no file.
    pub(crate) file: Option<String>,
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) end_line: usize,
    pub(crate) end_column: usize,
    pub(crate) byte_start: usize,
    pub(crate) byte_end: usize,
}

/// Converts the offsets of one text.
#[derive(Debug)]
pub(crate) struct Positions<'a> {
    text: &'a [u8],
    lines: LineTable,
    /// The number of characters that start before each block.
    before: Vec<usize>,
}

impl<'a> Positions<'a> {
    /// Counts the characters of a text.
    pub(crate) fn new(text: &'a str) -> Self {
        let before = text.as_bytes().chunks(BLOCK).scan(0, |count, block| {
            let before = *count;
            *count += characters(block);
            Some(before)
        });
        Self { text: text.as_bytes(), lines: LineTable::new(text), before: before.collect() }
    }

    /// The range between two offsets.
    pub(crate) fn range(&self, file: Option<String>, byte_start: usize, byte_end: usize) -> Range {
        let (line, column) = self.position(byte_start);
        let (end_line, end_column) = self.position(byte_end);
        Range { file, line, column, end_line, end_column, byte_start, byte_end }
    }

    /// The line and column of an offset.
    fn position(&self, offset: usize) -> (usize, usize) {
        let offset = offset.min(self.text.len());
        let line = self.lines.line(offset);
        let start = self.lines.start(line).unwrap_or(0);
        (line, self.characters_before(offset).saturating_sub(self.characters_before(start)) + 1)
    }

    fn characters_before(&self, offset: usize) -> usize {
        let block = offset / BLOCK;
        let Some(before) = self.before.get(block) else {
            let whole = self.before.last().copied().unwrap_or(0);
            let last = self.text.chunks(BLOCK).next_back().map_or(0, characters);
            return whole + last;
        };
        before + self.text.get(block * BLOCK..offset).map_or(0, characters)
    }
}

/// The number of characters that start in these bytes.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0b1100_0000 != 0b1000_0000).count()
}

#[cfg(test)]
mod tests {
    use super::Positions;

    #[test]
    fn columns_count_characters() {
        let text = format!("é→x\n{}y\n", "ü".repeat(5_000));
        let positions = Positions::new(&text);
        assert_eq!(positions.position(0), (1, 1));
        assert_eq!(positions.position(5), (1, 3));
        assert_eq!(positions.position(7), (2, 1));
        assert_eq!(positions.position(7 + 10_000), (2, 5_001));
        assert_eq!(positions.position(text.len()), (3, 1));
        assert_eq!(positions.position(usize::MAX), (3, 1));
        assert_eq!(Positions::new("").position(3), (1, 1));
        let block = "x".repeat(2_048);
        assert_eq!(Positions::new(&block).position(2_048), (1, 2_049));
    }
}
