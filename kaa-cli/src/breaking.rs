//! `kaa breaking`: compares a schema with older versions, and reports breaking changes.
//!
//! Invariants: all versions must compile; an edit that breaks several versions is reported once; versions
//! before the newest are checked for the category WIRE only.

use std::collections::HashSet;

use clap::Args;
use kaa_idl::compatibility::{self, Category, Rule, Settings};
use kaa_idl::compile;
use kaa_idl::diagnostic::Label;

use crate::baseline::{Baseline, Generation};
use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::options::{FormatOption, Targets};
use crate::paths::display_path;
use crate::project::Project;
use crate::report::Report;
use crate::scope::Scope;
use crate::source::ProjectSource;

/// Compare a schema with an older version, and report breaking changes
///
/// Reports every edit that breaks programs built from the old schema, or source code that uses it. Each
/// finding has the name of a rule: `kaa explain NAME` explains it, and `#[allow(NAME)]` on a construct
/// silences it there. Exits with 1 if there are errors. Additions and wider bounds are warnings.
#[derive(Debug, Args)]
#[command(after_long_help = "\
What to compare with:
  main, v1.2, HEAD~3        a git reference; nothing is checked out
  git:main                  the reference, even if there is a file or folder with this name
  git:v1.2:old/kaa          a folder of the repository at a reference, if the schema was moved
  ../release/kaa            a folder of .kaa files, or a package
  path:main                 the file or folder, even if there is a reference with this name
  frozen                    all frozen schemas in a folder
  frozen/3.frozen           one frozen schema

Examples:
  kaa breaking --against main
  kaa breaking --against origin/main --format github
  kaa breaking --against frozen --category wire
  kaa breaking --against v1.2 --rule METHOD_ADDED --no-rule CONST_SAME_VALUE")]
pub(crate) struct BreakingArguments {
    #[command(flatten)]
    targets: Targets,

    /// The git reference, folder or frozen schema to compare with
    #[arg(long, value_name = "BASELINE")]
    against: Baseline,

    /// Check only these categories: wire, source, additions, policy [default: all except additions]
    #[arg(long = "category", value_name = "CATEGORY", value_delimiter = ',', value_parser = category)]
    categories: Vec<Category>,

    /// Also check this rule; may be repeated
    #[arg(long = "rule", value_name = "NAME", value_delimiter = ',', value_parser = compatibility_rule)]
    rules: Vec<Rule>,

    /// Do not check this rule; may be repeated
    #[arg(long = "no-rule", value_name = "NAME", value_delimiter = ',', value_parser = compatibility_rule)]
    no_rules: Vec<Rule>,

    #[command(flatten)]
    format: FormatOption,
}

impl BreakingArguments {
    pub(crate) fn run(&self, console: &mut Console) -> Result<Outcome, Failure> {
        let projects = self.targets.projects()?;
        if projects.len() > 1 && !matches!(self.against, Baseline::Git { folder: None, .. }) {
            let help = "name one of them, or compare all of them with a git reference";
            let message = format!("cannot compare {} schemas with one", projects.len());
            return Err(Failure::argument(message, help));
        }
        let mut report = Report::new("breaking", self.format.format);
        let mut compared = 0;
        for project in &projects {
            match self.against.generations(project)? {
                Some(generations) => {
                    self.compare(project, &generations, &mut report, console)?;
                    compared += 1;
                }
                None => {
                    let roots: Vec<String> = project.roots.iter().map(|root| display_path(root)).collect();
                    console.status(&format!("skipped `{}`, which did not exist", roots.join("`, `")))?;
                }
            }
        }
        if compared == 0 {
            let help =
                "if the schema was in another folder, name it: `--against git:REFERENCE:path/in/repository`";
            return Err(Failure::argument("there is no older schema to compare with", help));
        }
        report.finish("compared", console)
    }

    fn compare(
        &self,
        project: &Project,
        generations: &[Generation],
        report: &mut Report,
        console: &mut Console,
    ) -> Result<(), Failure> {
        let source = ProjectSource::new(project);
        let new = compile(&source);
        let scope = Scope::new(project, &source, &new);
        report.count_files(scope.files.len());
        if new.schema().is_none() {
            return report.add(&new, &scope.relevant(new.diagnostics()), console);
        }
        let mut known = HashSet::new();
        let mut settings = self.settings(generations.first().is_some_and(|newest| newest.is_newest_frozen));
        for generation in generations {
            let old = &generation.compilation;
            let Some(found) = compatibility::Report::new(old, &new, &generation.revision, &settings) else {
                console.print_diagnostics(|rendering| old.render(rendering))?;
                let message = format!("the schema to compare with ({}) has errors", generation.revision);
                return Err(Failure::argument(message, ""));
            };
            // A removed element has no place in the new text; show it in the text of the old version.
            let here = |label: &Label| found.path(&label.place.path).to_owned();
            let mut diagnostics = found.diagnostics().to_vec();
            diagnostics.retain(|diagnostic| {
                let mut labels = diagnostic.secondary.iter().chain([&diagnostic.primary]);
                labels.any(|label| label.place.path.is_empty() || project.selects(&here(label)))
                    && known.insert((diagnostic.rule, here(&diagnostic.primary), diagnostic.message.clone()))
            });
            report.add(&found, &diagnostics, console)?;
            // Programs of every older version may still run, but source code is compiled with the newest.
            let others = Category::ALL.iter().filter(|category| **category != Category::Wire);
            settings = others.fold(settings, |settings, category| settings.without(*category));
        }
        Ok(())
    }

    fn settings(&self, is_newest_frozen: bool) -> Settings {
        let mut settings = match self.categories.as_slice() {
            [] => Settings::default(),
            categories => categories.iter().fold(Settings::none(), |settings, each| settings.with(*each)),
        };
        settings = settings.without_rule(Rule::FrozenMatchesSource);
        for rule in &self.rules {
            if *rule != Rule::FrozenMatchesSource || is_newest_frozen {
                settings = settings.with_rule(*rule);
            }
        }
        self.no_rules.iter().fold(settings, |settings, rule| settings.without_rule(*rule))
    }
}

/// Parses the name of a category.
fn category(name: &str) -> Result<Category, String> {
    Category::from_name(name).ok_or_else(|| {
        let names: Vec<String> = Category::ALL.iter().map(|each| each.name().to_ascii_lowercase()).collect();
        format!("the categories are {}", names.join(", "))
    })
}

/// Parses the name of a compatibility rule.
fn compatibility_rule(name: &str) -> Result<Rule, String> {
    let rules = Rule::ALL;
    let found = rules.iter().copied().find(|rule| rule.name().eq_ignore_ascii_case(name));
    found.ok_or_else(|| "`kaa explain --list` lists the compatibility rules".to_owned())
}
