//! Runs the steps and assembles the schema.
//!
//! Invariants: each step depends only on earlier steps. Hashes are computed only for a schema without errors.

use super::attributes::{ParsedAttributes, Target};
use super::data::docs;
use super::includes::Interfaces;
use super::packages::{Input, cycles};
use super::resolver::Resolver;
use super::scope::Entry;
use super::services::{ResolvedService, reserved_names};
use crate::ast::ItemKind;
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::ids;
use crate::schema::{Alias, Constant, Docs, Interface, Location, Method, Package, PackageName, Schema};

/// The result of resolving. The schema is incomplete if there are errors.
#[derive(Debug)]
pub(crate) struct Resolution {
    pub(crate) schema: Schema,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The places of the names of all services, in the order of the schema.
    services: Vec<Place>,
}

impl Resolution {
    /// Computes ids, tables and fingerprints, unless there are errors. It is separate from [`resolve`] so
    /// that the caller can free the syntax trees first: the hashes take memory too.
    pub(crate) fn hash(&mut self) {
        if self.diagnostics.is_empty()
            && let Err(error) = ids::compute_hashes(&mut self.schema)
            && let Some(place) = self.services.get(error.service).cloned()
        {
            let message = "the services of this schema use too many types for peers to compare";
            self.diagnostics.push(Diagnostic::error(
                Code::TooDeep,
                message,
                place,
                "too many types, counting this service",
            ));
        }
    }
}

/// Resolves parsed files.
pub(crate) fn resolve(files: &[Input<'_>]) -> Resolution {
    let mut resolver = Resolver::new(files);
    resolver.read_imports();
    resolver.evaluate_items();
    resolver.define_types();
    resolver.evaluate_defaults();
    resolver.resolve_recursion();
    let interfaces = resolver.flatten_interfaces();
    let services = resolver.resolve_services(&interfaces);
    resolver.check_constraints();
    resolver.check_item_names();
    resolver.check_package_names();
    resolver.check_variant_bindings();
    resolver.check_generated(&services);
    let names: Vec<String> = resolver.scope.packages.iter().map(|package| package.name.clone()).collect();
    resolver.diagnostics.extend(cycles(&names, &resolver.edges));
    // Entries are numbered by package, so the services are in the order of their packages.
    let places = services
        .iter()
        .map(|resolved| resolver.place(resolved.entry.file, resolved.entry.item.name.span))
        .collect();
    let packages = resolver.packages(services, &interfaces);
    let schema = Schema { packages, types: std::mem::take(&mut resolver.types) };
    Resolution { schema, diagnostics: resolver.diagnostics, services: places }
}

impl Resolver<'_> {
    fn packages(&mut self, services: Vec<ResolvedService<'_>>, interfaces: &Interfaces) -> Vec<Package> {
        let mut packages: Vec<Package> = self
            .scope
            .packages
            .iter()
            .map(|package| Package {
                name: PackageName { segments: package.name.split('.').map(str::to_owned).collect() },
                docs: self.package_docs(&package.files),
                constants: Vec::new(),
                aliases: Vec::new(),
                types: Vec::new(),
                interfaces: Vec::new(),
                services: Vec::new(),
                location: self.package_location(&package.files),
            })
            .collect();
        for item in 0..self.scope.entries.len() {
            let Some(entry) = self.scope.entry(item) else { continue };
            if let Some(package) = packages.get_mut(entry.package) {
                self.add_item(item, entry, interfaces, package);
            }
        }
        for resolved in services {
            if let Some(package) = packages.get_mut(resolved.entry.package) {
                package.services.push(resolved.service);
            }
        }
        packages
    }

    fn package_docs(&self, files: &[usize]) -> Docs {
        let lines =
            files.iter().filter_map(|file| self.scope.files.get(*file)).flat_map(|input| &input.file.docs);
        Docs { lines: lines.cloned().collect() }
    }

    fn package_location(&self, files: &[usize]) -> Location {
        let first = files.first().copied().unwrap_or_default();
        let line = self.scope.files.get(first).and_then(|input| input.file.package.as_ref());
        line.map_or_else(Location::default, |line| self.scope.location(first, line.span))
    }

    fn add_item(&mut self, item: usize, entry: Entry<'_>, interfaces: &Interfaces, package: &mut Package) {
        let ast = entry.item;
        let location = self.scope.location(entry.file, ast.name.span);
        match &ast.kind {
            ItemKind::Constant { .. } => {
                let ParsedAttributes { attributes, .. } =
                    self.attributes(entry.file, &ast.attributes, Target::Constant);
                if let Some(constant) = self.constants.get(&item) {
                    package.constants.push(Constant {
                        name: ast.name.text.clone(),
                        docs: docs(&ast.docs),
                        attributes,
                        ty: constant.ty.clone(),
                        value: constant.value.clone(),
                        location,
                    });
                }
            }
            ItemKind::Alias(_) => {
                let ParsedAttributes { attributes, .. } =
                    self.attributes(entry.file, &ast.attributes, Target::Alias);
                if let Some(ty) = self.aliases.get(&item) {
                    package.aliases.push(Alias {
                        name: ast.name.text.clone(),
                        docs: docs(&ast.docs),
                        attributes,
                        ty: ty.clone(),
                        location,
                    });
                }
            }
            ItemKind::Interface(members) => package.interfaces.push(Interface {
                name: ast.name.text.clone(),
                docs: docs(&ast.docs),
                attributes: self.attributes(entry.file, &ast.attributes, Target::Interface).attributes,
                methods: self.interface_methods(item, interfaces),
                includes: self
                    .included(entry)
                    .into_iter()
                    .map(|target| self.scope.qualified(target))
                    .collect(),
                reserved: reserved_names(members),
                location,
            }),
            ItemKind::Service(_) => {}
            _ => package.types.extend(entry.type_id),
        }
    }

    fn interface_methods(&self, item: usize, interfaces: &Interfaces) -> Vec<Method> {
        let inherited = interfaces.get(&item).into_iter().flatten();
        inherited
            .map(|method| {
                let interface = (method.interface != item).then(|| self.scope.qualified(method.interface));
                Method { interface, ..method.template.method.clone() }
            })
            .collect()
    }
}
