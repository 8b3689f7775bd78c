//! Applies the fixes of findings.
//!
//! Invariants: only certain fixes are applied; of overlapping fixes the first is applied, and the others are
//! checked again in the next round; texts that compile still compile, and formatted texts stay formatted.

use std::collections::BTreeMap;

use super::linter::lint;
use super::table::Selection;
use crate::compile::compile;
use crate::diagnostic::{Certainty, Diagnostic, Edit};
use crate::format::format;
use crate::source::MemorySource;

/// The maximum number of rounds; more would mean that fixes undo each other.
const MAX_ROUNDS: usize = 10;

/// Applies the certain fixes of diagnostics to texts by path, and returns how many were applied.
///
/// A fix that overlaps with one already applied, or that edits a text that is not in `texts`, is skipped.
pub fn apply_fixes(texts: &mut BTreeMap<String, String>, diagnostics: &[Diagnostic]) -> usize {
    let mut applied: BTreeMap<&str, Vec<&Edit>> = BTreeMap::new();
    let mut count = 0;
    let fixes = diagnostics.iter().filter_map(|diagnostic| diagnostic.fix.as_ref());
    for fix in fixes.filter(|fix| fix.certainty == Certainty::Certain) {
        let free = fix.edits.iter().all(|edit| {
            let others = applied.get(&*edit.place.path).map_or(&[][..], Vec::as_slice);
            is_in_text(texts, edit) && !others.iter().any(|other| overlap(edit, other))
        });
        if free {
            count += 1;
            for edit in &fix.edits {
                applied.entry(&*edit.place.path).or_default().push(edit);
            }
        }
    }
    for (path, mut edits) in applied {
        let Some(text) = texts.get_mut(path) else { continue };
        edits.sort_by_key(|edit| edit.place.span);
        let mut changed = String::with_capacity(text.len());
        let mut at = 0;
        for edit in edits {
            changed.push_str(text.get(at..edit.place.span.start()).unwrap_or_default());
            changed.push_str(&edit.replacement);
            at = edit.place.span.end();
        }
        changed.push_str(text.get(at..).unwrap_or_default());
        *text = changed;
    }
    count
}

fn is_in_text(texts: &BTreeMap<String, String>, edit: &Edit) -> bool {
    let span = edit.place.span;
    texts.get(&*edit.place.path).is_some_and(|text| text.get(span.start()..span.end()).is_some())
}

/// Whether two edits overlap or touch. Two insertions in one place overlap, because their order would be
/// arbitrary.
fn overlap(left: &Edit, right: &Edit) -> bool {
    let (left, right) = (left.place.span, right.place.span);
    left.start() <= right.end() && right.start() <= left.end()
}

/// Lints a whole schema and applies the certain fixes, until there are none left.
///
/// The keys of `texts` are paths relative to the root, as a [`FileSource`](crate::FileSource) names them; all
/// files that the schema needs must be included. Texts that do not compile are returned unchanged.
#[must_use]
pub fn fix(texts: BTreeMap<String, String>, selection: &Selection) -> BTreeMap<String, String> {
    let formatted: Vec<String> = texts
        .iter()
        .filter(|(path, text)| format(path, text).as_ref() == Ok(*text))
        .map(|(path, _)| path.clone())
        .collect();
    let mut compilation = compile(&MemorySource::new(texts.clone()));
    if compilation.has_errors() {
        return texts;
    }
    let mut texts = texts;
    for _ in 0..MAX_ROUNDS {
        let mut changed = texts.clone();
        if apply_fixes(&mut changed, &lint(&compilation, selection)) == 0 {
            break;
        }
        for path in &formatted {
            let Some(text) = changed.get_mut(path) else { continue };
            if let Ok(better) = format(path, text) {
                *text = better;
            }
        }
        compilation = compile(&MemorySource::new(changed.clone()));
        if compilation.has_errors() {
            break;
        }
        texts = changed;
    }
    texts
}
