//! `kaa fmt`: the one layout of `.kaa` files.
//!
//! Invariants: a file with syntax errors is left alone, and the others are formatted all the same; a file that is
//! formatted already is not written.

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

/// The name of the finding.
const NAME: &str = "FORMAT";

/// So many lines of a difference are shown.
const MAX_SHOWN_LINES: usize = 10;

/// Format .kaa files
///
/// There is one layout and nothing to configure. Comments stay where they are, and the meaning of a file stays what it
/// is. A file with syntax errors is left alone.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kaa fmt                                the package or workspace around the current folder
  kaa fmt kaa/tv/epg.kaa                 one file
  kaa fmt --check                        in CI: write nothing, and end with 1 if a file would change
  kaa fmt - < epg.kaa                    standard input to standard output, for editors")]
pub(crate) struct FmtArguments {
    #[command(flatten)]
    targets: Targets,

    /// Write nothing, show what would change, and end with 1 if anything would
    #[arg(long)]
    check: bool,

    /// The file that standard input stands for, when the path is `-`; for messages
    #[arg(long, value_name = "FILE")]
    stdin_path: Option<PathBuf>,

    #[command(flatten)]
    format: FormatOption,
}

/// One file of a source.
struct Single<'a> {
    source: &'a ProjectSource,
    path: &'a str,
}

impl FileSource for Single<'_> {
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
            let meant = |path: &&String| match source.input_path() {
                Some(input) => *path == input,
                None => project.selects(path),
            };
            for path in files.iter().filter(meant) {
                report.count_files(1);
                match self.file(&source, path, &mut report, console) {
                    Ok(true) => changed += 1,
                    Ok(false) => {}
                    // One file that cannot be written keeps none of the others from being formatted.
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
            console.status(&format!("left files with errors as they are: {}", count(errors, "error")))?;
        }
        if !from_input {
            console.status(&format!("formatted {changed} of {}", count(files, "file")))?;
        }
        Ok(if errors > 0 { Outcome::Findings } else { Outcome::Success })
    }

    /// Formats a file, and says whether it changed.
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
                let compilation = compile(&Single { source, path });
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

/// The lines between the first and the last that differ.
struct Difference<'a> {
    /// Offset of the first line that differs.
    start: usize,
    line: usize,
    old: &'a str,
    new: &'a str,
}

impl<'a> Difference<'a> {
    /// `None` between equal texts.
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
