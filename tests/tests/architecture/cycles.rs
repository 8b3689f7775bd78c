//! Files that import each other.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::exceptions::{Fault, Kind};
use crate::imports::Import;

/// For each file the files it imports, with one import as a witness.
type Graph<'a> = BTreeMap<&'a str, BTreeMap<&'a str, &'a Import>>;

/// One fault for each set of files in which every file reaches every other.
pub(crate) fn faults(name: &str, imports: &[Import]) -> Vec<Fault> {
    let graph = graph(imports);
    let folder = format!("{name}/src/");
    components(&graph)
        .into_iter()
        .map(|files| {
            let short: Vec<_> = files.iter().map(|file| file.trim_start_matches(&folder)).collect();
            let list = short.join(" ");
            let mut report =
                format!("{name}: {} files import each other: {list}\n  a shortest loop:", files.len());
            for import in shortest_loop(&graph, &files) {
                report += &format!("\n    {}:{} imports {}", import.from, import.line, import.item);
            }
            Fault { kind: Kind::Cycle, key: format!("{name}: {list}"), count: 1, report }
        })
        .collect()
}

fn graph(imports: &[Import]) -> Graph<'_> {
    let mut graph = Graph::new();
    for import in imports.iter().filter(|import| !import.is_reexport) {
        graph.entry(&import.from).or_default().entry(&import.to).or_insert(import);
    }
    graph
}

fn reachable<'a>(graph: &Graph<'a>, from: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open = vec![from];
    while let Some(file) = open.pop() {
        for next in graph.get(file).into_iter().flat_map(BTreeMap::keys) {
            if found.insert(*next) {
                open.push(next);
            }
        }
    }
    found
}

fn components<'a>(graph: &Graph<'a>) -> Vec<BTreeSet<&'a str>> {
    let reach: BTreeMap<&str, BTreeSet<&str>> =
        graph.keys().map(|file| (*file, reachable(graph, file))).collect();
    let mut components = BTreeSet::new();
    for (file, files) in &reach {
        let mutual = |other: &&str| reach.get(other).is_some_and(|back| back.contains(file));
        let component: BTreeSet<&str> = files.iter().copied().filter(mutual).collect();
        if !component.is_empty() {
            components.insert(component);
        }
    }
    components.into_iter().collect()
}

fn shortest_loop<'a>(graph: &Graph<'a>, files: &BTreeSet<&'a str>) -> Vec<&'a Import> {
    let loops = files.iter().filter_map(|file| loop_through(graph, file));
    loops.min_by_key(Vec::len).unwrap_or_default()
}

fn loop_through<'a>(graph: &Graph<'a>, start: &str) -> Option<Vec<&'a Import>> {
    let mut ways: BTreeMap<&str, Vec<&Import>> = BTreeMap::new();
    let mut open = VecDeque::from([(start, Vec::new())]);
    while let Some((file, way)) = open.pop_front() {
        for (next, import) in graph.get(file).into_iter().flatten() {
            let mut way = way.clone();
            way.push(*import);
            if *next == start {
                return Some(way);
            }
            if !ways.contains_key(next) {
                ways.insert(next, way.clone());
                open.push_back((next, way));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::faults;
    use crate::imports::imports;
    use crate::modules::Crate;
    use crate::tree::Files;

    fn reports(sources: &[(&str, &str)]) -> Vec<String> {
        let files: Files =
            sources.iter().map(|(file, text)| (format!("x/src/{file}"), (*text).to_owned())).collect();
        let modules = Crate::read("x/src/lib.rs", &files).unwrap();
        faults("x", &imports(&modules)).into_iter().map(|fault| fault.report).collect()
    }

    #[test]
    fn cycle_through_reexports_and_super_super_is_found() {
        let found = reports(&[
            ("lib.rs", "mod codec; mod shop; pub use shop::Order;"),
            ("shop/mod.rs", "mod order; pub(crate) mod price; pub use order::Order; pub use price::*;"),
            ("shop/order.rs", "use super::super::{codec::{Encoder as Out}};\npub struct Order(Out);"),
            ("shop/price.rs", "pub struct Price;"),
            ("codec.rs", "use crate::shop::Price;\n\npub struct Encoder(Price);\nfn f(_: crate::Order) {}"),
        ]);
        let [report] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(
            report,
            "x: 2 files import each other: codec.rs shop/order.rs\n  a shortest loop:\n    \
             x/src/codec.rs:4 imports crate::Order\n    \
             x/src/shop/order.rs:1 imports super::super::codec::Encoder"
        );
    }

    #[test]
    fn glob_imports_count_by_the_names_in_use() {
        let order = ("order.rs", "use crate::price::*;\npub struct Order(Price);");
        let plain = ("price.rs", "pub struct Price;\npub fn f() {}");
        let cyclic = ("price.rs", "pub struct Price;\npub fn f() -> crate::order::Order { todo!() }");
        let root = ("lib.rs", "mod order; mod price;");
        assert!(reports(&[root, order, plain]).is_empty());
        assert_eq!(reports(&[root, order, cyclic]).len(), 1);
        let unused = ("order.rs", "use crate::price::*;\npub struct Order;");
        assert!(reports(&[root, unused, cyclic]).is_empty());
    }

    #[test]
    fn paths_through_an_imported_module_are_followed() {
        let found = reports(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b;\npub struct A;\nfn f() -> b::B { b::B }"),
            ("b.rs", "mod inner { use super::super::a::A; }\npub struct B;"),
        ]);
        assert_eq!(found.len(), 1, "{found:?}");
    }

    #[test]
    fn plain_reexports_tests_and_quoted_code_are_no_imports() {
        let found = reports(&[
            ("lib.rs", "mod shop; #[cfg(test)] mod tests;"),
            (
                "shop.rs",
                "mod order; pub use order::Order; pub struct Price; #[cfg(test)] mod t { use super::Order; }",
            ),
            (
                "shop/order.rs",
                "use super::Price;\npub struct Order(Price);\nfn f() { quote! { super::Order } }",
            ),
        ]);
        assert!(found.is_empty(), "{found:?}");
        // Named in the file's own code, the same `pub use` is an import.
        let found = reports(&[
            ("lib.rs", "mod shop;"),
            ("shop.rs", "mod order; pub use order::Order; pub struct Price;\nfn f(_: Order) {}"),
            ("shop/order.rs", "use super::Price;\npub struct Order(Price);"),
        ]);
        assert_eq!(found.len(), 1, "{found:?}");
    }
}
