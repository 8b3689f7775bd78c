//! Lowers fields, parameters, variants and flags, with their separators.
//!
//! Invariants: an entry that does not parse is reported once and omitted.

use super::Lowering;
use super::lowering::Node;
use crate::ast::{
    Attribute, Expression, ExpressionKind, Field, Flag, Name, Payload, Reserved, Type, TypeKind, Variant,
};
use crate::diagnostic::{Code, Diagnostic};
use crate::location::Span;
use crate::parse::Rule;

/// The docs and attributes before a construct.
#[derive(Debug, Default)]
pub(super) struct Decoration {
    pub(super) docs: Vec<String>,
    pub(super) attributes: Vec<Attribute>,
}

impl Decoration {
    /// Releases spare capacity, because the trees of all files are in memory at once.
    pub(super) fn exact(mut self) -> Self {
        self.docs.shrink_to_fit();
        self.attributes.shrink_to_fit();
        self
    }
}

impl Lowering<'_, '_> {
    pub(super) fn fields(&mut self, node: Node<'_>) -> Vec<Field> {
        let mut fields = Vec::new();
        for child in node.into_inner() {
            match child.as_rule() {
                Rule::field => fields.push(self.field(child, false)),
                Rule::tombstone => fields.push(self.field(child, true)),
                _ => self.separator(&child, "fields are separated by commas"),
            }
        }
        fields.shrink_to_fit();
        fields
    }

    /// Parameters, and the span of a trailing `..`.
    pub(super) fn parameters(&mut self, node: Node<'_>) -> (Vec<Field>, Option<Span>) {
        let mut parameters = Vec::new();
        let mut rest = None;
        for child in node.into_inner() {
            let is_parameter = matches!(child.as_rule(), Rule::field | Rule::tombstone);
            if let (true, Some(span)) = (is_parameter, rest) {
                let place = self.place(span);
                self.report(Diagnostic::error(
                    Code::UnexpectedToken,
                    "`..` comes after the last parameter",
                    place,
                    "a parameter follows",
                ));
            }
            match child.as_rule() {
                Rule::field => parameters.push(self.field(child, false)),
                Rule::tombstone => parameters.push(self.field(child, true)),
                Rule::rest => rest = Some(self.span(&child)),
                _ => self.separator(&child, "parameters are separated by commas"),
            }
        }
        parameters.shrink_to_fit();
        (parameters, rest)
    }

    fn field(&mut self, node: Node<'_>, tombstone: bool) -> Field {
        let span = self.span(&node);
        let mut decoration = Decoration::default();
        let mut name = Name::default();
        let mut ty = Type { kind: TypeKind::Invalid, span };
        let mut default = None;
        for child in node.into_inner() {
            if self.decoration(&child, &mut decoration) {
                continue;
            }
            match child.as_rule() {
                Rule::identifier => name = self.name(&child),
                Rule::r#type => ty = self.ty(child),
                Rule::default => {
                    let value = child.into_inner().find(|part| part.as_rule() == Rule::expression);
                    default = value.map(|value| Box::new(self.expression(value)));
                }
                _ => {}
            }
        }
        let Decoration { docs, attributes } = decoration.exact();
        Field { docs, attributes, name, ty, default, tombstone, span }
    }

    /// Handles everything in a list besides its entries.
    fn separator(&mut self, node: &Node<'_>, why: &str) {
        match node.as_rule() {
            Rule::wrong_semicolon => self.wrong_separator(node, ",", why),
            Rule::missing_comma | Rule::missing_variant_comma => self.missing(node, ","),
            Rule::dangling_doc => self.dangling_doc(node),
            Rule::field_error => self.error_node(node, Rule::field_alone, &[',', ';']),
            Rule::variant_error => self.error_node(node, Rule::variant_alone, &[',', ';']),
            Rule::flag_error => self.error_node(node, Rule::flag_alone, &[',', ';']),
            _ => {}
        }
    }

    pub(super) fn variants(&mut self, node: Node<'_>) -> (Vec<Variant>, Vec<Reserved>) {
        let mut variants = Vec::new();
        let mut reserved = Vec::new();
        let mut unquoted = None;
        for child in node.into_inner() {
            match child.as_rule() {
                Rule::variant => {
                    let variant = self.variant(child);
                    match unquoted.take() {
                        Some(span) => reserved.push(self.unquoted_reserved_name(span, &variant)),
                        None => variants.push(variant),
                    }
                }
                Rule::reserved => reserved.push(self.reserved(child)),
                Rule::missing_variant_comma => match variants.pop_if(|last| is_word_reserved(last)) {
                    Some(word) => unquoted = Some(word.span),
                    None => self.separator(&child, ""),
                },
                _ => self.separator(&child, "variants are separated by commas"),
            }
        }
        variants.shrink_to_fit();
        (variants, reserved)
    }

    /// `reserved Name`: the name of a deleted variant without its quotes.
    fn unquoted_reserved_name(&mut self, word: Span, variant: &Variant) -> Reserved {
        let name = &variant.name;
        let place = self.place(name.span);
        self.report(
            Diagnostic::error(
                Code::UnexpectedToken,
                "the name of a deleted variant is written in quotes",
                place.clone(),
                "expected a string",
            )
            .with_fix(place, format!("\"{}\"", name.text), "add the quotes"),
        );
        Reserved { tag: None, name: Some(name.text.clone()), span: word.to(variant.span) }
    }

    fn variant(&mut self, node: Node<'_>) -> Variant {
        let span = self.span(&node);
        let mut decoration = Decoration::default();
        let mut name = Name::default();
        let mut payload = Payload::Unit;
        let mut tag = None;
        for child in node.into_inner() {
            if self.decoration(&child, &mut decoration) {
                continue;
            }
            match child.as_rule() {
                Rule::identifier => name = self.name(&child),
                Rule::field_block => payload = Payload::Record(self.fields(child)),
                Rule::elements => payload = Payload::Tuple(self.elements(child)),
                Rule::expression => tag = Some(Box::new(self.expression(child))),
                _ => {}
            }
        }
        let Decoration { docs, attributes } = decoration.exact();
        Variant { docs, attributes, name, payload, tag, span }
    }

    fn elements(&mut self, node: Node<'_>) -> Vec<Field> {
        let elements = node.into_inner().filter(|child| child.as_rule() == Rule::element);
        let mut fields: Vec<Field> = Vec::new();
        for element in elements {
            let span = self.span(&element);
            let mut decoration = Decoration::default();
            let mut ty = Type { kind: TypeKind::Invalid, span };
            for child in element.into_inner() {
                if !self.decoration(&child, &mut decoration) {
                    ty = self.ty(child);
                }
            }
            let name = Name { text: fields.len().to_string(), span: ty.span };
            let Decoration { docs, attributes } = decoration.exact();
            fields.push(Field { docs, attributes, name, ty, default: None, tombstone: false, span });
        }
        fields.shrink_to_fit();
        fields
    }

    fn reserved(&mut self, node: Node<'_>) -> Reserved {
        let span = self.span(&node);
        let mut tag = None;
        let mut name = None;
        for child in node.into_inner() {
            match child.as_rule() {
                Rule::integer => tag = self.integer(&child),
                Rule::string => name = Some(self.string(&child)),
                _ => {}
            }
        }
        Reserved { tag, name, span }
    }

    pub(super) fn flags(&mut self, node: Node<'_>) -> Vec<Flag> {
        let mut flags = Vec::new();
        for child in node.into_inner() {
            match child.as_rule() {
                Rule::flag => flags.push(self.flag(child)),
                _ => self.separator(&child, "flags are separated by commas"),
            }
        }
        flags.shrink_to_fit();
        flags
    }

    fn flag(&mut self, node: Node<'_>) -> Flag {
        let span = self.span(&node);
        let mut decoration = Decoration::default();
        let mut name = Name::default();
        let mut value = Expression { kind: ExpressionKind::Invalid, span };
        for child in node.into_inner() {
            if self.decoration(&child, &mut decoration) {
                continue;
            }
            match child.as_rule() {
                Rule::identifier => name = self.name(&child),
                Rule::expression => value = self.expression(child),
                _ => {}
            }
        }
        let Decoration { docs, attributes } = decoration.exact();
        Flag { docs, attributes, name, value, span }
    }
}

/// Whether a variant is the plain word `reserved`.
fn is_word_reserved(variant: &Variant) -> bool {
    variant.name.text == "reserved"
        && variant.payload == Payload::Unit
        && variant.tag.is_none()
        && variant.attributes.is_empty()
        && variant.docs.is_empty()
}
