//! Tokens on a line, and where it breaks if it is too long: lists between their entries, expressions before operators.
//!
//! Invariants: an outer list breaks before an inner one; a list breaks as a whole.

use super::outline::{List, is_sign};
use super::printer::{INDENT, MAX_WIDTH, Printer};
use super::tokens::{Delimiter, Kind};

/// A block that is wider inside is not written on one line.
const MAX_BLOCK_WIDTH: usize = 64;

/// What stands together on a line, as long as it fits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unit {
    /// Its last token.
    pub(super) last: usize,
    /// The columns that are wanted behind it, such as for a comma.
    pub(super) reserve: usize,
}

impl Printer<'_> {
    /// Writes tokens of a unit from one to another, the second left out.
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

    /// Whether a list is written with a line for each entry.
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

    /// Whether tokens fit on the line at hand, with some columns to spare.
    pub(super) fn fits(&self, first: usize, last: usize, reserve: usize) -> bool {
        self.column + self.outline.width(first, last) + reserve <= MAX_WIDTH
    }

    /// Whether a list fits on the line, with what follows it up to where the line can break again.
    fn fits_until_break(&self, open: usize, close: usize, unit: Unit) -> bool {
        let mut last = close;
        while last < unit.last && !matches!(self.kind(last + 1), Kind::Open(_)) {
            last += 1;
        }
        let reserve = if last == unit.last { unit.reserve } else { 1 };
        self.fits(open, last, reserve)
    }

    /// An operator goes to the next line with its operand if that has no room on this one.
    fn operator(&mut self, index: usize, unit: Unit) {
        let last = self.end_of_operand(index + 1, unit.last);
        if !self.fits(index, last, unit.reserve) {
            self.wrap(index);
        }
        self.emit(index);
    }

    /// What follows a `=` goes to the next line if it has no room on this one and more on that.
    fn equals(&mut self, index: usize, unit: Unit) {
        self.emit(index);
        let last = self.end_of_operand(index + 1, unit.last);
        let literal = last == index + 1 && self.kind(last) != Kind::Open(Delimiter::Brace);
        let indent = self.indent + INDENT;
        if literal && !self.fits(index + 1, last, unit.reserve + 1) && indent < self.column {
            self.wrap(index + 1);
        }
    }

    /// Begins a line in the middle of a unit. Not before a comment, which would then be one with a line of its own.
    fn wrap(&mut self, before: usize) {
        if self.tokens.get(before).is_some_and(|token| token.leading().is_empty()) {
            self.flush();
            self.newline(self.indent + INDENT, false);
        }
    }

    /// The last token before the next operator, or before whatever ends an expression.
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
