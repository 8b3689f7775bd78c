//! Compares services, and the interfaces that they include.
//!
//! Invariants: the methods of an interface are compared once, however many services include it. A deleted
//! method is also reported once, at its interface or its service.

use std::collections::{HashMap, HashSet};

use super::collector::{Allowed, Collector};
use super::fields::since_changed;
use super::finding::Finding;
use super::methods::check_method;
use super::pairing::{Pairing, pair_services};
use super::rule::Rule;
use crate::schema::{Interface, Location, Method, PackageId, Role, Schema, Service};

/// Compares all services of the old schema with their new versions.
pub(super) fn check(pairing: &Pairing<'_>, collector: &mut Collector<'_>) {
    let mut services = Services {
        pairing,
        collector,
        old_interfaces: interfaces(pairing.old),
        new_interfaces: interfaces(pairing.new),
        compared: HashSet::new(),
        deleted: HashSet::new(),
    };
    for (index, package) in pairing.old.packages.iter().enumerate() {
        let Some((_, new)) = pairing.package(PackageId(index)) else {
            package.services.iter().for_each(|service| services.deleted_service(service, None));
            continue;
        };
        for (old, found) in pair_services(package, new) {
            match found {
                Some(found) => services.pair(old, found),
                None => services.deleted_service(old, Some(&new.location)),
            }
        }
    }
}

fn interfaces(schema: &Schema) -> HashMap<String, &Interface> {
    let all = schema.packages.iter().flat_map(|package| {
        package
            .interfaces
            .iter()
            .map(move |interface| (format!("{}.{}", package.name, interface.name), interface))
    });
    all.collect()
}

struct Services<'c, 's, 'p> {
    pairing: &'c Pairing<'p>,
    collector: &'c mut Collector<'s>,
    old_interfaces: HashMap<String, &'p Interface>,
    new_interfaces: HashMap<String, &'p Interface>,
    /// Compared methods of interfaces: the old interface, the new one, the name.
    compared: HashSet<(&'p str, &'p str, &'p str)>,
    /// Methods of interfaces that were reported as deleted.
    deleted: HashSet<(&'p str, &'p str)>,
}

/// One side of a service in both schemas.
#[derive(Clone, Copy)]
struct Side<'p> {
    role: Role,
    old: &'p Service,
    new: &'p Service,
}

impl<'p> Side<'p> {
    fn methods(self, service: &'p Service) -> &'p [Method] {
        if self.role == Role::Server { &service.server } else { &service.client }
    }

    fn includes(self, service: &'p Service) -> &'p [String] {
        if self.role == Role::Server { &service.server_includes } else { &service.client_includes }
    }

    fn reserved(self, service: &'p Service) -> &'p [String] {
        if self.role == Role::Server { &service.server_reserved } else { &service.client_reserved }
    }
}

impl<'p> Services<'_, '_, 'p> {
    fn deleted_service(&mut self, old: &Service, package: Option<&Location>) {
        let finding = Finding::new(Rule::ServiceNoDelete, format!("service `{}` was deleted", old.name))
            .was(&old.location, "defined here");
        let finding = match package {
            Some(location) => finding.at(location, format!("no `{}` in this package", old.name)),
            None => finding,
        };
        self.collector.report(&Allowed::default(), finding);
    }

    fn pair(&mut self, old: &'p Service, new: &'p Service) {
        let allowed = Allowed::default().inside(&new.attributes);
        if old.wire_name() != new.wire_name() {
            let message = format!("service `{}` has a different name on the wire", old.name);
            let finding = Finding::new(Rule::ServiceSameName, message)
                .at(&new.location, format!("`{}` now", new.wire_name()))
                .was(&old.location, format!("`{}` before", old.wire_name()))
                .help(format!("keep the name on the wire: `#[selector(\"{}\")]`", old.wire_name()));
            self.collector.report(&allowed, finding);
        }
        if old.attributes.since != new.attributes.since {
            let since = (old.attributes.since, &old.location);
            let what = format!("service `{}`", new.name);
            self.collector
                .report(&allowed, since_changed(&what, since, (new.attributes.since, &new.location)));
        }
        let sides = [Side { role: Role::Server, old, new }, Side { role: Role::Client, old, new }];
        let mut rests = sides.map(|side| self.same_names(side));
        self.moved(&sides, &mut rests);
        for (side, (deleted, added)) in sides.into_iter().zip(rests) {
            self.rest(side, deleted, added);
            self.reserved(side, &allowed);
        }
    }

    /// Compares the methods with equal names. Returns the remaining old and new methods.
    fn same_names(&mut self, side: Side<'p>) -> (Vec<&'p Method>, Vec<&'p Method>) {
        let mut by_wire: HashMap<&str, &'p Method> =
            side.methods(side.new).iter().map(|method| (method.wire_name(), method)).collect();
        let mut deleted = Vec::new();
        for old in side.methods(side.old) {
            match by_wire.remove(old.wire_name()) {
                Some(new) => self.compare(side, old, new),
                None => deleted.push(old),
            }
        }
        let added = side.methods(side.new).iter();
        let added = added.filter(|method| by_wire.contains_key(method.wire_name())).collect();
        (deleted, added)
    }

    fn compare(&mut self, side: Side<'p>, old: &'p Method, new: &'p Method) {
        let service_allowed = Allowed::default().inside(&side.new.attributes);
        let (owner, allowed) = match &new.interface {
            Some(name) => {
                let was = old.interface.as_deref().unwrap_or_default();
                if !self.compared.insert((was, name, &new.name)) {
                    return;
                }
                match self.new_interfaces.get(name) {
                    Some(interface) => {
                        (interface.name.as_str(), service_allowed.inside(&interface.attributes))
                    }
                    None => (side.new.name.as_str(), service_allowed),
                }
            }
            None => (side.new.name.as_str(), service_allowed),
        };
        let allowed = allowed.inside(&new.attributes);
        check_method(self.pairing, self.collector, &allowed, owner, (old, new));
    }

    /// Reports the methods that moved to the other side.
    fn moved(&mut self, sides: &[Side<'p>; 2], rests: &mut [(Vec<&'p Method>, Vec<&'p Method>); 2]) {
        let [(server_deleted, server_added), (client_deleted, client_added)] = rests;
        let [server, client] = sides;
        self.report_switched(*server, server_deleted, client_added);
        self.report_switched(*client, client_deleted, server_added);
    }

    fn report_switched(
        &mut self,
        side: Side<'p>,
        deleted: &mut Vec<&'p Method>,
        added: &mut Vec<&'p Method>,
    ) {
        let candidates: HashMap<&str, &'p Method> =
            added.iter().map(|method| (method.wire_name(), *method)).collect();
        let reserved: HashSet<&str> = side.reserved(side.new).iter().map(String::as_str).collect();
        let mut switched = HashSet::new();
        deleted.retain(|old| {
            let name = old.wire_name();
            let Some(new) = candidates.get(name).filter(|_| !reserved.contains(name)) else { return true };
            let (was, is) = match side.role {
                Role::Server => ("server", "client"),
                Role::Client => ("client", "server"),
            };
            let message = format!("method `{}` of `{}` moved to the other side", new.name, side.new.name);
            let finding = Finding::new(Rule::MethodSameRole, message)
                .at(&new.location, format!("served by the {is} now"))
                .was(&old.location, format!("served by the {was} before"));
            let allowed = Allowed::default().inside(&side.new.attributes).inside(&new.attributes);
            self.collector.report(&allowed, finding);
            switched.insert(name);
            false
        });
        added.retain(|method| !switched.contains(method.wire_name()));
    }

    /// Reports the remaining methods: reserved, renamed, deleted or added.
    fn rest(&mut self, side: Side<'p>, deleted: Vec<&'p Method>, mut added: Vec<&'p Method>) {
        let reserved = self.all_reserved(side);
        let (reserved, deleted): (Vec<_>, Vec<_>) =
            deleted.into_iter().partition(|method| reserved.contains(method.wire_name()));
        for method in reserved {
            self.deleted_and_reserved(side, method);
        }
        let deleted = self.without_includes(side, deleted);
        let deleted = self.renamed(side, deleted, &mut added);
        for method in deleted {
            self.deleted(side, method);
        }
        for method in added {
            let finding = Finding::new(
                Rule::MethodAdded,
                format!("method `{}` of `{}` was added", method.name, side.new.name),
            )
            .at(&method.location, "added here")
            .was(&side.old.location, format!("no method `{}` here", method.name));
            let allowed = Allowed::default().inside(&side.new.attributes).inside(&method.attributes);
            self.collector.report(&allowed, finding);
        }
    }

    /// The names that one side of the new service reserves, including its interfaces.
    fn all_reserved(&self, side: Side<'p>) -> HashSet<&'p str> {
        let mut names: HashSet<&str> = side.reserved(side.new).iter().map(String::as_str).collect();
        let mut seen = HashSet::new();
        let mut work: Vec<&str> = side.includes(side.new).iter().map(String::as_str).collect();
        while let Some(name) = work.pop() {
            let Some(interface) = self.new_interfaces.get(name).filter(|_| seen.insert(name)) else {
                continue;
            };
            names.extend(interface.reserved.iter().map(String::as_str));
            work.extend(interface.includes.iter().map(String::as_str));
        }
        names
    }

    fn deleted_and_reserved(&mut self, side: Side<'p>, old: &'p Method) {
        if old.attributes.deprecated.is_some() || !self.is_first_report(old) {
            return;
        }
        let message = format!(
            "method `{}` of `{}` was deleted without being deprecated first",
            old.name, side.new.name
        );
        let finding = Finding::new(Rule::DeprecatedBeforeDelete, message)
            .at(self.container(side, old), "reserved now")
            .was(&old.location, "not deprecated here");
        self.collector.report(&Allowed::default().inside(&side.new.attributes), finding);
    }

    fn deleted(&mut self, side: Side<'p>, old: &'p Method) {
        if !self.is_first_report(old) {
            return;
        }
        let message =
            format!("method `{}` of `{}` was deleted, but its name is not reserved", old.name, side.new.name);
        let finding = Finding::new(Rule::MethodNoDeleteUnlessReserved, message)
            .at(self.container(side, old), format!("no `{}` here", old.name))
            .was(&old.location, "defined here")
            .help(format!("reserve its name: `reserved fn \"{}\";`", old.wire_name()));
        self.collector.report(&Allowed::default().inside(&side.new.attributes), finding);
    }

    /// Whether the deletion of a method was not reported yet. Several services can include the method.
    fn is_first_report(&mut self, old: &'p Method) -> bool {
        old.interface.as_deref().is_none_or(|interface| self.deleted.insert((interface, &old.name)))
    }

    /// The new interface or service of a deleted method.
    fn container(&self, side: Side<'p>, old: &Method) -> &'p Location {
        let interface = old.interface.as_ref().and_then(|name| self.new_interfaces.get(name));
        interface.map_or(&side.new.location, |interface| &interface.location)
    }

    /// Reports the deleted includes. Returns the methods that were deleted for a different reason.
    fn without_includes(&mut self, side: Side<'p>, deleted: Vec<&'p Method>) -> Vec<&'p Method> {
        let kept: HashSet<&str> = side.includes(side.new).iter().map(String::as_str).collect();
        let mut rest = deleted;
        for include in side.includes(side.old).iter().filter(|include| !kept.contains(include.as_str())) {
            let Some(interface) = self.old_interfaces.get(include.as_str()) else { continue };
            let names: HashSet<&str> = interface.methods.iter().map(|method| method.name.as_str()).collect();
            let before = rest.len();
            rest.retain(|method| method.interface.is_none() || !names.contains(method.name.as_str()));
            if rest.len() == before {
                continue;
            }
            let message = format!("`{}` no longer includes `{}`", side.new.name, interface.name);
            let finding = Finding::new(Rule::IncludeNoDelete, message)
                .at(&side.new.location, format!("does not include `{}` now", interface.name))
                .was(&side.old.location, format!("included `{}` before", interface.name))
                .help(format!("keep `include {};`", interface.name));
            self.collector.report(&Allowed::default().inside(&side.new.attributes), finding);
        }
        rest
    }

    /// Reports the methods with a different name on the wire. Returns the deleted ones.
    fn renamed(
        &mut self,
        side: Side<'p>,
        deleted: Vec<&'p Method>,
        added: &mut Vec<&'p Method>,
    ) -> Vec<&'p Method> {
        let mut deleted = deleted;
        let keys: [fn(&Schema, &Method) -> String; 2] =
            [|_, method| method.name.clone(), super::methods::signature];
        for key in keys {
            let mut candidates: HashMap<String, Vec<&'p Method>> = HashMap::new();
            for method in added.iter() {
                candidates.entry(key(self.pairing.new, method)).or_default().push(method);
            }
            let mut unpaired: HashMap<String, usize> = HashMap::new();
            for method in &deleted {
                *unpaired.entry(key(self.pairing.old, method)).or_default() += 1;
            }
            let mut rest = Vec::new();
            let mut taken = HashSet::new();
            for old in deleted {
                let key = key(self.pairing.old, old);
                match (candidates.get(&key).map(Vec::as_slice), unpaired.get(&key)) {
                    (Some([new]), Some(1)) => {
                        taken.insert(new.id);
                        self.renamed_on_wire(side, old, new);
                    }
                    _ => rest.push(old),
                }
            }
            added.retain(|method| !taken.contains(&method.id));
            deleted = rest;
        }
        deleted
    }

    fn renamed_on_wire(&mut self, side: Side<'p>, old: &'p Method, new: &'p Method) {
        if self.is_first_report(old) {
            let message =
                format!("method `{}` of `{}` has a different name on the wire", old.name, side.new.name);
            let finding = Finding::new(Rule::MethodSameId, message)
                .at(&new.location, format!("`{}` now", new.wire_name()))
                .was(&old.location, format!("`{}` before", old.wire_name()))
                .help(format!("keep the name on the wire: `#[selector(\"{}\")]`", old.wire_name()));
            let allowed = Allowed::default().inside(&side.new.attributes).inside(&new.attributes);
            self.collector.report(&allowed, finding);
        }
        self.compare(side, old, new);
    }

    fn reserved(&mut self, side: Side<'p>, allowed: &Allowed<'p>) {
        let kept = self.all_reserved(side);
        let methods: HashMap<&str, &Method> =
            side.methods(side.new).iter().map(|method| (method.wire_name(), method)).collect();
        for name in side.reserved(side.old).iter().filter(|name| !kept.contains(name.as_str())) {
            let message = format!("`reserved fn \"{name}\"` of `{}` was deleted", side.new.name);
            let finding =
                Finding::new(Rule::ReservedNoDelete, message).was(&side.old.location, "reserved here");
            let finding = match methods.get(name.as_str()) {
                Some(method) => finding.at(&method.location, "used again here"),
                None => finding.at(&side.new.location, "no longer reserved"),
            };
            self.collector.report(allowed, finding);
        }
    }
}
