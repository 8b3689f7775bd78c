//! Assigns files to packages, and checks that the packages form a hierarchy.
//!
//! Invariants: every file belongs to exactly one package; packages are ordered by name.

use std::collections::{BTreeMap, HashSet};

use super::graph::{components, is_cycle, shortest_cycle};
use crate::ast::{self, dotted};
use crate::diagnostic::{Code, Diagnostic, Place};
use crate::location::{LineTable, Span};
use crate::suggest::nearest;

/// A parsed file with the table of its lines, if its text could be read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Input<'a> {
    pub(crate) file: &'a ast::File,
    pub(crate) lines: Option<&'a LineTable>,
}

/// Files grouped by the package that they declare.
pub(super) struct Groups {
    pub(super) packages: BTreeMap<String, Vec<usize>>,
    /// Files whose path does not match their `package` line. Their items may duplicate those of other files.
    pub(super) misplaced: HashSet<usize>,
    /// Packages that a file may belong to which is misplaced or has no valid `package` line, with these
    /// files.
    pub(super) uncertain: BTreeMap<String, Vec<usize>>,
    /// Errors about `package` lines and paths.
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// Groups files by package.
pub(super) fn group(files: &[Input<'_>]) -> Groups {
    let mut packages: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut misplaced = HashSet::new();
    let mut uncertain: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut diagnostics = Vec::new();
    let named: HashSet<String> =
        files.iter().filter_map(|input| Some(dotted(&input.file.package.as_ref()?.segments))).collect();
    for (index, input) in files.iter().enumerate() {
        let allowed = AllowedPackages::of(&input.file.path);
        let mut is_uncertain = true;
        let name = match &input.file.package {
            Some(line) => {
                let name = dotted(&line.segments);
                match mismatch(input.file, line, &name, &allowed) {
                    Some(diagnostic) => {
                        misplaced.insert(index);
                        diagnostics.push(diagnostic);
                    }
                    None => is_uncertain = false,
                }
                name
            }
            None => {
                let name = allowed.likely(&named).to_owned();
                if !input.file.incomplete && !input.file.package_invalid {
                    diagnostics.push(missing_package_line(input.file, &allowed, &name));
                }
                name
            }
        };
        if is_uncertain {
            for candidate in [Some(&allowed.own), allowed.folder.as_ref()].into_iter().flatten() {
                uncertain.entry(candidate.clone()).or_default().push(index);
            }
        }
        packages.entry(name).or_default().push(index);
    }
    for (name, members) in &packages {
        diagnostics.extend(both_file_and_folder(files, name, members));
    }
    Groups { packages, misplaced, uncertain, diagnostics }
}

/// The packages that a file may declare, given its path.
struct AllowedPackages {
    /// The package of a single file: `tv.epg` for `tv/epg.kaa`.
    own: String,
    /// The package of the folder: `tv` for `tv/epg.kaa`; `None` directly under a root.
    folder: Option<String>,
    /// A part of the path that is not a valid name: `my-shop` for `my-shop.kaa`.
    invalid_part: Option<String>,
}

impl AllowedPackages {
    fn of(path: &str) -> Self {
        let stem = path.strip_suffix(".kaa").unwrap_or(path);
        let own = stem.replace('/', ".");
        let folder = stem.rsplit_once('/').map(|(folder, _)| folder.replace('/', "."));
        let invalid_part = stem.split('/').find(|part| !is_name(part)).map(str::to_owned);
        Self { own, folder, invalid_part }
    }

    /// The package of a file without a `package` line: the folder's package if another file declares it,
    /// otherwise the file's own.
    fn likely(&self, named: &HashSet<String>) -> &str {
        let folder =
            self.folder.as_ref().filter(|folder| named.contains(*folder) && !named.contains(&self.own));
        folder.unwrap_or(&self.own)
    }

    /// How to correct a path that no package can have.
    fn advice(&self) -> Option<String> {
        let invalid = self.invalid_part.as_deref()?;
        let legal: String =
            invalid.chars().map(|each| if is_part_of_name(each) { each } else { '_' }).collect();
        let rename =
            if is_name(&legal) { format!(": rename `{invalid}` to `{legal}`") } else { String::new() };
        Some(format!("file and folder names consist of letters, digits and `_`{rename}"))
    }

    /// The allowed `package` lines, for messages.
    fn lines(&self) -> String {
        if self.invalid_part.is_some() {
            return "no package".to_owned();
        }
        match &self.folder {
            Some(folder) => format!("`package {};` or `package {folder};`", self.own),
            None => format!("`package {};`", self.own),
        }
    }
}

fn mismatch(
    file: &ast::File,
    line: &ast::PackageLine,
    name: &str,
    allowed: &AllowedPackages,
) -> Option<Diagnostic> {
    if name == allowed.own || Some(name) == allowed.folder.as_deref() {
        return None;
    }
    let place = Place::new(&file.path, line.span);
    let path = name.replace('.', "/");
    let advice = allowed.advice().unwrap_or_else(|| {
        format!("package `{name}` is the file `{path}.kaa`, or all files directly in `{path}/`")
    });
    let diagnostic = Diagnostic::error(
        Code::PackageMismatch,
        format!("the path does not match `package {name}`"),
        place.clone(),
        format!("the path allows {}", allowed.lines()),
    );
    let candidates = [Some(&allowed.own), allowed.folder.as_ref()].into_iter().flatten();
    let near = nearest(name, candidates.filter(|_| allowed.invalid_part.is_none()).map(String::as_str));
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

fn missing_package_line(file: &ast::File, allowed: &AllowedPackages, likely: &str) -> Diagnostic {
    let place = Place::new(&file.path, Span::at(0));
    let diagnostic = Diagnostic::error(
        Code::PackageMismatch,
        "this file has no `package` line",
        place.clone(),
        "expected `package …;`",
    );
    if let Some(advice) = allowed.advice() {
        return diagnostic.with_help("the path does not allow any package").with_help(advice);
    }
    diagnostic.with_help(format!("the path allows {}", allowed.lines())).with_fix(
        place,
        format!("package {likely};\n"),
        "add a `package` line",
    )
}

/// A package is either one file or the files of one folder, so that its items are easy to find.
fn both_file_and_folder(files: &[Input<'_>], name: &str, members: &[usize]) -> Option<Diagnostic> {
    let line =
        |index: &usize| files.get(*index).and_then(|input| Some((input.file, input.file.package.as_ref()?)));
    let single =
        members.iter().filter_map(line).find(|(file, _)| AllowedPackages::of(&file.path).own == name)?;
    let folder = members
        .iter()
        .filter_map(line)
        .find(|(file, _)| AllowedPackages::of(&file.path).folder.as_deref() == Some(name))?;
    Some(
        Diagnostic::error(
            Code::PackageMismatch,
            format!("package `{name}` is both a file and a folder"),
            Place::new(&folder.0.path, folder.1.span),
            "this file is in the folder of the package",
        )
        .with_label(Place::new(&single.0.path, single.1.span), "this file is the package as a single file")
        .with_help("move the single file into the folder, or the contents of the folder into the file"),
    )
}

/// Reports cycles between packages. `edges` holds for each pair the place where the first package uses the
/// second.
pub(super) fn cycles(names: &[String], edges: &BTreeMap<(usize, usize), Place>) -> Vec<Diagnostic> {
    let mut targets = vec![Vec::new(); names.len()];
    for (from, to) in edges.keys() {
        if let Some(list) = targets.get_mut(*from) {
            list.push(*to);
        }
    }
    let mut diagnostics = Vec::new();
    for component in components(&targets) {
        if !is_cycle(&component, &targets) {
            continue;
        }
        let cycle = shortest_cycle(&component, &targets);
        let name = |index: &usize| names.get(*index).map_or("", String::as_str);
        let text = cycle.iter().map(name).collect::<Vec<_>>().join(" → ");
        let steps = cycle.iter().zip(cycle.iter().skip(1)).filter_map(|(from, to)| {
            let place = edges.get(&(*from, *to))?.clone();
            Some((place, format!("`{}` uses `{}`", name(from), name(to))))
        });
        let message = format!("packages depend on each other in a cycle: {text}");
        let diagnostic = Diagnostic::along(Code::ImportCycle, message, steps);
        let help = "move what they share to a third package";
        diagnostics.extend(diagnostic.map(|diagnostic| diagnostic.with_help(help)));
    }
    diagnostics
}
