//! Writes tokens on a line, and breaks it if it is too long: lists between entries, expressions before
//! operators.
//!
//! Invariants: an outer list breaks before an inner one; a list breaks as a whole.

use super::outline::{List, is_sign};
use super::printer::{INDENT, MAX_WIDTH, Printer};
use super::tokens::{Delimiter, Kind};

/// A block whose contents are wider is not written on one line.
const MAX_BLOCK_WIDTH: usize = 64;

/// Tokens that stay together on a line as long as they fit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit {
    /// Its last token.
    pub(super) last: usize,
    /// The columns to keep free after it, such as for a comma.
    pub(super) reserve: usize,
}

impl Printer<'_> {
    /// Writes the tokens of a unit from one up to another, which is not included.
    pub(super) fn flow(&mut self, from: usize, to: usize, unit: Unit) {
        let mut index = from;
        while index < to {
            match self.kind(index) {
                Kind::Open(_) if self.breaks(index, unit) => {
                    self.vertical(index);
                    index = self.outline.close(index);
                }
                Kind::Operator if !is_sign(self.tokens, index) => self.operator(index, unit),
                Kind::Equals => self.equals(index, unit),
                Kind::Semicolon if index == unit.last && self.outline.must_break(index) => {
                    self.emit_early(Some(index))
                }
                _ => self.emit(index),
            }
            index += 1;
        }
    }

    /// Whether a list is written with one line for each entry.
    pub(super) fn breaks(&self, open: usize, unit: Unit) -> bool {
        let Some(group) = self.outline.group(open) else { return false };
        let must_break = self.outline.any_break(open + 1, group.close);
        match group.list {
            List::None => false,
            List::Block => {
                if group.entries == 0 {
                    return must_break || self.outline.must_break(open);
                }
                let inner = self.outline.width(open + 1, group.close - 1);
                must_break
                    || self.outline.must_break(open)
                    || group.holds_block
                    || inner > MAX_BLOCK_WIDTH
                    || !self.fits(open, unit.last, unit.reserve)
            }
            List::Elements if group.entries < 2 => group.must_break,
            List::TypeArguments | List::Imports if group.entries < 2 => false,
            List::Parameters if group.entries == 0 => must_break,
            _ => must_break || !self.fits_until_break(open, group.close, unit),
        }
    }

    /// Whether tokens fit on the current line with `reserve` more columns.
    pub(super) fn fits(&self, first: usize, last: usize, reserve: usize) -> bool {
        self.column + self.outline.width(first, last) + reserve <= MAX_WIDTH
    }

    /// Whether a list fits on the line together with the tokens after it, up to the next possible break.
    fn fits_until_break(&self, open: usize, close: usize, unit: Unit) -> bool {
        let mut last = close;
        while last < unit.last && !matches!(self.kind(last + 1), Kind::Open(_)) {
            last += 1;
        }
        let reserve = if last == unit.last { unit.reserve } else { 1 };
        self.fits(open, last, reserve)
    }

    /// Writes an operator, on the next line if it does not fit on this one with its operand.
    fn operator(&mut self, index: usize, unit: Unit) {
        let last = self.end_of_operand(index + 1, unit.last);
        if !self.fits(index, last, unit.reserve) {
            self.wrap(index);
        }
        self.emit(index);
    }

    /// Writes a `=`. Its value goes on the next line if it does not fit on this one and has more room there.
    fn equals(&mut self, index: usize, unit: Unit) {
        self.emit(index);
        let last = self.end_of_operand(index + 1, unit.last);
        let literal = last == index + 1 && self.kind(last) != Kind::Open(Delimiter::Brace);
        let indent = self.indent + INDENT;
        if literal && !self.fits(index + 1, last, unit.reserve + 1) && indent < self.column {
            self.wrap(index + 1);
        }
    }

    /// Begins a line in the middle of a unit, but not before a comment, which would then count as on its own
    /// line.
    fn wrap(&mut self, before: usize) {
        if self.tokens.get(before).is_some_and(|token| token.leading().is_empty()) {
            self.flush();
            self.newline(self.indent + INDENT, false);
        }
    }

    /// The last token before the next operator, or before the end of the expression.
    fn end_of_operand(&self, from: usize, last: usize) -> usize {
        let mut index = from;
        while index < last {
            index = self.outline.close(index);
            let next = self.kind(index + 1);
            let ends = matches!(next, Kind::Comma | Kind::Semicolon | Kind::Close(_));
            if ends || (next == Kind::Operator && !is_sign(self.tokens, index + 1)) {
                return index;
            }
            index += 1;
        }
        last
    }
}
