//! Which file belongs to which package, and whether packages form a hierarchy.
//!
//! Invariants: every file belongs to exactly one package; packages are ordered by name.

use std::collections::{BTreeMap, HashSet};

use super::graph::{circle, components, is_circle};
use super::suggest::nearest;
use crate::ast::{self, dotted};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::location::{LineTable, Span};

/// A parsed file with the table of its lines, if its text could be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input<'a> {
    pub(crate) file: &'a ast::File,
    pub(crate) lines: Option<&'a LineTable>,
}

/// Files by the package that they say they are of.
pub(super) struct Groups {
    pub(super) packages: BTreeMap<String, Vec<usize>>,
    /// Files whose paths do not allow their packages, so that what they declare may be there twice.
    pub(super) misplaced: HashSet<usize>,
    /// Packages that a misplaced file, or one without a legal `package` line, was perhaps meant to be part of, with
    /// those files.
    pub(super) doubtful: BTreeMap<String, Vec<usize>>,
    /// What is wrong with that.
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// Groups files by package.
pub(super) fn group(files: &[Input<'_>]) -> Groups {
    let mut packages: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut misplaced = HashSet::new();
    let mut doubtful: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut diagnostics = Vec::new();
    let named: HashSet<String> =
        files.iter().filter_map(|input| Some(dotted(&input.file.package.as_ref()?.segments))).collect();
    for (index, input) in files.iter().enumerate() {
        let places = Places::of(&input.file.path);
        let mut in_doubt = true;
        let name = match &input.file.package {
            Some(line) => {
                let name = dotted(&line.segments);
                match mismatch(input.file, line, &name, &places) {
                    Some(complaint) => {
                        misplaced.insert(index);
                        diagnostics.push(complaint);
                    }
                    None => in_doubt = false,
                }
                name
            }
            None => {
                let name = places.likely(&named).to_owned();
                if !input.file.incomplete && !input.file.package_invalid {
                    diagnostics.push(nameless(input.file, &places, &name));
                }
                name
            }
        };
        if in_doubt {
            for candidate in [Some(&places.own), places.folder.as_ref()].into_iter().flatten() {
                doubtful.entry(candidate.clone()).or_default().push(index);
            }
        }
        packages.entry(name).or_default().push(index);
    }
    for (name, members) in &packages {
        diagnostics.extend(both_file_and_folder(files, name, members));
    }
    Groups { packages, misplaced, doubtful, diagnostics }
}

/// The packages that a path allows.
struct Places {
    /// That of a file of its own, `tv.epg` for `tv/epg.kaa`.
    own: String,
    /// That of the folder, `tv` for `tv/epg.kaa`; `None` directly under a root.
    folder: Option<String>,
    /// A part of the path that is no legal name, `my-shop` for `my-shop.kaa`.
    unfit: Option<String>,
}

impl Places {
    fn of(path: &str) -> Self {
        let stem = path.strip_suffix(".kaa").unwrap_or(path);
        let own = stem.replace('/', ".");
        let folder = stem.rsplit_once('/').map(|(folder, _)| folder.replace('/', "."));
        let unfit = stem.split('/').find(|part| !is_name(part)).map(str::to_owned);
        Self { own, folder, unfit }
    }

    /// The package of a file that names none: that of its folder if other files there say so, else its own.
    fn likely(&self, named: &HashSet<String>) -> &str {
        let folder =
            self.folder.as_ref().filter(|folder| named.contains(*folder) && !named.contains(&self.own));
        folder.unwrap_or(&self.own)
    }

    /// What to do about a path that no package can have.
    fn advice(&self) -> Option<String> {
        let unfit = self.unfit.as_deref()?;
        let legal: String =
            unfit.chars().map(|each| if is_part_of_name(each) { each } else { '_' }).collect();
        let rename = if is_name(&legal) { format!(": rename `{unfit}` to `{legal}`") } else { String::new() };
        Some(format!("the names of files and folders are letters, digits and `_`{rename}"))
    }

    fn shown(&self) -> String {
        if self.unfit.is_some() {
            return "no package".to_owned();
        }
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
    let advice = places.advice().unwrap_or_else(|| {
        format!("package `{name}` is the file `{path}.kaa`, or the files directly under `{path}/`")
    });
    let diagnostic = Diagnostic::error(
        Code::PackageMismatch,
        format!("a file in this place is no part of package `{name}`"),
        place.clone(),
        format!("its path allows {}", places.shown()),
    );
    let candidates = [Some(&places.own), places.folder.as_ref()].into_iter().flatten();
    let near = nearest(name, candidates.filter(|_| places.unfit.is_none()).map(String::as_str));
    Some(match near {
        Some(near) => diagnostic.with_suggestion(place, near, format!("did you mean `{near}`?")),
        None => diagnostic.with_help(advice),
    })
}

fn is_name(text: &str) -> bool {
    text.chars().all(is_part_of_name) && text.starts_with(|first: char| !first.is_ascii_digit())
}

fn is_part_of_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

fn nameless(file: &ast::File, places: &Places, likely: &str) -> Diagnostic {
    let place = Place::new(&file.path, Span::at(0));
    let diagnostic = Diagnostic::error(
        Code::PackageMismatch,
        "this file names no package",
        place.clone(),
        "expected `package …;`",
    );
    if let Some(advice) = places.advice() {
        return diagnostic.with_help("its path allows none").with_help(advice);
    }
    diagnostic.with_help(format!("its path allows {}", places.shown())).with_fix(
        place,
        format!("package {likely};\n"),
        "add the line",
    )
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
            "this file makes it a folder",
        )
        .with_label(Place::new(&single.0.path, single.1.span), "and this is the package in a single file")
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
