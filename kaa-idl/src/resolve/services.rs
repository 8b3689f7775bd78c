//! Resolves services: the methods of both sides, with their ids.
//!
//! Invariants: names are unique within a side: as written, on the wire and in Rust. Ids are unique within a
//! service.

use std::collections::{HashMap, HashSet};

use super::attributes::Target;
use super::data::docs;
use super::includes::Interfaces;
use super::members::{Casing, Member as NamedMember, Names};
use super::methods::Template;
use super::resolver::Resolver;
use super::scope::Entry;
use crate::ast::{Include, ItemKind, Member};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::ids::method_id;
use crate::schema::{Method, Role, Service, ServiceTable};

/// A service, with the data that the checks of names need.
#[derive(Debug)]
pub(super) struct ResolvedService<'a> {
    pub(super) entry: Entry<'a>,
    pub(super) service: Service,
    /// For each method, first of the server and then of the client: where the name of its options struct
    /// comes from.
    pub(super) options: Vec<Place>,
}

/// One side of a service.
#[derive(Debug, Default)]
struct Side {
    methods: Vec<(Method, Place)>,
    options: Vec<Place>,
    includes: Vec<String>,
}

impl<'a> Resolver<'a> {
    /// Resolves all services.
    pub(super) fn resolve_services(&mut self, interfaces: &Interfaces) -> Vec<ResolvedService<'a>> {
        self.check_interfaces(interfaces);
        let mut services = Vec::new();
        for item in 0..self.scope.entries.len() {
            let Some(entry) = self.scope.entry(item) else { continue };
            if let ItemKind::Service(members) = &entry.item.kind {
                services.push(self.service(entry, members, interfaces));
            }
        }
        services
    }

    /// Checks the names of an interface where it is declared, whether or not a service includes it.
    fn check_interfaces(&mut self, interfaces: &Interfaces) {
        let mut items: Vec<&usize> = interfaces.keys().collect();
        items.sort_unstable();
        for item in items {
            let Some(entry) = self.scope.entry(*item) else { continue };
            let ItemKind::Interface(members) = &entry.item.kind else { continue };
            let mut names = self.side_names(entry.file, members);
            for method in interfaces.get(item).into_iter().flatten() {
                let place = self.place(method.template.file, method.template.name.span);
                self.add_method_name(&mut names, &method.template, place);
            }
        }
    }

    fn service(
        &mut self,
        entry: Entry<'a>,
        members: &'a [Member],
        interfaces: &Interfaces,
    ) -> ResolvedService<'a> {
        let item = entry.item;
        let parsed = self.attributes(entry.file, &item.attributes, Target::Service);
        let selector = parsed.schema_selector();
        let wire = selector.as_deref().unwrap_or(&item.name.text);
        let qualified = format!("{}.{wire}", self.scope.package_name(entry.package));
        let client_members = self.client_members(entry.file, members);
        let server = self.side(entry.file, members, interfaces, &qualified, Role::Server);
        let client = self.side(entry.file, client_members, interfaces, &qualified, Role::Client);
        self.check_ids(server.methods.iter().chain(&client.methods));
        let options = server.options.into_iter().chain(client.options).collect();
        let service = Service {
            name: item.name.text.clone(),
            selector,
            docs: docs(&item.docs),
            attributes: parsed.attributes,
            server: methods(server.methods),
            client: methods(client.methods),
            server_includes: server.includes,
            client_includes: client.includes,
            server_reserved: reserved_names(members),
            client_reserved: reserved_names(client_members),
            fingerprint: [0; 32],
            table: ServiceTable::default(),
            location: self.scope.location(entry.file, item.name.span),
        };
        ResolvedService { entry, service, options }
    }

    /// The members of the one `client` block.
    fn client_members(&mut self, file: usize, members: &'a [Member]) -> &'a [Member] {
        let mut first: Option<(&'a [Member], Place)> = None;
        for member in members {
            let Member::Client { span, members } = member else { continue };
            let place = self.place(file, *span);
            for inner in members {
                if let Member::Client { span, .. } = inner {
                    let message = "`client` block inside a `client` block";
                    let place = self.place(file, *span);
                    self.report(Diagnostic::error(Code::ClientMisplaced, message, place, "not allowed here"));
                }
            }
            match &first {
                None => first = Some((members, place)),
                Some((_, before)) => {
                    let diagnostic = Diagnostic::error(
                        Code::ClientMisplaced,
                        "a service can have only one `client` block",
                        place,
                        "the second",
                    )
                    .with_label(before.clone(), "the first");
                    self.report(diagnostic.with_help("put all methods of the client in one block"));
                }
            }
        }
        first.map_or(&[], |(members, _)| members)
    }

    fn side(
        &mut self,
        file: usize,
        members: &'a [Member],
        interfaces: &Interfaces,
        service: &str,
        role: Role,
    ) -> Side {
        let mut side = Side::default();
        let mut names = self.side_names(file, members);
        let mut included: HashMap<usize, Place> = HashMap::new();
        let mut taken: HashSet<(usize, String)> = HashSet::new();
        for member in members {
            match member {
                Member::Function(function) => {
                    let template = self.method(file, function);
                    let place = self.place(file, template.name.span);
                    self.add_method_name(&mut names, &template, place);
                    self.push(&mut side, &template, None, service, role);
                }
                Member::Include(include) => {
                    let Some(target) = self.include_target(file, include) else { continue };
                    if !self.first_include(file, include, target, &mut included) {
                        continue;
                    }
                    side.includes.push(self.scope.qualified(target));
                    let inherited = interfaces.get(&target).map(Vec::as_slice).unwrap_or_default();
                    if !self.count_flattened(file, include, inherited.len()) {
                        break;
                    }
                    for method in inherited {
                        let template = &method.template;
                        if !taken.insert((method.interface, template.method.name.clone())) {
                            continue;
                        }
                        let place = self.place(file, include.path.span);
                        self.add_method_name(&mut names, template, place);
                        let interface = self.scope.qualified(method.interface);
                        self.push(&mut side, template, Some(interface), service, role);
                    }
                }
                Member::ReservedFunction(_) | Member::Client { .. } => {}
            }
        }
        side
    }

    fn side_names(&mut self, file: usize, members: &[Member]) -> Names {
        let mut names = Names::new("method", Casing::Snake);
        for member in members {
            if let Member::ReservedFunction(name) = member {
                names.reserve(&name.text, self.place(file, name.span));
            }
        }
        names
    }

    fn first_include(
        &mut self,
        file: usize,
        include: &Include,
        target: usize,
        included: &mut HashMap<usize, Place>,
    ) -> bool {
        let place = self.place(file, include.path.span);
        let Some(first) = included.get(&target) else {
            included.insert(target, place);
            return true;
        };
        let message = format!("`{}` is included twice", include.path.text());
        let diagnostic = Diagnostic::error(Code::DuplicateMember, message, place, "included again here")
            .with_label(first.clone(), "first included here");
        self.report(diagnostic);
        false
    }

    fn add_method_name(&mut self, names: &mut Names, template: &Template, place: Place) {
        let own = self.place(template.file, template.name.span);
        let selector = template.selector.as_ref().map(|(text, span)| {
            let selector = self.place(template.file, *span);
            (text.as_str(), if place == own { selector } else { place.clone() })
        });
        let diagnostic = names.add(&NamedMember { name: &template.name, place, selector });
        self.diagnostics.extend(diagnostic);
    }

    fn push(
        &mut self,
        side: &mut Side,
        template: &Template,
        interface: Option<String>,
        service: &str,
        role: Role,
    ) {
        let place = self.place(template.file, template.name.span);
        let id = method_id(service, role, template.method.wire_name());
        let method = Method { id, role, interface, ..template.method.clone() };
        side.options.push(self.place(template.file, template.options));
        side.methods.push((method, place));
    }

    fn check_ids<'m>(&mut self, methods: impl Iterator<Item = &'m (Method, Place)>) {
        let mut seen: HashMap<u32, &(Method, Place)> = HashMap::new();
        for entry in methods {
            let (method, place) = entry;
            let Some((first, first_place)) = seen.insert(method.id, entry) else { continue };
            // A repeated name was already reported.
            if first.wire_name() == method.wire_name() && first.role == method.role {
                continue;
            }
            let message = format!(
                "`{}` and `{}` have the same id, {:#010x}",
                first.wire_name(),
                method.wire_name(),
                method.id
            );
            self.diagnostics.push(
                Diagnostic::error(Code::MethodIdCollision, message, place.clone(), "the second")
                    .with_label(first_place.clone(), "the first")
                    .with_help("give one of them a different name on the wire with `#[selector(\"…\")]`"),
            );
        }
    }
}

/// The methods without their places, in a list of exact capacity.
fn methods(placed: Vec<(Method, Place)>) -> Vec<Method> {
    let mut methods: Vec<Method> = placed.into_iter().map(|(method, _)| method).collect();
    methods.shrink_to_fit();
    methods
}

/// The names that `reserved fn` members reserve.
pub(super) fn reserved_names(members: &[Member]) -> Vec<String> {
    let reserved = members.iter().filter_map(|member| match member {
        Member::ReservedFunction(name) => Some(name.text.clone()),
        _ => None,
    });
    reserved.collect()
}
