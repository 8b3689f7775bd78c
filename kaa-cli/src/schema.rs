//! `kaa schema`: writes the resolved schema as JSON.

use clap::Args;
use kaa_idl::compile;

use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::options::Target;
use crate::report::{json, report_schema_errors};
use crate::schema_json::Document;
use crate::source::ProjectSource;

/// Write the resolved schema as JSON, for tools
///
/// Names are resolved, values evaluated, aliases replaced and includes flattened. docs/command.md documents
/// the keys, which are stable within a `version`. If the schema has errors, they are written to standard
/// error, and nothing is written to standard output.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kaa schema | jq -r '.packages[].services[].name'
  kaa schema --package tv.epg
  kaa schema examples/hello > hello.json")]
pub(crate) struct SchemaArguments {
    #[command(flatten)]
    target: Target,

    /// Only this package; may be repeated
    #[arg(long = "package", value_name = "NAME")]
    packages: Vec<String>,
}

impl SchemaArguments {
    pub(crate) fn run(&self, console: &mut Console) -> Result<Outcome, Failure> {
        let project = self.target.project()?;
        let source = ProjectSource::new(&project);
        let compilation = compile(&source);
        let Some(schema) = compilation.schema() else {
            return report_schema_errors(&compilation, console);
        };
        let known: Vec<String> = schema.packages.iter().map(|package| package.name.to_string()).collect();
        if let Some(missing) = self.packages.iter().find(|name| !known.contains(name)) {
            let help = format!("there are {}", known.join(", "));
            return Err(Failure::argument(format!("there is no package `{missing}`"), help));
        }
        console.print(&json(&Document::new(schema, &self.packages))?)?;
        Ok(Outcome::Success)
    }
}
