//! Characters that are not part of the language, and what was probably meant by them.
//!
//! Invariants: a run of bad characters is not empty and ends at a character boundary.

use super::tokens::{Token, TokenKind};
use crate::location::Span;

/// A run of characters that are not part of the language.
#[derive(Debug)]
pub(super) struct BadCharacters {
    /// The number of bytes to skip.
    pub(super) length: usize,
    pub(super) message: String,
    pub(super) help: Option<String>,
    /// The description of the fix, and its edits.
    pub(super) fix: Option<(String, Vec<(Span, String)>)>,
    /// The range of the string that was probably meant, quotes included.
    pub(super) string: Option<std::ops::Range<usize>>,
}

type Fix = (String, Vec<(Span, String)>);

/// Reads the bad characters at an offset; `tokens` are the tokens before it.
pub(super) fn bad_characters(text: &str, start: usize, tokens: &[Token]) -> BadCharacters {
    let rest = text.get(start..).unwrap_or_default();
    let good = |character: char| {
        character.is_ascii_alphanumeric()
            || character.is_ascii_whitespace()
            || "_{}()[];<>#,:=-+*|.\"'/".contains(character)
    };
    let first = rest.chars().next().unwrap_or_default();
    let run = rest.find(good).unwrap_or(rest.len()).max(first.len_utf8());
    let message = format!("bad character {}", displayed(first));
    let bad = BadCharacters { length: run, message, help: help_for(first), fix: None, string: None };
    let single = run == first.len_utf8();
    match first {
        '&' if single => reference(rest, start, bad),
        '?' if single => BadCharacters { fix: optional(text, start, tokens), ..bad },
        '@' if single => BadCharacters { fix: annotation(rest, start), ..bad },
        '!' => BadCharacters { help: Some(exclamation(text, start, tokens).to_owned()), ..bad },
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{ab}' | '\u{bb}' => quotes(rest, start, bad),
        '\u{2013}' | '\u{2014}' | '\u{2212}' if single => replaced(start, run, "-", bad),
        '\u{37e}' if single => replaced(start, run, ";", bad),
        '\u{a0}' => replaced(start, run, " ", bad),
        '\u{feff}' if single => replaced(start, run, "", bad),
        _ => bad,
    }
}

fn replaced(start: usize, length: usize, by: &str, bad: BadCharacters) -> BadCharacters {
    let message = if by.trim().is_empty() { "remove it".to_owned() } else { format!("write `{by}`") };
    BadCharacters { fix: Some((message, vec![(Span::new(start, start + length), by.to_owned())])), ..bad }
}

/// `&self`, `&str`, `&'a mut T`
fn reference(rest: &str, start: usize, bad: BadCharacters) -> BadCharacters {
    let mut length = 1;
    let from = |length: usize| rest.get(length..).unwrap_or_default();
    if let Some(lifetime) = from(length).strip_prefix('\'') {
        let name = lifetime.bytes().take_while(|byte| is_word(*byte)).count();
        let spaces = lifetime.get(name..).unwrap_or_default();
        length += 1 + name + (spaces.len() - spaces.trim_start_matches(' ').len());
    }
    if let Some(after) = from(length).strip_prefix("mut ") {
        length = rest.len() - after.trim_start_matches(' ').len();
    }
    let after = from(length);
    let word: usize = after.bytes().take_while(|byte| is_word(*byte)).count();
    let name = after.get(..word).unwrap_or_default();
    let end = after.get(word..).unwrap_or_default();
    let cover = |length: usize| Span::new(start, start + length);
    let (help, message, span, by) = match name {
        "self" if end.starts_with([',', ')']) => {
            let comma =
                end.strip_prefix(',').map_or(0, |end| end.len() - end.trim_start_matches(' ').len() + 1);
            ("methods need no `self`", "remove it", cover(length + word + comma), "")
        }
        "str" => ("the type of text is `String`", "write `String`", cover(length + word), "String"),
        _ if after.starts_with("[u8]") => {
            ("the type of bytes is `Bytes`", "write `Bytes`", cover(length + 4), "Bytes")
        }
        _ => ("there are no references: write the type alone", "remove it", cover(length), ""),
    };
    let fix = Some((message.to_owned(), vec![(span, by.to_owned())]));
    BadCharacters { length, help: Some(help.to_owned()), fix, ..bad }
}

/// `u32?` and `name?: u32`
fn optional(text: &str, start: usize, tokens: &[Token]) -> Option<Fix> {
    let mark = Span::new(start, start + 1);
    let message = "write it as an `Option`".to_owned();
    let after = text.get(start + 1..)?;
    if let Some(ty) = after.trim_start_matches(' ').strip_prefix(':') {
        let ty = ty.trim_start_matches(' ');
        let from = text.len() - ty.len();
        let end = ty.find([',', ';', '}', ')', '\n', '=', '<', '[', '?'])?;
        let plain = ty.get(..end).filter(|name| !name.trim().is_empty())?;
        let to = from + plain.trim_end().len();
        let at_end = ty.get(end..).is_some_and(|rest| rest.starts_with([',', ';', '}', ')', '\n']));
        return at_end.then(|| {
            (
                message,
                vec![(mark, String::new()), (Span::at(from), "Option<".into()), (Span::at(to), ">".into())],
            )
        });
    }
    let first = type_before(tokens)?;
    (tokens.last()?.span.end() == start)
        .then(|| (message, vec![(Span::at(first), "Option<".into()), (mark, ">".into())]))
}

/// The start of the type that ends with the last token.
fn type_before(tokens: &[Token]) -> Option<usize> {
    let mut depth = 0usize;
    for (steps, token) in tokens.iter().rev().enumerate() {
        match token.kind {
            TokenKind::Greater => depth += 1,
            TokenKind::Less => depth = depth.checked_sub(1)?,
            TokenKind::Word if depth == 0 => return Some(token.span.start()),
            _ if depth == 0 || steps > 64 => return None,
            _ => {}
        }
    }
    None
}

/// `@deprecated`
fn annotation(rest: &str, start: usize) -> Option<Fix> {
    let word = rest.bytes().skip(1).take_while(|byte| is_word(*byte)).count();
    let name = rest.get(1..1 + word).filter(|name| !name.is_empty())?;
    if rest.get(1 + word..).is_some_and(|after| after.trim_start().starts_with('(')) {
        return None;
    }
    let span = Span::new(start, start + 1 + word);
    Some((format!("write `#[{name}]`"), vec![(span, format!("#[{name}]"))]))
}

fn exclamation(text: &str, start: usize, tokens: &[Token]) -> &'static str {
    let before = tokens.last().filter(|token| token.span.end() == start);
    match before.map(|token| (token.kind, token.span.text(text))) {
        Some((TokenKind::Hash, _)) => {
            "an attribute is written `#[…]`, directly before the item it applies to"
        }
        Some((TokenKind::Word, _)) => {
            "there are no macros; an empty list is `[]`, and text is a plain string"
        }
        _ => "constant expressions support `+ - * << |`",
    }
}

/// A string in typographic quotes.
fn quotes(rest: &str, start: usize, bad: BadCharacters) -> BadCharacters {
    let opening = rest.chars().next().map_or(0, char::len_utf8);
    let inside = rest.get(opening..).unwrap_or_default();
    let line = inside.split('\n').next().unwrap_or_default();
    let closing = ['\u{201c}', '\u{201d}', '\u{ab}', '\u{bb}', '"'];
    let Some(length) =
        line.find(closing).filter(|length| !line.get(..*length).is_some_and(|text| text.contains('\\')))
    else {
        return bad;
    };
    let last = line.get(length..).and_then(|end| end.chars().next()).map_or(0, char::len_utf8);
    let end = start + opening + length + last;
    let edits = vec![
        (Span::new(start, start + opening), "\"".to_owned()),
        (Span::new(end - last, end), "\"".to_owned()),
    ];
    let fix = Some(("write plain quotes".to_owned(), edits));
    BadCharacters { length: opening, fix, string: Some(start..end), ..bad }
}

/// The type suffix that Rust would allow after a number, with the underscores before it.
pub(super) fn type_suffix(number: &str) -> Option<&str> {
    const SUFFIXES: &[&str] = &[
        "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32", "f64",
    ];
    let hexadecimal = number.starts_with("0x");
    let found = SUFFIXES.iter().find(|suffix| {
        number.ends_with(**suffix) && !(hexadecimal && suffix.starts_with('f')) && number.len() > suffix.len()
    })?;
    let digits = number.strip_suffix(found)?.trim_end_matches('_');
    number.get(digits.len()..).filter(|_| digits.ends_with(|last: char| last.is_ascii_hexdigit()))
}

/// The characters of a text that change the direction of the text.
pub(super) fn direction_controls(text: &str) -> impl Iterator<Item = (usize, char)> {
    let is_control = |character: char| matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.match_indices(is_control).filter_map(|(offset, control)| Some((offset, control.chars().next()?)))
}

pub(super) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// A character as messages show it: itself if it is visible, with its code point if it is not ASCII.
fn displayed(character: char) -> String {
    let number = u32::from(character);
    if character == '\0' {
        "NUL".to_owned()
    } else if character.is_ascii_graphic() {
        format!("`{character}`")
    } else if character.is_control() || character.is_whitespace() || number >= 0xe000 {
        format!("U+{number:04X}")
    } else {
        format!("`{character}` (U+{number:04X})")
    }
}

fn help_for(character: char) -> Option<String> {
    let text = match character {
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{ab}' | '\u{bb}' => "strings use plain quotes: `\"`",
        '\u{2018}' | '\u{2019}' | '`' => "characters use plain quotes: `'`",
        '\u{2013}' | '\u{2014}' | '\u{2212}' => "the minus sign is a plain `-`",
        '\u{a0}' => "this looks like a space but is a no-break space",
        '\u{37e}' => "this looks like a semicolon but is a Greek question mark",
        '\u{feff}' => "a byte order mark may only be the first character of a file",
        '\0' => "this may not be a text file",
        '?' => "use `Option` for a value that may be absent",
        '/' | '%' | '^' | '~' => "constant expressions support `+ - * << |`",
        '@' => "attributes are written `#[…]`",
        '$' => "names consist of letters, digits and `_`",
        character if character.is_alphabetic() => "names consist of ASCII letters, digits and `_`",
        _ => return None,
    };
    Some(text.to_owned())
}
