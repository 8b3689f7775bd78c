//! Names that generated code takes, against the names that the schema gives: items, services, options structs,
//! modules.
//!
//! Invariants: what is checked here is what the code generator makes for a package's module.

use std::collections::HashMap;

use super::members::{Casing, Member, Names};
use super::methods::is_optional;
use super::resolver::Resolver;
use super::rust_names::{derived, is_primitive, unwritable};
use super::services::ResolvedService;
use super::types::is_built_in;
use crate::ast::{AttributeArgument, Expression, ExpressionKind, Item, ItemKind, Name};
use crate::casing::{pascal_case, snake_case};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::location::Span;
use crate::schema::Method;

/// A name in a package's module, and who has it.
#[derive(Debug, Clone)]
struct Holder {
    /// What makes it, as in "service `Epg` makes the trait `EpgServer`"; empty if it was written.
    what: String,
    place: Place,
    /// What makes two holders one: an interface's method that several services include.
    identity: Option<(String, String)>,
}

impl Resolver<'_> {
    /// Checks the names of items by themselves, and of packages.
    pub(super) fn check_item_names(&mut self) {
        for item in 0..self.scope.entries.len() {
            let Some(entry) = self.scope.entry(item) else { continue };
            let name = &entry.item.name;
            let place = self.place(entry.file, name.span);
            let unfit = unwritable(name, place.clone()).or_else(|| derived(name, place.clone()));
            let complaint = unfit.or_else(|| {
                let whose = match name.text.as_str() {
                    built_in if is_built_in(built_in) => "a built-in type",
                    primitive if is_primitive(primitive) => "a built-in type of Rust",
                    _ => return None,
                };
                let message = format!("`{}` is {whose}", name.text);
                Some(Diagnostic::error(Code::ShadowsBuiltIn, message, place, "choose another name"))
            });
            self.diagnostics.extend(complaint);
        }
        for file in 0..self.scope.files.len() {
            let line = self.scope.files.get(file).and_then(|input| input.file.package.as_ref());
            for segment in line.into_iter().flat_map(|line| &line.segments) {
                let complaint = unwritable(segment, self.place(file, segment.span));
                self.diagnostics.extend(complaint);
            }
        }
        self.check_wire_names();
    }

    /// Types have names on the wire that are unique in their package, and so have services.
    fn check_wire_names(&mut self) {
        let mut seen: HashMap<(usize, &str, &str), Place> = HashMap::new();
        for item in 0..self.scope.entries.len() {
            let Some(entry) = self.scope.entry(item) else { continue };
            let kind = match &entry.item.kind {
                ItemKind::Service(_) => "service",
                _ if entry.type_id.is_some() => "type",
                _ => continue,
            };
            let name = &entry.item.name;
            let (wire, span) = written_selector(entry.item).unwrap_or((&name.text, name.span));
            let place = self.place(entry.file, span);
            let Some(first) = seen.insert((entry.package, kind, wire), place.clone()) else {
                continue;
            };
            let same_item = self.scope.packages.get(entry.package).is_some_and(|package| {
                package.names.get(entry.item.name.text.as_str()).is_some_and(|first| *first != item)
            });
            if !same_item {
                let message = format!("two {kind}s of this package are called `{wire}` on the wire");
                self.report(
                    Diagnostic::error(Code::DuplicateItem, message, place, "the second")
                        .with_label(first, "the first"),
                );
            }
        }
    }

    /// Checks what services add to the modules of their packages.
    pub(super) fn check_generated(&mut self, services: &[ResolvedService<'_>]) {
        let mut modules = self.written_names();
        let mut complaints = Vec::new();
        for resolved in services.iter().filter(|resolved| self.is_first(resolved)) {
            let package = resolved.entry.package;
            let name = &resolved.entry.item.name;
            let place = self.place(resolved.entry.file, name.span);
            let Some(module) = modules.get_mut(package) else { continue };
            let holder = |what: &str, generated: &str| Holder {
                what: format!("service `{}` makes the {what} `{generated}`", name.text),
                place: place.clone(),
                identity: None,
            };
            let types = [
                ("trait", "Server"),
                ("trait", "Client"),
                ("proxy", "ServerProxy"),
                ("proxy", "ClientProxy"),
            ];
            for (what, suffix) in types {
                let generated = format!("{}{suffix}", name.text);
                complaints.extend(take(module, &generated, holder(what, &generated)));
            }
            let generated = snake_case(&name.text);
            complaints.extend(take(module, &generated, holder("module", &generated)));
        }
        for resolved in services.iter().filter(|resolved| self.is_first(resolved)) {
            let Some(module) = modules.get_mut(resolved.entry.package) else { continue };
            let methods = resolved.service.server.iter().chain(&resolved.service.client);
            for (method, place) in methods.zip(&resolved.options) {
                let Some(options) = options_name(method) else { continue };
                let what = format!(
                    "`{}.{}` makes the options struct `{options}`",
                    resolved.service.name, method.name
                );
                let identity = method.interface.clone().map(|interface| (interface, method.name.clone()));
                let complaint = take(module, &options, Holder { what, place: place.clone(), identity });
                complaints.extend(complaint.map(|complaint| {
                    complaint.with_help("name the options with `#[rust(options = \"Other\")]` on the method")
                }));
            }
        }
        self.diagnostics.extend(complaints);
    }

    /// Whether a service is the one its name stands for, and not its second definition, of which all would be double.
    fn is_first(&self, resolved: &ResolvedService<'_>) -> bool {
        let name = &resolved.entry.item.name;
        let package = self.scope.packages.get(resolved.entry.package);
        let first = package.and_then(|package| self.scope.entry(*package.names.get(name.text.as_str())?));
        first.is_some_and(|first| first.file == resolved.entry.file && first.item.name.span == name.span)
    }

    /// The names in every package's module that were written: its items and the packages below it.
    fn written_names(&self) -> Vec<HashMap<String, Holder>> {
        let mut modules: Vec<HashMap<String, Holder>> =
            self.scope.packages.iter().map(|_| HashMap::new()).collect();
        for entry in &self.scope.entries {
            if let Some(module) = modules.get_mut(entry.package) {
                let place = self.place(entry.file, entry.item.name.span);
                let holder = Holder { what: String::new(), place, identity: None };
                module.entry(entry.item.name.text.clone()).or_insert(holder);
            }
        }
        modules
    }

    /// Packages whose names become one in Rust, or that have the name of an item of the package above.
    pub(super) fn check_package_names(&mut self) {
        let mut levels: HashMap<String, Names> = HashMap::new();
        let mut complaints = Vec::new();
        let mut seen: std::collections::HashSet<String> = std::collections::HashSet::new();
        for package in &self.scope.packages {
            let line = package.files.iter().find_map(|file| {
                let line = self.scope.files.get(*file)?.file.package.as_ref()?;
                Some((*file, line))
            });
            let Some((file, line)) = line else { continue };
            let mut above = String::new();
            for segment in &line.segments {
                let whole =
                    if above.is_empty() { segment.text.clone() } else { format!("{above}.{}", segment.text) };
                if seen.insert(whole.clone()) {
                    let place = self.place(file, segment.span);
                    let names =
                        levels.entry(above.clone()).or_insert_with(|| Names::new("package", Casing::Snake));
                    let complaint =
                        names.add(&Member { name: segment, place: place.clone(), selector: None });
                    complaints
                        .extend(complaint.filter(|complaint| complaint.rule == Code::NamesCollideInRust));
                    complaints.extend(self.module_against_item(&above, segment, place));
                }
                above = whole;
            }
        }
        self.diagnostics.extend(complaints);
    }

    fn module_against_item(&self, above: &str, segment: &Name, place: Place) -> Option<Diagnostic> {
        let parent = self.scope.packages.get(*self.scope.by_name.get(above)?)?;
        let module = snake_case(&segment.text);
        let taken = parent.names.iter().filter_map(|(name, item)| Some((*name, self.scope.entry(*item)?)));
        let (name, entry) = taken
            .filter(|(name, entry)| match entry.item.kind {
                ItemKind::Service(_) => snake_case(name) == module || *name == module,
                ItemKind::Constant { .. } => false,
                _ => *name == module,
            })
            .min_by_key(|(_, entry)| entry.item.name.span)?;
        let message = format!(
            "package `{above}.{}` and `{name}` of package `{above}` would share a module's name in Rust",
            segment.text
        );
        let other = self.place(entry.file, entry.item.name.span);
        Some(
            Diagnostic::error(
                Code::ClashesWithGenerated,
                message,
                place,
                format!("becomes the module `{module}`"),
            )
            .with_label(other, format!("takes the name `{module}` as well")),
        )
    }
}

/// The name on the wire that an item's `#[selector]` sets.
fn written_selector(item: &Item) -> Option<(&str, Span)> {
    let selector = item.attributes.iter().find(|attribute| attribute.name.text == "selector")?;
    match selector.arguments.as_deref()? {
        [AttributeArgument::Value(Expression { kind: ExpressionKind::String(text), span })] => {
            Some((text, *span))
        }
        _ => None,
    }
}

/// The name of a method's options struct, if it has one.
fn options_name(method: &Method) -> Option<String> {
    let has_options = method.options_requested || method.parameters.iter().any(is_optional);
    let written = method.attributes.rust_options.clone();
    has_options.then(|| written.unwrap_or_else(|| format!("{}Options", pascal_case(&method.name))))
}

fn take(module: &mut HashMap<String, Holder>, name: &str, holder: Holder) -> Option<Diagnostic> {
    let Some(first) = module.get(name) else {
        module.insert(name.to_owned(), holder);
        return None;
    };
    if first.identity.is_some() && first.identity == holder.identity {
        return None;
    }
    let message = if first.is_written() {
        format!("`{name}` is defined here and generated as well")
    } else {
        format!("`{name}` would be generated twice")
    };
    let diagnostic =
        Diagnostic::error(Code::ClashesWithGenerated, message, holder.place.clone(), holder.what);
    if first.place == holder.place {
        return Some(diagnostic.with_help("begin the name with a capital"));
    }
    let other = if first.is_written() { format!("`{name}` is defined here") } else { first.what.clone() };
    Some(diagnostic.with_label(first.place.clone(), other))
}

impl Holder {
    fn is_written(&self) -> bool {
        self.what.is_empty()
    }
}
