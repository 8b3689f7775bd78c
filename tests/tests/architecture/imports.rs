//! Imports between the files of a crate: each path is followed to the file that defines the item.

use std::collections::BTreeSet;

use crate::modules::{Crate, Module};

/// A file names an item that another file defines.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Import {
    pub(crate) from: String,
    pub(crate) line: usize,
    /// As written.
    pub(crate) item: String,
    pub(crate) to: String,
    /// The top-level modules of the two files; empty for the root.
    pub(crate) tops: (String, String),
    /// A `pub use` whose name the file's own code does not use.
    pub(crate) is_reexport: bool,
}

/// What a path leads to.
#[derive(Debug, Clone, Copy)]
enum Target {
    Module(usize),
    /// An item, by the module that defines it.
    Item(usize),
}

/// The names whose look-up is under way. It stops re-exports that lead to each other.
type Pending = BTreeSet<(usize, String, bool)>;

/// All imports of a crate, without those within one file.
pub(crate) fn imports(modules: &Crate) -> Vec<Import> {
    let mut found = BTreeSet::new();
    for (id, module) in modules.modules.iter().enumerate() {
        for import in module.uses.iter() {
            let is_reexport = import.is_public && !module.names.contains(&import.name);
            let target = modules.resolve(id, &import.path, &mut Pending::new());
            let item = import.path.join("::");
            match target {
                Some(Target::Item(to)) => {
                    found.extend(modules.edge(module, to, import.line, item, is_reexport))
                }
                Some(Target::Module(to)) if import.name == "*" => {
                    if import.is_public {
                        found.extend(modules.edge(module, to, import.line, format!("{item}::*"), true));
                    }
                    found.extend(modules.through_glob(id, to, import.line));
                }
                _ => {}
            }
        }
        for named in &module.paths {
            if let Some(Target::Item(to)) = modules.resolve(id, &named.path, &mut Pending::new()) {
                found.extend(modules.edge(module, to, named.line, named.path.join("::"), false));
            }
        }
    }
    found.into_iter().collect()
}

impl Crate {
    fn edge(&self, from: &Module, to: usize, line: usize, item: String, is_reexport: bool) -> Option<Import> {
        let to = self.module(to)?;
        (from.file != to.file).then(|| Import {
            from: from.file.clone(),
            line,
            item,
            to: to.file.clone(),
            tops: (from.top.clone(), to.top.clone()),
            is_reexport,
        })
    }

    /// The names of a module's code that it has only through a glob import.
    fn through_glob(&self, id: usize, glob: usize, line: usize) -> Vec<Import> {
        let Some(module) = self.module(id) else { return Vec::new() };
        let is_own = |name: &String| {
            module.defined.contains(name)
                || module.children.contains_key(name)
                || module.uses.iter().any(|import| import.name == *name)
        };
        let names = module.names.iter().filter(|name| !is_own(name));
        names
            .filter_map(|name| match self.look_up(glob, name, true, &mut Pending::new())? {
                Target::Item(to) => self.edge(module, to, line, name.clone(), false),
                Target::Module(_) => None,
            })
            .collect()
    }

    /// Follows a path from a module. If its last segments are not found, for example because a macro
    /// defines them, the last module on the way counts as the definition.
    fn resolve(&self, from: usize, path: &[String], pending: &mut Pending) -> Option<Target> {
        if let Some(target) = self.follow(from, path, pending) {
            return Some(target);
        }
        (1..path.len()).rev().find_map(|length| match self.follow(from, path.get(..length)?, pending)? {
            Target::Module(module) | Target::Item(module) => Some(Target::Item(module)),
        })
    }

    fn follow(&self, from: usize, path: &[String], pending: &mut Pending) -> Option<Target> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => self.descend(0, rest, pending),
            "self" => self.descend(from, rest, pending),
            "super" => self.descend(self.module(from)?.parent?, rest, pending),
            _ => self.descend(from, path, pending),
        }
    }

    fn descend(&self, module: usize, path: &[String], pending: &mut Pending) -> Option<Target> {
        let Some((first, rest)) = path.split_first() else { return Some(Target::Module(module)) };
        if first == "super" {
            return self.descend(self.module(module)?.parent?, rest, pending);
        }
        if rest.is_empty() {
            return self.look_up(module, first, true, pending);
        }
        for child in self.module(module)?.children.get(first).into_iter().flatten() {
            if let Some(target) = self.descend(*child, rest, pending) {
                return Some(target);
            }
        }
        match self.look_up(module, first, false, pending)? {
            Target::Module(inner) => self.descend(inner, rest, pending),
            item => Some(item),
        }
    }

    /// What a name means inside a module. A module and an item may share one: `is_last` prefers the item.
    fn look_up(&self, id: usize, name: &str, is_last: bool, pending: &mut Pending) -> Option<Target> {
        let key = (id, name.to_owned(), is_last);
        if !pending.insert(key.clone()) {
            return None;
        }
        let found = self.look_up_once(id, name, is_last, pending);
        pending.remove(&key);
        found
    }

    fn look_up_once(&self, id: usize, name: &str, is_last: bool, pending: &mut Pending) -> Option<Target> {
        let module = self.module(id)?;
        let child = module.children.get(name).and_then(|ids| ids.first()).copied().map(Target::Module);
        if !is_last && child.is_some() {
            return child;
        }
        if module.defined.contains(name) {
            return Some(Target::Item(id));
        }
        let mut own = module.uses.iter().filter(|import| import.name == name);
        if let Some(target) = own.find_map(|import| self.resolve(id, &import.path, pending)) {
            return Some(target);
        }
        if child.is_some() {
            return child;
        }
        let mut globs = module.uses.iter().filter(|import| import.name == "*");
        globs.find_map(|glob| match self.resolve(id, &glob.path, pending)? {
            Target::Module(glob) => self.look_up(glob, name, is_last, pending),
            Target::Item(_) => None,
        })
    }
}
