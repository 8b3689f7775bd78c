//! Which file belongs to which package, and whether packages form a hierarchy.
//!
//! Invariants: every file belongs to exactly one package; packages are ordered by name.

use std::collections::BTreeMap;

use super::graph::{circle, components, is_circle};
use super::scope::Input;
use crate::ast::{self, dotted};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::location::Span;

/// Files by package name, and what is wrong with that.
pub(super) fn group(files: &[Input<'_>]) -> (BTreeMap<String, Vec<usize>>, Vec<Diagnostic>) {
    let mut packages: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut diagnostics = Vec::new();
    for (index, input) in files.iter().enumerate() {
        let places = Places::of(&input.file.path);
        let name = match &input.file.package {
            Some(line) => {
                let name = dotted(&line.segments);
                diagnostics.extend(mismatch(input.file, line, &name, &places));
                name
            }
            None => {
                if !input.file.incomplete {
                    diagnostics.push(nameless(input.file, &places));
                }
                places.own.clone()
            }
        };
        packages.entry(name).or_default().push(index);
    }
    for (name, members) in &packages {
        diagnostics.extend(both_file_and_folder(files, name, members));
    }
    (packages, diagnostics)
}

/// The packages that a path allows.
struct Places {
    /// That of a file of its own, `tv.epg` for `tv/epg.kaa`.
    own: String,
    /// That of the folder, `tv` for `tv/epg.kaa`; `None` directly under a root.
    folder: Option<String>,
}

impl Places {
    fn of(path: &str) -> Self {
        let stem = path.strip_suffix(".kaa").unwrap_or(path);
        let own = stem.replace('/', ".");
        let folder = stem.rsplit_once('/').map(|(folder, _)| folder.replace('/', "."));
        Self { own, folder }
    }

    fn shown(&self) -> String {
        match &self.folder {
            Some(folder) => format!("`package {};` or `package {folder};`", self.own),
            None => format!("`package {};`", self.own),
        }
    }
}

fn mismatch(file: &ast::File, line: &ast::PackageLine, name: &str, places: &Places) -> Option<Diagnostic> {
    if name == places.own || Some(name) == places.folder.as_deref() {
        return None;
    }
    let place = Place::new(&file.path, line.span);
    let path = name.replace('.', "/");
    Some(
        Diagnostic::error(
            Code::PackageMismatch,
            format!("`{}` says `package {name};`", file.path),
            place,
            format!("its path allows {}", places.shown()),
        )
        .with_help(format!(
            "package `{name}` is the file `{path}.kaa`, or the files directly under `{path}/`"
        )),
    )
}

fn nameless(file: &ast::File, places: &Places) -> Diagnostic {
    let place = Place::new(&file.path, Span::at(0));
    Diagnostic::error(
        Code::PackageMismatch,
        "this file names no package",
        place.clone(),
        "expected `package …;`",
    )
    .with_help(format!("its path allows {}", places.shown()))
    .with_fix(place, format!("package {};\n", places.own), "add the line")
}

/// A package is one file, or the files of a folder, so that there is one place to look.
fn both_file_and_folder(files: &[Input<'_>], name: &str, members: &[usize]) -> Option<Diagnostic> {
    let line =
        |index: &usize| files.get(*index).and_then(|input| Some((input.file, input.file.package.as_ref()?)));
    let single = members.iter().filter_map(line).find(|(file, _)| Places::of(&file.path).own == name)?;
    let folder = members
        .iter()
        .filter_map(line)
        .find(|(file, _)| Places::of(&file.path).folder.as_deref() == Some(name))?;
    Some(
        Diagnostic::error(
            Code::PackageMismatch,
            format!("package `{name}` is both a file and a folder"),
            Place::new(&folder.0.path, folder.1.span),
            format!("`{}` belongs to it", folder.0.path),
        )
        .with_label(Place::new(&single.0.path, single.1.span), format!("and so does `{}`", single.0.path))
        .with_help("move the single file into the folder, or the folder's content into the file"),
    )
}

/// Packages that reach each other in a circle; `edges` says for each pair where the first reaches for the second.
pub(super) fn circles(names: &[String], edges: &BTreeMap<(usize, usize), Place>) -> Vec<Diagnostic> {
    let mut targets = vec![Vec::new(); names.len()];
    for (from, to) in edges.keys() {
        if let Some(list) = targets.get_mut(*from) {
            list.push(*to);
        }
    }
    let mut diagnostics = Vec::new();
    for component in components(&targets) {
        if !is_circle(&component, &targets) {
            continue;
        }
        let way = circle(&component, &targets);
        let name = |index: &usize| names.get(*index).map_or("", String::as_str);
        let drawn = way.iter().map(name).collect::<Vec<_>>().join(" → ");
        let steps = way.iter().zip(way.iter().skip(1)).filter_map(|(from, to)| {
            let place = edges.get(&(*from, *to))?.clone();
            Some((place, format!("`{}` needs `{}`", name(from), name(to))))
        });
        let message = format!("packages need each other in a circle: {drawn}");
        let diagnostic = Diagnostic::along(Code::ImportCircle, message, steps);
        let help = "move what they share to a package of its own";
        diagnostics.extend(diagnostic.map(|diagnostic| diagnostic.with_help(help)));
    }
    diagnostics
}
