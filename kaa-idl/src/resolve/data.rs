//! Resolves structs, enums, errors, flags and newtypes.
//!
//! Invariants: every type id has one definition, in order, even if the type has errors. A field with an
//! invalid type is left out.

use super::attributes::{ParsedAttributes, Target};
use super::defaults::has_default;
use super::members::{Casing, Names};
use super::resolver::{Address, PendingDefault, Resolver, WrittenType};
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
            self.incomplete.insert(id);
        }
        let target = match &ast.kind {
            ItemKind::Struct { .. } => Target::Struct,
            ItemKind::Enum { error: true, .. } => Target::Error,
            ItemKind::Enum { .. } => Target::Enum,
            ItemKind::Flags { .. } => Target::Flags,
            _ => Target::Newtype,
        };
        let parsed = self.attributes(entry.file, &ast.attributes, target);
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
                    self.incomplete.insert(id);
                } else {
                    let place = self.place(entry.file, inner.span);
                    self.written_types
                        .push(WrittenType { address: Address { owner: id, variant: None, field: 0 }, place });
                }
                TypeKind::Newtype(Newtype { inner: ty.unwrap_or(Type::Bool) })
            }
            _ => TypeKind::Struct(Struct { sealed: false, fields: Vec::new() }),
        };
        TypeDefinition {
            id,
            package: PackageId(entry.package),
            name: ast.name.text.clone(),
            selector: parsed.schema_selector(),
            docs: docs(&ast.docs),
            attributes: parsed.attributes,
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
            if let Some((schema_field, parsed)) = self.field(file, field, owner.target) {
                if field.tombstone {
                    self.check_tombstone(file, field, &names);
                } else {
                    self.add_name(&mut names, file, &field.name, parsed.selector.as_ref());
                }
                self.written_types.push(WrittenType { address, place: self.place(file, field.ty.span) });
                if let Some(value) = &field.default {
                    self.pending_defaults.push(PendingDefault { address, file, value });
                }
                resolved.push(schema_field);
            } else {
                self.incomplete.insert(owner.id);
            }
        }
        resolved
    }

    /// Checks that two tombstones do not have the same name.
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

    /// One field or parameter. A written default is evaluated later.
    pub(super) fn field(
        &mut self,
        file: usize,
        field: &'a ast::Field,
        target: Target,
    ) -> Option<(Field, ParsedAttributes)> {
        let ty = self.ty(file, &field.ty);
        let parsed = self.attributes(file, &field.attributes, target);
        let ty = ty?;
        let implicit = matches!(ty, Type::Option(_)) && field.default.is_none();
        let resolved = Field {
            name: field.name.text.clone(),
            selector: parsed.schema_selector(),
            docs: docs(&field.docs),
            attributes: parsed.attributes.clone(),
            ty,
            default: implicit.then_some(Value::None),
            default_is_written: field.default.is_some(),
            tombstone: field.tombstone,
            location: self.scope.location(file, field.name.span),
        };
        let appended = parsed.since.filter(|_| resolved.attributes.since > Some(1));
        if let Some(since) = appended.filter(|_| !field.tombstone && !has_default(&resolved)) {
            let place = self.place(file, field.name.span);
            let since = self.place(file, since);
            let message = format!("`{}` was added later, but has no default", field.name.text);
            self.report(
                Diagnostic::error(Code::MissingDefault, message, place, "older peers do not send it")
                    .with_label(since, "added in a later version")
                    .with_help("make it an `Option`, or add a default: `= value`"),
            );
        }
        Some((resolved, parsed))
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
            let message = format!("`{}` has no variants, so it has no values", entry.item.name.text);
            self.report(Diagnostic::error(Code::EmptyType, message, place, "needs at least one variant"));
        }
        let mut names = Names::new("variant", Casing::Unchanged);
        let mut tags = self.reserve(file, reserved, &mut names);
        let mut next = Some(0u32);
        let mut exhausted = false;
        let mut resolved: Vec<Variant> = Vec::new();
        for variant in variants {
            let tag = match &variant.tag {
                Some(expression) => self.tag(file, expression),
                // A variant that could not be parsed would change the automatic tags.
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
                        "no tag is left after the tag of the previous variant",
                        place,
                        "needs an explicit tag",
                    ));
                }
                None => {}
            }
            next = tag.and_then(|tag| tag.checked_add(1));
            exhausted = tag == Some(u32::MAX);
            let parsed = self.variant_attributes(file, variant, form);
            self.add_name(&mut names, file, &variant.name, parsed.selector.as_ref());
            if variant.name.text == "Unknown" && !form.sealed {
                self.unknown_variant_name(file, variant);
            }
            let payload = self.payload(
                file,
                variant,
                Owner { id: form.id, variant: Some(resolved.len()), target: Target::FixedField },
            );
            if let (Some(text), Some(span)) = (&parsed.attributes.display, parsed.display)
                && !entry.item.incomplete
            {
                self.check_display(file, text, span, &variant.payload);
            }
            resolved.push(Variant {
                name: variant.name.text.clone(),
                selector: parsed.schema_selector(),
                docs: docs(&variant.docs),
                attributes: parsed.attributes,
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

    fn variant_attributes(
        &mut self,
        file: usize,
        variant: &ast::Variant,
        form: EnumForm,
    ) -> ParsedAttributes {
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

    fn flags(&mut self, item: usize, file: usize, flags: &'a [ast::Flag]) -> TypeKind {
        let values = self.flag_values.get(&item).cloned().unwrap_or_default();
        let mut names = Names::new("flag", Casing::Unchanged);
        let mut resolved = Vec::new();
        for (flag, value) in flags.iter().zip(values) {
            let parsed = self.attributes(file, &flag.attributes, Target::Flag);
            self.add_name(&mut names, file, &flag.name, None);
            resolved.push(Flag {
                name: flag.name.text.clone(),
                docs: docs(&flag.docs),
                attributes: parsed.attributes,
                value: value.unwrap_or(0),
                location: self.scope.location(file, flag.name.span),
            });
        }
        let representation = self.representations.get(&item).cloned().unwrap_or(Type::U64);
        TypeKind::Flags(Flags { representation, flags: resolved })
    }
}

/// The owner of a list of fields.
#[derive(Debug, Clone, Copy)]
struct Owner {
    id: TypeId,
    variant: Option<usize>,
    target: Target,
}

/// The kind of an enum.
#[derive(Debug, Clone, Copy)]
struct EnumForm {
    id: TypeId,
    sealed: bool,
    error: bool,
}

/// Documentation in the form of the schema.
pub(super) fn docs(lines: &[String]) -> Docs {
    Docs { lines: lines.to_vec() }
}
