//! Lowers what stands in services, interfaces and `client` blocks.
//!
//! Invariants: where a `client` block may stand is not decided here.

use super::Lowering;
use super::fields::Decoration;
use super::nodes::Node;
use crate::ast::{Function, Include, Member, Name, Path};
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
                Rule::junk_member => self.junk(&child, Rule::member_alone, &[]),
                _ => {}
            }
        }
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
        Function { docs: decoration.docs, attributes: decoration.attributes, ..function }
    }

    fn more_errors(&mut self, node: &Node<'_>) {
        let place = self.place(self.span(node));
        self.report(
            Diagnostic::error(Code::UnexpectedToken, "a method declares one error", place, "more than one")
                .with_help("declare an `error` whose variants hold both"),
        );
    }

    fn include(&mut self, node: Node<'_>) -> Option<Member> {
        let mut decoration = Decoration::default();
        let mut path: Option<Path> = None;
        for child in node.into_inner() {
            if self.decoration(&child, &mut decoration) {
                continue;
            }
            match child.as_rule() {
                Rule::path => path = Some(self.path(child)),
                _ => self.end_of_statement(&child, "an `include` ends with `;`"),
            }
        }
        Some(Member::Include(Include { attributes: decoration.attributes, path: path? }))
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
