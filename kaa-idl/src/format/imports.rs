//! Sorts imports: the `use` lines of a paragraph, and the names of a list.
//!
//! Invariants: a paragraph ends at a blank line and at a comment on its own line, so such comments keep their
//! place; a comment after a `use` moves with it; a paragraph with `//!` lines or a list with comments inside
//! is not sorted.

use std::ops::Range;

use super::tokens::{Delimiter, Kind, Token};

/// Sorts the imports of a file's tokens.
pub(super) fn sort_imports(tokens: &mut Vec<Token<'_>>) {
    let mut lines = use_lines(tokens);
    let Some((first, last)) = lines.first().map(|line| line.start).zip(lines.last().map(|line| line.end))
    else {
        return;
    };
    for line in &lines {
        sort_names(tokens.get_mut(line.clone()).unwrap_or_default());
    }
    let rest = tokens.split_off(last);
    let mut moved: Vec<Token<'_>> = tokens.drain(first..).collect();
    let mut paragraph: Vec<Vec<Token<'_>>> = Vec::new();
    for line in lines.drain(..).rev() {
        let line = moved.split_off(line.start - first);
        paragraph.push(without_braces(line));
    }
    paragraph.reverse();
    let mut sorted: Vec<Vec<Token<'_>>> = Vec::with_capacity(paragraph.len());
    let mut start = 0;
    for line in paragraph {
        if begins_paragraph(&line) {
            sort_paragraph(sorted.get_mut(start..).unwrap_or_default());
            start = sorted.len();
        }
        sorted.push(line);
    }
    sort_paragraph(sorted.get_mut(start..).unwrap_or_default());
    tokens.extend(sorted.into_iter().flatten());
    tokens.extend(rest);
}

/// The token ranges of the consecutive `use` lines at the start of the file.
fn use_lines(tokens: &[Token<'_>]) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let mut start = 0;
    while let Some(token) = tokens.get(start) {
        let is_use = token.kind == Kind::Word && token.text == "use";
        let is_package = token.kind == Kind::Word && token.text == "package";
        if !is_use && !is_package {
            break;
        }
        let rest = tokens.get(start..).unwrap_or_default();
        let Some(length) = rest.iter().position(|token| token.kind == Kind::Semicolon) else { break };
        if is_use {
            lines.push(start..start + length + 1);
        }
        start += length + 1;
    }
    lines
}

/// Sorts the names in braces, unless there are comments between them.
fn sort_names(line: &mut [Token<'_>]) {
    let open = line.iter().position(|token| token.kind == Kind::Open(Delimiter::Brace));
    let close = line.iter().position(|token| token.kind == Kind::Close(Delimiter::Brace));
    let Some((open, close)) = open.zip(close) else { return };
    if has_comments_inside(line, open, close) {
        return;
    }
    let Some(inner) = line.get_mut(open + 1..close) else { return };
    let entries = inner.split(|token| token.kind == Kind::Comma).filter(|entry| !entry.is_empty());
    let mut entries: Vec<Vec<&str>> =
        entries.map(|entry| entry.iter().map(|token| token.text).collect()).collect();
    if entries.is_sorted() {
        return;
    }
    entries.sort();
    let texts = entries.join(&",");
    for (token, text) in inner.iter_mut().zip(texts) {
        token.kind = if text == "," { Kind::Comma } else { Kind::Word };
        token.text = text;
    }
}

/// Whether there are comments between two braces.
fn has_comments_inside(line: &[Token<'_>], open: usize, close: usize) -> bool {
    line.get(open).is_some_and(|open| !open.trailing().is_empty())
        || line.get(close).is_some_and(|close| !close.leading().is_empty())
        || line.get(open + 1..close).unwrap_or_default().iter().any(Token::has_comments)
}

/// Shortens `use a::{B};` to `use a::B;`.
fn without_braces(mut line: Vec<Token<'_>>) -> Vec<Token<'_>> {
    let open = line.iter().position(|token| token.kind == Kind::Open(Delimiter::Brace));
    let close = line.iter().position(|token| token.kind == Kind::Close(Delimiter::Brace));
    let Some((open, close)) = open.zip(close) else { return line };
    let inner = line.get(open..=close).unwrap_or_default();
    let commas = inner.iter().filter(|token| token.kind == Kind::Comma).count();
    let single = close > open + 1
        && (commas == 0 || (commas == 1 && line.get(close - 1).is_some_and(|last| last.kind == Kind::Comma)));
    let bare = line.get(open).is_some_and(|open| open.leading().is_empty());
    if single && bare && !has_comments_inside(&line, open, close) {
        if let Some((before, after)) = line.split_at_mut_checked(close + 1)
            && let (Some(brace), Some(semicolon)) = (before.last_mut(), after.first_mut())
        {
            brace.move_trailing_to(semicolon);
        }
        line.retain(|token| !matches!(token.kind, Kind::Open(_) | Kind::Close(_) | Kind::Comma));
    }
    line
}

fn begins_paragraph(line: &[Token<'_>]) -> bool {
    line.first().is_none_or(|first| first.blank_before || !first.leading().is_empty())
}

/// Sorts lines by package and name. Comments and blank lines before the first line stay before the first
/// line.
fn sort_paragraph(lines: &mut [Vec<Token<'_>>]) {
    let documents = |token: &Token<'_>| {
        token.leading().iter().chain(token.trailing()).any(|comment| comment.text.starts_with("//!"))
    };
    if lines.iter().flatten().any(documents) || lines.is_sorted_by_key(|line| key(line)) {
        return;
    }
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by_key(|number| lines.get(*number).map(|line| key(line)));
    let first = order.first().copied().unwrap_or(0);
    let (head, tail) = lines.split_at_mut(first.min(lines.len()));
    if let (Some(old), Some(new)) = (
        head.first_mut().and_then(|line| line.first_mut()),
        tail.first_mut().and_then(|line| line.first_mut()),
    ) {
        old.swap_leading(new);
    }
    lines.sort_by_cached_key(|line| {
        let (package, rest) = key(line);
        let owned = |words: Vec<&str>| words.into_iter().map(str::to_owned).collect::<Vec<_>>();
        (owned(package), owned(rest))
    });
}

/// The words of a line's package, and the words after it. A package sorts before its items, and its items
/// before inner packages.
fn key<'t>(line: &[Token<'t>]) -> (Vec<&'t str>, Vec<&'t str>) {
    let dots = line.iter().skip(2).step_by(2).take_while(|token| token.text == ".").count();
    let (package, rest) = line.split_at((2 + 2 * dots).min(line.len()));
    let words = |tokens: &[Token<'t>]| {
        tokens.iter().filter(|token| token.kind == Kind::Word).map(|token| token.text).collect()
    };
    (words(package), words(rest))
}
