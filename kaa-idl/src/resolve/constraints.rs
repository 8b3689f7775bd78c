//! What types must not hold: keys that cannot be keys, elements without size, extensible types in sealed ones.
//!
//! Invariants: properties of types are found by working lists, never by recursion along the chain of types.

use super::resolver::{Container, Resolver, Role, Site};
use crate::diagnostic::{Code, Diagnostic};
use crate::schema::{Type, TypeId, TypeKind};

impl Resolver<'_> {
    /// Checks everything that needs all types to be known.
    pub(super) fn check_constraints(&mut self) {
        let properties = self.properties();
        for container in std::mem::take(&mut self.containers) {
            match container.role {
                Role::Key => self.check_key(&container, &properties),
                Role::Element => self.check_size(&container, &properties, "an element"),
                Role::Item => self.check_size(&container, &properties, "an item of a stream"),
            }
        }
        for site in std::mem::take(&mut self.sites) {
            self.check_sealed(&site, &properties);
        }
    }

    fn properties(&self) -> Properties {
        let mut users: Vec<Vec<usize>> = vec![Vec::new(); self.types.len()];
        let mut unfit: Vec<Option<&'static str>> = vec![None; self.types.len()];
        let mut sized = vec![false; self.types.len()];
        for site in &self.sites {
            let Some(ty) = self.site_type(site.address) else { continue };
            let owner = site.address.owner.0;
            ty.each_named(&mut |id| {
                if let Some(list) = users.get_mut(id.0) {
                    list.push(owner);
                }
            });
            if let Some(slot) = unfit.get_mut(owner).filter(|_| holds_float(ty)) {
                *slot = Some("it holds a floating-point number");
            }
            if let Some(slot) = sized.get_mut(owner).filter(|_| has_size_by_itself(ty)) {
                *slot = true;
            }
        }
        for definition in &self.types {
            let extensible = match &definition.kind {
                TypeKind::Struct(structure) => (!structure.sealed).then_some("it is not sealed"),
                TypeKind::Enum(enumeration) => (!enumeration.sealed).then_some("it is not sealed"),
                TypeKind::Flags(_) | TypeKind::Newtype(_) => None,
            };
            if let Some(slot) = unfit.get_mut(definition.id.0).filter(|_| extensible.is_some()) {
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
        for id in &self.damaged {
            if let Some(slot) = sized.get_mut(id.0) {
                *slot = true;
            }
        }
        spread(&users, &mut unfit, |reason| reason.is_some());
        spread(&users, &mut sized, |sized| *sized);
        Properties { unfit, sized, innermost: self.innermost(), extensible: self.extensible() }
    }

    fn check_key(&mut self, container: &Container, properties: &Properties) {
        let Some(reason) = self.why_no_key(&container.ty, properties) else {
            return self.check_size(container, properties, "a key");
        };
        let message = format!("`{}` cannot be a key", self.shown(&container.ty));
        self.report(Diagnostic::error(Code::BadKey, message, container.place.clone(), reason).with_help(
            "keys are integers, `bool`, `char`, `String`, `Bytes`, `Uuid`, `Timestamp`, `Duration`, \
                 and newtypes, arrays and sealed types of these",
        ));
    }

    fn why_no_key(&self, ty: &Type, properties: &Properties) -> Option<&'static str> {
        match ty {
            Type::F32 | Type::F64 => Some("floating-point numbers have no order"),
            Type::Option(_) => Some("an `Option` may be absent"),
            Type::Vec(..) | Type::Set(..) | Type::Map(..) => Some("a collection cannot be a key"),
            Type::Array(inner, _) => self.why_no_key(inner, properties),
            Type::Named { id, .. } => match self.inside(*id, properties) {
                Some(inner) if !matches!(inner, Type::Named { .. }) => self.why_no_key(inner, properties),
                _ => properties.unfit.get(id.0).copied().flatten(),
            },
            _ => None,
        }
    }

    /// What lies in a newtype, and in that if it is one as well.
    fn inside(&self, id: TypeId, properties: &Properties) -> Option<&Type> {
        match &self.definition(*properties.innermost.get(id.0)?)?.kind {
            TypeKind::Newtype(newtype) => Some(&newtype.inner),
            _ => None,
        }
    }

    /// For a newtype of newtypes the last of them, whose own inside is something else; every other type for itself.
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
            let mut way = Vec::new();
            let mut id = definition.id;
            // Marked when it is set out upon, so that a circle ends where it closes.
            while let Some(slot) = known.get_mut(id.0).filter(|slot| slot.is_none()) {
                *slot = Some(id);
                way.push(id);
                id = inside(id).unwrap_or(id);
            }
            let last = known.get(id.0).copied().flatten().unwrap_or(id);
            for passed in way {
                if let Some(slot) = known.get_mut(passed.0) {
                    *slot = Some(last);
                }
            }
        }
        known.into_iter().zip(&self.types).map(|(last, own)| last.unwrap_or(own.id)).collect()
    }

    fn check_size(&mut self, container: &Container, properties: &Properties, what: &str) {
        // Of an array its own elements are checked.
        let Type::Named { id, .. } = &container.ty else { return };
        if properties.sized.get(id.0) != Some(&false) {
            return;
        }
        let message = format!("`{}` takes no bytes, so it cannot be {what}", self.shown(&container.ty));
        self.report(
            Diagnostic::error(Code::ZeroSizedElement, message, container.place.clone(), "always empty")
                .with_help("send the number of them instead"),
        );
    }

    fn check_sealed(&mut self, site: &Site, properties: &Properties) {
        let Some(owner) = self.definition(site.address.owner) else { return };
        let sealed = match &owner.kind {
            TypeKind::Struct(structure) => structure.sealed,
            TypeKind::Enum(enumeration) => enumeration.sealed,
            TypeKind::Flags(_) | TypeKind::Newtype(_) => false,
        };
        let Some(ty) = self.site_type(site.address).filter(|_| sealed) else { return };
        let mut extensible = None;
        ty.each_named(&mut |id| {
            extensible = extensible.or(properties.extensible.get(id.0).copied().flatten());
        });
        let Some(extensible) = extensible.and_then(|id| self.scope.type_entry(id)) else { return };
        let message = format!("`{}` is sealed and `{}` is not", owner.name, extensible.item.name.text);
        let definition = self.place(extensible.file, extensible.item.name.span);
        let keyword = match &extensible.item.kind {
            crate::ast::ItemKind::Struct { .. } => "sealed struct",
            crate::ast::ItemKind::Enum { error: false, .. } => "sealed enum",
            _ => "",
        };
        let help = if keyword.is_empty() {
            "an `error` can always grow, so nothing sealed can hold it".to_owned()
        } else {
            format!("make it a `{keyword}`, or do not seal `{}`", owner.name)
        };
        self.report(
            Diagnostic::error(Code::ExtensibleInSealed, message, site.place.clone(), "can grow")
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

    /// For every type itself if it can grow, for a newtype the first such type that lies in it.
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
        spread(&newtypes, &mut extensible, Option::is_some);
        extensible
    }
}

/// What is known of every type, by id.
struct Properties {
    /// Why it cannot be a key.
    unfit: Vec<Option<&'static str>>,
    /// Whether it takes at least a byte.
    sized: Vec<bool>,
    /// What newtypes of newtypes lead to.
    innermost: Vec<TypeId>,
    /// What in it can grow, looked for through newtypes.
    extensible: Vec<Option<TypeId>>,
}

/// Spreads a property from types to those that hold them.
fn spread<T: Clone>(users: &[Vec<usize>], values: &mut [T], holds: impl Fn(&T) -> bool) {
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

fn holds_float(ty: &Type) -> bool {
    match ty {
        Type::F32 | Type::F64 => true,
        Type::Option(inner) | Type::Vec(inner, _) | Type::Set(inner, _) | Type::Array(inner, _) => {
            holds_float(inner)
        }
        Type::Map(key, value, _) => holds_float(key) || holds_float(value),
        _ => false,
    }
}

/// Whether a type takes at least a byte whatever the types are that it names.
fn has_size_by_itself(ty: &Type) -> bool {
    match ty {
        Type::Array(inner, _) => has_size_by_itself(inner),
        Type::Named { .. } => false,
        _ => true,
    }
}
