//! The layers in `ARCHITECTURE.md`: a block ```` ```crates ```` lists the crates that each crate may
//! import, and a block ```` ```layers CRATE ```` for each of them has a layer of top-level modules on
//! each line, highest first.
//!
//! A module imports modules on lower lines only. A module on a `facade:` line, and the crate's root, may
//! import all modules, and no module may import them.

use std::collections::{BTreeMap, BTreeSet};

use crate::exceptions::{Fault, Kind};
use crate::imports::Import;
use crate::modules::Crate;
use crate::tree::Files;

/// The crates, and for each the crates it may import.
pub(crate) type Directions = BTreeMap<String, BTreeSet<String>>;

/// The layers of one crate.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    /// The line of each module, counted from the top.
    lines: BTreeMap<String, usize>,
    facades: BTreeSet<String>,
}

/// The lines of a fenced block, without comments and empty lines.
fn block<'a>(document: &'a str, info: &str) -> Result<Vec<&'a str>, String> {
    let fence = format!("```{info}");
    let mut lines = document.lines();
    lines
        .find(|line| line.trim_end() == fence)
        .ok_or_else(|| format!("ARCHITECTURE.md has no block {fence}"))?;
    let content = lines.take_while(|line| !line.starts_with("```"));
    let bare = content.map(|line| line.split_once('#').map_or(line, |(line, _)| line).trim());
    Ok(bare.filter(|line| !line.is_empty()).collect())
}

pub(crate) fn directions(document: &str) -> Result<Directions, String> {
    let entry = |line: &str| {
        let (name, imported) = line.split_once(':').ok_or_else(|| format!("no colon in {line:?}"))?;
        Ok((name.to_owned(), imported.split_whitespace().map(str::to_owned).collect()))
    };
    block(document, "crates")?.into_iter().map(entry).collect()
}

impl Layers {
    pub(crate) fn parse(document: &str, name: &str) -> Result<Self, String> {
        let mut layers = Self::default();
        for (line, text) in block(document, &format!("layers {name}"))?.into_iter().enumerate() {
            let (is_facade, modules) = match text.strip_prefix("facade:") {
                Some(modules) => (true, modules),
                None => (false, text),
            };
            for module in modules.split_whitespace().map(str::to_owned) {
                if is_facade {
                    layers.facades.insert(module.clone());
                }
                if layers.lines.insert(module.clone(), line).is_some() {
                    return Err(format!("ARCHITECTURE.md: {name} lists module {module} twice"));
                }
            }
        }
        Ok(layers)
    }

    /// Modules that are on no line, and lines with modules that do not exist.
    pub(crate) fn missing(&self, name: &str, modules: &Crate) -> Vec<String> {
        let known: BTreeSet<&String> =
            modules.module(0).map(|root| root.children.keys().collect()).unwrap_or_default();
        let unlisted = known.iter().filter(|module| !self.lines.contains_key(**module));
        let unlisted =
            unlisted.map(|module| format!("{name}: module {module} is in no layer of ARCHITECTURE.md"));
        let unknown = self.lines.keys().filter(|module| !known.contains(module));
        let unknown =
            unknown.map(|module| format!("{name}: ARCHITECTURE.md lists {module}, which does not exist"));
        unlisted.chain(unknown).collect()
    }

    fn allows(&self, from: &str, to: &str) -> bool {
        if from == to || from.is_empty() || self.facades.contains(from) {
            return true;
        }
        match (self.lines.get(from), self.lines.get(to)) {
            (Some(from), Some(to_line)) => from < to_line && !self.facades.contains(to),
            _ => false,
        }
    }

    /// Imports upward or sideways; one fault for each file and module, with a line for each item.
    pub(crate) fn faults(&self, name: &str, imports: &[Import]) -> Vec<Fault> {
        let mut faults: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for import in imports.iter().filter(|import| !self.allows(&import.tops.0, &import.tops.1)) {
            let to = if import.tops.1.is_empty() { "the crate's root" } else { &import.tops.1 };
            let report = format!(
                "{}:{} imports {} of {to}, which is not below {} in the layers of {name}",
                import.from, import.line, import.item, import.tops.0
            );
            let to = if import.tops.1.is_empty() { "crate" } else { to };
            faults.entry(format!("{} -> {to}", import.from)).or_default().push(report);
        }
        let fault = |(key, reports): (String, Vec<String>)| Fault {
            kind: Kind::Layer,
            key,
            count: 1,
            report: reports.join("\n"),
        };
        faults.into_iter().map(fault).collect()
    }
}

/// Imports of project crates, and dependencies on them, that the document does not allow.
/// Dev-dependencies are not checked.
pub(crate) fn wrong_directions(
    name: &str,
    directions: &Directions,
    modules: &Crate,
    files: &Files,
) -> Result<Vec<String>, String> {
    let allowed =
        directions.get(name).ok_or_else(|| format!("ARCHITECTURE.md does not list crate {name}"))?;
    let forbidden: Vec<&String> =
        directions.keys().filter(|other| *other != name && !allowed.contains(*other)).collect();
    let mut found = Vec::new();
    for module in &modules.modules {
        let uses = module.uses.iter().map(|import| (&import.path, import.line));
        for (path, line) in uses.chain(module.paths.iter().map(|named| (&named.path, named.line))) {
            let first = path.first().map(|first| first.replace('_', "-"));
            if forbidden.iter().any(|other| first.as_ref() == Some(*other)) {
                found.push(format!("{}:{line} imports {}", module.file, path.join("::")));
            }
        }
    }
    let manifest = format!("{name}/Cargo.toml");
    let text = files.get(&manifest).ok_or_else(|| format!("{manifest} is missing"))?;
    let mut is_dependencies = false;
    for (number, line) in text.lines().enumerate() {
        if let Some(section) = line.strip_prefix('[') {
            is_dependencies = section.contains("dependencies") && !section.contains("dev-dependencies");
        }
        let key = line.trim_start_matches('[').split(['.', ' ', '=', ']']).next();
        if is_dependencies && forbidden.iter().any(|other| key == Some(other.as_str())) {
            found.push(format!("{manifest}:{}: {line}", number + 1));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{Layers, directions, wrong_directions};
    use crate::imports::imports;
    use crate::modules::Crate;
    use crate::tree::Files;

    const DOCUMENT: &str = "# X\n```crates\nx: y\ny:\nz: x y\n```\n\
        ```layers x\nserver client   # both ends\nfacade: names\ncodec\n```\n";

    fn files(sources: &[(&str, &str)]) -> Files {
        sources.iter().map(|(file, text)| (format!("x/{file}"), (*text).to_owned())).collect()
    }

    fn reports(sources: &[(&str, &str)]) -> Vec<String> {
        let modules = Crate::read("x/src/lib.rs", &files(sources)).unwrap();
        let layers = Layers::parse(DOCUMENT, "x").unwrap();
        let faults = layers.faults("x", &imports(&modules));
        layers
            .missing("x", &modules)
            .into_iter()
            .chain(faults.into_iter().map(|fault| fault.report))
            .collect()
    }

    #[test]
    fn upward_and_sideways_imports_are_found() {
        let root = ("src/lib.rs", "mod server; mod client; mod codec; mod names; pub use codec::Codec;");
        let server = ("src/server.rs", "use crate::codec::Codec;\npub struct Server;");
        let client = ("src/client.rs", "use crate::{\n    codec,\n    server::Server,\n};");
        let names = ("src/names.rs", "pub use crate::server::Server;");
        let codec = ("src/codec.rs", "pub struct Codec;\nfn f(_: crate::names::Server) {}");
        assert_eq!(
            reports(&[root, server, client, names, codec]),
            [
                "x/src/client.rs:3 imports crate::server::Server of server, which is not below client in the \
                 layers of x",
                "x/src/codec.rs:2 imports crate::names::Server of server, which is not below codec in the \
                 layers of x"
            ]
        );
    }

    #[test]
    fn modules_without_a_layer_are_found() {
        let found = reports(&[
            ("src/lib.rs", "mod server; mod client; mod codec; mod extra;"),
            ("src/server.rs", ""),
            ("src/client.rs", ""),
            ("src/codec.rs", ""),
            ("src/extra.rs", ""),
        ]);
        assert_eq!(
            found,
            [
                "x: module extra is in no layer of ARCHITECTURE.md",
                "x: ARCHITECTURE.md lists names, which does not exist"
            ]
        );
    }

    #[test]
    fn crates_import_in_one_direction() {
        let sources = files(&[
            ("src/lib.rs", "use y::Y;\nfn f() { z::g(); }"),
            (
                "Cargo.toml",
                "[dependencies]\ny.workspace = true\nz.workspace = true\n[dev-dependencies]\nz = \"1\"\n",
            ),
        ]);
        let modules = Crate::read("x/src/lib.rs", &sources).unwrap();
        let found = wrong_directions("x", &directions(DOCUMENT).unwrap(), &modules, &sources).unwrap();
        assert_eq!(found, ["x/src/lib.rs:2 imports z::g", "x/Cargo.toml:3: z.workspace = true"]);
    }
}
