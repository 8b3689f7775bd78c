//! Turns the grammar's errors into diagnostics: what was expected, what was found, what to write instead.
//!
//! Invariants: a message never contains the name of a rule; its place is the first unexpected token.

use std::collections::BTreeSet;

use pest::error::{Error, ErrorVariant, InputLocation};

use super::Rule;
use super::hints::{Construct, SyntaxContext, recognize};
use super::tokens::{ScannedFile, is_item_keyword};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::location::Span;

/// The maximum number of syntax errors in one file; more are of no use, and each takes memory.
pub(crate) const MAX_ERRORS: usize = 10_000;

/// The diagnostic for an error of the grammar in the text that begins at `base`.
pub(crate) fn unexpected(
    source: ScannedFile<'_>,
    construct: Construct,
    base: usize,
    error: &Error<Rule>,
) -> Diagnostic {
    let offset = match error.location {
        InputLocation::Pos(offset) | InputLocation::Span((offset, _)) => base + offset,
    };
    let rules = match &error.variant {
        ErrorVariant::ParsingError { positives, .. } => positives.as_slice(),
        ErrorVariant::CustomError { .. } => &[],
    };
    let found = found_at(source, offset);
    let before = word_before(source.masked, offset);
    let expectations = expectations(rules);
    let expected = list(&expectations);
    let found_text = found.text(source.text);
    let what = match found_text {
        "" => "the end of the file".to_owned(),
        text if text.starts_with("///") => "a doc comment".to_owned(),
        text => format!("`{}`", shortened(text)),
    };
    let place = Place::new(source.path, found);
    if found_text.starts_with("///") {
        return dangling_doc(place);
    }
    if let Some(known) = recognize(&SyntaxContext::new(construct, source, found, rules)) {
        return known;
    }
    let begins_statement =
        found_text.starts_with(|first: char| first.is_ascii_alphanumeric() || "_}#".contains(first));
    if (begins_statement || found_text.is_empty()) && expects_only_semicolon(rules) {
        return missing(source, offset, ";");
    }
    let message = if expected.is_empty() {
        format!("unexpected {what}")
    } else {
        format!("expected {expected}, found {what}")
    };
    let label = if expected.is_empty() { "unexpected".to_owned() } else { format!("expected {expected}") };
    Diagnostic::error(Code::UnexpectedToken, message, place, label)
        .with_optional_help(help_for(construct, found_text, &before, rules))
}

/// The diagnostic for a doc comment that documents nothing.
pub(crate) fn dangling_doc(place: Place) -> Diagnostic {
    Diagnostic::error(
        Code::DanglingDoc,
        "this doc comment documents nothing",
        place,
        "nothing that can be documented follows",
    )
    .with_help("an ordinary comment begins with `//`")
}

/// The diagnostic for a missing separator; it points directly after the token before.
pub(crate) fn missing(source: ScannedFile<'_>, offset: usize, separator: &str) -> Diagnostic {
    let before = source.masked.get(..offset).unwrap_or_default();
    let place = Place::new(source.path, Span::at(before.trim_end().len()));
    Diagnostic::error(
        Code::MissingSeparator,
        format!("missing `{separator}`"),
        place.clone(),
        format!("expected `{separator}` here"),
    )
    .with_fix(place, separator, format!("add the `{separator}`"))
}

/// The token at an offset, or after the whitespace there.
fn found_at(source: ScannedFile<'_>, offset: usize) -> Span {
    let rest = source.masked.get(offset..).unwrap_or_default();
    let start = offset + (rest.len() - rest.trim_start().len());
    let rest = rest.trim_start();
    let is_word = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let length = match rest.chars().next() {
        None => return Span::at(source.masked.trim_end().len()),
        Some(first) if is_word(first) => rest.find(|character| !is_word(character)).unwrap_or(rest.len()),
        Some(quote @ ('"' | '\'')) => {
            rest.get(1..).and_then(|inside| inside.find(quote)).map_or(1, |end| end + 2)
        }
        Some('/') => "///".len(),
        Some(_) if ["->", "=>", "::", "<<", ".."].iter().any(|pair| rest.starts_with(pair)) => 2,
        Some(first) => first.len_utf8(),
    };
    Span::new(start, start + length)
}

fn word_before(masked: &str, offset: usize) -> String {
    let before = masked.get(..offset).unwrap_or_default().trim_end();
    let start = before.rfind(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    before.get(start.map_or(0, |start| start + 1)..).unwrap_or_default().to_owned()
}

fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// Whether only the semicolon of a statement is missing.
fn expects_only_semicolon(rules: &[Rule]) -> bool {
    let end = [Rule::semicolon, Rule::wrong_comma, Rule::missing_semicolon];
    rules.iter().any(|rule| end.contains(rule))
        && rules.iter().all(|rule| {
            let optional = matches!(
                rule,
                Rule::dot
                    | Rule::double_colon
                    | Rule::type_arguments
                    | Rule::operator
                    | Rule::throws
                    | Rule::result
                    | Rule::use_alias
                    | Rule::doc
                    | Rule::EOI
                    | Rule::kw_throws
                    | Rule::arrow
                    | Rule::kw_as
            );
            end.contains(rule) || optional || is_starter(*rule)
        })
}

fn is_starter(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::kw_package
            | Rule::kw_use
            | Rule::kw_const
            | Rule::kw_newtype
            | Rule::kw_type
            | Rule::kw_sealed
            | Rule::kw_struct
            | Rule::kw_enum
            | Rule::kw_flags
            | Rule::kw_error
            | Rule::kw_interface
            | Rule::kw_service
            | Rule::kw_fn
            | Rule::kw_include
            | Rule::kw_oneway
            | Rule::kw_client
            | Rule::kw_reserved
    )
}

/// What the grammar expected, the most informative first. Weak expectations are only given if there are no
/// others.
fn expectations(rules: &[Rule]) -> Vec<&'static str> {
    if rules.contains(&Rule::kw_const) && rules.contains(&Rule::structure) {
        return vec!["an item"];
    }
    let mut described: BTreeSet<(u8, &'static str)> =
        rules.iter().filter_map(|rule| describe(*rule)).collect();
    if described.iter().any(|(rank, _)| *rank < WEAK) {
        described.retain(|(rank, _)| *rank < WEAK);
    }
    if described.iter().any(|(_, text)| *text == "`,`") {
        described.retain(|(_, text)| *text != "`=`");
    }
    described.into_iter().map(|(_, text)| text).collect()
}

/// The rank of weak expectations: tokens that the grammar accepts in nearly every place.
const WEAK: u8 = 5;

fn describe(rule: Rule) -> Option<(u8, &'static str)> {
    let described = match rule {
        Rule::identifier | Rule::package_name | Rule::dotted_name => (0, "a name"),
        Rule::path | Rule::named => (0, "a name"),
        Rule::r#type | Rule::array | Rule::unit => (0, "a type"),
        Rule::expression | Rule::operand | Rule::integer | Rule::float | Rule::boolean => (0, "a value"),
        Rule::bound | Rule::bare_bound => (1, "a bound"),
        Rule::string => (1, "a string"),
        Rule::colon => (1, "`:`"),
        Rule::equals => (2, "`=`"),
        Rule::kw_fn | Rule::function => (1, "`fn`"),
        Rule::open_brace
        | Rule::field_block
        | Rule::variant_block
        | Rule::member_block
        | Rule::flag_block => (2, "`{`"),
        Rule::open_parenthesis | Rule::parameters | Rule::elements => (2, "`(`"),
        Rule::open_bracket => (2, "`[`"),
        Rule::attribute_arguments => (2, "`(`"),
        Rule::comma | Rule::EOI => (3, "`,`"),
        Rule::semicolon | Rule::missing_semicolon => (3, "`;`"),
        Rule::result | Rule::arrow => (WEAK, "`->`"),
        Rule::field_alone | Rule::field => (0, "a field"),
        Rule::variant_alone | Rule::variant => (0, "a variant"),
        Rule::flag_alone | Rule::flag => (0, "a flag"),
        Rule::member_alone => (0, "a method"),
        Rule::close_brace => (4, "`}`"),
        Rule::close_parenthesis => (4, "`)`"),
        Rule::close_bracket => (4, "`]`"),
        Rule::structure | Rule::kw_struct => (2, "`struct`"),
        Rule::enumeration | Rule::kw_enum => (3, "`enum`"),
        Rule::item | Rule::constant | Rule::newtype | Rule::alias | Rule::service | Rule::interface => {
            (0, "an item")
        }
        Rule::operator => (WEAK, "an operator"),
        Rule::double_colon => (WEAK, "`::`"),
        Rule::dot => (WEAK, "`.`"),
        Rule::throws | Rule::kw_throws => (WEAK, "`throws`"),
        Rule::type_arguments => (WEAK, "`<`"),
        _ => return None,
    };
    Some(described)
}

fn list(texts: &[&str]) -> String {
    match texts {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// A help text for the syntax of other languages.
fn help_for(construct: Construct, found: &str, before: &str, rules: &[Rule]) -> Option<String> {
    let expects = |any: &[Rule]| any.iter().any(|rule| rules.contains(rule));
    let variants = expects(&[Rule::variant_block]);
    let member = expects(&[Rule::member_alone, Rule::function, Rule::kw_fn, Rule::client, Rule::include]);
    let list = expects(&[Rule::comma, Rule::EOI]);
    let text = match (found, before) {
        (";", _) if variants => "write the braces even if there are no variants",
        ("{", _) if construct == Construct::Member && expects(&[Rule::semicolon]) => {
            "methods have no body in a schema: end with `;`"
        }
        ("{", _) if list => "declare the type as a separate item, not where it is used",
        (":", _) if list && expects(&[Rule::close_parenthesis]) => {
            "elements in parentheses have no names; for named fields write `Variant { name: Type }`"
        }
        ("(", _) if expects(&[Rule::r#type, Rule::path, Rule::named]) => {
            "there are no tuples; declare a `struct`"
        }
        ("-", _) if expects(&[Rule::dot]) => "names consist of letters, digits and `_`",
        ("=", _) if expects(&[Rule::colon]) => {
            "a name is followed by `:` and a type, then by `=` and a \
        value"
        }
        ("," | "}", _) if expects(&[Rule::equals]) && !list => "every flag needs a value, such as `1 << 0`",
        (_, "optional" | "required" | "repeated") if expects(&[Rule::colon]) => {
            "a field is written `name: Type`; the type may be an `Option<Type>` or a `Vec<Type>`"
        }
        (_, "fn") if expects(&[Rule::colon]) => "methods belong inside a `service` or an `interface`",
        (word, _) if member && is_item_keyword(word) => {
            "items belong at the top level of a file, not inside other items"
        }
        ("async" | "pub" | "rpc" | "def" | "void", _) if member => {
            "a method is written `fn name(parameter: Type) -> Type;`"
        }
        ("->", _) if expects(&[Rule::semicolon]) => {
            "the result comes before `throws`: `fn name() -> Type throws Error;`"
        }
        _ if expects(&[Rule::attribute_arguments, Rule::open_bracket]) => {
            "attributes are written `#[name]`, `#[name(value)]` or `#[name(key = value)]`"
        }
        _ => return None,
    };
    Some(text.to_owned())
}
