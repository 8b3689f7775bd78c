//! Types that contain themselves: those that could never have a value, and those that need a `Box` in Rust.
//!
//! Invariants: nothing recurses along the chain of types; which references are boxed does not depend on the order
//! of items.

use std::collections::HashSet;

use super::graph::{components, is_circle};
use super::resolver::{Address, Resolver};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::schema::{Type, TypeId, TypeKind};

impl Resolver<'_> {
    /// Reports endless recursion, and marks the references that close a cycle as boxed.
    pub(super) fn resolve_recursion(&mut self) {
        self.report_endless();
        self.mark_boxed();
    }

    /// A type has a finite value if all it must hold has one; of an enum, one variant is enough.
    fn report_endless(&mut self) {
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
        self.draw_endless(&groups, &finite);
    }

    /// What must be held at once: all fields of a struct, or those of one variant.
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
        for site in &self.sites {
            let Some(target) = self.site_type(site.address).and_then(must_hold) else { continue };
            let first = first_group.get(site.address.owner.0).copied().unwrap_or(usize::MAX);
            if let Some(group) = groups.get_mut(first.saturating_add(site.address.variant.unwrap_or(0))) {
                group.needs.push((target, site.place.clone()));
            }
        }
        groups
    }

    fn draw_endless(&mut self, groups: &[Group], finite: &[bool]) {
        let endless = |id: TypeId| finite.get(id.0) == Some(&false);
        let mut next: Vec<Option<(TypeId, Place)>> = vec![None; self.types.len()];
        for group in groups {
            let step = group.needs.iter().find(|(target, _)| endless(*target));
            if let (Some(slot), Some(step)) = (next.get_mut(group.owner.0), step)
                && slot.is_none()
            {
                *slot = Some(step.clone());
            }
        }
        let mut seen: HashSet<TypeId> = HashSet::new();
        for start in 0..self.types.len() {
            let mut way: Vec<TypeId> = Vec::new();
            let mut at = TypeId(start);
            while endless(at) && seen.insert(at) {
                way.push(at);
                let Some((target, _)) = next.get(at.0).cloned().flatten() else { break };
                at = target;
            }
            if let Some(position) = way.iter().position(|id| *id == at) {
                let circle = way.get(position..).unwrap_or_default();
                self.report_endless_circle(circle, &next);
            }
        }
    }

    fn report_endless_circle(&mut self, circle: &[TypeId], next: &[Option<(TypeId, Place)>]) {
        let name = |id: &TypeId| self.definition(*id).map_or("", |definition| definition.name.as_str());
        let drawn: Vec<&str> = circle.iter().chain(circle.first()).map(name).collect();
        let steps = circle.iter().filter_map(|id| {
            let (target, place) = next.get(id.0).cloned().flatten()?;
            Some((place, format!("`{}` always holds `{}`", name(id), name(&target))))
        });
        let message = format!("endless recursion: {}", drawn.join(" → "));
        let help =
            "let it end somewhere: an `Option`, `Vec`, `Set` or `Map`, or an enum with another variant";
        let diagnostic = Diagnostic::along(Code::EndlessRecursion, message, steps);
        self.diagnostics.extend(diagnostic.map(|diagnostic| diagnostic.with_help(help)));
    }

    /// Boxes what lies in an `Option` or a variant and leads back to its owner without a collection between. Every
    /// cycle that is not endless passes one of these.
    fn mark_boxed(&mut self) {
        let mut edges: Vec<Vec<usize>> = vec![Vec::new(); self.types.len()];
        for site in &self.sites {
            if let (Some(ty), Some(list)) =
                (self.site_type(site.address), edges.get_mut(site.address.owner.0))
            {
                list.extend(held_in_place(ty).map(|id| id.0));
            }
        }
        let mut component_of: Vec<Option<usize>> = vec![None; self.types.len()];
        for (number, component) in components(&edges).into_iter().enumerate() {
            if is_circle(&component, &edges) {
                for node in component {
                    if let Some(slot) = component_of.get_mut(node) {
                        *slot = Some(number);
                    }
                }
            }
        }
        let component = |id: TypeId| component_of.get(id.0).copied().flatten();
        let addresses: Vec<Address> = self.sites.iter().map(|site| site.address).collect();
        for address in addresses {
            let own = component(address.owner);
            let Some(ty) = self.site_type_mut(address) else { continue };
            let closes = held_in_place(ty).is_some_and(|target| own.is_some() && component(target) == own);
            if closes {
                mark(ty, address.variant.is_some());
            }
        }
    }
}

/// Fields that are there together.
struct Group {
    owner: TypeId,
    needs: Vec<(TypeId, Place)>,
}

/// The type that a value of this type cannot be without.
fn must_hold(ty: &Type) -> Option<TypeId> {
    match ty {
        Type::Named { id, .. } => Some(*id),
        Type::Array(inner, _) => must_hold(inner),
        _ => None,
    }
}

/// The type that a value of this type holds in place, if anything: not behind a collection.
fn held_in_place(ty: &Type) -> Option<TypeId> {
    match ty {
        Type::Named { id, .. } => Some(*id),
        Type::Array(inner, _) | Type::Option(inner) => held_in_place(inner),
        _ => None,
    }
}

/// Marks the named type inside, if it lies in an `Option` or in a variant.
fn mark(ty: &mut Type, inside: bool) {
    match ty {
        Type::Named { boxed, .. } => *boxed = inside,
        Type::Option(inner) => mark(inner, true),
        Type::Array(inner, _) => mark(inner, inside),
        _ => {}
    }
}
