//! Services, and what they include.
//!
//! Invariants: the methods of an interface are compared once, however many services include it; a method that is gone
//! is told once too, where its interface or its service is.

use std::collections::{HashMap, HashSet};

use super::collector::{Allowed, Collector};
use super::fields::since_changed;
use super::finding::Finding;
use super::methods::check_method;
use super::pairing::{Pairing, pair_services};
use super::rule::Rule;
use crate::schema::{Interface, Location, Method, PackageId, Role, Schema, Service};

/// Compares all services of the old schema with what they became.
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
            package.services.iter().for_each(|service| services.gone(service, None));
            continue;
        };
        for (old, found) in pair_services(package, new) {
            match found {
                Some(found) => services.pair(old, found),
                None => services.gone(old, Some(&new.location)),
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
    /// Methods of interfaces that were compared: the old interface, the new one, the name.
    compared: HashSet<(&'p str, &'p str, &'p str)>,
    /// Methods of interfaces that were told to be gone.
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
    fn gone(&mut self, old: &Service, package: Option<&Location>) {
        let finding = Finding::new(Rule::ServiceNoDelete, format!("service `{}` is gone", old.name))
            .was(&old.location, "was here");
        let finding = match package {
            Some(location) => finding.at(location, format!("no `{}` in this package", old.name)),
            None => finding,
        };
        self.collector.report(&Allowed::default(), finding);
    }

    fn pair(&mut self, old: &'p Service, new: &'p Service) {
        let allowed = Allowed::default().inside(&new.attributes);
        if old.wire_name() != new.wire_name() {
            let message = format!("service `{}` has another name on the wire", old.name);
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
        for (side, (gone, came)) in sides.into_iter().zip(rests) {
            self.rest(side, gone, came);
            self.reserved(side, &allowed);
        }
    }

    /// Compares the methods that kept their names; gives back those that are left over on either side.
    fn same_names(&mut self, side: Side<'p>) -> (Vec<&'p Method>, Vec<&'p Method>) {
        let mut by_wire: HashMap<&str, &'p Method> =
            side.methods(side.new).iter().map(|method| (method.wire_name(), method)).collect();
        let mut gone = Vec::new();
        for old in side.methods(side.old) {
            match by_wire.remove(old.wire_name()) {
                Some(new) => self.compare(side, old, new),
                None => gone.push(old),
            }
        }
        let came = side.methods(side.new).iter();
        let came = came.filter(|method| by_wire.contains_key(method.wire_name())).collect();
        (gone, came)
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

    /// Methods that are on the other side now.
    fn moved(&mut self, sides: &[Side<'p>; 2], rests: &mut [(Vec<&'p Method>, Vec<&'p Method>); 2]) {
        let [(server_gone, server_came), (client_gone, client_came)] = rests;
        let [server, client] = sides;
        self.crossed(*server, server_gone, client_came);
        self.crossed(*client, client_gone, server_came);
    }

    fn crossed(&mut self, side: Side<'p>, gone: &mut Vec<&'p Method>, came: &mut Vec<&'p Method>) {
        let candidates: HashMap<&str, &'p Method> =
            came.iter().map(|method| (method.wire_name(), *method)).collect();
        let reserved: HashSet<&str> = side.reserved(side.new).iter().map(String::as_str).collect();
        let mut crossed = HashSet::new();
        gone.retain(|old| {
            let name = old.wire_name();
            let Some(new) = candidates.get(name).filter(|_| !reserved.contains(name)) else { return true };
            let (was, is) = match side.role {
                Role::Server => ("server", "client"),
                Role::Client => ("client", "server"),
            };
            let message = format!("method `{}` of `{}` is served by the other side", new.name, side.new.name);
            let finding = Finding::new(Rule::MethodSameRole, message)
                .at(&new.location, format!("served by the {is} now"))
                .was(&old.location, format!("served by the {was} before"));
            let allowed = Allowed::default().inside(&side.new.attributes).inside(&new.attributes);
            self.collector.report(&allowed, finding);
            crossed.insert(name);
            false
        });
        came.retain(|method| !crossed.contains(method.wire_name()));
    }

    /// What is left over: reserved, renamed, gone, or new.
    fn rest(&mut self, side: Side<'p>, gone: Vec<&'p Method>, mut came: Vec<&'p Method>) {
        let reserved = self.all_reserved(side);
        let (reserved, gone): (Vec<_>, Vec<_>) =
            gone.into_iter().partition(|method| reserved.contains(method.wire_name()));
        for method in reserved {
            self.deleted_properly(side, method);
        }
        let gone = self.without_includes(side, gone);
        let gone = self.renamed(side, gone, &mut came);
        for method in gone {
            self.deleted(side, method);
        }
        for method in came {
            let finding = Finding::new(
                Rule::MethodAdded,
                format!("method `{}` of `{}` is new", method.name, side.new.name),
            )
            .at(&method.location, "added here")
            .was(&side.old.location, format!("without `{}` here", method.name));
            let allowed = Allowed::default().inside(&side.new.attributes).inside(&method.attributes);
            self.collector.report(&allowed, finding);
        }
    }

    /// Names reserved by one side of the new service, and by all that it includes.
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

    fn deleted_properly(&mut self, side: Side<'p>, old: &'p Method) {
        if old.attributes.deprecated.is_some() || !self.first_told(old) {
            return;
        }
        let message = format!("method `{}` of `{}` is gone without notice", old.name, side.new.name);
        let finding = Finding::new(Rule::DeprecatedBeforeDelete, message)
            .at(self.container(side, old), "reserved now")
            .was(&old.location, "not deprecated here");
        self.collector.report(&Allowed::default().inside(&side.new.attributes), finding);
    }

    fn deleted(&mut self, side: Side<'p>, old: &'p Method) {
        if !self.first_told(old) {
            return;
        }
        let message = format!("method `{}` of `{}` is gone, and its name is free", old.name, side.new.name);
        let finding = Finding::new(Rule::MethodNoDeleteUnlessReserved, message)
            .at(self.container(side, old), format!("no `{}` here", old.name))
            .was(&old.location, "was here")
            .help(format!("reserve its name: `reserved fn \"{}\";`", old.wire_name()));
        self.collector.report(&Allowed::default().inside(&side.new.attributes), finding);
    }

    /// Whether this is the first service that is found to lack a method of an interface.
    fn first_told(&mut self, old: &'p Method) -> bool {
        old.interface.as_deref().is_none_or(|interface| self.deleted.insert((interface, &old.name)))
    }

    /// Where a method was kept.
    fn container(&self, side: Side<'p>, old: &Method) -> &'p Location {
        let interface = old.interface.as_ref().and_then(|name| self.new_interfaces.get(name));
        interface.map_or(&side.new.location, |interface| &interface.location)
    }

    /// Tells the includes that are gone, and gives back the methods that are gone for another reason.
    fn without_includes(&mut self, side: Side<'p>, gone: Vec<&'p Method>) -> Vec<&'p Method> {
        let kept: HashSet<&str> = side.includes(side.new).iter().map(String::as_str).collect();
        let mut rest = gone;
        for include in side.includes(side.old).iter().filter(|include| !kept.contains(include.as_str())) {
            let Some(interface) = self.old_interfaces.get(include.as_str()) else { continue };
            let names: HashSet<&str> = interface.methods.iter().map(|method| method.name.as_str()).collect();
            let before = rest.len();
            rest.retain(|method| method.interface.is_none() || !names.contains(method.name.as_str()));
            if rest.len() == before {
                continue;
            }
            let message = format!("`{}` does not include `{}` any more", side.new.name, interface.name);
            let finding = Finding::new(Rule::IncludeNoDelete, message)
                .at(&side.new.location, format!("without `{}` now", interface.name))
                .was(&side.old.location, format!("with `{}` before", interface.name))
                .help(format!("keep `include {};`", interface.name));
            self.collector.report(&Allowed::default().inside(&side.new.attributes), finding);
        }
        rest
    }

    /// Tells the methods that have another name on the wire; gives back those that are gone.
    fn renamed(
        &mut self,
        side: Side<'p>,
        gone: Vec<&'p Method>,
        came: &mut Vec<&'p Method>,
    ) -> Vec<&'p Method> {
        let mut gone = gone;
        let keys: [fn(&Schema, &Method) -> String; 2] =
            [|_, method| method.name.clone(), super::methods::signature];
        for key in keys {
            let mut candidates: HashMap<String, Vec<&'p Method>> = HashMap::new();
            for method in came.iter() {
                candidates.entry(key(self.pairing.new, method)).or_default().push(method);
            }
            let mut askers: HashMap<String, usize> = HashMap::new();
            for method in &gone {
                *askers.entry(key(self.pairing.old, method)).or_default() += 1;
            }
            let mut rest = Vec::new();
            let mut taken = HashSet::new();
            for old in gone {
                let key = key(self.pairing.old, old);
                match (candidates.get(&key).map(Vec::as_slice), askers.get(&key)) {
                    (Some([new]), Some(1)) => {
                        taken.insert(new.id);
                        self.another_id(side, old, new);
                    }
                    _ => rest.push(old),
                }
            }
            came.retain(|method| !taken.contains(&method.id));
            gone = rest;
        }
        gone
    }

    fn another_id(&mut self, side: Side<'p>, old: &'p Method, new: &'p Method) {
        if self.first_told(old) {
            let message =
                format!("method `{}` of `{}` has another name on the wire", old.name, side.new.name);
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
            let message = format!("`reserved fn \"{name}\"` of `{}` is gone", side.new.name);
            let finding =
                Finding::new(Rule::ReservedNoDelete, message).was(&side.old.location, "reserved in here");
            let finding = match methods.get(name.as_str()) {
                Some(method) => finding.at(&method.location, "used again here"),
                None => finding.at(&side.new.location, "not reserved in here"),
            };
            self.collector.report(allowed, finding);
        }
    }
}
