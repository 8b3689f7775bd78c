//! Facts about tokens that the layout needs: brackets, spaces, widths, and where a line must end.
//!
//! Invariants: everything is computed once for all tokens before printing, so that each query takes constant
//! time.

use std::ops::Range;

use super::tokens::{Comment, Delimiter, Kind, Token, columns};

/// The layout facts about all tokens.
#[derive(Debug)]
pub(super) struct Outline {
    tokens: Vec<TokenLayout>,
    groups: Vec<Group>,
}

/// The layout facts about one token.
#[derive(Debug, Clone, Copy, Default)]
struct TokenLayout {
    /// Whether a space goes before it if it does not begin a line.
    space: bool,
    /// The width of all tokens before it on one line, including spaces and comments.
    width: usize,
    /// The number of places before this token at which a line must end.
    breaks: usize,
    /// Whether a line must end between the token before it and itself.
    must_break: bool,
    /// For a bracket, its group.
    group: Option<usize>,
}

/// A pair of brackets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group {
    pub(super) close: usize,
    pub(super) list: List,
    /// The number of entries between commas.
    pub(super) entries: usize,
    /// Whether a line must end between the brackets, outside of inner brackets.
    pub(super) must_break: bool,
    /// Whether it contains a block that is not empty.
    pub(super) holds_block: bool,
}

/// What a pair of brackets lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    /// Fields, variants, flags, or members.
    Block,
    /// The names of a `use`.
    Imports,
    Parameters,
    /// The elements of a variant, or the arguments of an attribute.
    Elements,
    TypeArguments,
    /// Not a list: `[T; N]`, `()`, a group in an expression, a newtype's inner type, an attribute's square
    /// brackets.
    None,
}

impl Outline {
    pub(super) fn new(tokens: &[Token<'_>]) -> Self {
        let mut outline = Self { tokens: Vec::with_capacity(tokens.len()), groups: Vec::new() };
        outline.match_brackets(tokens);
        outline.measure(tokens);
        outline
    }

    /// Whether a space goes before a token that does not begin a line.
    pub(super) fn space(&self, index: usize) -> bool {
        self.tokens.get(index).is_some_and(|fact| fact.space)
    }

    /// Whether a line must end before a token.
    pub(super) fn must_break(&self, index: usize) -> bool {
        self.tokens.get(index).is_some_and(|fact| fact.must_break)
    }

    /// Whether a line must end before any token from the first to the last.
    pub(super) fn any_break(&self, first: usize, last: usize) -> bool {
        let before = |index: usize| self.tokens.get(index).map_or(0, |fact| fact.breaks);
        before(last + 1) > before(first)
    }

    /// The width from the first token to the last on one line, including the space before the first.
    pub(super) fn width(&self, first: usize, last: usize) -> usize {
        let before = |index: usize| self.tokens.get(index).map_or(0, |fact| fact.width);
        before(last + 1).saturating_sub(before(first))
    }

    /// The group of a bracket.
    pub(super) fn group(&self, index: usize) -> Option<&Group> {
        self.groups.get(self.tokens.get(index)?.group?)
    }

    /// The closing bracket of an opening one; the token itself for any other.
    pub(super) fn close(&self, index: usize) -> usize {
        self.group(index).map_or(index, |group| group.close.max(index))
    }

    fn match_brackets(&mut self, tokens: &[Token<'_>]) {
        let mut open: Vec<(usize, usize)> = Vec::new();
        let mut after_long_attribute = false;
        for (index, token) in tokens.iter().enumerate() {
            let must_break = std::mem::take(&mut after_long_attribute) || must_break(tokens, index);
            if let Some(group) = open.last().and_then(|(group, _)| self.groups.get_mut(*group)) {
                group.must_break |= must_break;
                group.entries += usize::from(token.kind == Kind::Comma);
            }
            let mut fact = TokenLayout { must_break, space: space(tokens, index), ..TokenLayout::default() };
            match token.kind {
                Kind::Open(delimiter) => {
                    let list = list(tokens, index, delimiter);
                    let number = self.groups.len();
                    fact.group = Some(number);
                    self.groups.push(Group {
                        close: index,
                        list,
                        entries: 0,
                        must_break: false,
                        holds_block: false,
                    });
                    open.push((number, index));
                }
                Kind::Close(_) => {
                    if let Some((number, start)) = open.pop() {
                        fact.group = Some(number);
                        let parent = open.last().map(|(parent, _)| *parent);
                        let list = self.end_group(tokens, parent, number, start..index);
                        fact.space &= list != Some(List::Imports);
                        after_long_attribute = is_long_attribute(tokens, start..index);
                    }
                }
                _ => {}
            }
            self.tokens.push(fact);
        }
    }

    fn end_group(
        &mut self,
        tokens: &[Token<'_>],
        parent: Option<usize>,
        number: usize,
        range: Range<usize>,
    ) -> Option<List> {
        let group = self.groups.get_mut(number)?;
        group.close = range.end;
        let last = range.end.checked_sub(1).and_then(|last| tokens.get(last));
        let ends_in_comma = last.is_some_and(|last| last.kind == Kind::Comma);
        group.entries += usize::from(range.len() > 1 && !ends_in_comma);
        let list = group.list;
        let is_block = list == List::Block && group.entries > 0;
        if let Some(parent) = parent.and_then(|parent| self.groups.get_mut(parent)) {
            parent.holds_block |= is_block;
        }
        Some(list)
    }

    fn measure(&mut self, tokens: &[Token<'_>]) {
        let mut width = 0;
        let mut breaks = 0;
        for (index, token) in tokens.iter().enumerate() {
            let next = tokens.get(index + 1).map(|next| next.kind);
            let dropped = token.kind == Kind::Comma && matches!(next, Some(Kind::Close(_)));
            if let Some(fact) = self.tokens.get_mut(index) {
                fact.width = width;
                fact.breaks = breaks;
                breaks += usize::from(fact.must_break);
                width += usize::from(fact.space);
            }
            width += if dropped { 0 } else { columns(token.text) };
            if !self.must_break(index) {
                width += token.leading().iter().map(|comment| comment.columns() + 1).sum::<usize>();
            }
        }
        self.tokens.push(TokenLayout { width, breaks, ..TokenLayout::default() });
    }
}

fn list(tokens: &[Token<'_>], index: usize, delimiter: Delimiter) -> List {
    let back = |steps: usize| index.checked_sub(steps).and_then(|before| tokens.get(before));
    let before = back(1).map(|token| token.kind);
    let is_word = |steps: usize, word: &str| {
        back(steps).is_some_and(|token| token.kind == Kind::Word && token.text == word)
    };
    match delimiter {
        Delimiter::Brace if before == Some(Kind::Path) => List::Imports,
        Delimiter::Brace if begins_value(before) => List::None,
        Delimiter::Brace => List::Block,
        Delimiter::Angle => List::TypeArguments,
        Delimiter::Square => List::None,
        Delimiter::Parenthesis if before != Some(Kind::Word) || is_word(2, "newtype") => List::None,
        Delimiter::Parenthesis if is_word(2, "fn") => List::Parameters,
        Delimiter::Parenthesis if is_stream(tokens, index) => List::None,
        Delimiter::Parenthesis => List::Elements,
    }
}

/// Whether a token of this kind is followed by a value.
fn begins_value(before: Option<Kind>) -> bool {
    matches!(
        before,
        Some(Kind::Open(_) | Kind::Comma | Kind::Equals | Kind::Bound | Kind::Operator | Kind::Semicolon)
    )
}

/// Whether the word before a token is the keyword `stream` of a type.
fn is_stream(tokens: &[Token<'_>], index: usize) -> bool {
    let back = |steps: usize| index.checked_sub(steps).and_then(|before| tokens.get(before));
    back(1).is_some_and(|token| token.text == "stream")
        && back(2).is_some_and(|token| matches!(token.kind, Kind::Arrow | Kind::Colon))
}

/// Whether a token is a minus sign, not an operator.
pub(super) fn is_sign(tokens: &[Token<'_>], index: usize) -> bool {
    let before = index.checked_sub(1).and_then(|before| tokens.get(before)).map(|token| token.kind);
    tokens.get(index).is_some_and(|token| token.text == "-") && begins_value(before)
}

fn space(tokens: &[Token<'_>], index: usize) -> bool {
    use Delimiter::{Angle, Brace, Parenthesis};
    let Some(last) = index.checked_sub(1) else { return false };
    let (Some(before), Some(token)) = (tokens.get(last), tokens.get(index)) else { return false };
    match (before.kind, token.kind) {
        (Kind::Open(Brace), Kind::Close(Brace)) => false,
        (Kind::Open(Brace), _) => list(tokens, last, Brace) == List::Block,
        (_, Kind::Close(Brace)) => true,
        (Kind::Open(_) | Kind::Path | Kind::Bound | Kind::Hash, _) => false,
        (_, Kind::Comma | Kind::Semicolon | Kind::Close(_) | Kind::Colon | Kind::Path | Kind::End) => false,
        (_, Kind::Open(Angle)) => false,
        (Kind::Word, Kind::Open(Parenthesis)) => is_stream(tokens, index),
        (Kind::Operator, _) => !is_sign(tokens, last),
        _ => true,
    }
}

fn must_break(tokens: &[Token<'_>], index: usize) -> bool {
    let Some(token) = tokens.get(index) else { return false };
    let Some(before) = index.checked_sub(1).and_then(|last| tokens.get(last)) else { return false };
    let comments = token.leading();
    !before.trailing().is_empty()
        || !comments.iter().all(Comment::is_inline)
        || (!comments.is_empty() && token.newline_before)
        || before.kind == Kind::Doc
        || token.kind == Kind::Doc
}

/// Whether brackets belong to an attribute with a string. The construct after such an attribute begins a
/// line.
fn is_long_attribute(tokens: &[Token<'_>], range: Range<usize>) -> bool {
    let before = range.start.checked_sub(1).and_then(|hash| tokens.get(hash));
    before.is_some_and(|hash| hash.kind == Kind::Hash)
        && tokens.get(range).unwrap_or_default().iter().any(|token| token.text.starts_with('"'))
}
