//! Finds `use` items and paths in tokens, so that macros and function bodies are covered, too.

use proc_macro2::{Delimiter, Group, Ident, Spacing, TokenStream, TokenTree};
use syn::{Attribute, ItemUse, Meta, UseTree};

use super::Module;

/// One name that a `use` brings in; `*` for a glob, whose path is the module's.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) path: Vec<String>,
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) is_public: bool,
}

/// A path outside of `use`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NamedPath {
    pub(crate) path: Vec<String>,
    pub(crate) line: usize,
}

/// Macros whose tokens are code for another crate.
const QUOTES: &[&str] = &["quote", "quote_spanned", "parse_quote"];

/// Whether an attribute is `cfg(test)`, or `cfg(all(test, …))`.
pub(super) fn is_test(attribute: &Attribute) -> bool {
    match &attribute.meta {
        Meta::List(list) => list.path.is_ident("cfg") && asks_for_test(list.tokens.clone()),
        _ => false,
    }
}

fn asks_for_test(condition: TokenStream) -> bool {
    let trees: Vec<_> = condition.into_iter().collect();
    match trees.as_slice() {
        [TokenTree::Ident(name)] => name == "test",
        [TokenTree::Ident(name), TokenTree::Group(inner)] if name == "all" => {
            inner.stream().into_iter().any(|tree| matches!(tree, TokenTree::Ident(name) if name == "test"))
        }
        _ => false,
    }
}

pub(super) fn scan(tokens: TokenStream, module: &mut Module) {
    let trees: Vec<_> = tokens.into_iter().collect();
    let mut trees = trees.as_slice();
    while let Some(rest) = step(trees, module) {
        trees = rest;
    }
}

/// Reads one item or path at the beginning of `trees`, and returns the rest.
fn step<'a>(trees: &'a [TokenTree], module: &mut Module) -> Option<&'a [TokenTree]> {
    let (first, rest) = trees.split_first()?;
    Some(match (first, rest) {
        (TokenTree::Punct(hash), [TokenTree::Group(attribute), rest @ ..]) if hash.as_char() == '#' => {
            if is_test_group(attribute) {
                skip_item(rest)
            } else {
                scan(attribute.stream(), module);
                rest
            }
        }
        (TokenTree::Punct(colon), _) if is_joint(colon, ':') => skip_path(trees),
        (TokenTree::Punct(dot), [TokenTree::Punct(next), rest @ ..])
            if is_joint(dot, '.') && next.as_char() == '.' =>
        {
            rest
        }
        (TokenTree::Punct(before), [TokenTree::Ident(_), rest @ ..])
            if matches!(before.as_char(), '.' | '\'') =>
        {
            rest
        }
        (TokenTree::Ident(word), _) => word_or_path(word, rest, module),
        (TokenTree::Group(group), _) => {
            scan(group.stream(), module);
            rest
        }
        _ => rest,
    })
}

fn word_or_path<'a>(word: &Ident, rest: &'a [TokenTree], module: &mut Module) -> &'a [TokenTree] {
    match rest {
        [TokenTree::Ident(next), after @ ..] if word == "pub" && next == "use" => {
            return read_use(next, after, true, module);
        }
        [TokenTree::Group(limit), after @ ..] if word == "pub" && is_visibility(limit) => {
            return match after {
                [TokenTree::Ident(next), after @ ..] if next == "use" => read_use(next, after, true, module),
                _ => after,
            };
        }
        [TokenTree::Punct(less), ..] if word == "use" && less.as_char() == '<' => return rest,
        _ if word == "use" => return read_use(word, rest, false, module),
        [TokenTree::Punct(mark), TokenTree::Group(_), after @ ..]
            if mark.as_char() == '!' && QUOTES.iter().any(|name| word == name) =>
        {
            return after;
        }
        _ => {}
    }
    let mut path = vec![word.to_string()];
    let mut rest = rest;
    while let [TokenTree::Punct(colon), TokenTree::Punct(_), TokenTree::Ident(segment), after @ ..] = rest {
        if !is_joint(colon, ':') {
            break;
        }
        path.push(segment.to_string());
        rest = after;
    }
    module.names.insert(word.to_string());
    if path.len() > 1 {
        module.paths.push(NamedPath { path, line: word.span().start().line });
    }
    rest
}

fn is_joint(punct: &proc_macro2::Punct, character: char) -> bool {
    punct.as_char() == character && punct.spacing() == Spacing::Joint
}

/// Whether a group after `pub` limits it, as opposed to a tuple struct's field in parentheses.
fn is_visibility(group: &Group) -> bool {
    let mut trees = group.stream().into_iter();
    let Some(TokenTree::Ident(first)) = trees.next() else { return false };
    group.delimiter() == Delimiter::Parenthesis
        && (first == "in"
            || trees.next().is_none() && ["crate", "self", "super"].iter().any(|word| first == word))
}

/// Skips `::a::b` after a type, whose segments are not names of the module's scope.
fn skip_path(trees: &[TokenTree]) -> &[TokenTree] {
    let mut rest = trees;
    while let [TokenTree::Punct(colon), TokenTree::Punct(_), after @ ..] = rest {
        if !is_joint(colon, ':') {
            break;
        }
        rest = match after {
            [TokenTree::Ident(_), after @ ..] => after,
            _ => return after,
        };
    }
    rest
}

fn is_test_group(group: &Group) -> bool {
    let trees: Vec<_> = group.stream().into_iter().collect();
    match trees.as_slice() {
        [TokenTree::Ident(name), TokenTree::Group(condition)] => {
            name == "cfg" && asks_for_test(condition.stream())
        }
        _ => false,
    }
}

/// Skips an item or statement: it ends with a semicolon or a block.
fn skip_item(trees: &[TokenTree]) -> &[TokenTree] {
    let ends = |tree: &TokenTree| match tree {
        TokenTree::Punct(punct) => punct.as_char() == ';',
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        _ => false,
    };
    let end = trees.iter().position(ends).map_or(trees.len(), |last| last + 1);
    trees.get(end..).unwrap_or_default()
}

fn read_use<'a>(
    word: &Ident,
    rest: &'a [TokenTree],
    is_public: bool,
    module: &mut Module,
) -> &'a [TokenTree] {
    let is_end = |tree: &TokenTree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ';');
    let Some(end) = rest.iter().position(is_end) else { return rest };
    let (tree, after) = rest.split_at(end + 1);
    let tokens = std::iter::once(TokenTree::Ident(word.clone())).chain(tree.iter().cloned()).collect();
    // `use $path;` in a macro cannot be parsed.
    if let Ok(item) = syn::parse2::<ItemUse>(tokens) {
        collect(&item.tree, &mut Vec::new(), is_public, module);
    }
    after
}

fn collect(tree: &UseTree, path: &mut Vec<String>, is_public: bool, module: &mut Module) {
    let mut add = |path: &[String], last: Option<&Ident>, name: &str, line: usize| {
        let mut path = path.to_vec();
        path.extend(last.map(ToString::to_string));
        module.uses.push(Use { path, name: name.to_owned(), line, is_public });
    };
    match tree {
        UseTree::Path(tree) => {
            path.push(tree.ident.to_string());
            collect(&tree.tree, path, is_public, module);
            path.pop();
        }
        UseTree::Group(group) => {
            for tree in &group.items {
                collect(tree, path, is_public, module);
            }
        }
        UseTree::Glob(glob) => {
            add(path, None, "*", glob.star_token.span.start().line);
        }
        UseTree::Name(tree) => {
            let line = tree.ident.span().start().line;
            let is_module = tree.ident == "self" && !path.is_empty();
            match path.last().filter(|_| is_module) {
                Some(name) => add(path, None, name, line),
                None => add(path, Some(&tree.ident), &tree.ident.to_string(), line),
            }
        }
        UseTree::Rename(tree) => {
            let line = tree.ident.span().start().line;
            let is_module = tree.ident == "self" && !path.is_empty();
            let last = (!is_module).then_some(&tree.ident);
            add(path, last, &tree.rename.to_string(), line);
        }
    }
}
