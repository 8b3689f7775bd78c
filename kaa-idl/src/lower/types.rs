//! Lowers types and paths.
//!
//! Invariants: recursion is bounded by the bracket limit of the parser.

use super::Lowering;
use super::lowering::Node;
use crate::ast::{Expression, ExpressionKind, Names, Path, Type, TypeArgument, TypeKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::location::Span;
use crate::parse::Rule;

impl Lowering<'_, '_> {
    pub(super) fn ty(&mut self, node: Node<'_>) -> Type {
        let span = self.span(&node);
        let invalid = Type { kind: TypeKind::Invalid, span };
        let Some(inner) = node.into_inner().next() else { return invalid };
        let kind = match inner.as_rule() {
            Rule::array => self.array(inner),
            Rule::unit => TypeKind::Unit,
            Rule::stream => {
                let ty = inner.into_inner().find(|child| child.as_rule() == Rule::r#type);
                ty.map_or(TypeKind::Invalid, |ty| TypeKind::Stream(Box::new(self.ty(ty))))
            }
            Rule::named => self.named(inner),
            _ => TypeKind::Invalid,
        };
        Type { kind, span }
    }

    fn array(&mut self, node: Node<'_>) -> TypeKind {
        let span = self.span(&node);
        let mut element = None;
        let mut length = None;
        for child in node.into_inner() {
            match child.as_rule() {
                Rule::r#type => element = Some(self.ty(child)),
                Rule::expression => length = Some(Box::new(self.expression(child))),
                _ => {}
            }
        }
        let Some(element) = element else { return TypeKind::Invalid };
        let Some(length) = length else {
            let inner = element.span.text(self.source.text);
            let place = self.place(span);
            self.report(
                Diagnostic::error(
                    Code::UnexpectedToken,
                    "an array needs a length",
                    place.clone(),
                    "expected `[type; length]`",
                )
                .with_fix(
                    place,
                    format!("Vec<{inner}>"),
                    "for any number of elements write a `Vec`",
                ),
            );
            return TypeKind::Invalid;
        };
        TypeKind::Array { element: Box::new(element), length }
    }

    fn named(&mut self, node: Node<'_>) -> TypeKind {
        let span = self.span(&node);
        let mut path = None;
        let mut arguments = Vec::new();
        for child in node.into_inner() {
            match child.as_rule() {
                Rule::path => path = Some(self.path(child)),
                Rule::type_arguments => {
                    for argument in child.into_inner() {
                        arguments.extend(self.type_argument(argument));
                    }
                }
                _ => {}
            }
        }
        arguments.shrink_to_fit();
        let Some(path) = path else { return TypeKind::Invalid };
        match self.pointer(span, &path, &arguments) {
            Some(pointee) => pointee,
            None => TypeKind::Path { path, arguments },
        }
    }

    /// Reports `Box<T>` and similar pointers of Rust, and reads them as `T`. Only built-in types take
    /// arguments, so the intent is clear.
    fn pointer(&mut self, span: Span, path: &Path, arguments: &[TypeArgument]) -> Option<TypeKind> {
        let ([name], [], [TypeArgument::Type(inner)]) =
            (path.dotted.as_slice(), path.rest.as_slice(), arguments)
        else {
            return None;
        };
        let written = inner.span.text(self.source.text);
        if !matches!(name.text.as_str(), "Box" | "Arc" | "Rc") {
            return None;
        }
        let help = "there are no pointers, and recursive types are boxed automatically: write only the type";
        let diagnostic = self.unknown_type(name);
        self.report(diagnostic.with_fix(self.place(span), written, help));
        Some(inner.kind.clone())
    }

    fn type_argument(&mut self, node: Node<'_>) -> Option<TypeArgument> {
        let span = self.span(&node);
        match node.as_rule() {
            Rule::r#type => Some(TypeArgument::Type(self.ty(node))),
            Rule::bound => {
                let value = node.into_inner().find(|child| child.as_rule() == Rule::expression)?;
                Some(TypeArgument::Bound(Box::new(self.expression(value)), span))
            }
            Rule::bare_bound => {
                let whole = node.as_str().trim_end();
                let number = whole.rsplit(['.', '=']).next().unwrap_or_default().trim_start();
                let both_ends = node.into_inner().any(|child| child.as_rule() == Rule::both_ends);
                let message =
                    if both_ends { "a bound has only an upper end" } else { "a bound is written `..=N`" };
                let number = if number.is_empty() { "N" } else { number };
                let place = self.place(span);
                self.report(
                    Diagnostic::error(Code::UnexpectedToken, message, place.clone(), "expected `..=`")
                        .with_fix(place, format!("..={number}"), format!("write `..={number}`")),
                );
                let invalid = Expression { kind: ExpressionKind::Invalid, span };
                Some(TypeArgument::Bound(Box::new(invalid), span))
            }
            _ => None,
        }
    }

    pub(super) fn path(&self, node: Node<'_>) -> Path {
        let span = self.span(&node);
        let mut dotted = Names::Many(Vec::new());
        let mut rest = Vec::new();
        for child in node.into_inner() {
            match child.as_rule() {
                Rule::dotted_name => dotted = self.names(child),
                Rule::identifier => rest.push(self.name(&child)),
                _ => {}
            }
        }
        rest.shrink_to_fit();
        let last: Option<Span> = rest.last().or(dotted.last()).map(|name| name.span);
        Path { dotted, rest, span: last.map_or(span, |last| span.to(last)) }
    }
}
