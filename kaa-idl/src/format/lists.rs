//! Writes lists with one line for each entry, and the docs and attributes of entries.
//!
//! Invariants: each entry except `..` ends with a comma; comments after an entry are written after its comma.

use super::flow::Unit;
use super::outline::List;
use super::printer::{BlankLine, INDENT, MAX_WIDTH, Printer};
use super::tokens::Kind;

impl Printer<'_> {
    /// Writes a list from its opening bracket to its closing one.
    pub(super) fn vertical(&mut self, open: usize) {
        let close = self.outline.close(open);
        let base = self.open(open);
        let outer = std::mem::replace(&mut self.indent, base + INDENT);
        let mut from = open + 1;
        while from < close {
            let to = self.end_of_entry(from, close);
            if to > from {
                self.entry(from, to, if from == open + 1 { BlankLine::Never } else { BlankLine::Keep });
                let comma = (to < close).then_some(to);
                if comma.is_some() || self.kind(to - 1) != Kind::Rest {
                    self.emit_early(comma);
                }
            }
            from = to + 1;
        }
        self.end(close, base, if close == open + 1 { BlankLine::Never } else { BlankLine::Keep });
        self.indent = outer;
    }

    /// Writes an opening bracket and returns the indentation of its line. A brace stays on the line of its
    /// construct, even if there are comments between them.
    pub(super) fn open(&mut self, open: usize) -> usize {
        let block = self.outline.group(open).is_some_and(|group| group.list == List::Block);
        if block && self.outline.must_break(open) {
            self.open_early(open);
        } else {
            self.emit(open);
        }
        self.line_indent
    }

    /// The comma after an entry, or the bracket that closes the list.
    fn end_of_entry(&self, from: usize, close: usize) -> usize {
        let mut index = from;
        while index < close && self.kind(index) != Kind::Comma {
            index = self.outline.close(index) + 1;
        }
        index.min(close)
    }

    /// Writes an entry. Docs and attributes get their own lines, but short attributes may share the entry's
    /// line.
    fn entry(&mut self, from: usize, to: usize, blank: BlankLine) {
        let head = self.end_of_decoration(from).min(to - 1);
        let unit = Unit { last: to - 1, reserve: 1 };
        let on_lines = head > from
            && (self.outline.any_break(from + 1, head)
                || self.indent + self.outline.width(from, head) > MAX_WIDTH
                || self.decoration_breaks(from, head, to - 1));
        let start = if on_lines { self.decoration(from, head, blank) } else { from };
        self.begin(start, if start == from { blank } else { BlankLine::Never });
        self.flow(start + 1, to, unit);
    }

    /// Whether an attribute would have to break if it shared the line of its entry.
    fn decoration_breaks(&self, from: usize, head: usize, last: usize) -> bool {
        let can_break = |index| self.outline.group(index).is_some_and(|group| group.entries > 1);
        let end = (head..last).find(|index| matches!(self.kind(index + 1), Kind::Open(_))).unwrap_or(last);
        (from..head).any(can_break) && self.indent + self.outline.width(from, end) >= MAX_WIDTH
    }

    /// The first token after docs and attributes.
    pub(super) fn end_of_decoration(&self, from: usize) -> usize {
        let mut index = from;
        loop {
            match self.kind(index) {
                Kind::Doc => index += 1,
                Kind::Hash => index = self.outline.close(index + 1) + 1,
                _ => return index,
            }
        }
    }

    /// Writes docs and attributes, one line for each, and returns the token after them.
    pub(super) fn decoration(&mut self, from: usize, head: usize, blank: BlankLine) -> usize {
        let mut index = from;
        while index < head {
            self.begin(index, if index == from { blank } else { BlankLine::Never });
            let last = if self.kind(index) == Kind::Hash { self.outline.close(index + 1) } else { index };
            self.flow(index + 1, last + 1, Unit { last, reserve: 0 });
            index = last + 1;
        }
        index
    }
}
