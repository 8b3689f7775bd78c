//! Name lookup: the items of every package, the imports of every file, and the item that a path names.
//!
//! Invariants: items are numbered by package, file and position. A name that a file with syntax errors may
//! have declared is never reported as unknown.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::packages::{Groups, Input, group};
use crate::ast::{self, Item, ItemKind, Name, dotted};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::location::Span;
use crate::schema::{Location, TypeId};

/// How many errors about names and types are kept. More are of no use to a reader, and each takes memory.
pub(super) const MAX_ERRORS: usize = 100_000;

/// An item with its package and file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry<'a> {
    pub(super) package: usize,
    pub(super) file: usize,
    pub(super) item: &'a Item,
    pub(super) type_id: Option<TypeId>,
}

/// The names of a package.
#[derive(Debug, Default)]
pub(super) struct PackageScope<'a> {
    pub(super) name: String,
    pub(super) files: Vec<usize>,
    pub(super) names: HashMap<&'a str, usize>,
    /// Names that a file with syntax errors may have declared.
    lost: HashSet<&'a str>,
    /// Whether the package may have any name, because a file could not be parsed completely.
    incomplete: bool,
}

/// What an imported name refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Import {
    Item(usize),
    Package(usize),
    /// An error about it was already reported.
    Unresolved,
}

/// All names of all files.
#[derive(Debug)]
pub(super) struct Scope<'a> {
    pub(super) files: &'a [Input<'a>],
    pub(super) packages: Vec<PackageScope<'a>>,
    pub(super) by_name: HashMap<String, usize>,
    /// Packages that may exist: a file that belongs to them may have a wrong `package` line or none.
    pub(super) uncertain_packages: HashSet<String>,
    pub(super) package_of: Vec<usize>,
    pub(super) entries: Vec<Entry<'a>>,
    /// The item of every type id.
    pub(super) type_items: Vec<usize>,
    pub(super) imports: Vec<HashMap<&'a str, Import>>,
}

/// What a path names: an item and, for a variant or flag, the name after it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'p> {
    pub(super) item: usize,
    pub(super) member: Option<&'p Name>,
}

/// Why a path names nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Missing {
    /// An error about it was already reported.
    Reported,
    /// No such package.
    Package,
    /// No such item in this package.
    Item { package: usize, name: Name },
    /// `.` and `::` are confused.
    Separators,
}

impl<'a> Scope<'a> {
    /// Collects the packages and their items. [`super::imports`] adds the imports.
    pub(super) fn new(files: &'a [Input<'a>], diagnostics: &mut Vec<Diagnostic>) -> Self {
        let groups = group(files);
        diagnostics.extend_from_slice(&groups.diagnostics);
        let mut scope = Self {
            files,
            packages: Vec::new(),
            by_name: HashMap::new(),
            uncertain_packages: groups.uncertain.keys().cloned().collect(),
            package_of: vec![0; files.len()],
            entries: Vec::new(),
            type_items: Vec::new(),
            imports: files.iter().map(|_| HashMap::new()).collect(),
        };
        scope.collect(&groups, diagnostics);
        scope
    }

    fn collect(&mut self, groups: &Groups, diagnostics: &mut Vec<Diagnostic>) {
        for (index, (name, members)) in groups.packages.iter().enumerate() {
            let mut package = PackageScope { name: name.clone(), ..PackageScope::default() };
            for file in members {
                let Some(input) = self.files.get(*file) else { continue };
                if let Some(slot) = self.package_of.get_mut(*file) {
                    *slot = index;
                }
                package.incomplete |= input.file.incomplete;
                package.incomplete |= groups.misplaced.contains(file);
                package.lost.extend(input.file.recovered_names.iter().map(String::as_str));
                for item in &input.file.items {
                    let number = self.entries.len();
                    let type_id = is_type(&item.kind).then_some(TypeId(self.type_items.len()));
                    self.type_items.extend(type_id.map(|_| number));
                    let entry = Entry { package: index, file: *file, item, type_id };
                    self.entries.push(entry);
                    let first = *package.names.entry(&item.name.text).or_insert(number);
                    if first != number
                        && diagnostics.len() < MAX_ERRORS
                        && !groups.misplaced.contains(file)
                        && !self.is_of(first, &groups.misplaced)
                    {
                        diagnostics.extend(self.duplicate(first, entry));
                    }
                }
            }
            let uncertain = groups.uncertain.get(name).into_iter().flatten();
            for input in uncertain.filter_map(|file| self.files.get(*file)) {
                package.lost.extend(input.file.items.iter().map(|item| item.name.text.as_str()));
                package.lost.extend(input.file.recovered_names.iter().map(String::as_str));
            }
            package.files.clone_from(members);
            self.by_name.insert(name.clone(), index);
            self.packages.push(package);
        }
    }

    fn is_of(&self, item: usize, files: &HashSet<usize>) -> bool {
        self.entry(item).is_some_and(|entry| files.contains(&entry.file))
    }

    fn duplicate(&self, first: usize, second: Entry<'a>) -> Option<Diagnostic> {
        let first = *self.entries.get(first)?;
        let name = &second.item.name.text;
        Some(
            Diagnostic::error(
                Code::DuplicateItem,
                format!("`{name}` is defined twice"),
                self.place(second.file, second.item.name.span),
                "defined again here",
            )
            .with_label(self.place(first.file, first.item.name.span), "first defined here"),
        )
    }

    pub(super) fn entry(&self, item: usize) -> Option<Entry<'a>> {
        self.entries.get(item).copied()
    }

    pub(super) fn type_entry(&self, id: TypeId) -> Option<Entry<'a>> {
        self.entry(*self.type_items.get(id.0)?)
    }

    pub(super) fn place(&self, file: usize, span: Span) -> Place {
        match self.files.get(file) {
            Some(input) => Place::new(&input.file.path, span),
            None => Place::new(&Arc::from(""), span),
        }
    }

    pub(super) fn location(&self, file: usize, span: Span) -> Location {
        self.files.get(file).map_or_else(Location::default, |input| Location {
            path: Arc::clone(&input.file.path),
            line: input.lines.map_or(1, |lines| lines.line(span.start())),
            span,
        })
    }

    pub(super) fn package_name(&self, package: usize) -> &str {
        self.packages.get(package).map_or("", |package| &package.name)
    }

    pub(super) fn package_of(&self, file: usize) -> usize {
        self.package_of.get(file).copied().unwrap_or(0)
    }

    /// The qualified name of an item, as in the source.
    pub(super) fn qualified(&self, item: usize) -> String {
        self.entry(item).map_or_else(String::new, |entry| {
            format!("{}.{}", self.package_name(entry.package), entry.item.name.text)
        })
    }

    /// Whether a package may declare a name that could not be parsed.
    pub(super) fn may_have(&self, package: usize, name: &str) -> bool {
        self.packages.get(package).is_some_and(|package| package.incomplete || package.lost.contains(name))
    }

    pub(super) fn item_in(&self, package: usize, name: &Name) -> Result<usize, Missing> {
        let found =
            self.packages.get(package).and_then(|package| package.names.get(name.text.as_str())).copied();
        found.ok_or_else(|| {
            if self.may_have(package, &name.text) {
                Missing::Reported
            } else {
                Missing::Item { package, name: name.clone() }
            }
        })
    }

    /// What a single name refers to in a file: an item of its package, or an import.
    fn local(&self, file: usize, name: &Name) -> Result<Import, Missing> {
        let package = self.package_of(file);
        let own = self.item_in(package, name);
        if let Ok(item) = own {
            return Ok(Import::Item(item));
        }
        let import = self.imports.get(file).and_then(|imports| imports.get(name.text.as_str())).copied();
        match (import, own) {
            (Some(Import::Unresolved), _) => Err(Missing::Reported),
            (Some(import), _) => Ok(import),
            (None, Err(missing)) => Err(missing),
            (None, Ok(item)) => Ok(Import::Item(item)),
        }
    }

    /// The item that a path names.
    pub(super) fn find<'p>(&self, file: usize, path: &'p ast::Path) -> Result<Found<'p>, Missing> {
        match (path.dotted.as_slice(), path.rest.as_slice()) {
            ([name], []) => match self.local(file, name)? {
                Import::Item(item) => Ok(Found { item, member: None }),
                _ => Err(Missing::Item { package: self.package_of(file), name: name.clone() }),
            },
            ([first], [second]) => match self.local(file, first) {
                Ok(Import::Item(item)) => Ok(Found { item, member: Some(second) }),
                Ok(Import::Package(package)) => {
                    Ok(Found { item: self.item_in(package, second)?, member: None })
                }
                Ok(Import::Unresolved) | Err(Missing::Reported) => Err(Missing::Reported),
                Err(missing) => match self.by_name.get(&first.text) {
                    Some(package) => Ok(Found { item: self.item_in(*package, second)?, member: None }),
                    None => Err(missing),
                },
            },
            ([first], [second, third]) => {
                let package = match self.local(file, first) {
                    Ok(Import::Package(package)) => Some(package),
                    Err(Missing::Reported) => return Err(Missing::Reported),
                    _ => self.by_name.get(&first.text).copied(),
                };
                let package = package.ok_or(Missing::Separators)?;
                Ok(Found { item: self.item_in(package, second)?, member: Some(third) })
            }
            ([_, _, ..], []) | (_, [_, _, _, ..]) => Err(Missing::Separators),
            (_, [name, member @ ..]) => {
                let package = self.by_name.get(&dotted(&path.dotted)).ok_or_else(|| {
                    if self.uncertain_packages.contains(&dotted(&path.dotted)) {
                        Missing::Reported
                    } else {
                        Missing::Package
                    }
                })?;
                Ok(Found { item: self.item_in(*package, name)?, member: member.first() })
            }
            _ => Err(Missing::Reported),
        }
    }
}

fn is_type(kind: &ItemKind) -> bool {
    matches!(
        kind,
        ItemKind::Newtype(_) | ItemKind::Struct { .. } | ItemKind::Enum { .. } | ItemKind::Flags { .. }
    )
}
