//! Lays out items, members and signatures in lines, with blank lines between them.
//!
//! Invariants: statements are recognized by their first words, which is sufficient in a text that parses.

use super::flow::Unit;
use super::outline::Outline;
use super::printer::{BlankLine, INDENT, MAX_WIDTH, Printer};
use super::tokens::{Delimiter, Kind, Token};

/// An item, a `use`, the `package` line, or a member.
#[derive(Debug, Clone, Copy)]
struct Statement {
    shape: Shape,
    /// The first token of its docs and attributes.
    first: usize,
    /// The first token after docs and attributes.
    head: usize,
    last: usize,
    /// Whether it takes one line, not counting docs and attributes.
    short: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Package,
    Use,
    /// Statements that end with a semicolon, and blocks of entries.
    Plain,
    /// Blocks of members.
    Service,
    Method,
}

/// Prints the tokens of a file.
pub(super) fn print(tokens: &[Token<'_>], outline: &Outline) -> String {
    let mut printer = Printer::new(tokens, outline);
    let end = tokens.len().saturating_sub(1);
    let mut before = None;
    let mut from = 0;
    while from < end {
        let statement = printer.item(from);
        printer.statement(statement, between_items(before, statement));
        from = statement.last + 1;
        before = Some(statement);
    }
    printer.finish(end)
}

/// Blank lines separate items of several lines. Between short items they are kept as written.
fn between_items(before: Option<Statement>, statement: Statement) -> BlankLine {
    let Some(before) = before else { return BlankLine::Never };
    match (before.shape, statement.shape) {
        (Shape::Use, Shape::Use) => BlankLine::Keep,
        (Shape::Package | Shape::Use, _) => BlankLine::Always,
        _ if before.short && statement.short => BlankLine::Keep,
        _ => BlankLine::Always,
    }
}

impl Printer<'_> {
    fn item(&self, first: usize) -> Statement {
        let head = self.end_of_decoration(first);
        let word = if self.text(head) == "sealed" { self.text(head + 1) } else { self.text(head) };
        let (shape, last) = match word {
            "package" => (Shape::Package, self.semicolon(head)),
            "use" => (Shape::Use, self.semicolon(head)),
            "const" | "newtype" | "type" => (Shape::Plain, self.semicolon(head)),
            "interface" | "service" => (Shape::Service, self.end_of_block(head)),
            _ => (Shape::Plain, self.end_of_block(head)),
        };
        let open = self.open_brace(head, last);
        let in_one_line = open.is_none_or(|open| !self.breaks(open, Unit { last, reserve: 0 }));
        let short = !self.outline.any_break(head + 1, last)
            && self.outline.width(head, last) <= MAX_WIDTH
            && match shape {
                Shape::Service => open.is_some_and(|open| self.outline.close(open) == open + 1),
                _ => in_one_line,
            };
        Statement { shape, first, head, last, short }
    }

    fn member(&self, first: usize) -> Statement {
        let head = self.end_of_decoration(first);
        let is_client = self.text(head) == "client" && self.kind(head + 1) == Kind::Open(Delimiter::Brace);
        let (shape, last) = match self.text(head) {
            _ if is_client => (Shape::Service, self.end_of_block(head)),
            "fn" | "oneway" => (Shape::Method, self.semicolon(head)),
            _ => (Shape::Plain, self.semicolon(head)),
        };
        Statement { shape, first, head, last, short: shape != Shape::Service }
    }

    fn statement(&mut self, statement: Statement, blank: BlankLine) {
        let Statement { shape, first, head, last, .. } = statement;
        let start = self.decoration(first, head, blank);
        self.begin(start, if start == first { blank } else { BlankLine::Never });
        let unit = Unit { last, reserve: 0 };
        match shape {
            Shape::Method => self.signature(head, last),
            Shape::Service => {
                let open = self.open_brace(head, last).unwrap_or(last);
                self.flow(head + 1, open, unit);
                self.members(open);
            }
            _ => self.flow(head + 1, last + 1, unit),
        }
    }

    fn members(&mut self, open: usize) {
        let close = self.outline.close(open);
        let base = self.open(open);
        if close == open + 1 && !self.outline.any_break(open, close) {
            return self.emit(close);
        }
        let outer = std::mem::replace(&mut self.indent, base + INDENT);
        let mut before: Option<Statement> = None;
        let mut from = open + 1;
        while from < close {
            let member = self.member(from);
            let blank = match before {
                None => BlankLine::Never,
                Some(before) if before.short && member.short => BlankLine::Keep,
                Some(_) => BlankLine::Always,
            };
            self.statement(member, blank);
            from = member.last + 1;
            before = Some(member);
        }
        self.end(close, base, if before.is_none() { BlankLine::Never } else { BlankLine::Keep });
        self.indent = outer;
    }

    /// Writes a method after its first word: on one line, with its result on a second line, or with one line
    /// for each parameter.
    fn signature(&mut self, head: usize, last: usize) {
        let unit = Unit { last, reserve: 0 };
        let before_last = last.saturating_sub(1);
        let fits = self.fits(head + 1, last, 0) && !self.outline.any_break(head + 1, before_last);
        let open = (head..last).find(|index| self.kind(*index) == Kind::Open(Delimiter::Parenthesis));
        let Some(open) = open.filter(|_| !fits) else {
            return self.flow(head + 1, last + 1, unit);
        };
        let close = self.outline.close(open);
        self.flow(head + 1, open, unit);
        let has_result = close + 1 < last;
        let one_line = !self.outline.any_break(open, close) && self.fits(open, close, 0);
        let second_line = has_result
            && !self.outline.any_break(close + 1, before_last)
            && self.tokens.get(close + 1).is_some_and(|token| token.leading().is_empty())
            && self.indent + INDENT + self.outline.width(close + 1, last) <= MAX_WIDTH + 1;
        let empty = close == open + 1 && !self.outline.any_break(open, close);
        if one_line && (second_line || !has_result) || empty {
            (open..=close).for_each(|index| self.emit(index));
            if second_line {
                self.newline(self.indent + INDENT, false);
            }
        } else {
            self.vertical(open);
        }
        self.flow(close + 1, last + 1, unit);
    }

    /// The semicolon that ends a statement.
    fn semicolon(&self, head: usize) -> usize {
        let mut index = head;
        while !matches!(self.kind(index), Kind::Semicolon | Kind::End) {
            index = self.outline.close(index) + 1;
        }
        self.within(index)
    }

    /// The brace that ends a statement.
    fn end_of_block(&self, head: usize) -> usize {
        let end = self.tokens.len();
        self.within(self.open_brace(head, end).map_or(end, |open| self.outline.close(open)))
    }

    fn open_brace(&self, head: usize, last: usize) -> Option<usize> {
        (head..last).find(|index| self.kind(*index) == Kind::Open(Delimiter::Brace))
    }

    /// Limits an index to the tokens before the last, which stands for the end of the text.
    fn within(&self, index: usize) -> usize {
        index.min(self.tokens.len().saturating_sub(2))
    }
}
