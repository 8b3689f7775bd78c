//! Reads the `use` lines of all files into the scope.
//!
//! Invariants: an invalid import still binds its name, so that its uses are not reported as well.

use std::collections::HashMap;

use super::resolver::Resolver;
use super::rust_names::invalid_in_rust;
use super::scope::{Import, Missing};
use crate::ast::{Name, Use, dotted};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::suggest::is_built_in;

impl<'a> Resolver<'a> {
    /// Binds every imported name in its file.
    pub(super) fn read_imports(&mut self) {
        for file in 0..self.scope.files.len() {
            let mut bound: HashMap<&'a str, (Import, Place)> = HashMap::new();
            let uses = self.scope.files.get(file).map_or(&[][..], |input| &input.file.uses);
            for import in uses {
                self.read_import(file, import, &mut bound);
            }
            if let Some(imports) = self.scope.imports.get_mut(file) {
                imports.extend(bound.into_iter().map(|(name, (import, _))| (name, import)));
            }
        }
    }

    fn read_import(&mut self, file: usize, import: &'a Use, bound: &mut HashMap<&'a str, (Import, Place)>) {
        let Some(name) = import.alias.as_ref().or(import.item.as_ref()).or(import.package.last()) else {
            return;
        };
        let original = import.item.as_ref().or(import.package.last()).unwrap_or(name);
        let target = self.import_target(file, import);
        let place = self.scope.place(file, name.span);
        if let Some(diagnostic) =
            import.alias.as_ref().and_then(|alias| invalid_in_rust(alias, place.clone()))
        {
            self.report(diagnostic);
        }
        if import.alias.is_some() && is_built_in(&name.text) {
            self.report(Diagnostic::error(
                Code::ShadowsBuiltIn,
                format!("`{}` is a built-in type", name.text),
                place.clone(),
                "choose a different name",
            ));
        }
        let package = self.scope.package_of(file);
        let own = self.scope.packages.get(package).and_then(|package| package.names.get(name.text.as_str()));
        if let Some(own) = own.and_then(|own| self.scope.entry(*own)) {
            let conflict = self.scope.place(own.file, own.item.name.span);
            let message = format!("`{}` is imported and defined in this package", name.text);
            self.report(
                Diagnostic::error(Code::ConflictingImport, message, place.clone(), "imported here")
                    .with_label(conflict, "defined here")
                    .with_help(format!("rename the import: `{} as Other`", original.text)),
            );
        } else if let Some((earlier, first)) = bound.get(name.text.as_str()) {
            if *earlier == Import::Unresolved || target == Import::Unresolved {
                return;
            }
            let first = first.clone();
            let message = format!("`{}` is imported twice", name.text);
            self.report(
                Diagnostic::error(Code::ConflictingImport, message, place, "imported again here")
                    .with_label(first, "first imported here"),
            );
            return;
        }
        bound.insert(&name.text, (target, place));
    }

    fn import_target(&mut self, file: usize, import: &Use) -> Import {
        let package_name = dotted(&import.package);
        let Some(package) = self.scope.by_name.get(&package_name).copied() else {
            if !self.scope.uncertain_packages.contains(&package_name) {
                self.unknown_import_package(file, import, &package_name);
            }
            return Import::Unresolved;
        };
        self.add_edge(file, package, import.package_span);
        let Some(item) = &import.item else { return Import::Package(package) };
        match self.scope.item_in(package, item) {
            Ok(found) => Import::Item(found),
            Err(Missing::Item { .. }) => {
                self.unknown_item(file, package, item, "item");
                Import::Unresolved
            }
            Err(_) => Import::Unresolved,
        }
    }

    fn unknown_import_package(&mut self, file: usize, import: &Use, name: &str) {
        let place = self.scope.place(file, import.package_span);
        let diagnostic = self.unknown_package(name, place);
        let parent = import.package.split_last().map(|(last, parents)| (last, dotted(parents)));
        let diagnostic = match parent {
            Some((last, parent)) if import.item.is_none() => {
                self.use_with_dot(file, import, last, &parent, diagnostic)
            }
            _ => diagnostic,
        };
        self.report(diagnostic);
    }

    /// Suggests `::` for `use tv.common.ChannelId;`, where `tv.common` is the package.
    fn use_with_dot(
        &self,
        file: usize,
        import: &Use,
        last: &Name,
        parent: &str,
        diagnostic: Diagnostic,
    ) -> Diagnostic {
        if !self.scope.by_name.contains_key(parent) {
            return diagnostic;
        }
        let place = self.scope.place(file, import.package_span);
        diagnostic.with_fix(place, format!("{parent}::{}", last.text), "write `::` before an item")
    }
}
