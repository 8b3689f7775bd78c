//! Lowers the members of services, interfaces and `client` blocks.
//!
//! Invariants: whether a `client` block is allowed in its place is not decided here.

use super::Lowering;
use super::fields::Decoration;
use super::lowering::Node;
use crate::ast::{Function, Include, Member, Name, Path, Type, TypeArgument, TypeKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::parse::Rule;

impl Lowering<'_, '_> {
    pub(super) fn members(&mut self, node: Node<'_>) -> Vec<Member> {
        let mut members = Vec::new();
        for child in node.into_inner() {
            match child.as_rule() {
                Rule::function => members.push(Member::Function(Box::new(self.function(child)))),
                Rule::include => members.extend(self.include(child)),
                Rule::client => members.extend(self.client(child)),
                Rule::reserved_function => members.extend(self.reserved_function(child)),
                Rule::stray_semicolon => self.stray_semicolon(&child),
                Rule::dangling_doc => self.dangling_doc(&child),
                Rule::member_error => self.error_node(&child, Rule::member_alone, &[]),
                _ => {}
            }
        }
        members.shrink_to_fit();
        members
    }

    fn function(&mut self, node: Node<'_>) -> Function {
        let mut decoration = Decoration::default();
        let mut function = Function {
            docs: Vec::new(),
            attributes: Vec::new(),
            oneway: None,
            name: Name::default(),
            parameters: Vec::new(),
            rest: None,
            returns: None,
            throws: None,
            span: self.span(&node),
        };
        for child in node.into_inner() {
            if self.decoration(&child, &mut decoration) {
                continue;
            }
            let span = self.span(&child);
            match child.as_rule() {
                Rule::kw_oneway => function.oneway = Some(span),
                Rule::identifier => function.name = self.name(&child),
                Rule::parameters => (function.parameters, function.rest) = self.parameters(child),
                Rule::result => {
                    let ty = child.into_inner().find(|part| part.as_rule() == Rule::r#type);
                    function.returns = ty.map(|ty| (self.ty(ty), span));
                }
                Rule::throws => {
                    for part in child.into_inner() {
                        match part.as_rule() {
                            Rule::path => function.throws = Some((self.path(part), span)),
                            Rule::more_errors => self.more_errors(&part),
                            _ => {}
                        }
                    }
                }
                _ => self.end_of_statement(&child, "methods end with `;`"),
            }
        }
        self.result_as_error(&mut function);
        for parameter in &mut function.parameters {
            self.stream_as_type(&mut parameter.ty);
        }
        if let Some((ty, _)) = &mut function.returns {
            self.stream_as_type(ty);
        }
        let Decoration { docs, attributes } = decoration.exact();
        Function { docs, attributes, ..function }
    }

    /// Reports `Stream<T>` and `stream<T>`, the syntax of other languages, and reads them as `stream T`.
    fn stream_as_type(&mut self, ty: &mut Type) {
        let TypeKind::Path { path, arguments } = &ty.kind else { return };
        let ([name], [], [TypeArgument::Type(inner)]) =
            (path.dotted.as_slice(), path.rest.as_slice(), arguments.as_slice())
        else {
            return;
        };
        if !matches!(name.text.as_str(), "Stream" | "stream") {
            return;
        }
        let inner = inner.clone();
        let whole = self.place(ty.span);
        let right = format!("stream {}", inner.span.text(self.source.text));
        let diagnostic = self.unknown_type(name);
        self.report(diagnostic.with_fix(whole, right, "write `stream` before the item type"));
        ty.kind = TypeKind::Stream(Box::new(inner));
    }

    /// Reports `-> Result<T, E>`, the syntax of Rust, and reads it as `-> T throws E`.
    fn result_as_error(&mut self, function: &mut Function) {
        let Some((ty, span)) = &function.returns else { return };
        let TypeKind::Path { path, arguments } = &ty.kind else { return };
        let ([name], []) = (path.dotted.as_slice(), path.rest.as_slice()) else { return };
        let [TypeArgument::Type(value), TypeArgument::Type(error)] = arguments.as_slice() else { return };
        let TypeKind::Path { path: error, arguments: none } = &error.kind else { return };
        if name.text != "Result" || !none.is_empty() || function.throws.is_some() {
            return;
        }
        let span = *span;
        let (value, error) = (value.clone(), error.clone());
        let written = |span: crate::location::Span| span.text(self.source.text);
        let unit = value.kind == TypeKind::Unit;
        let right = if unit {
            format!("throws {}", written(error.span))
        } else {
            format!("-> {} throws {}", written(value.span), written(error.span))
        };
        let diagnostic = self.unknown_type(name);
        let help = "a method declares its error with `throws`";
        self.report(diagnostic.with_fix(self.place(span), right, help));
        function.returns = (!unit).then_some((value, span));
        function.throws = Some((error, span));
    }

    fn more_errors(&mut self, node: &Node<'_>) {
        let place = self.place(self.span(node));
        self.report(
            Diagnostic::error(Code::UnexpectedToken, "a method declares one error", place, "more than one")
                .with_help("declare an `error` whose variants contain both"),
        );
    }

    fn include(&mut self, node: Node<'_>) -> Vec<Member> {
        let mut decoration = Decoration::default();
        let mut paths: Vec<Path> = Vec::new();
        for child in node.into_inner() {
            if self.decoration(&child, &mut decoration) {
                continue;
            }
            match child.as_rule() {
                Rule::path => paths.push(self.path(child)),
                Rule::more_interfaces => paths.extend(self.more_interfaces(child)),
                _ => self.end_of_statement(&child, "an `include` ends with `;`"),
            }
        }
        let attributes = &decoration.attributes;
        let include = |path| Member::Include(Include { attributes: attributes.clone(), path });
        paths.into_iter().map(include).collect()
    }

    /// `include I, J;`
    fn more_interfaces(&mut self, node: Node<'_>) -> Vec<Path> {
        let place = self.place(self.span(&node));
        let paths: Vec<Path> = node
            .into_inner()
            .filter(|part| part.as_rule() == Rule::path)
            .map(|part| self.path(part))
            .collect();
        let written = paths.iter().map(|path| format!("; include {}", path.text()));
        let right: String = written.collect();
        self.report(
            Diagnostic::error(
                Code::UnexpectedToken,
                "an `include` takes one interface",
                place.clone(),
                "more than one",
            )
            .with_fix(place, right, "write an `include` for each"),
        );
        paths
    }

    fn client(&mut self, node: Node<'_>) -> Option<Member> {
        let mut decoration = Decoration::default();
        let mut span = None;
        let mut members = None;
        for child in node.into_inner() {
            if self.decoration(&child, &mut decoration) {
                continue;
            }
            match child.as_rule() {
                Rule::kw_client => span = Some(self.span(&child)),
                Rule::member_block => members = Some(self.members(child)),
                _ => {}
            }
        }
        if let Some(attribute) = decoration.attributes.first() {
            let place = self.place(attribute.span);
            let name = &attribute.name.text;
            self.report(Diagnostic::error(
                Code::MisplacedAttribute,
                format!("`#[{name}]` does not belong on a `client` block"),
                place,
                "misplaced",
            ));
        }
        Some(Member::Client { span: span?, members: members? })
    }

    fn reserved_function(&mut self, node: Node<'_>) -> Option<Member> {
        let mut name = None;
        for child in node.into_inner() {
            match child.as_rule() {
                Rule::string => name = Some(Name { text: self.string(&child), span: self.span(&child) }),
                _ => self.end_of_statement(&child, "this ends with `;`"),
            }
        }
        name.map(Member::ReservedFunction)
    }
}
