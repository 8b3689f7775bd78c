//! Turns the grammar's errors into diagnostics: what was expected, what was found, what to write instead.
//!
//! Invariants: no rule's name reaches a message; the place is the first token that does not fit.

use std::collections::BTreeSet;

use pest::error::{Error, ErrorVariant, InputLocation};

use super::Rule;
use super::hints::{Construct, SyntaxContext, recognize};
use super::tokens::{ScannedFile, is_item_keyword};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::location::Span;

/// How many errors of syntax one file may have; nobody reads so many, and each takes memory.
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
    let wanted = list(&expectations);
    let found_text = found.text(source.text);
    let what = match found_text {
        "" => "the end of the file".to_owned(),
        text if text.starts_with("///") => "a doc comment".to_owned(),
        text => format!("`{}`", shortened(text)),
    };
    let place = Place::new(source.path, found);
    if found_text.starts_with("///") {
        return Diagnostic::error(
            Code::DanglingDoc,
            "a doc comment documents nothing here",
            place,
            "nothing follows that it could describe",
        )
        .with_help("an ordinary comment begins with `//`");
    }
    if let Some(known) = recognize(&SyntaxContext::new(construct, source, found, rules)) {
        return known;
    }
    let begins_next =
        found_text.starts_with(|first: char| first.is_ascii_alphanumeric() || "_}#".contains(first));
    if (begins_next || found_text.is_empty()) && wants_only_semicolon(rules) {
        return missing(source, offset, ";");
    }
    let message = if wanted.is_empty() {
        format!("unexpected {what}")
    } else {
        format!("expected {wanted}, found {what}")
    };
    let label = if wanted.is_empty() { "unexpected".to_owned() } else { format!("expected {wanted}") };
    Diagnostic::error(Code::UnexpectedToken, message, place, label)
        .with_optional_help(help_for(construct, found_text, &before, rules))
}

/// The diagnostic for an absent separator, pointing right behind the token before it.
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

/// The token at an offset, or the one that follows the blanks there.
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

/// Whether the statement was complete but for its semicolon.
fn wants_only_semicolon(rules: &[Rule]) -> bool {
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

/// What could stand at the place, most telling first; what is always possible is only named if nothing else is.
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

/// The rank from which on an expectation is only worth saying alone.
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

/// What people coming from other languages are likely to have meant.
fn help_for(construct: Construct, found: &str, before: &str, rules: &[Rule]) -> Option<String> {
    let wants = |any: &[Rule]| any.iter().any(|rule| rules.contains(rule));
    let variants = wants(&[Rule::variant_block]);
    let member = wants(&[Rule::member_alone, Rule::function, Rule::kw_fn, Rule::client, Rule::include]);
    let list = wants(&[Rule::comma, Rule::EOI]);
    let text = match (found, before) {
        (";", _) if variants => "the variants stand in braces, even if there are none",
        ("{", _) if construct == Construct::Member && wants(&[Rule::semicolon]) => {
            "methods have no body in a schema: end it with `;`"
        }
        ("{", _) if list => "a type is declared as an item of its own, not where it is used",
        (":", _) if list && wants(&[Rule::close_parenthesis]) => {
            "elements in parentheses have no names; with names write `Variant { name: Type }`"
        }
        ("(", _) if wants(&[Rule::r#type, Rule::path, Rule::named]) => {
            "there are no tuples; declare a `struct`"
        }
        ("-", _) if wants(&[Rule::dot]) => "names are letters, digits and `_`",
        ("=", _) if wants(&[Rule::colon]) => "a name is followed by `:` and a type, then by `=` and a value",
        ("," | "}", _) if wants(&[Rule::equals]) && !list => "every flag has a value, such as `1 << 0`",
        (_, "optional" | "required" | "repeated") if wants(&[Rule::colon]) => {
            "a field is written `name: Type`; the type may be an `Option<Type>` or a `Vec<Type>`"
        }
        (_, "fn") if wants(&[Rule::colon]) => "methods stand in a `service` or an `interface`",
        (word, _) if member && is_item_keyword(word) => {
            "items stand at the top of a file, not in one another"
        }
        ("async" | "pub" | "rpc" | "def" | "void", _) if member => {
            "a method is written `fn name(parameter: Type) -> Type;`"
        }
        ("->", _) if wants(&[Rule::semicolon]) => {
            "the result comes before `throws`: `fn name() -> Type throws Error;`"
        }
        _ if wants(&[Rule::attribute_arguments, Rule::open_bracket]) => {
            "attributes are written `#[name]`, `#[name(value)]` or `#[name(key = value)]`"
        }
        _ => return None,
    };
    Some(text.to_owned())
}
