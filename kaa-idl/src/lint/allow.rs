//! The lint about `#[allow(…)]` itself.

use super::linter::{Linter, allowed_names};
use super::table::Lint;
use crate::ast::Attribute;
use crate::compatibility::Rule;
use crate::diagnostic::Diagnostic;
use crate::resolve::nearest;

impl Linter<'_> {
    pub(super) fn allow(&mut self, attributes: &[Attribute]) {
        for attribute in attributes.iter().filter(|attribute| attribute.name.text == "allow") {
            for (name, span) in allowed_names(attribute) {
                if !known().any(|known| known == name) {
                    let place = self.place(span);
                    let message = format!("there is no lint or compatibility rule `{name}`");
                    let finding =
                        Diagnostic::warning(Lint::AllowKnown, message, place.clone(), "allows nothing");
                    let upper = name.to_ascii_uppercase();
                    let finding = match known().find(|known| *known == upper) {
                        Some(known) => finding.with_fix(place, known, "names are in capitals"),
                        None => match nearest(&upper, known()) {
                            Some(near) => {
                                finding.with_suggestion(place, near, format!("did you mean `{near}`?"))
                            }
                            None => finding,
                        },
                    };
                    self.report(Lint::AllowKnown, finding);
                }
            }
        }
    }
}

fn known() -> impl Iterator<Item = &'static str> {
    let lints = Lint::ALL.iter().map(|lint| lint.name());
    lints.chain(Rule::ALL.iter().map(|rule| rule.name()))
}
