//! Writes the findings of a run in the selected format.
//!
//! Invariants: text and annotations are written immediately, a JSON document once at the end; findings go to
//! standard output, the summary to standard error.

use kaa_idl::Compilation;
use kaa_idl::diagnostic::{Diagnostic, Severity};

use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::findings::{DiagnosticTexts, Document, Finding, FindingBuilder, VERSION};
use crate::options::Format;

/// The findings of a run.
#[derive(Debug)]
pub(crate) struct Report {
    format: Format,
    document: Document,
    /// The name of the first finding, for the hint at the end.
    first: Option<&'static str>,
}

impl Report {
    /// Starts the report of a subcommand.
    pub(crate) fn new(command: &'static str, format: Format) -> Self {
        let document =
            Document { version: VERSION, command, files: 0, errors: 0, warnings: 0, diagnostics: Vec::new() };
        Self { format, document, first: None }
    }

    /// Adds to the number of processed files.
    pub(crate) fn count_files(&mut self, files: usize) {
        self.document.files += files;
    }

    /// Adds diagnostics. Writes them unless the format is JSON.
    pub(crate) fn add(
        &mut self,
        texts: &dyn DiagnosticTexts,
        diagnostics: &[Diagnostic],
        console: &mut Console,
    ) -> Result<(), Failure> {
        let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
        self.document.errors += errors;
        self.document.warnings += diagnostics.len() - errors;
        self.first = self.first.or(diagnostics.first().map(|diagnostic| diagnostic.rule.as_str()));
        let mut builder = FindingBuilder::new(texts);
        match self.format {
            Format::Human if diagnostics.is_empty() => {}
            Format::Human => {
                let text = texts.render(diagnostics, console.rendering());
                console.print(&text)?;
                console.print("\n")?;
            }
            Format::Json => {
                let findings = diagnostics.iter().map(|diagnostic| builder.finding(diagnostic));
                self.document.diagnostics.extend(findings);
            }
            Format::Github => {
                for diagnostic in diagnostics {
                    console.print(&annotation(&builder.finding(diagnostic)))?;
                }
            }
        }
        Ok(())
    }

    /// Adds an error that is not a diagnostic of the compiler. `text` is its human format.
    pub(crate) fn add_finding(
        &mut self,
        finding: Finding,
        text: &str,
        console: &mut Console,
    ) -> Result<(), Failure> {
        self.count_errors(1);
        match self.format {
            Format::Human => console.print(text)?,
            Format::Json => self.document.diagnostics.push(finding),
            Format::Github => console.print(&annotation(&finding))?,
        }
        Ok(())
    }

    /// Adds to the number of errors, for errors that are written elsewhere.
    pub(crate) fn count_errors(&mut self, errors: usize) {
        self.document.errors += errors;
    }

    /// The number of processed files so far.
    pub(crate) fn files(&self) -> usize {
        self.document.files
    }

    /// The number of errors so far.
    pub(crate) fn errors(&self) -> usize {
        self.document.errors
    }

    /// The number of findings so far.
    pub(crate) fn findings(&self) -> usize {
        self.document.errors + self.document.warnings
    }

    /// Writes the JSON document or the summary, and returns the outcome.
    pub(crate) fn finish(self, verb: &str, console: &mut Console) -> Result<Outcome, Failure> {
        let Document { files, errors, warnings, .. } = self.document;
        if self.format == Format::Json {
            console.print(&json(&self.document)?)?;
        }
        if self.format == Format::Human {
            let mut found = Vec::new();
            if errors > 0 || warnings == 0 {
                found.push(if errors == 0 { "no errors".to_owned() } else { count(errors, "error") });
            }
            if warnings > 0 {
                found.push(count(warnings, "warning"));
            }
            console.status(&format!("{verb} {}: {}", count(files, "file"), found.join(", ")))?;
            if let Some(first) = self.first {
                console
                    .status(&format!("for more information about the first, run `kaa explain {first}`"))?;
            }
        }
        Ok(if errors > 0 { Outcome::Findings } else { Outcome::Success })
    }
}

/// Writes the errors of a schema to standard error, for subcommands that need a schema without errors.
pub(crate) fn report_schema_errors(
    compilation: &Compilation,
    console: &mut Console,
) -> Result<Outcome, Failure> {
    console.print_diagnostics(|rendering| compilation.render(rendering))?;
    Ok(Outcome::Findings)
}

/// A number with its noun, such as `2 files`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// The JSON text of a document.
pub(crate) fn json(document: &impl serde::Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(document).map_err(|error| Failure::Output(error.into()))?;
    Ok(text + "\n")
}

/// A workflow command for GitHub Actions.
fn annotation(finding: &Finding) -> String {
    let range = &finding.range;
    let mut place = format!("title={}", property(finding.code));
    if let Some(file) = &range.file {
        place += &format!(
            ",file={},line={},endLine={},col={},endColumn={}",
            property(file),
            range.line,
            range.end_line,
            range.column,
            range.end_column
        );
    }
    let mut message = finding.message.clone();
    if !finding.label.is_empty() {
        message += &format!(": {}", finding.label);
    }
    for help in &finding.help {
        message += &format!("\nhelp: {help}");
    }
    for fix in &finding.fixes {
        message += &format!("\nhelp: {}", fix.message);
    }
    format!("::{} {place}::{}\n", finding.severity, data(&message))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
