//! Reports unknown names, with suggestions.
//!
//! Invariants: after [`MAX_COMPARISONS`] no similar names are searched, so that many errors take linear time.

use super::resolver::Resolver;
use super::scope::{Import, Missing};

use crate::ast::{self, ItemKind, Name, dotted};
use crate::diagnostic::{Code, Diagnostic, Edit, Label, Place};
use crate::suggest::{BUILT_INS, foreign_type, nearest};

/// How many pairs of names are compared in one compilation.
const MAX_COMPARISONS: usize = 300_000;
/// How many further places of one unknown name a diagnostic lists.
const MAX_OTHER_PLACES: usize = 8;

impl Resolver<'_> {
    /// Reports a path that names nothing. `noun` is the kind of item that was expected.
    pub(super) fn missing(&mut self, file: usize, path: &ast::Path, missing: Missing, noun: &str) {
        match missing {
            Missing::Reported => {}
            Missing::Package => {
                let name = dotted(&path.dotted);
                let span = path.dotted.iter().map(|name| name.span).reduce(crate::location::Span::to);
                let place = self.scope.place(file, span.unwrap_or(path.span));
                let diagnostic = self.unknown_package(&name, place);
                self.report(diagnostic);
            }
            Missing::Separators => self.wrong_separators(file, path, noun),
            Missing::Item { package, name } => self.unknown_item(file, package, &name, noun),
        }
    }

    pub(super) fn unknown_package(&mut self, name: &str, place: Place) -> Diagnostic {
        let path = name.replace('.', "/");
        let near = if self.may_suggest() {
            nearest(name, self.scope.packages.iter().map(|package| package.name.as_str())).map(str::to_owned)
        } else {
            None
        };
        let diagnostic = Diagnostic::error(
            Code::UnknownPackage,
            format!("there is no package `{name}`"),
            place.clone(),
            "unknown package",
        )
        .with_help(format!("searched for `{path}.kaa` and `{path}/*.kaa` under the root"));
        match near {
            Some(near) => diagnostic.with_suggestion(place, near.clone(), format!("did you mean `{near}`?")),
            None => diagnostic,
        }
    }

    pub(super) fn unknown_item(&mut self, file: usize, package: usize, name: &Name, noun: &str) {
        let place = self.scope.place(file, name.span);
        if self.is_repeated(file, package, name, &place) {
            return;
        }
        let own = package == self.scope.package_of(file);
        let message = if own {
            format!("there is no {noun} `{}`", name.text)
        } else {
            format!("there is no {noun} `{}` in package `{}`", name.text, self.scope.package_name(package))
        };
        let label = format!("unknown {noun}");
        let diagnostic = Diagnostic::error(Code::UnknownType, message, place.clone(), label);
        let diagnostic = if own {
            self.with_local_suggestion(file, name, noun, place, diagnostic)
        } else {
            self.with_suggestion_in(package, name, noun, place, diagnostic)
        };
        self.report(diagnostic);
    }

    /// Whether this name was already reported in this file. If so, adds the place to that diagnostic.
    fn is_repeated(&mut self, file: usize, package: usize, name: &Name, place: &Place) -> bool {
        let next = self.diagnostics.len();
        let first = *self.reported_names.entry((file, package, name.text.clone())).or_insert(next);
        let Some(diagnostic) = self.diagnostics.get_mut(first) else { return false };
        if diagnostic.secondary.len() < MAX_OTHER_PLACES {
            diagnostic.secondary.push(Label { place: place.clone(), message: "also here".to_owned() });
        }
        if let Some(fix) = &mut diagnostic.fix
            && fix.edits.iter().all(|edit| edit.place != *place)
            && let Some(replacement) = fix.edits.first().map(|edit| edit.replacement.clone())
        {
            fix.edits.push(Edit { place: place.clone(), replacement });
        }
        true
    }

    fn with_local_suggestion(
        &mut self,
        file: usize,
        name: &Name,
        noun: &str,
        place: Place,
        diagnostic: Diagnostic,
    ) -> Diagnostic {
        if noun == "constant" {
            let boolean = match name.text.as_str() {
                "yes" | "on" | "True" | "TRUE" | "Yes" => Some("true"),
                "no" | "off" | "False" | "FALSE" | "No" => Some("false"),
                _ => None,
            };
            if let Some(boolean) = boolean {
                return diagnostic.with_fix(place, boolean, format!("write `{boolean}`"));
            }
        }
        if let Some(help) = foreign_hint(&name.text, noun) {
            return diagnostic.with_help(help);
        }
        if !self.may_suggest() {
            return diagnostic;
        }
        if let Some(meant) = foreign_type(&name.text).filter(|_| noun == "type") {
            if meant.contains('`') {
                return diagnostic.with_help(format!("did you mean `{meant}`?"));
            }
            return diagnostic.with_suggestion(place, meant, format!("did you mean `{meant}`?"));
        }
        let elsewhere =
            self.scope.packages.iter().find(|package| {
                package.names.get(name.text.as_str()).is_some_and(|item| self.is_a(*item, noun))
            });
        if let Some(package) = elsewhere {
            let help = format!("package `{0}` has one: add `use {0}::{1};`", package.name, name.text);
            return diagnostic.with_help(help);
        }
        let own = self.scope.package_of(file);
        if noun == "constant"
            && let Some(owner) = self.owner_of(own, &name.text)
        {
            let path = format!("{owner}::{}", name.text);
            let help = format!("write a value of `{owner}` with its type");
            return diagnostic.with_suggestion(place, path, help);
        }
        let imports = self.scope.imports.get(file).into_iter().flatten();
        let imported = imports.filter_map(|(name, import)| match import {
            Import::Item(item) if self.is_a(*item, noun) => Some(*name),
            _ => None,
        });
        let built_ins = if noun == "type" { BUILT_INS } else { &[] };
        let near =
            nearest(&name.text, self.names_in(own, noun).chain(imported).chain(built_ins.iter().copied()));
        with_near_name(diagnostic, near, place)
    }

    /// The one type of a package that has a variant or flag of this name.
    fn owner_of(&self, package: usize, member: &str) -> Option<String> {
        let names = self.scope.packages.get(package)?.names.values();
        let mut owners = names.filter_map(|item| {
            let item = self.scope.entry(*item)?.item;
            let has = match &item.kind {
                ItemKind::Enum { variants, .. } => variants.iter().any(|variant| variant.name.text == member),
                ItemKind::Flags { flags, .. } => flags.iter().any(|flag| flag.name.text == member),
                _ => false,
            };
            has.then(|| item.name.text.clone())
        });
        owners.next().filter(|_| owners.next().is_none())
    }

    fn with_suggestion_in(
        &mut self,
        package: usize,
        name: &Name,
        noun: &str,
        place: Place,
        diagnostic: Diagnostic,
    ) -> Diagnostic {
        if !self.may_suggest() {
            return diagnostic;
        }
        with_near_name(diagnostic, nearest(&name.text, self.names_in(package, noun)), place)
    }

    fn names_in<'n>(&'n self, package: usize, noun: &'n str) -> impl Iterator<Item = &'n str> {
        let names = self.scope.packages.get(package).into_iter().flat_map(|package| &package.names);
        names.filter(move |(_, item)| self.is_a(**item, noun)).map(|(name, _)| *name)
    }

    /// Whether an item is of the expected kind.
    fn is_a(&self, item: usize, noun: &str) -> bool {
        let Some(entry) = self.scope.entry(item) else { return false };
        match (noun, &entry.item.kind) {
            ("type", ItemKind::Alias(_)) => true,
            ("type", _) => entry.type_id.is_some(),
            ("interface", kind) => matches!(kind, ItemKind::Interface(_)),
            ("error", kind) => matches!(kind, ItemKind::Enum { error: true, .. }),
            ("constant", kind) => {
                matches!(kind, ItemKind::Constant { .. } | ItemKind::Enum { .. } | ItemKind::Flags { .. })
            }
            _ => true,
        }
    }

    fn wrong_separators(&mut self, file: usize, path: &ast::Path, noun: &str) {
        let names: Vec<&Name> = path.dotted.iter().chain(&path.rest).collect();
        let place = self.scope.place(file, path.span);
        let text = path.text();
        let diagnostic = Diagnostic::error(
            Code::UnknownType,
            format!("there is no {noun} `{text}`"),
            place.clone(),
            format!("unknown {noun}"),
        );
        for split in (1..names.len()).rev() {
            let (package, rest) = names.split_at(split);
            let join = |names: &[&Name], by: &str| {
                names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>().join(by)
            };
            let package = join(package, ".");
            if self.scope.by_name.contains_key(&package) {
                let fixed = format!("{package}::{}", join(rest, "::"));
                self.report(diagnostic.with_fix(
                    place,
                    fixed,
                    "write `.` between the parts of a package, and `::` before an item",
                ));
                return;
            }
        }
        if let [owner, member] = names.as_slice()
            && self.names_in(self.scope.package_of(file), noun).any(|name| name == owner.text)
        {
            let fixed = format!("{}::{}", owner.text, member.text);
            self.report(diagnostic.with_suggestion(
                place,
                fixed,
                "write `::` between a type and its variant or flag",
            ));
            return;
        }
        let last = names.last().map_or("", |name| name.text.as_str());
        let package: Vec<&str> = names.iter().rev().skip(1).rev().map(|name| name.text.as_str()).collect();
        let package = package.join(".");
        self.report(diagnostic.with_help(format!(
            "`{package}` is not a package, so `{package}::{last}` does not exist either"
        )));
    }

    /// Whether a name may still be compared with all others.
    pub(super) fn may_suggest(&mut self) -> bool {
        let names = self.scope.packages.len().saturating_add(self.scope.entries.len());
        self.comparisons = self.comparisons.saturating_add(names);
        self.comparisons <= MAX_COMPARISONS
    }
}

/// A hint about a name that other languages use.
fn foreign_hint(name: &str, noun: &str) -> Option<&'static str> {
    let help = match (noun, name) {
        ("type", "Result") => "a method that can fail declares an `error` with `throws`",
        ("type", "Stream" | "stream") => {
            "a stream is the whole type of a parameter or a result: `stream` and the item type; data \
                contains a `Vec`"
        }
        ("type", "Box" | "Arc" | "Rc") => "write the type itself; generated code boxes recursive types",
        ("type", "void" | "unit" | "Void" | "Unit") => "a method without a result has no `->`",
        ("type", "any" | "Any" | "object" | "Object" | "dyn") => {
            "every value has a type: use an `enum` of the possible types, or `Bytes` for data that only the \
                program understands"
        }
        ("constant", "null" | "nil" | "NULL" | "None" | "none" | "undefined") => {
            "an `Option` without a default is absent: leave out the default"
        }
        _ => return None,
    };
    Some(help)
}

fn with_near_name(diagnostic: Diagnostic, near: Option<&str>, place: Place) -> Diagnostic {
    match near {
        Some(near) => diagnostic.with_suggestion(place, near, format!("did you mean `{near}`?")),
        None => diagnostic,
    }
}
