//! Finds recursive types: reports those without a finite value, and marks where Rust needs a `Box`.
//!
//! Invariants: nothing recurses along the chain of types. Which references are boxed does not depend on the
//! order of items.

use std::collections::HashSet;

use super::graph::{components, is_cycle};
use super::resolver::{Address, Resolver};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::schema::{Type, TypeId, TypeKind};

impl Resolver<'_> {
    /// Reports infinite recursion, and marks the references that close a cycle as boxed.
    pub(super) fn resolve_recursion(&mut self) {
        self.report_infinite();
        self.mark_boxed();
    }

    /// A struct has a finite value if all its required fields have one; an enum, if one of its variants does.
    fn report_infinite(&mut self) {
        let groups = self.groups();
        let mut missing: Vec<usize> = groups.iter().map(|group| group.needs.len()).collect();
        let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); self.types.len()];
        for (number, group) in groups.iter().enumerate() {
            for (target, _) in &group.needs {
                if let Some(list) = needed_by.get_mut(target.0) {
                    list.push(number);
                }
            }
        }
        let mut finite = vec![false; self.types.len()];
        let mut work: Vec<usize> =
            groups.iter().filter(|group| group.needs.is_empty()).map(|group| group.owner.0).collect();
        while let Some(ty) = work.pop() {
            match finite.get_mut(ty) {
                Some(known) if !*known => *known = true,
                _ => continue,
            }
            for number in needed_by.get(ty).into_iter().flatten() {
                if let (Some(left), Some(group)) = (missing.get_mut(*number), groups.get(*number)) {
                    *left -= 1;
                    if *left == 0 {
                        work.push(group.owner.0);
                    }
                }
            }
        }
        self.report_infinite_cycles(&groups, &finite);
    }

    /// The fields that exist together: all fields of a struct, or those of one variant.
    fn groups(&self) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        let mut first_group: Vec<usize> = Vec::new();
        for definition in &self.types {
            first_group.push(groups.len());
            let count = match &definition.kind {
                TypeKind::Enum(enumeration) => enumeration.variants.len().max(1),
                _ => 1,
            };
            groups.extend((0..count).map(|_| Group { owner: definition.id, needs: Vec::new() }));
        }
        for written_type in &self.written_types {
            let Some(target) = self.type_at(written_type.address).and_then(required_type) else { continue };
            let first = first_group.get(written_type.address.owner.0).copied().unwrap_or(usize::MAX);
            if let Some(group) =
                groups.get_mut(first.saturating_add(written_type.address.variant.unwrap_or(0)))
            {
                group.needs.push((target, written_type.place.clone()));
            }
        }
        groups
    }

    fn report_infinite_cycles(&mut self, groups: &[Group], finite: &[bool]) {
        let is_infinite = |id: TypeId| finite.get(id.0) == Some(&false);
        let mut next: Vec<Option<(TypeId, Place)>> = vec![None; self.types.len()];
        for group in groups {
            let step = group.needs.iter().find(|(target, _)| is_infinite(*target));
            if let (Some(slot), Some(step)) = (next.get_mut(group.owner.0), step)
                && slot.is_none()
            {
                *slot = Some(step.clone());
            }
        }
        let mut seen: HashSet<TypeId> = HashSet::new();
        for start in 0..self.types.len() {
            let mut path: Vec<TypeId> = Vec::new();
            let mut at = TypeId(start);
            while is_infinite(at) && seen.insert(at) {
                path.push(at);
                let Some((target, _)) = next.get(at.0).cloned().flatten() else { break };
                at = target;
            }
            if let Some(position) = path.iter().position(|id| *id == at) {
                let cycle = path.get(position..).unwrap_or_default();
                self.report_infinite_cycle(cycle, &next);
            }
        }
    }

    fn report_infinite_cycle(&mut self, cycle: &[TypeId], next: &[Option<(TypeId, Place)>]) {
        let name = |id: &TypeId| self.definition(*id).map_or("", |definition| definition.name.as_str());
        let names: Vec<&str> = cycle.iter().chain(cycle.first()).map(name).collect();
        let steps = cycle.iter().filter_map(|id| {
            let (target, place) = next.get(id.0).cloned().flatten()?;
            Some((place, format!("`{}` always contains `{}`", name(id), name(&target))))
        });
        let message = format!("infinite recursion: {}", names.join(" → "));
        let help = "break the cycle with an `Option`, `Vec`, `Set` or `Map`, or with an enum that has \
            another variant";
        let diagnostic = Diagnostic::along(Code::InfiniteRecursion, message, steps);
        self.diagnostics.extend(diagnostic.map(|diagnostic| diagnostic.with_help(help)));
    }

    /// Marks as boxed each reference in an `Option` or a variant that leads back to its owner without a
    /// collection in between. Every cycle that is not infinite contains such a reference.
    fn mark_boxed(&mut self) {
        let mut edges: Vec<Vec<usize>> = vec![Vec::new(); self.types.len()];
        for written_type in &self.written_types {
            if let (Some(ty), Some(list)) =
                (self.type_at(written_type.address), edges.get_mut(written_type.address.owner.0))
            {
                list.extend(inline_type(ty).map(|id| id.0));
            }
        }
        let mut component_of: Vec<Option<usize>> = vec![None; self.types.len()];
        for (number, component) in components(&edges).into_iter().enumerate() {
            if is_cycle(&component, &edges) {
                for node in component {
                    if let Some(slot) = component_of.get_mut(node) {
                        *slot = Some(number);
                    }
                }
            }
        }
        let component = |id: TypeId| component_of.get(id.0).copied().flatten();
        let addresses: Vec<Address> =
            self.written_types.iter().map(|written_type| written_type.address).collect();
        for address in addresses {
            let own = component(address.owner);
            let Some(ty) = self.type_at_mut(address) else { continue };
            let closes = inline_type(ty).is_some_and(|target| own.is_some() && component(target) == own);
            if closes {
                mark_named(ty, address.variant.is_some());
            }
        }
    }
}

/// Fields that exist together.
struct Group {
    owner: TypeId,
    needs: Vec<(TypeId, Place)>,
}

/// The named type that every value of this type contains.
fn required_type(ty: &Type) -> Option<TypeId> {
    match ty {
        Type::Named { id, .. } => Some(*id),
        Type::Array(inner, _) => required_type(inner),
        _ => None,
    }
}

/// The named type that a value of this type stores inline, not in a collection.
fn inline_type(ty: &Type) -> Option<TypeId> {
    match ty {
        Type::Named { id, .. } => Some(*id),
        Type::Array(inner, _) | Type::Option(inner) => inline_type(inner),
        _ => None,
    }
}

/// Marks the named type inside as boxed, if it is in an `Option` or in a variant.
fn mark_named(ty: &mut Type, inside: bool) {
    match ty {
        Type::Named { boxed, .. } => *boxed = inside,
        Type::Option(inner) => mark_named(inner, true),
        Type::Array(inner, _) => mark_named(inner, inside),
        _ => {}
    }
}
