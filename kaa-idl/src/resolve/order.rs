//! Evaluates constants, aliases and flags in the order of their dependencies, and reports cycles among them.
//!
//! Invariants: nothing is evaluated before the items that it names. An item in a cycle is not evaluated.

use std::collections::HashMap;

use super::graph::{components, is_cycle, shortest_cycle};
use super::resolver::{EvaluatedConstant, Resolver};
use crate::ast::{Expression, ExpressionKind, ItemKind, Path, Type, TypeArgument, TypeKind};
use crate::diagnostic::{Code, Diagnostic};
use crate::location::Span;

impl Resolver<'_> {
    /// Evaluates all constants, aliases and flags of all packages.
    pub(super) fn evaluate_items(&mut self) {
        let nodes: Vec<usize> =
            (0..self.scope.entries.len()).filter(|item| self.is_evaluated(*item)).collect();
        let numbers: HashMap<usize, usize> =
            nodes.iter().enumerate().map(|(number, item)| (*item, number)).collect();
        let mut edges = vec![Vec::new(); nodes.len()];
        let mut spans: HashMap<(usize, usize), Span> = HashMap::new();
        for ((number, item), targets) in nodes.iter().enumerate().zip(&mut edges) {
            let Some(entry) = self.scope.entry(*item) else { continue };
            for path in paths(&entry.item.kind) {
                let Ok(found) = self.scope.find(entry.file, path) else { continue };
                if let Some(target) = numbers.get(&found.item) {
                    targets.push(*target);
                    spans.entry((number, *target)).or_insert(path.span);
                }
            }
        }
        for component in components(&edges) {
            if is_cycle(&component, &edges) {
                self.report_cycle(&shortest_cycle(&component, &edges), &nodes, &spans);
            } else {
                for item in component.iter().filter_map(|number| nodes.get(*number)) {
                    self.evaluate_item(*item);
                }
            }
        }
    }

    fn is_evaluated(&self, item: usize) -> bool {
        self.scope.entry(item).is_some_and(|entry| {
            matches!(entry.item.kind, ItemKind::Constant { .. } | ItemKind::Alias(_) | ItemKind::Flags { .. })
        })
    }

    fn evaluate_item(&mut self, item: usize) {
        let Some(entry) = self.scope.entry(item) else { return };
        match &entry.item.kind {
            ItemKind::Alias(ty) => {
                if let Some(ty) = self.ty(entry.file, ty) {
                    self.aliases.insert(item, ty);
                }
            }
            ItemKind::Constant { ty, value } => {
                let declared = self.ty(entry.file, ty);
                let evaluated = self.evaluate(entry.file, value);
                if let (Some(declared), Some(evaluated)) = (declared, evaluated)
                    && self.check_constant_type(entry.file, ty.span, &declared)
                    && let Some(value) =
                        self.conform(&evaluated, &declared, &self.place(entry.file, value.span))
                {
                    self.constants.insert(item, EvaluatedConstant { ty: declared, evaluated, value });
                }
            }
            ItemKind::Flags { representation, flags } => {
                let values = self.evaluate_flags(item, entry.file, representation, flags);
                self.flag_values.insert(item, values);
            }
            _ => {}
        }
    }

    fn report_cycle(&mut self, cycle: &[usize], nodes: &[usize], spans: &HashMap<(usize, usize), Span>) {
        let entry = |number: &usize| nodes.get(*number).and_then(|item| self.scope.entry(*item));
        let name = |number: &usize| entry(number).map_or("", |entry| entry.item.name.text.as_str());
        let text = cycle.iter().map(name).collect::<Vec<_>>().join(" → ");
        let only_aliases =
            cycle.iter().filter_map(entry).all(|entry| matches!(entry.item.kind, ItemKind::Alias(_)));
        let steps = cycle.iter().zip(cycle.iter().skip(1)).filter_map(|(from, to)| {
            let file = entry(from)?.file;
            let span = spans.get(&(*from, *to))?;
            Some((self.scope.place(file, *span), format!("`{}` uses `{}`", name(from), name(to))))
        });
        let diagnostic = if only_aliases {
            let message = format!("aliases refer to each other in a cycle: {text}");
            let help = "an alias is replaced by its type; write a recursive type as a `struct` or an `enum`";
            Diagnostic::along(Code::InfiniteRecursion, message, steps)
                .map(|diagnostic| diagnostic.with_help(help))
        } else {
            let message = format!("constants depend on each other in a cycle: {text}");
            Diagnostic::along(Code::ConstantCycle, message, steps)
        };
        self.diagnostics.extend(diagnostic);
    }
}

/// All paths in the types and values of an item.
fn paths(kind: &ItemKind) -> Vec<&Path> {
    let mut paths = Vec::new();
    match kind {
        ItemKind::Constant { ty, value } => {
            paths_of_type(ty, &mut paths);
            paths_of_value(value, &mut paths);
        }
        ItemKind::Alias(ty) => paths_of_type(ty, &mut paths),
        ItemKind::Flags { representation, flags } => {
            paths_of_type(representation, &mut paths);
            for flag in flags {
                paths_of_value(&flag.value, &mut paths);
            }
        }
        _ => {}
    }
    paths
}

fn paths_of_type<'p>(ty: &'p Type, paths: &mut Vec<&'p Path>) {
    match &ty.kind {
        TypeKind::Path { path, arguments } => {
            paths.push(path);
            for argument in arguments {
                match argument {
                    TypeArgument::Type(ty) => paths_of_type(ty, paths),
                    TypeArgument::Bound(value, _) => paths_of_value(value, paths),
                }
            }
        }
        TypeKind::Array { element, length } => {
            paths_of_type(element, paths);
            paths_of_value(length, paths);
        }
        TypeKind::Stream(inner) => paths_of_type(inner, paths),
        TypeKind::Unit | TypeKind::Invalid => {}
    }
}

fn paths_of_value<'p>(value: &'p Expression, paths: &mut Vec<&'p Path>) {
    match &value.kind {
        ExpressionKind::Path(path) => paths.push(path),
        ExpressionKind::Negation(inner) => paths_of_value(inner, paths),
        ExpressionKind::Operation { first, rest } => {
            paths_of_value(first, paths);
            for (_, operand) in rest {
                paths_of_value(operand, paths);
            }
        }
        _ => {}
    }
}
