//! Scans a text: produces tokens, lexical errors, and a masked copy for the grammar.
//!
//! Invariants: the masked copy is as long as the text, so offsets agree; in it comments and bad characters
//! are spaces, the contents of strings and doc comments are masked, and every quote has its partner.

use std::ops::Range;
use std::sync::Arc;

use super::characters::{bad_characters, direction_controls, is_word, type_suffix};
use super::tokens::{Bracket, Token, TokenKind};
use crate::diagnostic::{Code, Diagnostic, Edit, Place};
use crate::location::Span;

/// The result of scanning.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) tokens: Vec<Token>,
    pub(crate) masked: String,
    /// The spans of `//!` comments.
    pub(crate) inner_docs: Vec<Span>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// The maximum number of lexical errors that are reported for one file; more are noise.
const MAX_LEXICAL_ERRORS: usize = 50;

/// Scans a text.
pub(crate) fn scan(path: &Arc<str>, text: &str) -> Scan {
    let mut scanner = Scanner {
        path,
        text,
        position: 0,
        masked: text.as_bytes().to_vec(),
        tokens: Vec::new(),
        inner_docs: Vec::new(),
        diagnostics: Vec::new(),
    };
    if text.starts_with('\u{feff}') {
        scanner.blank(0..'\u{feff}'.len_utf8());
        scanner.position = '\u{feff}'.len_utf8();
    }
    while scanner.step() {}
    scanner.direction_controls();
    scanner.carriage_return();
    Scan {
        masked: String::from_utf8(scanner.masked).unwrap_or_default(),
        tokens: scanner.tokens,
        inner_docs: scanner.inner_docs,
        diagnostics: scanner.diagnostics,
    }
}

impl Scan {
    /// Overwrites spans of the masked copy with a byte that no rule of the grammar begins with.
    pub(crate) fn hide(&mut self, spans: &[Span]) {
        let mut bytes = std::mem::take(&mut self.masked).into_bytes();
        for span in spans {
            for byte in bytes.get_mut(span.start()..span.end()).unwrap_or_default() {
                *byte = HIDDEN;
            }
        }
        self.masked = String::from_utf8(bytes).unwrap_or_default();
    }
}

/// No rule of the grammar begins with this byte.
const HIDDEN: u8 = 0x01;

struct Scanner<'t> {
    path: &'t Arc<str>,
    text: &'t str,
    position: usize,
    masked: Vec<u8>,
    tokens: Vec<Token>,
    inner_docs: Vec<Span>,
    diagnostics: Vec<Diagnostic>,
}

impl Scanner<'_> {
    /// Consumes one token or one byte of whitespace; returns false at the end.
    fn step(&mut self) -> bool {
        let Some(byte) = self.byte(0) else { return false };
        let start = self.position;
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => self.position += 1,
            b'/' if self.byte(1) == Some(b'/') => self.line_comment(),
            b'/' if self.byte(1) == Some(b'*') => self.block_comment(),
            b'"' => self.string(),
            b'\'' => self.character(),
            b'0'..=b'9' => self.number(),
            b'r' if self.byte(1) == Some(b'#') && self.byte(2).is_some_and(is_word) => self.raw_identifier(),
            byte if is_word(byte) => {
                self.position += self.count(is_word);
                self.push(TokenKind::Word, start);
            }
            _ => self.punctuation(byte),
        }
        true
    }

    fn punctuation(&mut self, byte: u8) {
        let start = self.position;
        let pair = (byte, self.byte(1));
        let (kind, length) = match pair {
            (b'-' | b'=', Some(b'>')) | (b'<', Some(b'<')) | (b':', Some(b':')) => {
                (TokenKind::Punctuation, 2)
            }
            (b'{', _) => (TokenKind::Open(Bracket::Brace), 1),
            (b'(', _) => (TokenKind::Open(Bracket::Parenthesis), 1),
            (b'[', _) => (TokenKind::Open(Bracket::Square), 1),
            (b'}', _) => (TokenKind::Close(Bracket::Brace), 1),
            (b')', _) => (TokenKind::Close(Bracket::Parenthesis), 1),
            (b']', _) => (TokenKind::Close(Bracket::Square), 1),
            (b';', _) => (TokenKind::Semicolon, 1),
            (b'<', _) => (TokenKind::Less, 1),
            (b'>', _) => (TokenKind::Greater, 1),
            (b'#', _) => (TokenKind::Hash, 1),
            (b',' | b':' | b'=' | b'-' | b'+' | b'*' | b'|' | b'.', _) => (TokenKind::Punctuation, 1),
            _ => return self.bad_characters(),
        };
        self.position += length;
        self.push(kind, start);
    }

    fn bad_characters(&mut self) {
        let start = self.position;
        let bad = bad_characters(self.text, start, &self.tokens);
        self.position += bad.length;
        let mut diagnostic =
            Diagnostic::error(Code::BadCharacter, bad.message, self.place(start), "not valid here")
                .with_optional_help(bad.help);
        if let Some((message, edits)) = bad.fix {
            let edit = |(span, replacement)| Edit { place: Place::new(self.path, span), replacement };
            diagnostic = diagnostic.with_edits(edits.into_iter().map(edit).collect(), message);
        }
        self.blank(start..self.position);
        self.report(diagnostic);
        if let Some(string) = bad.string {
            self.position = string.end;
            self.fill(string.start..string.end, b'_');
            self.fill(string.start..string.start + 1, b'"');
            self.fill(string.end - 1..string.end, b'"');
            self.push(TokenKind::Quoted, string.start);
        }
    }

    /// Reports a carriage return without a line feed: some editors break the line there, but a comment
    /// continues.
    fn carriage_return(&mut self) {
        let ends = self.text.match_indices('\r').map(|(offset, _)| offset);
        let mut bare = ends.filter(|offset| self.text.as_bytes().get(offset + 1) != Some(&b'\n'));
        if let Some(offset) = bare.next() {
            self.position = offset + 1;
            let place = self.place(offset);
            self.report(
                Diagnostic::error(
                    Code::BadCharacter,
                    "a carriage return alone does not end a line",
                    place,
                    "no line feed follows",
                )
                .with_help("lines end with a line feed, or with a carriage return and a line feed"),
            );
        }
    }

    /// Reports characters that change the direction of text. Strings and comments may contain any other
    /// character, but these make a text look different from what is compiled.
    fn direction_controls(&mut self) {
        let known: Vec<Span> =
            self.diagnostics.iter().map(|diagnostic| diagnostic.primary.place.span).collect();
        for (offset, character) in direction_controls(self.text) {
            self.position = offset + character.len_utf8();
            if known.iter().any(|span| (span.start()..span.end()).contains(&offset)) {
                continue;
            }
            let place = self.place(offset);
            let number = u32::from(character);
            self.report(
                Diagnostic::error(
                    Code::BadCharacter,
                    format!("U+{number:04X} changes the direction of the text"),
                    place.clone(),
                    "invisible character",
                )
                .with_help(format!(
                    "the text would look different from what is compiled; \
                     a string can contain `\\u{{{number:x}}}`"
                ))
                .with_fix(place, "", "remove it"),
            );
        }
    }

    fn line_comment(&mut self) {
        let start = self.position;
        self.position += self.count(|byte| byte != b'\n');
        let third = self.text.as_bytes().get(start + 2).copied();
        let fourth = self.text.as_bytes().get(start + 3).copied();
        match (third, fourth) {
            (Some(b'/'), fourth) if fourth != Some(b'/') => {
                self.blank(start + 3..self.position);
                self.push(TokenKind::Doc, start);
            }
            (Some(b'!'), _) => {
                self.inner_docs.push(Span::new(start, self.position));
                self.blank(start..self.position);
            }
            _ => self.blank(start..self.position),
        }
    }

    fn block_comment(&mut self) {
        let start = self.position;
        let mut depth = 0usize;
        loop {
            match (self.byte(0), self.byte(1)) {
                (Some(b'/'), Some(b'*')) => {
                    depth += 1;
                    self.position += 2;
                }
                (Some(b'*'), Some(b'/')) => {
                    depth -= 1;
                    self.position += 2;
                    if depth == 0 {
                        break;
                    }
                }
                (Some(_), _) => self.position += 1,
                (None, _) => {
                    let place = Place::new(self.path, Span::new(start, start + 2));
                    self.report(Diagnostic::error(
                        Code::UnclosedComment,
                        "this block comment is never closed",
                        place,
                        "needs a `*/`",
                    ));
                    break;
                }
            }
        }
        self.blank(start..self.position);
    }

    fn string(&mut self) {
        let start = self.position;
        self.position += 1;
        loop {
            match self.byte(0) {
                Some(b'"') => {
                    self.position += 1;
                    self.fill(start + 1..self.position - 1, b'_');
                    return self.push(TokenKind::Quoted, start);
                }
                Some(b'\\') => self.escape(),
                None | Some(b'\n') => {
                    self.blank(start..self.position);
                    let place = self.place(start);
                    return self.report(
                        Diagnostic::error(
                            Code::UnterminatedString,
                            "this string is never closed",
                            place,
                            "needs a `\"`",
                        )
                        .with_help("a string cannot span lines; write a line break as `\\n`"),
                    );
                }
                Some(_) => self.position += 1,
            }
        }
    }

    fn character(&mut self) {
        let start = self.position;
        let rest = self.text.get(start + 1..).unwrap_or_default();
        let mut length = 0;
        let mut escaped = false;
        for character in rest.chars().take(12) {
            if character == '\n' || (character == '\'' && !escaped && length > 0) {
                break;
            }
            escaped = character == '\\' && !escaped;
            length += character.len_utf8();
        }
        let closed = rest.as_bytes().get(length) == Some(&b'\'');
        if !closed {
            self.position += 1;
            self.blank(start..self.position);
            let place = self.place(start);
            return self.report(
                Diagnostic::error(
                    Code::UnterminatedString,
                    "this character literal is never closed",
                    place,
                    "needs a `'` after one character",
                )
                .with_help("strings use double quotes"),
            );
        }
        self.position += 1;
        let end = start + 1 + length;
        while self.position < end {
            if self.byte(0) == Some(b'\\') { self.escape() } else { self.position += 1 }
        }
        self.position = end + 1;
        self.fill(start + 1..end, b'_');
        self.push(TokenKind::Quoted, start);
    }

    /// A backslash inside quotes.
    fn escape(&mut self) {
        let rest = self.text.get(self.position..).unwrap_or_default();
        match unescape(rest) {
            Some((_, length)) => self.position += length,
            None => {
                let start = self.position;
                let next = rest.chars().nth(1).filter(|next| *next != '\n');
                self.position += 1 + next.map_or(0, char::len_utf8);
                let place = self.place(start);
                self.report(
                    Diagnostic::error(Code::BadEscape, "this escape does not exist", place, "unknown escape")
                        .with_help(
                            r#"the escapes are `\n \r \t \\ \" \' \0 \xNN \u{…}`; a backslash is `\\`"#,
                        ),
                );
            }
        }
    }

    fn number(&mut self) {
        let start = self.position;
        let hexadecimal = self.byte(0) == Some(b'0') && matches!(self.byte(1), Some(b'x' | b'o' | b'b'));
        self.position += self.count(is_word);
        if !hexadecimal
            && self.byte(0) == Some(b'.')
            && self.byte(1).is_some_and(|byte| byte.is_ascii_digit())
        {
            self.position += 1;
            self.position += self.count(is_word);
        }
        let exponent = self.position.checked_sub(1).and_then(|last| self.text.as_bytes().get(last)).copied();
        let signed = matches!(self.byte(0), Some(b'+' | b'-'))
            && self.byte(1).is_some_and(|byte| byte.is_ascii_digit());
        if !hexadecimal && matches!(exponent, Some(b'e' | b'E')) && signed {
            self.position += 1;
            self.position += self.count(is_word);
        }
        self.number_suffix(start);
        self.push(TokenKind::Number, start);
    }

    /// `5u32` as in Rust: reports the suffix and masks it, so that the number itself is still read.
    fn number_suffix(&mut self, start: usize) {
        let written = self.text.get(start..self.position).unwrap_or_default();
        let Some(type_suffix) = type_suffix(written) else { return };
        let end = self.position;
        self.position = end - type_suffix.len();
        let place = Place::new(self.path, Span::new(self.position, end));
        self.blank(self.position..end);
        self.report(
            Diagnostic::error(Code::BadNumber, "numbers have no suffixes", place.clone(), "not needed")
                .with_help("a number gets its type from the context")
                .with_fix(place, "", "remove it"),
        );
        self.position = end;
    }

    fn raw_identifier(&mut self) {
        let start = self.position;
        self.position += 2;
        self.blank(start..self.position);
        let place = self.place(start);
        self.report(
            Diagnostic::error(Code::BadCharacter, "names need no `r#`", place.clone(), "not needed")
                .with_help(
                    "every keyword is also a valid name; the generated Rust adds `r#` where it is needed",
                )
                .with_fix(place, "", "remove it"),
        );
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.position + ahead).copied()
    }

    fn count(&self, accept: impl Fn(u8) -> bool) -> usize {
        let rest = self.text.as_bytes().get(self.position..).unwrap_or_default();
        rest.iter().position(|byte| !accept(*byte)).unwrap_or(rest.len())
    }

    fn push(&mut self, kind: TokenKind, start: usize) {
        self.tokens.push(Token { kind, span: Span::new(start, self.position) });
    }

    fn place(&self, start: usize) -> Place {
        Place::new(self.path, Span::new(start, self.position))
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        if self.diagnostics.len() < MAX_LEXICAL_ERRORS {
            self.diagnostics.push(diagnostic);
        }
    }

    fn blank(&mut self, range: Range<usize>) {
        self.fill(range, b' ');
    }

    /// Keeps line breaks, because a doc comment ends at one.
    fn fill(&mut self, range: Range<usize>, with: u8) {
        for byte in self.masked.get_mut(range).unwrap_or_default() {
            if *byte != b'\n' {
                *byte = with;
            }
        }
    }
}

/// Reads the escape at the start of a text; returns its character and its length.
pub(crate) fn unescape(text: &str) -> Option<(char, usize)> {
    let rest = text.strip_prefix('\\')?;
    let simple = |character| Some((character, 2));
    match rest.chars().next()? {
        'n' => simple('\n'),
        'r' => simple('\r'),
        't' => simple('\t'),
        '0' => simple('\0'),
        quoted @ ('\\' | '"' | '\'') => simple(quoted),
        'x' => {
            let digits =
                rest.get(1..3).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
            let code = u8::from_str_radix(digits, 16).ok().filter(u8::is_ascii)?;
            Some((char::from(code), 4))
        }
        'u' => {
            let inside = rest.strip_prefix("u{")?;
            let length = inside.char_indices().take(8).find(|(_, character)| *character == '}')?.0;
            let digits = inside
                .get(..length)
                .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
            let character = char::from_u32(u32::from_str_radix(digits, 16).ok()?)?;
            Some((character, length + 4))
        }
        _ => None,
    }
}
