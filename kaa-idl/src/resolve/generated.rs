//! Checks the names in generated code for conflicts: items, traits and proxies of services, options structs,
//! modules.
//!
//! Invariants: the names checked here are exactly those that the code generator puts into a package's module.

use std::collections::HashMap;

use super::members::{Casing, Member, Names};
use super::resolver::Resolver;
use super::rust_names::{invalid_in_rust, is_primitive, reserved_for_derives};
use super::services::ResolvedService;
use crate::ast::{AttributeArgument, Expression, ExpressionKind, Item, ItemKind, Name};
use crate::casing::{pascal_case, snake_case};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::location::Span;
use crate::schema::Method;
use crate::suggest::is_built_in;

/// The owner of a name in a package's module.
#[derive(Debug, Clone)]
struct NameOwner {
    /// Where a generated name comes from, as in "service `Epg` generates the trait `EpgServer`"; empty if the
    /// name is written in the schema.
    origin: String,
    place: Place,
    /// Equal for owners that share one generated item: an interface's method that several services include.
    identity: Option<(String, String)>,
}

impl Resolver<'_> {
    /// Checks the names of items and packages, each on its own.
    pub(super) fn check_item_names(&mut self) {
        for item in 0..self.scope.entries.len() {
            let Some(entry) = self.scope.entry(item) else { continue };
            let name = &entry.item.name;
            let place = self.place(entry.file, name.span);
            let invalid =
                invalid_in_rust(name, place.clone()).or_else(|| reserved_for_derives(name, place.clone()));
            let diagnostic = invalid.or_else(|| {
                let noun = match name.text.as_str() {
                    built_in if is_built_in(built_in) => "a built-in type",
                    primitive if is_primitive(primitive) => "a built-in type of Rust",
                    _ => return None,
                };
                let message = format!("`{}` is {noun}", name.text);
                Some(Diagnostic::error(Code::ShadowsBuiltIn, message, place, "choose a different name"))
            });
            self.diagnostics.extend(diagnostic);
        }
        for file in 0..self.scope.files.len() {
            let line = self.scope.files.get(file).and_then(|input| input.file.package.as_ref());
            for segment in line.into_iter().flat_map(|line| &line.segments) {
                let diagnostic = invalid_in_rust(segment, self.place(file, segment.span));
                self.diagnostics.extend(diagnostic);
            }
        }
        self.check_wire_names();
    }

    /// Checks that the names on the wire of types and services are unique in their package.
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
                let message = format!("two {kind}s of this package have the name `{wire}` on the wire");
                self.report(
                    Diagnostic::error(Code::DuplicateItem, message, place, "the second")
                        .with_label(first, "the first"),
                );
            }
        }
    }

    /// Checks the names that services add to the modules of their packages.
    pub(super) fn check_generated(&mut self, services: &[ResolvedService<'_>]) {
        let mut modules = self.written_names();
        let mut diagnostics = Vec::new();
        for resolved in services.iter().filter(|resolved| self.is_first(resolved)) {
            let package = resolved.entry.package;
            let name = &resolved.entry.item.name;
            let place = self.place(resolved.entry.file, name.span);
            let Some(module) = modules.get_mut(package) else { continue };
            let owner = |what: &str, generated: &str| NameOwner {
                origin: format!("service `{}` generates the {what} `{generated}`", name.text),
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
                diagnostics.extend(claim_name(module, &generated, owner(what, &generated)));
            }
            let generated = snake_case(&name.text);
            diagnostics.extend(claim_name(module, &generated, owner("module", &generated)));
        }
        for resolved in services.iter().filter(|resolved| self.is_first(resolved)) {
            let Some(module) = modules.get_mut(resolved.entry.package) else { continue };
            let methods = resolved.service.server.iter().chain(&resolved.service.client);
            for (method, place) in methods.zip(&resolved.options) {
                let Some(options) = options_name(method) else { continue };
                let origin = format!(
                    "`{}.{}` generates the options struct `{options}`",
                    resolved.service.name, method.name
                );
                let identity = method.interface.clone().map(|interface| (interface, method.name.clone()));
                let diagnostic =
                    claim_name(module, &options, NameOwner { origin, place: place.clone(), identity });
                diagnostics.extend(diagnostic.map(|diagnostic| {
                    diagnostic
                        .with_help("set a different name with `#[rust(options = \"Other\")]` on the method")
                }));
            }
        }
        self.diagnostics.extend(diagnostics);
    }

    /// Whether a service is the first definition of its name. All names of a second definition would be
    /// duplicates.
    fn is_first(&self, resolved: &ResolvedService<'_>) -> bool {
        let name = &resolved.entry.item.name;
        let package = self.scope.packages.get(resolved.entry.package);
        let first = package.and_then(|package| self.scope.entry(*package.names.get(name.text.as_str())?));
        first.is_some_and(|first| first.file == resolved.entry.file && first.item.name.span == name.span)
    }

    /// The items of every package, whose names are written in the schema.
    fn written_names(&self) -> Vec<HashMap<String, NameOwner>> {
        let mut modules: Vec<HashMap<String, NameOwner>> =
            self.scope.packages.iter().map(|_| HashMap::new()).collect();
        for entry in &self.scope.entries {
            if let Some(module) = modules.get_mut(entry.package) {
                let place = self.place(entry.file, entry.item.name.span);
                let owner = NameOwner { origin: String::new(), place, identity: None };
                module.entry(entry.item.name.text.clone()).or_insert(owner);
            }
        }
        modules
    }

    /// Reports packages whose names are equal in Rust, and packages named like an item of their parent
    /// package.
    pub(super) fn check_package_names(&mut self) {
        let mut levels: HashMap<String, Names> = HashMap::new();
        let mut diagnostics = Vec::new();
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
                    let diagnostic =
                        names.add(&Member { name: segment, place: place.clone(), selector: None });
                    diagnostics
                        .extend(diagnostic.filter(|diagnostic| diagnostic.rule == Code::NamesCollideInRust));
                    diagnostics.extend(self.module_against_item(&above, segment, place));
                }
                above = whole;
            }
        }
        self.diagnostics.extend(diagnostics);
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
            "package `{above}.{}` and `{name}` of package `{above}` have the same module name in Rust",
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
            .with_label(other, format!("also uses the name `{module}`")),
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
    let written = method.attributes.rust_options.clone();
    method.has_options().then(|| written.unwrap_or_else(|| format!("{}Options", pascal_case(&method.name))))
}

fn claim_name(module: &mut HashMap<String, NameOwner>, name: &str, owner: NameOwner) -> Option<Diagnostic> {
    let Some(first) = module.get(name) else {
        module.insert(name.to_owned(), owner);
        return None;
    };
    if first.identity.is_some() && first.identity == owner.identity {
        return None;
    }
    let message = if first.is_written() {
        format!("`{name}` is both defined and generated")
    } else {
        format!("`{name}` would be generated twice")
    };
    let diagnostic =
        Diagnostic::error(Code::ClashesWithGenerated, message, owner.place.clone(), owner.origin);
    if first.place == owner.place {
        return Some(diagnostic.with_help("begin the name with a capital letter"));
    }
    let other = if first.is_written() { format!("`{name}` is defined here") } else { first.origin.clone() };
    Some(diagnostic.with_label(first.place.clone(), other))
}

impl NameOwner {
    fn is_written(&self) -> bool {
        self.origin.is_empty()
    }
}
