//! A crate's modules as its sources declare them, with the definitions, imports and paths of each.
//!
//! Invariants: code under `#[cfg(test)]` is left out, and so are tokens inside `quote!`, which belong to
//! another crate; every `mod x;` leads to a file, or reading fails.

mod scan;

use std::collections::{BTreeMap, BTreeSet};

use quote::ToTokens;
use syn::{Attribute, Expr, Item, Lit, Meta};

use crate::tree::Files;
use scan::is_test;
pub(crate) use scan::{NamedPath, Use};

/// All modules of a crate, the root first.
#[derive(Debug)]
pub(crate) struct Crate {
    pub(crate) modules: Vec<Module>,
}

/// One module, in a file of its own or inline in its parent's.
#[derive(Debug, Default)]
pub(crate) struct Module {
    pub(crate) file: String,
    /// The first segment of the module's path; empty for the root.
    pub(crate) top: String,
    pub(crate) parent: Option<usize>,
    /// More than one of a name if `cfg` chooses between them.
    pub(crate) children: BTreeMap<String, Vec<usize>>,
    pub(crate) defined: BTreeSet<String>,
    pub(crate) uses: Vec<Use>,
    /// Paths of two segments or more, outside of `use`.
    pub(crate) paths: Vec<NamedPath>,
    /// Single identifiers, and first segments of paths, outside of `use`.
    pub(crate) names: BTreeSet<String>,
}

impl Crate {
    /// Reads the crate whose `lib.rs` or `main.rs` is `root`.
    pub(crate) fn read(root: &str, files: &Files) -> Result<Self, String> {
        let mut modules = Self { modules: Vec::new() };
        modules.add_file(root, None, String::new(), files)?;
        Ok(modules)
    }

    pub(crate) fn module(&self, id: usize) -> Option<&Module> {
        self.modules.get(id)
    }

    fn add_file(
        &mut self,
        file: &str,
        parent: Option<usize>,
        top: String,
        files: &Files,
    ) -> Result<usize, String> {
        let text = files.get(file).ok_or_else(|| format!("{file} is missing"))?;
        let parsed = syn::parse_file(text)
            .map_err(|error| format!("{file}:{}: {error}", error.span().start().line))?;
        let (folder, name) = file.rsplit_once('/').ok_or("a source outside of a folder")?;
        let inner = match name {
            "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
            _ => file.trim_end_matches(".rs").to_owned(),
        };
        self.add_module(parsed.items, &Place { file, folder, inner }, parent, top, files)
    }

    fn add_module(
        &mut self,
        items: Vec<Item>,
        place: &Place<'_>,
        parent: Option<usize>,
        top: String,
        files: &Files,
    ) -> Result<usize, String> {
        let id = self.modules.len();
        let mut module =
            Module { file: place.file.to_owned(), top: top.clone(), parent, ..Module::default() };
        let mut inner = Vec::new();
        for item in items {
            if attributes(&item).iter().any(is_test) {
                continue;
            }
            match item {
                Item::Mod(item) => inner.push(item),
                item => {
                    module.defined.extend(defined_name(&item));
                    scan::scan(item.to_token_stream(), &mut module);
                }
            }
        }
        self.modules.push(module);
        for item in inner {
            let name = item.ident.to_string();
            let top = if parent.is_none() { name.clone() } else { top.clone() };
            let child = if let Some((_, items)) = item.content {
                let place = Place { inner: format!("{}/{name}", place.inner), ..*place };
                self.add_module(items, &place, Some(id), top, files)?
            } else {
                self.add_file(&place.child(&name, &item.attrs, files), Some(id), top, files)?
            };
            if let Some(module) = self.modules.get_mut(id) {
                module.children.entry(name).or_default().push(child);
            }
        }
        Ok(id)
    }
}

/// The file of a module, and the folder of its children.
struct Place<'a> {
    file: &'a str,
    folder: &'a str,
    inner: String,
}

impl Place<'_> {
    fn child(&self, name: &str, attributes: &[Attribute], files: &Files) -> String {
        let written = attributes.iter().find_map(|attribute| match &attribute.meta {
            Meta::NameValue(meta) if meta.path.is_ident("path") => match &meta.value {
                Expr::Lit(value) => match &value.lit {
                    Lit::Str(path) => Some(path.value()),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        });
        if let Some(path) = written {
            return format!("{}/{path}", self.folder);
        }
        let file = format!("{}/{name}.rs", self.inner);
        if files.contains_key(&file) { file } else { format!("{}/{name}/mod.rs", self.inner) }
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::ExternCrate(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Union(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn defined_name(item: &Item) -> Option<String> {
    let name = match item {
        Item::Const(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Fn(item) => &item.sig.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Union(item) => &item.ident,
        _ => return None,
    };
    Some(name.to_string())
}
