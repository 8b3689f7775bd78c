//! Diagnostics as JSON, with the keys that `docs/command.md` documents.
//!
//! Invariants: within one [`VERSION`] a published key keeps its name and meaning; lines and columns start at
//! one, columns count characters, offsets count bytes.

use std::collections::HashMap;

use kaa_idl::Compilation;
use kaa_idl::compatibility;
use kaa_idl::diagnostic::{Certainty, Diagnostic, Label, Place, Rendering, Severity};
use serde::Serialize;

use crate::positions::{Positions, Range};

/// The version of the document.
pub(crate) const VERSION: u32 = 1;

/// The findings of a run.
#[derive(Debug, Serialize)]
pub(crate) struct Document {
    pub(crate) version: u32,
    pub(crate) command: &'static str,
    pub(crate) files: usize,
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
    pub(crate) diagnostics: Vec<Finding>,
}

/// One diagnostic.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    pub(crate) code: &'static str,
    pub(crate) severity: &'static str,
    pub(crate) message: String,
    #[serde(flatten)]
    pub(crate) range: Range,
    pub(crate) label: String,
    pub(crate) labels: Vec<Annotation>,
    pub(crate) help: Vec<String>,
    pub(crate) fixes: Vec<FindingFix>,
}

/// A range with a message.
#[derive(Debug, Serialize)]
pub(crate) struct Annotation {
    pub(crate) message: String,
    #[serde(flatten)]
    pub(crate) range: Range,
}

/// A change that resolves a finding.
#[derive(Debug, Serialize)]
pub(crate) struct FindingFix {
    pub(crate) message: String,
    pub(crate) certain: bool,
    pub(crate) edits: Vec<FindingEdit>,
}

/// One edit of a fix.
#[derive(Debug, Serialize)]
pub(crate) struct FindingEdit {
    #[serde(flatten)]
    pub(crate) range: Range,
    pub(crate) replacement: String,
}

/// The files that diagnostics are about.
pub(crate) trait DiagnosticTexts {
    /// The text of a file; `None` if it could not be read.
    fn text(&self, path: &str) -> Option<&str>;

    /// A file's path, relative to the current folder.
    fn display_path(&self, path: &str) -> String;

    /// Diagnostics as text for people.
    fn render(&self, diagnostics: &[Diagnostic], rendering: Rendering) -> String;
}

impl DiagnosticTexts for Compilation {
    fn text(&self, path: &str) -> Option<&str> {
        self.text(path)
    }

    fn display_path(&self, path: &str) -> String {
        self.display_path(path).to_owned()
    }

    fn render(&self, diagnostics: &[Diagnostic], rendering: Rendering) -> String {
        self.render_diagnostics(diagnostics, rendering)
    }
}

impl DiagnosticTexts for compatibility::Report<'_> {
    fn text(&self, path: &str) -> Option<&str> {
        self.text(path)
    }

    fn display_path(&self, path: &str) -> String {
        self.display_path(path)
    }

    fn render(&self, diagnostics: &[Diagnostic], rendering: Rendering) -> String {
        self.render_diagnostics(diagnostics, rendering)
    }
}

/// Converts the diagnostics of one compilation into findings.
pub(crate) struct FindingBuilder<'a> {
    texts: &'a dyn DiagnosticTexts,
    positions: HashMap<&'a str, Positions<'a>>,
}

impl<'a> FindingBuilder<'a> {
    pub(crate) fn new(texts: &'a dyn DiagnosticTexts) -> Self {
        Self { texts, positions: HashMap::new() }
    }

    pub(crate) fn finding(&mut self, diagnostic: &'a Diagnostic) -> Finding {
        let severity = match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let fixes = diagnostic.fix.iter().map(|fix| FindingFix {
            message: fix.message.clone(),
            certain: fix.certainty == Certainty::Certain,
            edits: fix
                .edits
                .iter()
                .map(|edit| FindingEdit {
                    range: self.range(&edit.place),
                    replacement: edit.replacement.clone(),
                })
                .collect(),
        });
        let fixes = fixes.collect();
        Finding {
            code: diagnostic.rule.as_str(),
            severity,
            message: diagnostic.message.clone(),
            range: self.range(&diagnostic.primary.place),
            label: diagnostic.primary.message.clone(),
            labels: diagnostic.secondary.iter().map(|label| self.annotation(label)).collect(),
            help: diagnostic.help.clone(),
            fixes,
        }
    }

    fn annotation(&mut self, label: &'a Label) -> Annotation {
        Annotation { message: label.message.clone(), range: self.range(&label.place) }
    }

    fn range(&mut self, place: &'a Place) -> Range {
        let path: &'a str = &place.path;
        let texts = self.texts;
        let file = (!path.is_empty()).then(|| texts.display_path(path));
        let positions = self
            .positions
            .entry(path)
            .or_insert_with(|| Positions::new(texts.text(path).unwrap_or_default()));
        positions.range(file, place.span.start(), place.span.end())
    }
}
