//! Flattens interfaces: collects their own methods and those of the interfaces that they include.
//!
//! Invariants: an interface is flattened after the interfaces that it includes. A method that is included on
//! two paths is taken once. All includes together copy at most [`MAX_METHODS`] methods.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::attributes::Target;
use super::graph::{components, is_cycle, shortest_cycle};
use super::methods::Template;
use super::resolver::Resolver;
use super::scope::Entry;
use crate::ast::{Include, ItemKind, Member};
use crate::diagnostic::{Code, Diagnostic};

/// How many methods all includes together may copy.
const MAX_METHODS: usize = 100_000;

/// The methods of interfaces, by item: their own, then those of the interfaces they include.
pub(super) type Interfaces = HashMap<usize, Vec<Rc<InterfaceMethod>>>;

/// A method of an interface.
#[derive(Debug)]
pub(super) struct InterfaceMethod {
    /// The interface that declares it.
    pub(super) interface: usize,
    pub(super) template: Template,
}

impl<'a> Resolver<'a> {
    /// Flattens all interfaces.
    pub(super) fn flatten_interfaces(&mut self) -> Interfaces {
        let items: Vec<usize> = (0..self.scope.entries.len())
            .filter(|item| {
                self.scope.entry(*item).is_some_and(|entry| matches!(entry.item.kind, ItemKind::Interface(_)))
            })
            .collect();
        let numbers: HashMap<usize, usize> =
            items.iter().enumerate().map(|(number, item)| (*item, number)).collect();
        let mut edges: Vec<Vec<usize>> = Vec::new();
        for item in &items {
            let targets = self.scope.entry(*item).map(|entry| self.included(entry)).unwrap_or_default();
            edges.push(targets.iter().filter_map(|target| numbers.get(target).copied()).collect());
        }
        let mut interfaces = Interfaces::new();
        for component in components(&edges) {
            if is_cycle(&component, &edges) {
                self.report_include_cycle(&shortest_cycle(&component, &edges), &items);
            }
            for item in component.iter().filter_map(|number| items.get(*number)) {
                let methods = self.flatten_interface(*item, &interfaces);
                interfaces.insert(*item, methods);
            }
        }
        interfaces
    }

    /// The items that an interface includes. Unknown paths are skipped and not reported.
    pub(super) fn included(&self, entry: Entry<'a>) -> Vec<usize> {
        let ItemKind::Interface(members) = &entry.item.kind else { return Vec::new() };
        let includes = members.iter().filter_map(|member| match member {
            Member::Include(include) => self.scope.find(entry.file, &include.path).ok(),
            _ => None,
        });
        includes.filter(|found| found.member.is_none()).map(|found| found.item).collect()
    }

    fn flatten_interface(&mut self, item: usize, interfaces: &Interfaces) -> Vec<Rc<InterfaceMethod>> {
        let Some(entry) = self.scope.entry(item) else { return Vec::new() };
        let ItemKind::Interface(members) = &entry.item.kind else { return Vec::new() };
        let mut methods: Vec<Rc<InterfaceMethod>> = Vec::new();
        let mut included = Vec::new();
        for member in members {
            match member {
                Member::Function(function) => {
                    let template = self.method(entry.file, function);
                    methods.push(Rc::new(InterfaceMethod { interface: item, template }));
                }
                Member::Include(include) => {
                    if let Some(target) = self.include_target(entry.file, include) {
                        included.push((include, target));
                    }
                }
                Member::ReservedFunction(_) => {}
                Member::Client { span, .. } => {
                    let place = self.place(entry.file, *span);
                    self.report(
                        Diagnostic::error(
                            Code::ClientMisplaced,
                            "an interface cannot have a `client` block",
                            place,
                            "not allowed here",
                        )
                        .with_help(
                            "an interface has no direction: a service includes it inside or \
                                outside its `client { }` block",
                        ),
                    );
                }
            }
        }
        for (include, target) in included {
            let inherited = interfaces.get(&target).map(Vec::as_slice).unwrap_or_default();
            if !self.count_flattened(entry.file, include, inherited.len()) {
                break;
            }
            methods.extend(inherited.iter().cloned());
        }
        let mut seen = HashSet::new();
        methods.retain(|method| seen.insert((method.interface, method.template.method.name.clone())));
        methods
    }

    /// Counts methods that an include copies. Reports an error and returns `false` if there are too many.
    pub(super) fn count_flattened(&mut self, file: usize, include: &Include, more: usize) -> bool {
        let before = self.flattened;
        self.flattened = self.flattened.saturating_add(more);
        if self.flattened <= MAX_METHODS {
            return true;
        }
        if before <= MAX_METHODS {
            let place = self.place(file, include.path.span);
            let message = format!("includes add more than {MAX_METHODS} methods");
            self.report(Diagnostic::error(
                Code::TooDeep,
                message,
                place,
                "too many methods, counting this include",
            ));
        }
        false
    }

    /// The interface that an `include` names.
    pub(super) fn include_target(&mut self, file: usize, include: &'a Include) -> Option<usize> {
        self.attributes(file, &include.attributes, Target::Include);
        let found = self.find(file, &include.path, "interface")?;
        let entry = self.scope.entry(found.item)?;
        if matches!(entry.item.kind, ItemKind::Interface(_)) && found.member.is_none() {
            return Some(found.item);
        }
        let place = self.place(file, include.path.span);
        let defined = self.place(entry.file, entry.item.name.span);
        let message = format!("`{}` is not an interface", include.path.text());
        self.report(
            Diagnostic::error(Code::IncludeNonInterface, message, place, "not an interface")
                .with_label(defined, "defined here")
                .with_help("declare shared methods with `interface Name { … }`"),
        );
        None
    }

    fn report_include_cycle(&mut self, cycle: &[usize], items: &[usize]) {
        let entry = |number: &usize| items.get(*number).and_then(|item| self.scope.entry(*item));
        let name = |number: &usize| entry(number).map_or("", |entry| entry.item.name.text.as_str());
        let text = cycle.iter().map(name).collect::<Vec<_>>().join(" → ");
        let steps = cycle.iter().zip(cycle.iter().skip(1)).filter_map(|(from, to)| {
            let from_entry = entry(from)?;
            let target = items.get(*to)?;
            let ItemKind::Interface(members) = &from_entry.item.kind else { return None };
            let span = members.iter().find_map(|member| match member {
                Member::Include(include) => {
                    let found = self.scope.find(from_entry.file, &include.path).ok()?;
                    (found.item == *target).then_some(include.path.span)
                }
                _ => None,
            })?;
            Some((
                self.scope.place(from_entry.file, span),
                format!("`{}` includes `{}`", name(from), name(to)),
            ))
        });
        let message = format!("interfaces include each other in a cycle: {text}");
        let diagnostic = Diagnostic::along(Code::IncludeCycle, message, steps);
        self.diagnostics.extend(diagnostic);
    }
}
