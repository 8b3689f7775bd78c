//! What was found between two compilations, as diagnostics that show the lines of both.
//!
//! Invariants: the paths of old files are never those of new ones; findings come in the order of the new text.

use std::collections::HashMap;
use std::sync::Arc;

use super::finding::{Finding, Spot};
use super::packages::compare;
use super::settings::Settings;
use super::{Category, Rule};
use crate::compile::Compilation;
use crate::diagnostic::{Diagnostic, Label, Place, Rendering, Severity, Sources, render};

/// What the new compilation breaks of the old one.
#[derive(Debug)]
pub struct Report<'a> {
    old: &'a Compilation,
    new: &'a Compilation,
    era: String,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Report<'a> {
    /// Compares; `era` says where the old files come from, such as `frozen 3` or a git ref, and is shown behind their
    /// paths. `None` if one of the two has no schema.
    #[must_use]
    pub fn new(old: &'a Compilation, new: &'a Compilation, era: &str, settings: &Settings) -> Option<Self> {
        let findings = compare(old.schema()?, new.schema()?, settings);
        let diagnostics = findings.iter().map(|finding| diagnostic(finding, era)).collect();
        Some(Self { old, new, era: era.to_owned(), diagnostics })
    }

    /// The same, with an error only where peers of the two would not understand each other: what concerns the source
    /// code or a policy is a warning.
    #[must_use]
    pub fn for_peers(mut self) -> Self {
        let on_the_wire =
            |name: &str| Rule::named(name).is_some_and(|rule| rule.category() == Category::Wire);
        for diagnostic in &mut self.diagnostics {
            if !on_the_wire(diagnostic.rule.as_str()) {
                diagnostic.severity = Severity::Warning;
            }
        }
        self
    }

    /// The findings. Places in old files have paths such as `tv/epg.kaa (frozen 3)`.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Whether any finding is more than a warning.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// The text of a file that a finding is about, by the path in its place.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        match self.path_in_the_past(path) {
            Some(path) => self.old.text(path),
            None => self.new.text(path),
        }
    }

    /// The path in a finding's place as the file sources name it, whichever generation it is of.
    #[must_use]
    pub fn path<'p>(&self, path: &'p str) -> &'p str {
        self.path_in_the_past(path).unwrap_or(path)
    }

    /// The path in a finding's place as a reader knows the file.
    #[must_use]
    pub fn display_path(&self, path: &str) -> String {
        match self.path_in_the_past(path) {
            Some(path) => past(self.old.display_path(path), &self.era),
            None => self.new.display_path(path).to_owned(),
        }
    }

    fn path_in_the_past<'p>(&self, path: &'p str) -> Option<&'p str> {
        path.strip_suffix(')')?.strip_suffix(self.era.as_str())?.strip_suffix(" (")
    }

    /// All findings as text; empty if there are none.
    #[must_use]
    pub fn render(&self, rendering: impl Into<Rendering>) -> String {
        self.render_diagnostics(&self.diagnostics, rendering)
    }

    /// Other diagnostics about the same files, such as findings that were set aside, as text.
    #[must_use]
    pub fn render_diagnostics(&self, diagnostics: &[Diagnostic], rendering: impl Into<Rendering>) -> String {
        let paths: Vec<(String, &str)> =
            self.old.sources().iter().map(|(path, _)| (past(path, &self.era), &**path)).collect();
        let mut display_paths: HashMap<String, String> = self.new.display_paths().clone();
        for (past_path, path) in &paths {
            display_paths.insert(past_path.clone(), past(self.old.display_path(path), &self.era));
        }
        let mut texts: HashMap<&str, _> =
            self.new.sources().iter().map(|(path, text)| (&**path, text)).collect();
        for ((path, _), (_, text)) in paths.iter().zip(self.old.sources()) {
            texts.insert(path, text);
        }
        render(diagnostics, &Sources { texts, display_paths: &display_paths }, rendering.into())
    }
}

fn past(path: &str, era: &str) -> String {
    format!("{path} ({era})")
}

fn diagnostic(finding: &Finding, era: &str) -> Diagnostic {
    let label = |spot: &Spot, path: String| Label {
        place: Place::new(&Arc::from(path), spot.location.span),
        message: spot.label.clone(),
    };
    let new = finding.new.as_ref().map(|spot| label(spot, spot.location.path.to_string()));
    let old = finding.old.as_ref().map(|spot| label(spot, past(&spot.location.path, era)));
    let mut labels = new.into_iter().chain(old);
    let nowhere =
        || Label { place: Place::new(&Arc::from(""), crate::Span::default()), message: String::new() };
    Diagnostic {
        rule: finding.rule.into(),
        severity: finding.severity,
        message: finding.message.clone(),
        primary: labels.next().unwrap_or_else(nowhere),
        secondary: labels.collect(),
        help: vec![finding.help.clone()],
        fix: None,
    }
}
