//! Lowers the top level of a file: the package line, `use` lines, and items.
//!
//! Invariants: an item is added to the file only if its name and kind are known.

use pest::iterators::Pairs;

use super::Lowering;
use super::fields::Decoration;
use super::lowering::Node;
use crate::ast::{Attribute, File, Item, ItemKind, Name, PackageLine, Type, TypeKind, Use};
use crate::diagnostic::{Code, Diagnostic};
use crate::location::Span;
use crate::parse::Rule;

impl Lowering<'_, '_> {
    /// Lowers all statements of a chunk into the file.
    pub(crate) fn chunk(&mut self, pairs: Pairs<'_, Rule>, file: &mut File) {
        for node in pairs.flat_map(Node::into_inner) {
            match node.as_rule() {
                Rule::package_line => self.package_line(node, file),
                Rule::use_line => self.use_line(node, file),
                Rule::item => {
                    self.incomplete = false;
                    let item = self.item(node);
                    file.items.extend(item);
                    file.recovered_names.append(&mut self.recovered_names);
                }
                Rule::stray_semicolon => self.stray_semicolon(&node),
                Rule::dangling_doc => self.dangling_doc(&node),
                _ => {}
            }
        }
    }

    pub(super) fn stray_semicolon(&mut self, node: &Node<'_>) {
        let place = self.place(self.span(node));
        self.report(
            Diagnostic::error(Code::UnexpectedToken, "unnecessary `;`", place.clone(), "not needed")
                .with_fix(place, "", "remove it"),
        );
    }

    fn package_line(&mut self, node: Node<'_>, file: &mut File) {
        let whole = self.span(&node);
        let mut segments = Vec::new();
        let mut span = whole;
        for child in node.into_inner() {
            match child.as_rule() {
                Rule::doc => self.outer_doc_of_package(&child),
                Rule::package_name => {
                    span = self.span(&child);
                    segments = self.package_name(child);
                }
                _ => self.end_of_statement(&child, "the `package` line ends with `;`"),
            }
        }
        let late = !file.items.is_empty() || !file.uses.is_empty();
        match &file.package {
            Some(first) => {
                let first = self.place(first.span);
                self.report(
                    Diagnostic::error(
                        Code::PackageMismatch,
                        "this file names its package twice",
                        self.place(whole),
                        "named again here",
                    )
                    .with_label(first, "first named here"),
                );
            }
            None => {
                if late {
                    let place = self.place(whole);
                    self.report(
                        Diagnostic::error(
                            Code::WrongOrder,
                            "`package` must come first",
                            place,
                            "must be the first line",
                        )
                        .with_help("the order is: `package`, then every `use`, then the items"),
                    );
                }
                file.package = Some(PackageLine { segments, span });
            }
        }
    }

    fn outer_doc_of_package(&mut self, node: &Node<'_>) {
        let span = self.span(node);
        let place = self.place(span);
        let slashes = self.place(Span::new(span.start(), span.start() + 3));
        self.report(
            Diagnostic::error(
                Code::DanglingDoc,
                "the package is documented with `//!`",
                place,
                "`///` documents the next item",
            )
            .with_fix(slashes, "//!", "write `//!`"),
        );
    }

    fn package_name(&mut self, node: Node<'_>) -> Vec<Name> {
        let mut segments = Vec::new();
        for child in node.into_inner() {
            match child.as_rule() {
                Rule::identifier => segments.push(self.name(&child)),
                Rule::wrong_double_colon => self.double_colon_in_package(self.span(&child)),
                _ => {}
            }
        }
        segments
    }

    fn double_colon_in_package(&mut self, span: Span) {
        let place = self.place(span);
        self.report(
            Diagnostic::error(
                Code::UnexpectedToken,
                "the parts of a package's name are separated by dots",
                place.clone(),
                "expected `.`",
            )
            .with_fix(place, ".", "write `.`"),
        );
    }

    fn use_line(&mut self, node: Node<'_>, file: &mut File) {
        let span = self.span(&node);
        let mut package = Vec::new();
        let mut package_span = span;
        let mut separator = span;
        let mut imports = Vec::new();
        let mut names_items = false;
        let mut alias = None;
        for child in node.into_inner() {
            match child.as_rule() {
                Rule::doc => self.dangling_doc(&child),
                Rule::kw_use => {}
                Rule::dotted_name => {
                    package_span = self.span(&child);
                    package = self.names(child);
                }
                Rule::double_colon => separator = self.span(&child),
                Rule::use_alias => alias = self.alias(child),
                Rule::use_glob => {
                    names_items = true;
                    let place = self.place(self.span(&child));
                    self.report(
                        Diagnostic::error(
                            Code::UnexpectedToken,
                            "`use …::*` is not supported",
                            place,
                            "list the names",
                        )
                        .with_help(format!(
                            "write `use {}::{{…}};` with the names in the braces",
                            package_span.text(self.source.text)
                        )),
                    );
                    file.incomplete = true;
                }
                Rule::use_entry => {
                    names_items = true;
                    imports.extend(self.use_entry(child, &package, package_span, separator, file));
                }
                Rule::use_list => {
                    names_items = true;
                    for entry in child.into_inner() {
                        match entry.as_rule() {
                            Rule::use_entry => {
                                imports.extend(self.use_entry(
                                    entry,
                                    &package,
                                    package_span,
                                    separator,
                                    file,
                                ));
                            }
                            Rule::missing_comma_in_use => self.missing(&entry, ","),
                            _ => {}
                        }
                    }
                }
                _ => self.end_of_statement(&child, "a `use` ends with `;`"),
            }
        }
        if !names_items {
            imports.push(Use { package, item: None, alias, package_span, span });
        }
        if let (false, Some(first)) = (file.items.is_empty(), file.items.first()) {
            let first = self.place(first.name.span);
            self.report(
                Diagnostic::error(
                    Code::WrongOrder,
                    "`use` comes after an item",
                    self.place(span),
                    "must come before the items",
                )
                .with_label(first, "the first item is here"),
            );
        }
        file.uses.extend(imports);
    }

    fn use_entry(
        &mut self,
        node: Node<'_>,
        package: &[Name],
        package_span: Span,
        separator: Span,
        file: &mut File,
    ) -> Option<Use> {
        let span = self.span(&node);
        let mut names = Vec::new();
        let mut alias = None;
        let mut second_separator = None;
        for child in node.into_inner() {
            match child.as_rule() {
                Rule::identifier => names.push(self.name(&child)),
                Rule::use_alias => alias = self.alias(child),
                Rule::double_colon => second_separator = Some(self.span(&child)),
                _ => {}
            }
        }
        if second_separator.is_some() {
            self.double_colon_in_package(separator);
            file.recovered_names.extend(alias.or(names.pop()).map(|name| name.text));
            return None;
        }
        Some(Use { package: package.to_vec(), item: names.pop(), alias, package_span, span })
    }

    fn alias(&self, node: Node<'_>) -> Option<Name> {
        node.into_inner().find(|child| child.as_rule() == Rule::identifier).map(|child| self.name(&child))
    }

    pub(super) fn names<N: FromIterator<Name>>(&self, node: Node<'_>) -> N {
        let identifiers = node.into_inner().filter(|child| child.as_rule() == Rule::identifier);
        identifiers.map(|child| self.name(&child)).collect()
    }

    /// Handles the end of a statement.
    pub(super) fn end_of_statement(&mut self, node: &Node<'_>, why: &str) {
        match node.as_rule() {
            Rule::missing_semicolon => self.missing(node, ";"),
            Rule::wrong_comma => self.wrong_separator(node, ";", why),
            _ => {}
        }
    }

    fn item(&mut self, node: Node<'_>) -> Option<Item> {
        let span = self.span(&node);
        let mut decoration = Decoration::default();
        let mut named = None;
        for child in node.into_inner() {
            if !self.decoration(&child, &mut decoration) {
                named = self.item_kind(child);
            }
        }
        let (name, kind) = named?;
        let Decoration { docs, attributes } = decoration.exact();
        Some(Item { docs, attributes, name, kind, span, incomplete: self.incomplete })
    }

    fn item_kind(&mut self, node: Node<'_>) -> Option<(Name, ItemKind)> {
        let rule = node.as_rule();
        let mut parts = ItemParts::default();
        for child in node.into_inner() {
            self.item_part(child, &mut parts);
        }
        let missing_type = || Type { kind: TypeKind::Invalid, span: Span::default() };
        let ty = parts.ty.unwrap_or_else(missing_type);
        let sealed = parts.sealed.is_some();
        let kind = match rule {
            Rule::constant => ItemKind::Constant { ty, value: parts.value? },
            Rule::newtype => ItemKind::Newtype(ty),
            Rule::alias => ItemKind::Alias(ty),
            Rule::structure => ItemKind::Struct { sealed, fields: parts.fields },
            Rule::enumeration | Rule::error_type => {
                let error = rule == Rule::error_type;
                if let (true, Some(span)) = (error, parts.sealed) {
                    let place = self.place(span);
                    self.report(
                        Diagnostic::error(
                            Code::UnexpectedToken,
                            "an `error` cannot be sealed",
                            place.clone(),
                            "not possible",
                        )
                        .with_fix(
                            place,
                            "",
                            "remove it: errors must stay extensible",
                        ),
                    );
                }
                ItemKind::Enum {
                    sealed: sealed && !error,
                    error,
                    variants: parts.variants,
                    reserved: parts.reserved,
                }
            }
            Rule::flag_set => ItemKind::Flags { representation: ty, flags: parts.flags },
            Rule::interface => ItemKind::Interface(parts.members),
            Rule::service => ItemKind::Service(parts.members),
            _ => return None,
        };
        Some((parts.name?, kind))
    }

    fn item_part(&mut self, node: Node<'_>, parts: &mut ItemParts) {
        match node.as_rule() {
            Rule::identifier => parts.name = Some(self.name(&node)),
            Rule::kw_sealed => parts.sealed = Some(self.span(&node)),
            Rule::r#type => parts.ty = Some(self.ty(node)),
            Rule::expression => parts.value = Some(self.expression(node)),
            Rule::field_block => parts.fields = self.fields(node),
            Rule::variant_block => (parts.variants, parts.reserved) = self.variants(node),
            Rule::flag_block => parts.flags = self.flags(node),
            Rule::member_block => parts.members = self.members(node),
            _ => self.end_of_statement(&node, "this ends with `;`"),
        }
    }
}

/// The parts of an item; each kind of item has some of them.
#[derive(Default)]
struct ItemParts {
    name: Option<Name>,
    sealed: Option<Span>,
    ty: Option<Type>,
    value: Option<crate::ast::Expression>,
    fields: Vec<crate::ast::Field>,
    variants: Vec<crate::ast::Variant>,
    reserved: Vec<crate::ast::Reserved>,
    flags: Vec<crate::ast::Flag>,
    members: Vec<crate::ast::Member>,
}

impl Lowering<'_, '_> {
    /// Adds a doc line or an attribute; returns false for anything else.
    pub(super) fn decoration(&mut self, node: &Node<'_>, decoration: &mut Decoration) -> bool {
        match node.as_rule() {
            Rule::doc => decoration.docs.push(self.doc(node)),
            Rule::attribute => {
                let attribute: Option<Attribute> = self.attribute(node.clone());
                decoration.attributes.extend(attribute);
            }
            _ => return false,
        }
        true
    }
}
