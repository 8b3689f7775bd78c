//! `kaa fmt`: formats `.kaa` files.
//!
//! Invariants: a file with syntax errors is not changed, and does not prevent formatting of other files; a
//! file that is already formatted is not written.

use std::path::PathBuf;

use clap::Args;
use kaa_idl::{FileSource, SourceError, compile, format};

use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::findings::{Finding, FindingEdit, FindingFix};
use crate::options::{Format, FormatOption, Targets};
use crate::positions::Positions;
use crate::report::{Report, count};
use crate::source::{ProjectSource, sources};
use crate::write::replace;

/// The code of the finding.
const NAME: &str = "FORMAT";

/// The maximum number of lines of a difference in the output.
const MAX_SHOWN_LINES: usize = 10;

/// Format .kaa files
///
/// There is one layout and no configuration. Formatting keeps comments and never changes the meaning of a
/// file. A file with syntax errors is not changed.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kaa fmt                                the current package or workspace
  kaa fmt kaa/tv/epg.kaa                 one file
  kaa fmt --check                        in CI: write nothing, exit with 1 if a file would change
  kaa fmt - < epg.kaa                    standard input to standard output, for editors")]
pub(crate) struct FmtArguments {
    #[command(flatten)]
    targets: Targets,

    /// Write nothing, show the changes, and exit with 1 if there are any
    #[arg(long)]
    check: bool,

    /// The path to show in messages for standard input, when the path is `-`
    #[arg(long, value_name = "FILE")]
    stdin_path: Option<PathBuf>,

    #[command(flatten)]
    format: FormatOption,
}

/// A source with a single file.
struct SingleFile<'a> {
    source: &'a ProjectSource,
    path: &'a str,
}

impl FileSource for SingleFile<'_> {
    fn files(&self) -> Result<Vec<String>, SourceError> {
        Ok(vec![self.path.to_owned()])
    }

    fn read(&self, path: &str) -> Result<Vec<u8>, SourceError> {
        self.source.read(path)
    }

    fn display_path(&self, path: &str) -> String {
        self.source.display_path(path)
    }
}

impl FmtArguments {
    pub(crate) fn run(&self, console: &mut Console) -> Result<Outcome, Failure> {
        let mut report = Report::new("fmt", self.format.format);
        let mut changed = 0;
        let mut failure = None;
        let mut from_input = false;
        for (source, project) in sources(&self.targets, self.stdin_path.as_deref())? {
            let files = match source.files() {
                Ok(files) => files,
                Err(_) => {
                    let compilation = compile(&source);
                    report.add(&compilation, compilation.diagnostics(), console)?;
                    continue;
                }
            };
            from_input = source.input_path().is_some();
            let selected = |path: &&String| match source.input_path() {
                Some(input) => *path == input,
                None => project.selects(path),
            };
            for path in files.iter().filter(selected) {
                report.count_files(1);
                match self.file(&source, path, &mut report, console) {
                    Ok(true) => changed += 1,
                    Ok(false) => {}
                    // A file that cannot be written does not prevent formatting of other files.
                    Err(error @ Failure::Io { .. }) => {
                        if let Some(earlier) = failure.replace(error) {
                            console.failure(&earlier);
                        }
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        if let Some(failure) = failure {
            return Err(failure);
        }
        if self.check || self.format.format != Format::Human {
            return report.finish("checked the format of", console);
        }
        let (files, errors) = (report.files(), report.errors());
        if errors > 0 && !from_input {
            console.status(&format!("skipped files with errors: {}", count(errors, "error")))?;
        }
        if !from_input {
            console.status(&format!("formatted {changed} of {}", count(files, "file")))?;
        }
        Ok(if errors > 0 { Outcome::Findings } else { Outcome::Success })
    }

    /// Formats a file, and returns whether it changed.
    fn file(
        &self,
        source: &ProjectSource,
        path: &str,
        report: &mut Report,
        console: &mut Console,
    ) -> Result<bool, Failure> {
        let is_input = source.input_path().is_some();
        let text = source.read(path).ok().and_then(|content| String::from_utf8(content).ok());
        let formatted = match text.as_deref().map(|text| format(path, text)) {
            Some(Ok(formatted)) => formatted,
            refused => {
                let compilation = compile(&SingleFile { source, path });
                let diagnostics = match refused {
                    Some(Err(diagnostics)) => diagnostics,
                    _ => compilation.diagnostics().to_vec(),
                };
                if is_input && !self.check && self.format.format == Format::Human {
                    console.print_diagnostics(|rendering| {
                        compilation.render_diagnostics(&diagnostics, rendering)
                    })?;
                    report.count_errors(diagnostics.len());
                    return Ok(false);
                }
                report.add(&compilation, &diagnostics, console)?;
                return Ok(false);
            }
        };
        let text = text.unwrap_or_default();
        if self.check {
            if let Some(difference) = Difference::between(&text, &formatted) {
                let shown = source.display_path(path);
                report.add_finding(difference.finding(&text, &shown), &difference.text(&shown), console)?;
            }
            return Ok(false);
        }
        if is_input {
            console.print(&formatted)?;
        } else if text != formatted
            && let Some(place) = source.locate(path)
        {
            replace(&place, formatted.as_bytes())?;
        }
        Ok(text != formatted)
    }
}

/// The lines from the first that differs to the last that differs.
struct Difference<'a> {
    /// The offset of the first line that differs, in bytes.
    start: usize,
    line: usize,
    old: &'a str,
    new: &'a str,
}

impl<'a> Difference<'a> {
    /// `None` if the texts are equal.
    fn between(old: &'a str, new: &'a str) -> Option<Self> {
        let lines = |text: &'a str| text.split_inclusive('\n');
        let same = || lines(old).zip(lines(new)).take_while(|(left, right)| left == right);
        let start: usize = same().map(|(line, _)| line.len()).sum();
        let (old, new) = (old.get(start..)?, new.get(start..)?);
        let ends = old.split_inclusive('\n').rev().zip(new.split_inclusive('\n').rev());
        let end: usize = ends.take_while(|(left, right)| left == right).map(|(line, _)| line.len()).sum();
        let (old, new) = (old.get(..old.len() - end)?, new.get(..new.len() - end)?);
        (!old.is_empty() || !new.is_empty()).then_some(Self { start, line: same().count() + 1, old, new })
    }

    fn text(&self, path: &str) -> String {
        let marked = |mark: char, text: &str| {
            let mut shown: String =
                text.lines().take(MAX_SHOWN_LINES).map(|line| format!("{mark} {line}\n")).collect();
            let hidden = text.lines().count().saturating_sub(MAX_SHOWN_LINES);
            if hidden > 0 {
                shown += &format!("{mark} … and {}\n", count(hidden, "line"));
            }
            shown
        };
        format!(
            "{path}:{}: would be formatted\n{}{}\n",
            self.line,
            marked('-', self.old),
            marked('+', self.new)
        )
    }

    fn finding(&self, text: &str, shown: &str) -> Finding {
        let positions = Positions::new(text);
        let range = || positions.range(Some(shown.to_owned()), self.start, self.start + self.old.len());
        Finding {
            code: NAME,
            severity: "error",
            message: "this file is not formatted".to_owned(),
            range: range(),
            label: String::new(),
            labels: Vec::new(),
            help: vec!["`kaa fmt` formats it".to_owned()],
            fixes: vec![FindingFix {
                message: "format it".to_owned(),
                certain: true,
                edits: vec![FindingEdit { range: range(), replacement: self.new.to_owned() }],
            }],
        }
    }
}
