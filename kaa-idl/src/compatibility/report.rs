//! The findings between two compilations, as diagnostics that show source lines of both.
//!
//! Invariants: paths of old files differ from all paths of new files. Findings are in the order of the new
//! text.

use std::collections::HashMap;
use std::sync::Arc;

use super::finding::{Annotation, Finding};
use super::packages::compare;
use super::settings::Settings;
use super::{Category, Rule};
use crate::compile::Compilation;
use crate::diagnostic::{Diagnostic, Label, Place, Rendering, Severity, Sources, render};

/// The compatibility rules that the new compilation breaks.
#[derive(Debug)]
pub struct Report<'a> {
    old: &'a Compilation,
    new: &'a Compilation,
    revision: String,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Report<'a> {
    /// Compares two compilations. `revision` describes the old files, such as `frozen 3` or a git ref, and
    /// follows their paths in messages. `None` if one of the two has no schema.
    #[must_use]
    pub fn new(
        old: &'a Compilation,
        new: &'a Compilation,
        revision: &str,
        settings: &Settings,
    ) -> Option<Self> {
        let findings = compare(old.schema()?, new.schema()?, settings);
        let diagnostics = findings.iter().map(|finding| diagnostic(finding, revision)).collect();
        Some(Self { old, new, revision: revision.to_owned(), diagnostics })
    }

    /// The same report, with errors only for rules about the wire. Findings about source code or policies are
    /// warnings.
    #[must_use]
    pub fn for_peers(mut self) -> Self {
        let on_the_wire =
            |name: &str| Rule::from_name(name).is_some_and(|rule| rule.category() == Category::Wire);
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

    /// Whether any finding is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// The text of a file, by the path in the place of a finding.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        match self.old_path(path) {
            Some(path) => self.old.text(path),
            None => self.new.text(path),
        }
    }

    /// The path in the place of a finding, as the file source of its revision names it.
    #[must_use]
    pub fn path<'p>(&self, path: &'p str) -> &'p str {
        self.old_path(path).unwrap_or(path)
    }

    /// The path in the place of a finding, for display.
    #[must_use]
    pub fn display_path(&self, path: &str) -> String {
        match self.old_path(path) {
            Some(path) => with_revision(self.old.display_path(path), &self.revision),
            None => self.new.display_path(path).to_owned(),
        }
    }

    fn old_path<'p>(&self, path: &'p str) -> Option<&'p str> {
        path.strip_suffix(')')?.strip_suffix(self.revision.as_str())?.strip_suffix(" (")
    }

    /// All findings as text; empty if there are none.
    #[must_use]
    pub fn render(&self, rendering: impl Into<Rendering>) -> String {
        self.render_diagnostics(&self.diagnostics, rendering)
    }

    /// Other diagnostics about the same files as text, such as suppressed findings.
    #[must_use]
    pub fn render_diagnostics(&self, diagnostics: &[Diagnostic], rendering: impl Into<Rendering>) -> String {
        let paths: Vec<(String, &str)> = self
            .old
            .sources()
            .iter()
            .map(|(path, _)| (with_revision(path, &self.revision), &**path))
            .collect();
        let mut display_paths: HashMap<String, String> = self.new.display_paths().clone();
        for (old_path, path) in &paths {
            display_paths
                .insert(old_path.clone(), with_revision(self.old.display_path(path), &self.revision));
        }
        let mut texts: HashMap<&str, _> =
            self.new.sources().iter().map(|(path, text)| (&**path, text)).collect();
        for ((path, _), (_, text)) in paths.iter().zip(self.old.sources()) {
            texts.insert(path, text);
        }
        render(diagnostics, &Sources { texts, display_paths: &display_paths }, rendering.into())
    }
}

fn with_revision(path: &str, revision: &str) -> String {
    format!("{path} ({revision})")
}

fn diagnostic(finding: &Finding, revision: &str) -> Diagnostic {
    let label = |annotation: &Annotation, path: String| Label {
        place: Place::new(&Arc::from(path), annotation.location.span),
        message: annotation.label.clone(),
    };
    let new = finding.new.as_ref().map(|annotation| label(annotation, annotation.location.path.to_string()));
    let old = finding
        .old
        .as_ref()
        .map(|annotation| label(annotation, with_revision(&annotation.location.path, revision)));
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
