//! Checks what types may contain: rejects invalid keys, zero-sized elements, and extensible types in sealed
//! types.
//!
//! Invariants: properties of types are computed with worklists, never by recursion along the chain of types.

use super::resolver::{Container, Resolver, Role, WrittenType};
use crate::diagnostic::{Code, Diagnostic};
use crate::schema::{Type, TypeId, TypeKind};

impl Resolver<'_> {
    /// Runs the checks that need all types to be known.
    pub(super) fn check_constraints(&mut self) {
        let properties = self.properties();
        for container in std::mem::take(&mut self.containers) {
            match container.role {
                Role::Key => self.check_key(&container, &properties),
                Role::Element => self.check_size(&container, &properties, "an element"),
                Role::Item => self.check_size(&container, &properties, "an item of a stream"),
            }
        }
        for written_type in std::mem::take(&mut self.written_types) {
            self.check_sealed(&written_type, &properties);
        }
    }

    fn properties(&self) -> Properties {
        let mut users: Vec<Vec<usize>> = vec![Vec::new(); self.types.len()];
        let mut key_problems: Vec<Option<&'static str>> = vec![None; self.types.len()];
        let mut sized = vec![false; self.types.len()];
        for written_type in &self.written_types {
            let Some(ty) = self.type_at(written_type.address) else { continue };
            let owner = written_type.address.owner.0;
            ty.each_named(&mut |id| {
                if let Some(list) = users.get_mut(id.0) {
                    list.push(owner);
                }
            });
            if let Some(slot) = key_problems.get_mut(owner).filter(|_| ty.contains_float()) {
                *slot = Some("it contains a floating-point number");
            }
            if let Some(slot) = sized.get_mut(owner).filter(|_| has_own_size(ty)) {
                *slot = true;
            }
        }
        for definition in &self.types {
            let extensible = match &definition.kind {
                TypeKind::Struct(structure) => (!structure.sealed).then_some("it is not sealed"),
                TypeKind::Enum(enumeration) => (!enumeration.sealed).then_some("it is not sealed"),
                TypeKind::Flags(_) | TypeKind::Newtype(_) => None,
            };
            if let Some(slot) = key_problems.get_mut(definition.id.0).filter(|_| extensible.is_some()) {
                *slot = extensible;
            }
            let has_prefix = match &definition.kind {
                TypeKind::Struct(structure) => !structure.sealed,
                TypeKind::Enum(_) | TypeKind::Flags(_) => true,
                TypeKind::Newtype(_) => false,
            };
            if let Some(slot) = sized.get_mut(definition.id.0).filter(|_| has_prefix) {
                *slot = true;
            }
        }
        for id in &self.incomplete {
            if let Some(slot) = sized.get_mut(id.0) {
                *slot = true;
            }
        }
        propagate(&users, &mut key_problems, |reason| reason.is_some());
        propagate(&users, &mut sized, |sized| *sized);
        Properties { key_problems, sized, innermost: self.innermost(), extensible: self.extensible() }
    }

    fn check_key(&mut self, container: &Container, properties: &Properties) {
        let Some(reason) = self.key_problem(&container.ty, properties) else {
            return self.check_size(container, properties, "a key");
        };
        let message = format!("`{}` cannot be a key", self.type_text(&container.ty));
        self.report(Diagnostic::error(Code::BadKey, message, container.place.clone(), reason).with_help(
            "keys are integers, `bool`, `char`, `String`, `Bytes`, `Uuid`, `Timestamp`, `Duration`, \
                 and newtypes, arrays and sealed types of these",
        ));
    }

    fn key_problem(&self, ty: &Type, properties: &Properties) -> Option<&'static str> {
        match ty {
            Type::F32 | Type::F64 => Some("floating-point numbers have no total order"),
            Type::Option(_) => Some("an `Option` may be absent"),
            Type::Vec(..) | Type::Set(..) | Type::Map(..) => Some("a collection cannot be a key"),
            Type::Array(inner, _) => self.key_problem(inner, properties),
            Type::Named { id, .. } => match self.inside(*id, properties) {
                Some(inner) if !matches!(inner, Type::Named { .. }) => self.key_problem(inner, properties),
                _ => properties.key_problems.get(id.0).copied().flatten(),
            },
            _ => None,
        }
    }

    /// The type inside a newtype, looking through nested newtypes.
    fn inside(&self, id: TypeId, properties: &Properties) -> Option<&Type> {
        match &self.definition(*properties.innermost.get(id.0)?)?.kind {
            TypeKind::Newtype(newtype) => Some(&newtype.inner),
            _ => None,
        }
    }

    /// For every type: the innermost of nested newtypes, or the type itself if it is not a newtype.
    fn innermost(&self) -> Vec<TypeId> {
        let inside = |id: TypeId| match &self.definition(id)?.kind {
            TypeKind::Newtype(newtype) => match newtype.inner {
                Type::Named { id: inner, .. } => self
                    .definition(inner)
                    .filter(|inner| matches!(inner.kind, TypeKind::Newtype(_)))
                    .map(|_| inner),
                _ => None,
            },
            _ => None,
        };
        let mut known: Vec<Option<TypeId>> = vec![None; self.types.len()];
        for definition in &self.types {
            let mut chain = Vec::new();
            let mut id = definition.id;
            // Marking each type as it is visited ends the loop in a cycle.
            while let Some(slot) = known.get_mut(id.0).filter(|slot| slot.is_none()) {
                *slot = Some(id);
                chain.push(id);
                id = inside(id).unwrap_or(id);
            }
            let last = known.get(id.0).copied().flatten().unwrap_or(id);
            for visited in chain {
                if let Some(slot) = known.get_mut(visited.0) {
                    *slot = Some(last);
                }
            }
        }
        known.into_iter().zip(&self.types).map(|(last, own)| last.unwrap_or(own.id)).collect()
    }

    fn check_size(&mut self, container: &Container, properties: &Properties, what: &str) {
        // The elements of an array are checked separately.
        let Type::Named { id, .. } = &container.ty else { return };
        if properties.sized.get(id.0) != Some(&false) {
            return;
        }
        let message = format!("`{}` takes no bytes, so it cannot be {what}", self.type_text(&container.ty));
        self.report(
            Diagnostic::error(Code::ZeroSizedElement, message, container.place.clone(), "has no size")
                .with_help("send their number instead"),
        );
    }

    fn check_sealed(&mut self, written_type: &WrittenType, properties: &Properties) {
        let Some(owner) = self.definition(written_type.address.owner) else { return };
        let sealed = match &owner.kind {
            TypeKind::Struct(structure) => structure.sealed,
            TypeKind::Enum(enumeration) => enumeration.sealed,
            TypeKind::Flags(_) | TypeKind::Newtype(_) => false,
        };
        let Some(ty) = self.type_at(written_type.address).filter(|_| sealed) else { return };
        let mut extensible = None;
        ty.each_named(&mut |id| {
            extensible = extensible.or(properties.extensible.get(id.0).copied().flatten());
        });
        let Some(extensible) = extensible.and_then(|id| self.scope.type_entry(id)) else { return };
        let message = format!("`{}` is sealed, but `{}` is not", owner.name, extensible.item.name.text);
        let definition = self.place(extensible.file, extensible.item.name.span);
        let keyword = match &extensible.item.kind {
            crate::ast::ItemKind::Struct { .. } => "sealed struct",
            crate::ast::ItemKind::Enum { error: false, .. } => "sealed enum",
            _ => "",
        };
        let help = if keyword.is_empty() {
            "an `error` is always extensible, so a sealed type cannot contain it".to_owned()
        } else {
            format!("make it a `{keyword}`, or unseal `{}`", owner.name)
        };
        self.report(
            Diagnostic::error(
                Code::ExtensibleInSealed,
                message,
                written_type.place.clone(),
                "extensible type",
            )
            .with_label(definition, "not sealed")
            .with_help(help),
        );
    }

    fn is_extensible(&self, id: TypeId) -> bool {
        self.definition(id).is_some_and(|definition| match &definition.kind {
            TypeKind::Struct(structure) => !structure.sealed,
            TypeKind::Enum(enumeration) => !enumeration.sealed,
            TypeKind::Flags(_) | TypeKind::Newtype(_) => false,
        })
    }

    /// For every type: the type itself if it is extensible; for a newtype, the first extensible type inside
    /// it.
    fn extensible(&self) -> Vec<Option<TypeId>> {
        let mut newtypes: Vec<Vec<usize>> = vec![Vec::new(); self.types.len()];
        for definition in &self.types {
            let TypeKind::Newtype(newtype) = &definition.kind else { continue };
            newtype.inner.each_named(&mut |id| {
                if let Some(list) = newtypes.get_mut(id.0) {
                    list.push(definition.id.0);
                }
            });
        }
        let ids = self.types.iter().map(|definition| definition.id);
        let mut extensible = ids.map(|id| self.is_extensible(id).then_some(id)).collect::<Vec<_>>();
        propagate(&newtypes, &mut extensible, Option::is_some);
        extensible
    }
}

/// Properties of every type, by id.
struct Properties {
    /// Why the type cannot be a key.
    key_problems: Vec<Option<&'static str>>,
    /// Whether a value takes at least one byte.
    sized: Vec<bool>,
    /// The innermost of nested newtypes.
    innermost: Vec<TypeId>,
    /// The extensible type in it, looking through newtypes.
    extensible: Vec<Option<TypeId>>,
}

/// Propagates a property from types to the types that contain them.
fn propagate<T: Clone>(users: &[Vec<usize>], values: &mut [T], holds: impl Fn(&T) -> bool) {
    let mut work: Vec<usize> =
        values.iter().enumerate().filter(|(_, value)| holds(value)).map(|(index, _)| index).collect();
    while let Some(index) = work.pop() {
        let Some(value) = values.get(index).cloned() else { continue };
        for user in users.get(index).into_iter().flatten() {
            if let Some(slot) = values.get_mut(*user).filter(|slot| !holds(slot)) {
                *slot = value.clone();
                work.push(*user);
            }
        }
    }
}

/// Whether a value takes at least one byte, whatever types it names.
fn has_own_size(ty: &Type) -> bool {
    match ty {
        Type::Array(inner, _) => has_own_size(inner),
        Type::Named { .. } => false,
        _ => true,
    }
}
