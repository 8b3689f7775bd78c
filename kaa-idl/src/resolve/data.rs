//! Structs, enums, errors, flags and newtypes.
//!
//! Invariants: there is one definition for every type id, in order, whatever is wrong with it; a field whose type is
//! wrong is left out.

use super::attributes::{Decorated, Target};
use super::defaults::may_be_absent;
use super::display;
use super::members::{Casing, Names};
use super::resolver::{Address, PendingDefault, Resolver, Site};
use super::scope::Entry;
use crate::ast::{self, ItemKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::schema::{
    Docs, Enum, Field, Flag, Flags, Newtype, PackageId, Payload, ReservedVariant, Struct, Type,
    TypeDefinition, TypeId, TypeKind, Value, Variant,
};

impl<'a> Resolver<'a> {
    /// Defines all types of all packages.
    pub(super) fn define_types(&mut self) {
        for item in self.scope.type_items.clone() {
            let Some(entry) = self.scope.entry(item) else { continue };
            let Some(id) = entry.type_id else { continue };
            let definition = self.define(item, id, entry);
            self.types.push(definition);
        }
    }

    fn define(&mut self, item: usize, id: TypeId, entry: Entry<'a>) -> TypeDefinition {
        let ast = entry.item;
        if ast.incomplete {
            self.damaged.insert(id);
        }
        let target = match &ast.kind {
            ItemKind::Struct { .. } => Target::Struct,
            ItemKind::Enum { error: true, .. } => Target::Error,
            ItemKind::Enum { .. } => Target::Enum,
            ItemKind::Flags { .. } => Target::Flags,
            _ => Target::Newtype,
        };
        let decorated = self.attributes(entry.file, &ast.attributes, target);
        let kind = match &ast.kind {
            ItemKind::Struct { sealed, fields } => {
                let owner = Owner {
                    id,
                    variant: None,
                    target: if *sealed { Target::FixedField } else { Target::Field },
                };
                TypeKind::Struct(Struct { sealed: *sealed, fields: self.fields(entry.file, fields, owner) })
            }
            ItemKind::Enum { sealed, error, variants, reserved } => {
                let form = EnumForm { id, sealed: *sealed, error: *error };
                self.enumeration(entry, form, variants, reserved)
            }
            ItemKind::Flags { flags, .. } => self.flags(item, entry.file, flags),
            ItemKind::Newtype(inner) => {
                let ty = self.ty(entry.file, inner);
                if ty.is_none() {
                    self.damaged.insert(id);
                } else {
                    let place = self.place(entry.file, inner.span);
                    self.sites.push(Site { address: Address { owner: id, variant: None, field: 0 }, place });
                }
                TypeKind::Newtype(Newtype { inner: ty.unwrap_or(Type::Bool) })
            }
            _ => TypeKind::Struct(Struct { sealed: false, fields: Vec::new() }),
        };
        TypeDefinition {
            id,
            package: PackageId(entry.package),
            name: ast.name.text.clone(),
            selector: decorated.schema_selector(),
            docs: docs(&ast.docs),
            attributes: decorated.attributes,
            kind,
            location: self.scope.location(entry.file, ast.name.span),
        }
    }

    fn fields(&mut self, file: usize, fields: &'a [ast::Field], owner: Owner) -> Vec<Field> {
        let noun = if owner.target == Target::Parameter { "parameter" } else { "field" };
        let mut names = Names::new(noun, Casing::Snake);
        for tombstone in fields.iter().filter(|field| field.tombstone) {
            names.reserve(&tombstone.name.text, self.place(file, tombstone.name.span));
        }
        let mut resolved = Vec::with_capacity(fields.len());
        for field in fields {
            let address = Address { owner: owner.id, variant: owner.variant, field: resolved.len() };
            if let Some((schema_field, decorated)) = self.field(file, field, owner.target) {
                if field.tombstone {
                    self.check_tombstone(file, field, &names);
                } else {
                    self.add_name(&mut names, file, &field.name, decorated.selector.as_ref());
                }
                self.sites.push(Site { address, place: self.place(file, field.ty.span) });
                if let Some(value) = &field.default {
                    self.pending_defaults.push(PendingDefault { address, file, value });
                }
                resolved.push(schema_field);
            } else {
                self.damaged.insert(owner.id);
            }
        }
        resolved
    }

    /// A tombstone's own name must be new as well.
    fn check_tombstone(&mut self, file: usize, field: &ast::Field, names: &Names) {
        let first = names.reserved(&field.name.text);
        if let Some(first) = first.filter(|first| first.span != field.name.span).cloned() {
            let place = self.place(file, field.name.span);
            let message = format!("`{}` is reserved twice", field.name.text);
            self.report(
                Diagnostic::error(Code::DuplicateMember, message, place, "reserved again here")
                    .with_label(first, "first reserved here"),
            );
        }
    }

    /// One field or parameter, its written default still to be evaluated.
    pub(super) fn field(
        &mut self,
        file: usize,
        field: &'a ast::Field,
        target: Target,
    ) -> Option<(Field, Decorated)> {
        let ty = self.ty(file, &field.ty);
        let decorated = self.attributes(file, &field.attributes, target);
        let ty = ty?;
        let implicit = matches!(ty, Type::Option(_)) && field.default.is_none();
        let resolved = Field {
            name: field.name.text.clone(),
            selector: decorated.schema_selector(),
            docs: docs(&field.docs),
            attributes: decorated.attributes.clone(),
            ty,
            default: implicit.then_some(Value::None),
            default_is_written: field.default.is_some(),
            tombstone: field.tombstone,
            location: self.scope.location(file, field.name.span),
        };
        let appended = decorated.since.filter(|_| resolved.attributes.since > Some(1));
        if let Some(since) = appended.filter(|_| !field.tombstone && !may_be_absent(&resolved)) {
            let place = self.place(file, field.name.span);
            let since = self.place(file, since);
            let message = format!("`{}` was appended and has no default", field.name.text);
            self.report(
                Diagnostic::error(Code::MissingDefault, message, place, "older peers do not send it")
                    .with_label(since, "appended here")
                    .with_help("make it an `Option`, or give it a default with `= value`"),
            );
        }
        Some((resolved, decorated))
    }

    fn enumeration(
        &mut self,
        entry: Entry<'a>,
        form: EnumForm,
        variants: &'a [ast::Variant],
        reserved: &'a [ast::Reserved],
    ) -> TypeKind {
        let file = entry.file;
        if variants.is_empty() && form.sealed && !entry.item.incomplete {
            let place = self.place(file, entry.item.name.span);
            let message = format!("`{}` has no variants, so it has no value", entry.item.name.text);
            self.report(Diagnostic::error(Code::EmptyType, message, place, "needs a variant"));
        }
        let mut names = Names::new("variant", Casing::Kept);
        let mut tags = self.reserve(file, reserved, &mut names);
        let mut next = Some(0u32);
        let mut exhausted = false;
        let mut resolved: Vec<Variant> = Vec::new();
        for variant in variants {
            let tag = match &variant.tag {
                Some(expression) => self.tag(file, expression),
                // A variant that was lost would have counted.
                None if entry.item.incomplete => None,
                None => next,
            };
            let written = variant.tag.as_ref().map_or(variant.name.span, |tag| tag.span);
            match tag {
                Some(tag) => self.claim_tag(file, tag, written, &mut tags),
                None if variant.tag.is_none() && exhausted => {
                    let place = self.place(file, variant.name.span);
                    self.report(Diagnostic::error(
                        Code::OutOfRange,
                        "there is no tag left after the previous variant's",
                        place,
                        "needs a tag of its own",
                    ));
                }
                None => {}
            }
            next = tag.and_then(|tag| tag.checked_add(1));
            exhausted = tag == Some(u32::MAX);
            let decorated = self.variant_attributes(file, variant, form);
            self.add_name(&mut names, file, &variant.name, decorated.selector.as_ref());
            if variant.name.text == "Unknown" && !form.sealed {
                self.unknown_variant_name(file, variant);
            }
            let payload = self.payload(
                file,
                variant,
                Owner { id: form.id, variant: Some(resolved.len()), target: Target::FixedField },
            );
            if let (Some(text), Some(span)) = (&decorated.attributes.display, decorated.display)
                && !entry.item.incomplete
            {
                self.check_display(file, text, span, &variant.payload);
            }
            resolved.push(Variant {
                name: variant.name.text.clone(),
                selector: decorated.schema_selector(),
                docs: docs(&variant.docs),
                attributes: decorated.attributes,
                tag: tag.unwrap_or(0),
                payload,
                location: self.scope.location(file, variant.name.span),
            });
        }
        let reserved = reserved.iter().map(|entry| ReservedVariant {
            tag: entry.tag.and_then(|tag| u32::try_from(tag).ok()),
            name: entry.name.clone(),
        });
        TypeKind::Enum(Enum {
            sealed: form.sealed,
            error: form.error,
            variants: resolved,
            reserved: reserved.collect(),
        })
    }

    fn variant_attributes(&mut self, file: usize, variant: &ast::Variant, form: EnumForm) -> Decorated {
        let target = match (form.error, form.sealed) {
            (true, _) => Target::ErrorVariant,
            (false, true) => Target::SealedVariant,
            (false, false) => Target::Variant,
        };
        self.attributes(file, &variant.attributes, target)
    }

    fn payload(&mut self, file: usize, variant: &'a ast::Variant, owner: Owner) -> Payload {
        match &variant.payload {
            ast::Payload::Unit => Payload::Unit,
            ast::Payload::Tuple(fields) => Payload::Tuple(self.fields(file, fields, owner)),
            ast::Payload::Record(fields) => Payload::Record(self.fields(file, fields, owner)),
        }
    }

    /// Looks at the fields as they were written: one whose type is wrong is there all the same.
    fn check_display(
        &mut self,
        file: usize,
        text: &str,
        span: crate::location::Span,
        payload: &ast::Payload,
    ) {
        let fields = match payload {
            ast::Payload::Unit => &[][..],
            ast::Payload::Tuple(fields) | ast::Payload::Record(fields) => fields,
        };
        let Err(problem) = display::check(text, fields) else { return };
        let place = self.place(file, span);
        let names: Vec<String> = fields
            .iter()
            .filter(|field| !field.tombstone)
            .map(|field| format!("`{{{}}}`", field.name.text))
            .collect();
        let possible = if names.is_empty() {
            "this variant has no fields; a brace itself is written twice".to_owned()
        } else {
            format!("the places of this variant are {}", names.join(", "))
        };
        let diagnostic = match problem {
            display::Problem::UnknownField(name) => {
                let message = format!("the variant has no field `{name}`");
                let diagnostic = Diagnostic::error(Code::BadDisplay, message, place, "unknown field");
                let fields = fields.iter().filter(|field| !field.tombstone);
                match super::suggest::nearest(&name, fields.map(|field| field.name.text.as_str())) {
                    Some(near) => diagnostic.with_help(format!("did you mean `{{{near}}}`?")),
                    None => diagnostic.with_help(possible),
                }
            }
            display::Problem::Unbalanced => {
                let message = "a brace in this text has no partner";
                Diagnostic::error(Code::BadDisplay, message, place, "unbalanced")
                    .with_help("a brace itself is written twice: `{{`")
            }
            display::Problem::Format(name) => {
                let message = format!("only the field itself can stand in braces: `{{{name}}}`");
                Diagnostic::error(Code::BadDisplay, message, place, "a format is not possible")
                    .with_help(possible)
            }
        };
        self.report(diagnostic);
    }

    fn flags(&mut self, item: usize, file: usize, flags: &'a [ast::Flag]) -> TypeKind {
        let values = self.flag_values.get(&item).cloned().unwrap_or_default();
        let mut names = Names::new("flag", Casing::Kept);
        let mut resolved = Vec::new();
        for (flag, value) in flags.iter().zip(values) {
            let decorated = self.attributes(file, &flag.attributes, Target::Flag);
            self.add_name(&mut names, file, &flag.name, None);
            resolved.push(Flag {
                name: flag.name.text.clone(),
                docs: docs(&flag.docs),
                attributes: decorated.attributes,
                value: value.unwrap_or(0),
                location: self.scope.location(file, flag.name.span),
            });
        }
        let representation = self.representations.get(&item).cloned().unwrap_or(Type::U64);
        TypeKind::Flags(Flags { representation, flags: resolved })
    }
}

/// Whose fields they are.
#[derive(Debug, Clone, Copy)]
struct Owner {
    id: TypeId,
    variant: Option<usize>,
    target: Target,
}

/// What kind of enum it is.
#[derive(Debug, Clone, Copy)]
struct EnumForm {
    id: TypeId,
    sealed: bool,
    error: bool,
}

/// Documentation in the schema's shape.
pub(super) fn docs(lines: &[String]) -> Docs {
    Docs { lines: lines.to_vec() }
}
