//! `kaa breaking`: what an edit of a schema breaks, and for whom.
//!
//! Invariants: all generations must compile; one edit is reported once, however many generations it breaks; those
//! before the newest are asked for the wire alone.

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

/// Compare a schema with what it was, and report what breaks
///
/// Reports every edit that old programs, or the code that uses the schema, cannot live with; each by the name of a
/// rule that `kaa explain` knows and that `#[allow(NAME)]` silences in place. Ends with 1 if there are errors;
/// additions and wider bounds are warnings.
#[derive(Debug, Args)]
#[command(after_long_help = "\
What to compare with:
  main, v1.2, HEAD~3        a git reference; nothing is checked out
  git:main                  the reference, even if there is a file or folder of that name
  git:v1.2:old/kaa          a folder of the repository at a reference, if the schema was moved
  ../release/kaa            a folder of .kaa files, or a package
  path:main                 the file or folder, in so many words
  frozen                    a folder of frozen schemas: all of them
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
    #[arg(long, value_name = "WHAT")]
    against: Baseline,

    /// Look at these categories only: wire, source, additions, policy; all but additions without it
    #[arg(long = "category", value_name = "CATEGORY", value_delimiter = ',', value_parser = category)]
    categories: Vec<Category>,

    /// Look at this rule too; may be repeated
    #[arg(long = "rule", value_name = "NAME", value_delimiter = ',', value_parser = compatibility_rule)]
    rules: Vec<Rule>,

    /// Do not look at this rule; may be repeated
    #[arg(long = "no-rule", value_name = "NAME", value_delimiter = ',', value_parser = compatibility_rule)]
    no_rules: Vec<Rule>,

    #[command(flatten)]
    format: FormatOption,
}

impl BreakingArguments {
    pub(crate) fn run(&self, console: &mut Console) -> Result<Outcome, Failure> {
        let projects = self.targets.projects()?;
        if projects.len() > 1 && !matches!(self.against, Baseline::Git { folder: None, .. }) {
            let help = "name one of them, or compare all with a git reference";
            let message = format!("there are {} schemas here, and one to compare with", projects.len());
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
                    console.status(&format!("`{}` did not exist then", roots.join("`, `")))?;
                }
            }
        }
        if compared == 0 {
            let help =
                "if the schema lay elsewhere, name that folder: `--against git:REFERENCE:path/in/repository`";
            return Err(Failure::argument("there was no schema to compare with", help));
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
                let message = format!("the schema has errors as it was ({})", generation.revision);
                return Err(Failure::argument(message, ""));
            };
            // What is gone has no place in the new text, and is shown in that of its generation.
            let here = |label: &Label| found.path(&label.place.path).to_owned();
            let mut diagnostics = found.diagnostics().to_vec();
            diagnostics.retain(|diagnostic| {
                let mut labels = diagnostic.secondary.iter().chain([&diagnostic.primary]);
                labels.any(|label| label.place.path.is_empty() || project.selects(&here(label)))
                    && known.insert((diagnostic.rule, here(&diagnostic.primary), diagnostic.message.clone()))
            });
            report.add(&found, &diagnostics, console)?;
            // Rust is compiled again, but programs of every generation may be about.
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

/// The category of a name on the command line.
fn category(name: &str) -> Result<Category, String> {
    Category::named(name).ok_or_else(|| {
        let names: Vec<String> = Category::ALL.iter().map(|each| each.name().to_ascii_lowercase()).collect();
        format!("the categories are {}", names.join(", "))
    })
}

/// The rule of compatibility of a name on the command line.
fn compatibility_rule(name: &str) -> Result<Rule, String> {
    let rules = Rule::ALL;
    let found = rules.iter().copied().find(|rule| rule.name().eq_ignore_ascii_case(name));
    found.ok_or_else(|| "`kaa explain --list` shows the rules of compatibility".to_owned())
}
