//! Writes tokens and their comments in order.
//!
//! Invariants: nothing is written after a line comment on its line; comments after a token end its line, as
//! they did in the input, so that they belong to the same token when the result is read; no line ends with
//! spaces, except docs.

use super::outline::Outline;
use super::tokens::{Comment, Delimiter, Kind, Token, columns};

/// The maximum width of a line, in columns.
pub(super) const MAX_WIDTH: usize = 100;
/// The columns of one level of indentation.
pub(super) const INDENT: usize = 4;

/// How to treat blank lines before a construct.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlankLine {
    /// Keep one, if there are any.
    Keep,
    /// Remove all.
    Never,
    /// Write exactly one.
    Always,
}

/// The output and the state of the current line.
#[derive(Debug)]
pub(super) struct Printer<'t> {
    pub(super) tokens: &'t [Token<'t>],
    pub(super) outline: &'t Outline,
    output: String,
    pub(super) column: usize,
    /// The indentation of the current item, member or entry.
    pub(super) indent: usize,
    /// The indentation of the current line.
    pub(super) line_indent: usize,
    /// Whether the current line is still empty.
    at_line_start: bool,
    /// Whether the line must end before anything else is written.
    must_break: bool,
    /// Whether the last token was an opening bracket without a space after it.
    opened: bool,
    /// Comments after the last token that are not written yet.
    pending: Vec<Pending<'t>>,
}

/// A comment that is written before the next token.
#[derive(Debug)]
struct Pending<'t> {
    comment: &'t Comment<'t>,
    /// Whether a blank line before it is kept.
    keep_blank: bool,
    /// How much more than the current entry it is indented if it begins a line.
    step: usize,
}

impl<'t> Printer<'t> {
    pub(super) fn new(tokens: &'t [Token<'t>], outline: &'t Outline) -> Self {
        Self {
            tokens,
            outline,
            output: String::new(),
            column: 0,
            indent: 0,
            line_indent: 0,
            at_line_start: true,
            must_break: false,
            opened: false,
            pending: Vec::new(),
        }
    }

    /// Returns the whole text, with the comments after the last token.
    pub(super) fn finish(mut self, end: usize) -> String {
        self.flush();
        let empty = self.output.is_empty();
        self.comments_on_lines(end, 0, if empty { BlankLine::Never } else { BlankLine::Keep });
        if !self.at_line_start {
            self.output.push('\n');
        }
        self.output
    }

    pub(super) fn kind(&self, index: usize) -> Kind {
        self.tokens.get(index).map_or(Kind::End, |token| token.kind)
    }

    pub(super) fn text(&self, index: usize) -> &'t str {
        self.tokens.get(index).map_or("", |token| token.text)
    }

    /// Writes a token that begins a line, with the comments before it.
    pub(super) fn begin(&mut self, index: usize, blank: BlankLine) {
        self.flush();
        let Some(token) = self.tokens.get(index) else { return };
        let indent = self.indent;
        let comments = token.leading();
        let any = comments.iter().any(|comment| comment.blank_before) || token.blank_before;
        let forced = blank == BlankLine::Always && !any;
        let first = if forced {
            BlankLine::Always
        } else if blank == BlankLine::Never {
            BlankLine::Never
        } else {
            BlankLine::Keep
        };
        self.comments_on_lines(index, indent, first);
        if comments.is_empty() {
            self.newline(
                indent,
                first == BlankLine::Always || (first == BlankLine::Keep && token.blank_before),
            );
        } else if token.newline_before || self.must_break {
            self.newline(indent, token.blank_before);
        } else {
            self.space();
        }
        self.put(token);
    }

    /// Writes the comments before a token, beginning on a new line.
    fn comments_on_lines(&mut self, index: usize, indent: usize, blank: BlankLine) {
        let Some(token) = self.tokens.get(index) else { return };
        for (number, comment) in token.leading().iter().enumerate() {
            if number == 0 {
                self.newline(
                    indent,
                    blank == BlankLine::Always || (blank == BlankLine::Keep && comment.blank_before),
                );
            } else if comment.newline_before {
                self.newline(indent, comment.blank_before);
            } else {
                self.space();
            }
            self.comment(comment);
        }
    }

    /// Writes a token on the current line, with the comments before it.
    pub(super) fn emit(&mut self, index: usize) {
        self.flush();
        let Some(token) = self.tokens.get(index) else { return };
        let next = self.kind(index + 1);
        let dropped = token.kind == Kind::Comma && matches!(next, Kind::Close(_));
        let space = self.outline.space(index);
        for comment in token.leading() {
            if comment.newline_before {
                self.newline(self.indent + INDENT, false);
            } else if !self.opened || space {
                self.space();
            }
            self.comment(comment);
        }
        if dropped {
            self.defer(token.trailing(), INDENT);
            return;
        }
        let commented = !token.leading().is_empty();
        if commented && token.newline_before {
            self.newline(self.indent + INDENT, false);
        } else if space || (commented && (self.is_empty_block(index) || !ends_something(token.kind))) {
            self.space();
        }
        self.put(token);
    }

    fn is_empty_block(&self, close: usize) -> bool {
        let brace = close.checked_sub(1).map(|open| self.kind(open));
        brace == Some(Kind::Open(Delimiter::Brace)) && self.kind(close) == Kind::Close(Delimiter::Brace)
    }

    /// Writes a comma, a semicolon or the opening brace of a block directly after the last token, before its
    /// comments; `None` is a comma that is not in the input.
    pub(super) fn emit_early(&mut self, index: Option<usize>) {
        let Some(index) = index else { return self.write(",") };
        let Some(token) = self.tokens.get(index) else { return };
        if self.outline.space(index) {
            self.space();
        }
        self.write(token.text);
        self.defer(token.leading(), 0);
        self.defer(token.trailing(), 0);
    }

    /// Writes an opening brace directly after the last token, before the comments between the two. The first
    /// of these comments on its own line begins the block.
    pub(super) fn open_early(&mut self, open: usize) {
        self.emit_early(Some(open));
        if let Some(first) = self.pending.iter_mut().find(|pending| pending.comment.newline_before) {
            first.keep_blank = false;
        }
    }

    /// Writes the closing bracket after lines of entries.
    pub(super) fn end(&mut self, index: usize, indent: usize, blank: BlankLine) {
        let Some(token) = self.tokens.get(index) else { return };
        let on_line = token.leading().iter().take_while(|comment| !comment.newline_before).count();
        let (on_same_line, before) = token.leading().split_at(on_line);
        self.defer(on_same_line, 0);
        self.flush();
        for (number, comment) in before.iter().enumerate() {
            let blank = comment.blank_before && (number > 0 || blank == BlankLine::Keep);
            if comment.newline_before {
                self.newline(self.indent, blank);
            } else {
                self.space();
            }
            self.comment(comment);
        }
        self.newline(indent, false);
        self.put(token);
    }

    /// Begins a line.
    pub(super) fn newline(&mut self, indent: usize, blank: bool) {
        self.must_break = false;
        self.opened = false;
        if !self.at_line_start {
            self.output.push('\n');
            self.at_line_start = true;
        }
        if blank && !self.output.is_empty() && !self.output.ends_with("\n\n") {
            self.output.push('\n');
        }
        self.line_indent = indent;
        self.column = indent;
    }

    /// Writes the deferred comments after the last token.
    pub(super) fn flush(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        for Pending { comment, keep_blank, step } in std::mem::take(&mut self.pending) {
            if comment.newline_before || self.must_break {
                self.newline(self.indent + step, keep_blank && comment.blank_before);
            } else {
                self.space();
            }
            self.comment(comment);
        }
        self.must_break = true;
    }

    fn put(&mut self, token: &'t Token<'t>) {
        self.write(token.text);
        self.opened =
            matches!(token.kind, Kind::Open(Delimiter::Parenthesis | Delimiter::Square | Delimiter::Angle));
        self.defer(token.trailing(), INDENT);
    }

    fn defer(&mut self, comments: &'t [Comment<'t>], step: usize) {
        self.pending.extend(comments.iter().map(|comment| Pending { comment, keep_blank: true, step }));
    }

    fn comment(&mut self, comment: &Comment<'_>) {
        // Spaces at the end of a line of documentation are part of it.
        let end = if comment.text.starts_with("//!") { ['\r'].as_slice() } else { &[' ', '\t', '\r', '\n'] };
        let mut lines = comment.text.trim_end_matches(end).split('\n').map(|line| line.trim_end_matches(end));
        let first = lines.next().unwrap_or_default();
        let begins_line = self.at_line_start || self.must_break;
        self.write(first);
        let old = comment.indentation.filter(|_| begins_line);
        for line in lines {
            self.output.push('\n');
            let shifted = shifted(line, old, self.line_indent);
            self.column = columns(&shifted);
            self.output.push_str(&shifted);
        }
        self.must_break = comment.is_line();
    }

    fn space(&mut self) {
        if !self.at_line_start && !self.must_break {
            self.output.push(' ');
            self.column += 1;
        }
    }

    fn write(&mut self, text: &str) {
        if self.must_break {
            self.newline(self.indent + INDENT, false);
        }
        if self.at_line_start {
            self.output.extend(std::iter::repeat_n(' ', self.line_indent));
            self.at_line_start = false;
        }
        self.opened = false;
        self.output.push_str(text);
        self.column += columns(text);
    }
}

/// Whether a comment needs no space between itself and this token.
fn ends_something(kind: Kind) -> bool {
    matches!(kind, Kind::Comma | Kind::Semicolon | Kind::Colon | Kind::Path | Kind::Close(_))
}

/// A line of a block comment after the first, indented relative to the first.
fn shifted(line: &str, old: Option<usize>, new: usize) -> String {
    let Some(old) = old else { return line.to_owned() };
    let rest = line.trim_start_matches(' ');
    let spaces = line.len() - rest.len();
    if rest.is_empty() || rest.starts_with('\t') {
        return line.to_owned();
    }
    " ".repeat((spaces + new).saturating_sub(old)) + rest
}
