//! Lowers constant expressions, literals and attributes.
//!
//! Invariants: an invalid literal is reported, here or by the scan, and becomes [`ExpressionKind::Invalid`];
//! escapes are resolved here.

use super::Lowering;
use super::lowering::Node;
use crate::ast::{Attribute, AttributeArgument, Expression, ExpressionKind, Name, Operator};
use crate::diagnostic::{Code, Diagnostic};
use crate::location::Span;
use crate::parse::{Rule, unescape};

impl Lowering<'_, '_> {
    pub(super) fn expression(&mut self, node: Node<'_>) -> Expression {
        let span = self.span(&node);
        let mut operands = Vec::new();
        let mut operators = Vec::new();
        for child in node.into_inner() {
            match child.as_rule() {
                Rule::operand => operands.push(self.operand(child)),
                Rule::operator => operators.push(operator(child.as_str())),
                _ => {}
            }
        }
        let mut operands = operands.into_iter();
        let Some(first) = operands.next() else { return Expression { kind: ExpressionKind::Invalid, span } };
        let rest: Vec<_> = operators.into_iter().zip(operands).collect();
        if rest.is_empty() {
            return first;
        }
        Expression { kind: ExpressionKind::Operation { first: Box::new(first), rest }, span }
    }

    fn operand(&mut self, node: Node<'_>) -> Expression {
        let span = self.span(&node);
        let mut negative = false;
        let mut value = Expression { kind: ExpressionKind::Invalid, span };
        for child in node.into_inner() {
            match child.as_rule() {
                Rule::minus => negative = true,
                _ => value = self.primary(child),
            }
        }
        if negative { Expression { kind: ExpressionKind::Negation(Box::new(value)), span } } else { value }
    }

    fn primary(&mut self, node: Node<'_>) -> Expression {
        let span = self.span(&node);
        let kind = match node.as_rule() {
            Rule::integer => self.integer(&node).map_or(ExpressionKind::Invalid, ExpressionKind::Integer),
            Rule::float => self.float(&node),
            Rule::string => ExpressionKind::String(self.string(&node)),
            Rule::character => self.character(&node),
            Rule::boolean => ExpressionKind::Boolean(node.as_str() == "true"),
            Rule::empty_list => ExpressionKind::EmptyList,
            Rule::empty_map => ExpressionKind::EmptyMap,
            Rule::path => ExpressionKind::Path(self.path(node)),
            Rule::grouped => {
                let inner = node.into_inner().next();
                return inner.map_or(Expression { kind: ExpressionKind::Invalid, span }, |inner| {
                    Expression { span, ..self.expression(inner) }
                });
            }
            _ => {
                let place = self.place(span);
                self.report(
                    Diagnostic::error(
                        Code::UnexpectedToken,
                        "only the empty `[]` and `{}` are supported",
                        place,
                        "not a constant expression",
                    )
                    .with_help(
                        "a default replaces a value that was not sent; build other values in the program",
                    ),
                );
                ExpressionKind::Invalid
            }
        };
        Expression { kind, span }
    }

    /// An integer. Reports a malformed one and returns `None`.
    pub(super) fn integer(&mut self, node: &Node<'_>) -> Option<u128> {
        let text = node.as_str().replace('_', "");
        let (digits, radix) = match text.get(..2) {
            Some("0x") => (text.get(2..).unwrap_or_default(), 16),
            Some("0o") => (text.get(2..).unwrap_or_default(), 8),
            Some("0b") => (text.get(2..).unwrap_or_default(), 2),
            _ => (text.as_str(), 10),
        };
        let well_formed = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
        let value = u128::from_str_radix(digits, radix).ok().filter(|_| well_formed);
        if value.is_none() {
            let place = self.place(self.span(node));
            let diagnostic = if well_formed {
                Diagnostic::error(Code::BadNumber, "this integer has more than 128 bits", place, "too large")
            } else {
                let help = "integers are written `1_000`, `0xff`, `0o17` or `0b101`; their type comes from \
                the context";
                Diagnostic::error(Code::BadNumber, "this is not a number", place, "malformed").with_help(help)
            };
            self.report(diagnostic);
        }
        value
    }

    fn float(&mut self, node: &Node<'_>) -> ExpressionKind {
        let value: Option<f64> = node.as_str().replace('_', "").parse().ok();
        match value.filter(|value| value.is_finite()) {
            Some(value) => ExpressionKind::Float(value),
            None => {
                let place = self.place(self.span(node));
                self.report(Diagnostic::error(
                    Code::BadNumber,
                    "this number is larger than any `f64`",
                    place,
                    "too large",
                ));
                ExpressionKind::Invalid
            }
        }
    }

    /// A string without its quotes, with escapes resolved. The scan has reported bad escapes.
    pub(super) fn string(&self, node: &Node<'_>) -> String {
        let mut rest = self.text(node);
        rest = rest.strip_prefix(['"', '\'']).unwrap_or(rest);
        rest = rest.strip_suffix(['"', '\'']).unwrap_or(rest);
        let mut text = String::with_capacity(rest.len());
        while let Some(backslash) = rest.find('\\') {
            let (before, escape) = rest.split_at(backslash);
            text.push_str(before);
            rest = match unescape(escape) {
                Some((character, length)) => {
                    text.push(character);
                    escape.get(length..).unwrap_or_default()
                }
                None => escape.get(1..).unwrap_or_default(),
            };
        }
        text.push_str(rest);
        text
    }

    fn character(&mut self, node: &Node<'_>) -> ExpressionKind {
        let text = self.string(node);
        let mut characters = text.chars();
        if let (Some(character), None) = (characters.next(), characters.next()) {
            return ExpressionKind::Character(character);
        }
        let place = self.place(self.span(node));
        let diagnostic = Diagnostic::error(
            Code::UnexpectedToken,
            "a `char` is exactly one character",
            place.clone(),
            "not one character",
        );
        let inside = self.text(node).trim_matches('\'');
        self.report(if inside.contains(['"', '\'']) {
            diagnostic.with_help("strings use double quotes")
        } else {
            diagnostic.with_suggestion(place, format!("\"{inside}\""), "strings use double quotes")
        });
        ExpressionKind::Invalid
    }

    pub(super) fn attribute(&mut self, node: Node<'_>) -> Option<Attribute> {
        let span = self.span(&node);
        let mut name: Option<Name> = None;
        let mut arguments = None;
        for child in node.into_inner() {
            match child.as_rule() {
                Rule::identifier => name = Some(self.name(&child)),
                Rule::attribute_arguments => {
                    let attribute = name.as_ref().map_or("", |name| name.text.as_str());
                    arguments = Some(self.attribute_arguments(child, attribute));
                }
                _ => {}
            }
        }
        Some(Attribute { name: name?, arguments, span })
    }

    fn attribute_arguments(&mut self, node: Node<'_>, attribute: &str) -> Vec<AttributeArgument> {
        let mut arguments = Vec::new();
        for child in node.into_inner() {
            match child.as_rule() {
                Rule::expression if attribute == "timeout" && is_duration(child.as_str()) => {
                    arguments.push(AttributeArgument::Value(self.unquoted_duration(&child)));
                }
                Rule::expression => arguments.push(AttributeArgument::Value(self.expression(child))),
                Rule::attribute_pair | Rule::attribute_group => arguments.extend(self.named_argument(child)),
                _ => {}
            }
        }
        arguments.shrink_to_fit();
        arguments
    }

    /// `5s` instead of `"5s"`.
    fn unquoted_duration(&mut self, node: &Node<'_>) -> Expression {
        let text = node.as_str().trim_end();
        let start = self.span(node).start();
        let span = Span::new(start, start + text.len());
        let place = self.place(span);
        self.report(
            Diagnostic::error(
                Code::BadAttribute,
                "a duration is written in quotes",
                place.clone(),
                "expected a string",
            )
            .with_fix(place, format!("\"{text}\""), format!("write `\"{text}\"`")),
        );
        Expression { kind: ExpressionKind::Invalid, span }
    }

    fn named_argument(&mut self, node: Node<'_>) -> Option<AttributeArgument> {
        let mut name = None;
        for child in node.into_inner() {
            match child.as_rule() {
                Rule::identifier => name = Some(self.name(&child)),
                Rule::expression => return Some(AttributeArgument::Pair(name?, self.expression(child))),
                Rule::attribute_arguments => {
                    let arguments = self.attribute_arguments(child, "");
                    return Some(AttributeArgument::Group(name?, arguments));
                }
                _ => {}
            }
        }
        None
    }
}

/// Whether a text is a number with a unit of time.
fn is_duration(text: &str) -> bool {
    let text = text.trim_end();
    let unit = text.trim_start_matches(|character: char| character.is_ascii_digit());
    unit.len() < text.len() && matches!(unit, "ms" | "s" | "m" | "h")
}

fn operator(text: &str) -> Operator {
    match text {
        "|" => Operator::Or,
        "<<" => Operator::ShiftLeft,
        "+" => Operator::Add,
        "-" => Operator::Subtract,
        _ => Operator::Multiply,
    }
}
