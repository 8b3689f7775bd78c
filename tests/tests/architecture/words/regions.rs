//! Which parts of a text are code: in Rust and `.kaa` files everything except comments and strings, in
//! comments and documents the text between backquotes.

use std::ops::Range;

/// The ranges of code in a file, in order.
pub(super) fn code(path: &str, text: &str) -> Vec<Range<usize>> {
    if path.ends_with(".rs") || path.ends_with(".kaa") { source(text, 0) } else { document(text, 0) }
}

/// Splits Rust into code and strings, and looks for code in comments.
fn source(text: &str, offset: usize) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut begin = 0;
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let length = opaque(rest, text.get(..at).unwrap_or_default());
        if length == 0 {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        }
        ranges.push(offset + begin..offset + at);
        if rest.starts_with('/') {
            ranges.extend(document(rest.get(..length).unwrap_or_default(), offset + at));
        }
        at += length;
        begin = at;
    }
    ranges.push(offset + begin..offset + text.len());
    ranges
}

/// The length of the comment, string or character literal that `rest` begins with; 0 if it begins with
/// code.
fn opaque(rest: &str, before: &str) -> usize {
    let until = |end: &str, from: usize| {
        let length = rest.get(from..).and_then(|rest| rest.find(end)).map(|length| from + length + end.len());
        length.unwrap_or(rest.len())
    };
    if rest.starts_with("//") {
        return rest.find('\n').unwrap_or(rest.len());
    }
    if rest.starts_with("/*") {
        return until("*/", 2);
    }
    if rest.starts_with('"') {
        let hashes = before.len() - before.trim_end_matches('#').len();
        let raw = before.trim_end_matches('#').ends_with('r');
        return if raw { until(&format!("\"{}", "#".repeat(hashes)), 1) } else { escaped(rest, '"') };
    }
    let mut letters = rest.chars();
    match (letters.next(), letters.next(), letters.next()) {
        (Some('\''), Some('\\'), _) => escaped(rest, '\''),
        (Some('\''), Some(letter), Some('\'')) => 2 + letter.len_utf8(),
        _ => 0,
    }
}

/// The length of a literal with escapes, including its quotes.
fn escaped(rest: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, letter) in rest.char_indices().skip(1) {
        if letter == quote && !is_escaped {
            return at + 1;
        }
        is_escaped = letter == '\\' && !is_escaped;
    }
    rest.len()
}

/// The text between backquotes on a line, and the code in fenced blocks of Rust and `.kaa`.
fn document(text: &str, offset: usize) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    // The beginning of the fenced block, and whether it is code.
    let mut block: Option<(usize, bool)> = None;
    let mut begin = 0;
    for line in text.split_inclusive('\n') {
        let end = begin + line.len();
        match (line.trim_start().strip_prefix("```"), block) {
            (Some(info), None) => block = Some((end, info.starts_with("rust") || info.starts_with("kaa"))),
            (Some(_), Some((from, is_code))) => {
                if is_code {
                    ranges.extend(source(text.get(from..begin).unwrap_or_default(), offset + from));
                }
                block = None;
            }
            (None, Some(_)) => {}
            (None, None) => {
                let mut at = offset + begin;
                for (index, part) in line.split('`').enumerate() {
                    if index % 2 == 1 {
                        ranges.push(at..at + part.len());
                    }
                    at += part.len() + 1;
                }
            }
        }
        begin = end;
    }
    ranges
}
