//! Makes the changes that findings offer.
//!
//! Invariants: only changes that are certain are made; of changes that overlap the first is made, and the others are
//! looked at again in the next round; texts that compiled before compile after, and those that were formatted are.

use std::collections::BTreeMap;

use super::linter::lint;
use super::selection::Selection;
use crate::compile::compile;
use crate::diagnostic::{Certainty, Diagnostic, Edit};
use crate::format::format;
use crate::source::MemorySource;

/// More rounds than this mean that changes undo each other.
const MAX_ROUNDS: usize = 10;

/// Makes the certain changes of some diagnostics in texts by path, and tells how many were made. One that overlaps with
/// another that was made, or concerns a text that is not there, is left out.
pub fn apply_fixes(texts: &mut BTreeMap<String, String>, diagnostics: &[Diagnostic]) -> usize {
    let mut made: BTreeMap<&str, Vec<&Edit>> = BTreeMap::new();
    let mut count = 0;
    let fixes = diagnostics.iter().filter_map(|diagnostic| diagnostic.fix.as_ref());
    for fix in fixes.filter(|fix| fix.certainty == Certainty::Certain) {
        let free = fix.edits.iter().all(|edit| {
            let others = made.get(&*edit.place.path).map_or(&[][..], Vec::as_slice);
            is_in_text(texts, edit) && !others.iter().any(|other| overlap(edit, other))
        });
        if free {
            count += 1;
            for edit in &fix.edits {
                made.entry(&*edit.place.path).or_default().push(edit);
            }
        }
    }
    for (path, mut edits) in made {
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

/// Whether two edits touch; which of two insertions in one place comes first would be anybody's guess.
fn overlap(left: &Edit, right: &Edit) -> bool {
    let (left, right) = (left.place.span, right.place.span);
    left.start() <= right.end() && right.start() <= left.end()
}

/// Lints a whole schema, makes the certain changes, and again until there are none. The texts are by path, relative to
/// the root, as a [`FileSource`](crate::FileSource) names them; all files that the schema needs must be there. Texts
/// that do not compile are given back as they are.
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
