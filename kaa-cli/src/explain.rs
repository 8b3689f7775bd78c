//! `kaa explain`: explains codes, lints and rules.
//!
//! Invariants: lines of prose are wrapped between words; examples are not changed.

use clap::Args;
use kaa_idl::compatibility;
use kaa_idl::diagnostic::Code;
use kaa_idl::lint::Lint;
use kaa_idl::nearest;
use serde::Serialize;

use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::findings::VERSION;
use crate::options::{Format, FormatOption};
use crate::report::json;

/// The maximum width of text, and the width if there is no terminal.
const MAX_WIDTH: usize = 100;

/// The start of an example that does not compile.
const REJECTED_FENCE: &str = "```kaa,bad";

/// The start and end of an example.
const FENCE: &str = "```";

/// Explain a code or the name of a rule
///
/// Explains codes of the compiler (K0104), lints (STRING_BOUNDED) and compatibility rules
/// (STRUCT_FIELD_NO_DELETE). Upper and lower case are the same.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kaa explain K0104
  kaa explain --list
  kaa explain --list --format json")]
pub(crate) struct ExplainArguments {
    /// The code or name, which a finding shows in brackets after `error` or `warning`
    #[arg(value_name = "CODE", required_unless_present = "list")]
    codes: Vec<String>,

    /// List all codes and rules with their titles
    #[arg(long, conflicts_with = "codes")]
    list: bool,

    #[command(flatten)]
    format: FormatOption,
}

/// A code of the compiler, a lint or a compatibility rule.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Rule {
    code: &'static str,
    kind: Kind,
    /// The group of a lint, or the category of a compatibility rule.
    category: Option<&'static str>,
    title: &'static str,
    explanation: &'static str,
    /// For a compatibility rule, what to do instead of the breaking change.
    instead: Option<&'static str>,
    /// For a lint, what `kaa lint --fix` does.
    fix: Option<&'static str>,
}

/// The kind of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Compiler,
    Lint,
    Compatibility,
}

#[derive(Debug, Serialize)]
struct Document {
    version: u32,
    rules: Vec<Rule>,
}

impl ExplainArguments {
    pub(crate) fn run(&self, console: &mut Console) -> Result<Outcome, Failure> {
        if self.format.format == Format::Github {
            let help = "use the format human or json";
            return Err(Failure::argument("`kaa explain` does not support the format github", help));
        }
        let rules = if self.list { all() } else { self.named()? };
        if self.format.format == Format::Json {
            console.print(&json(&Document { version: VERSION, rules })?)?;
        } else if self.list {
            console.print(&list(&rules))?;
        } else {
            let texts: Vec<String> = rules.iter().map(|rule| text(rule, console.rendering().width)).collect();
            console.print(&texts.join("\n"))?;
        }
        Ok(Outcome::Success)
    }

    fn named(&self) -> Result<Vec<Rule>, Failure> {
        let all = all();
        let find = |name: &String| {
            let found = all.iter().find(|rule| rule.code.eq_ignore_ascii_case(name.trim()));
            found.copied().ok_or_else(|| unknown(name, &all))
        };
        self.codes.iter().map(find).collect()
    }
}

/// All codes, lints and rules.
fn all() -> Vec<Rule> {
    let codes = Code::ALL.iter().map(|code| Rule {
        code: code.as_str(),
        kind: Kind::Compiler,
        category: None,
        title: code.title(),
        explanation: code.explanation(),
        instead: None,
        fix: None,
    });
    let lints = Lint::ALL.iter().map(|lint| Rule {
        code: lint.name(),
        kind: Kind::Lint,
        category: Some(lint.group().name()),
        title: sentence(lint.explanation()),
        explanation: lint.explanation(),
        instead: None,
        fix: (!lint.fix_description().is_empty()).then_some(lint.fix_description()),
    });
    let rules = compatibility::Rule::ALL.iter().map(|rule| Rule {
        code: rule.name(),
        kind: Kind::Compatibility,
        category: Some(rule.category().name()),
        title: rule.help(),
        explanation: rule.explanation(),
        instead: Some(rule.help()),
        fix: None,
    });
    codes.chain(lints).chain(rules).collect()
}

fn text(rule: &Rule, width: Option<usize>) -> String {
    let category = rule.category.unwrap_or_default();
    let kind = match rule.kind {
        Kind::Compiler => rule.title.to_owned(),
        Kind::Lint => format!("a lint ({category})"),
        Kind::Compatibility => format!("a compatibility rule ({category})"),
    };
    let mut text = wrapped(rule.explanation, width);
    if let Some(instead) = rule.instead {
        text += &format!("\n{}", wrapped(&format!("Instead: {instead}."), width));
    }
    if let Some(fix) = rule.fix {
        text += &format!("\n{}", wrapped(&format!("`kaa lint --fix` {fix}."), width));
    }
    if rule.kind != Kind::Compiler {
        text += &format!("\n`#[allow({})]` on a construct silences it there.\n", rule.code);
    }
    format!("{}: {kind}\n\n{text}", rule.code)
}

/// The first sentence of a text, without its full stop.
fn sentence(text: &str) -> &str {
    let first = text.split_once(". ").map_or(text, |(first, _)| first);
    first.trim_end_matches('.')
}

fn list(rules: &[Rule]) -> String {
    let width = rules.iter().map(|rule| rule.code.len()).max().unwrap_or(0);
    rules.iter().map(|rule| format!("{:width$}  {}\n", rule.code, rule.title)).collect()
}

fn unknown(name: &str, rules: &[Rule]) -> Failure {
    let wanted = name.trim().to_ascii_uppercase();
    let help = match nearest(&wanted, rules.iter().map(|rule| rule.code)) {
        Some(code) => format!("did you mean `{code}`?"),
        None => "`kaa explain --list` lists all codes and rules".to_owned(),
    };
    Failure::argument(format!("there is no code, lint or rule `{name}`"), help)
}

/// Wraps paragraphs, and indents examples in place of their fences.
fn wrapped(text: &str, width: Option<usize>) -> String {
    let width = width.map_or(MAX_WIDTH, |width| width.clamp(20, MAX_WIDTH));
    let mut output = String::new();
    let mut in_example = false;
    for line in text.lines() {
        if line.starts_with(FENCE) {
            in_example = !in_example;
            if line.starts_with(REJECTED_FENCE) {
                output.push_str("    // does not compile\n");
            }
        } else if in_example && !line.is_empty() {
            output.push_str(&format!("    {line}\n"));
        } else {
            paragraph(line, width, &mut output);
        }
    }
    output
}

fn paragraph(line: &str, width: usize, output: &mut String) {
    let mut column = 0;
    for word in line.split(' ') {
        let length = word.chars().count();
        if column > 0 && column + 1 + length > width {
            output.push('\n');
            column = 0;
        } else if column > 0 {
            output.push(' ');
            column += 1;
        }
        output.push_str(word);
        column += length;
    }
    output.push('\n');
}
