//! `kaa generate`: writes the code that a build script would generate to a folder.
//!
//! Invariants: the generated code is that of `kaa_rpc_build`; with `--check` nothing is written.

use std::fs;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use kaa_idl::compile;
use kaa_rpc_build::{Config, GeneratedFile, Roles, write_files};

use crate::console::Console;
use crate::failure::{Failure, Outcome};
use crate::options::Target;
use crate::paths::display_path;
use crate::report::{count, report_schema_errors};
use crate::source::ProjectSource;

/// Generate code from a schema
///
/// A build script that calls kaa_rpc_build::compile() generates code during the build. Use this command to
/// read the code, or to keep it in the repository.
#[derive(Debug, Subcommand)]
pub(crate) enum GenerateArguments {
    Rust(RustArguments),
}

/// Generate Rust
///
/// Writes kaa.rs with the module tree, and one file per package in `kaa` beside it. Does not touch unchanged
/// files, and removes generated files of packages that no longer exist. The options are the settings of
/// kaa_rpc_build::Config.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  kaa generate rust --out src/generated             include it with include!(\"generated/kaa.rs\");
  kaa generate rust --out src/generated --check     in CI: is the folder up to date?
  kaa generate rust --out /tmp/look --roles client --derive tv.epg.Order=Default")]
pub(crate) struct RustArguments {
    #[command(flatten)]
    target: Target,

    /// The folder to write to; created if it does not exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Write nothing, and exit with 1 if the folder is not up to date
    #[arg(long)]
    check: bool,

    /// The programs to generate for
    #[arg(long, value_enum, default_value_t = RolesOption::Both, value_name = "ROLES")]
    roles: RolesOption,

    /// The path of the runtime crate in generated code
    #[arg(long, value_name = "PATH", default_value = "::kaa_rpc_runtime")]
    runtime_path: String,

    /// Add a derive to the types that match a path
    #[arg(long, value_name = "PATH=DERIVE", value_parser = pair)]
    derive: Vec<(String, String)>,

    /// Remove a derive from the types that match a path
    #[arg(long, value_name = "PATH=DERIVE", value_parser = pair)]
    no_derive: Vec<(String, String)>,

    /// Add an attribute to the types that match a path
    #[arg(long, value_name = "PATH=ATTRIBUTE", value_parser = pair)]
    type_attribute: Vec<(String, String)>,

    /// Add an attribute to the fields and variants that match a path
    #[arg(long, value_name = "PATH=ATTRIBUTE", value_parser = pair)]
    field_attribute: Vec<(String, String)>,

    /// Use a Rust type in place of a declared type
    #[arg(long, value_name = "TYPE=RUST_TYPE", value_parser = pair)]
    extern_type: Vec<(String, String)>,

    /// Use hash maps in everything that matches a path
    #[arg(long, value_name = "PATH")]
    hash_map: Vec<String>,

    /// Give every method of the service traits a default body that fails with "unknown method"
    #[arg(long)]
    default_stubs: bool,
}

/// The programs to generate for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RolesOption {
    /// A program that accepts connections
    Server,
    /// A program that connects
    Client,
    /// Both programs
    Both,
}

impl GenerateArguments {
    pub(crate) fn run(self, console: &mut Console) -> Result<Outcome, Failure> {
        match self {
            Self::Rust(arguments) => arguments.run(console),
        }
    }
}

impl RustArguments {
    fn run(self, console: &mut Console) -> Result<Outcome, Failure> {
        let project = self.target.project()?;
        let source = ProjectSource::new(&project);
        let compilation = compile(&source);
        let Some(schema) = compilation.schema() else {
            return report_schema_errors(&compilation, console);
        };
        let (out, check) = (self.out.clone(), self.check);
        let files = self.config().generate(schema).map_err(Failure::Build)?;
        let stale: Vec<&GeneratedFile> = files
            .iter()
            .filter(|file| fs::read(out.join(&file.path)).ok().as_deref() != Some(file.contents.as_bytes()))
            .collect();
        if check {
            for file in &stale {
                console.print(&format!("{}\n", out.join(&file.path).display()))?;
            }
            let state = if stale.is_empty() { "is" } else { "is not" };
            console.status(&format!("`{}` {state} up to date", out.display()))?;
            return Ok(if stale.is_empty() { Outcome::Success } else { Outcome::Findings });
        }
        fs::create_dir_all(&out).map_err(Failure::io("create the folder", &out))?;
        write_files(&out, &files).map_err(Failure::Build)?;
        let (written, all) = (stale.len(), count(files.len(), "file"));
        console.status(&format!("generated {all} in `{}`, {written} of them changed", display_path(&out)))?;
        Ok(Outcome::Success)
    }

    fn config(self) -> Config {
        let roles = match self.roles {
            RolesOption::Server => Roles::Server,
            RolesOption::Client => Roles::Client,
            RolesOption::Both => Roles::Both,
        };
        let mut config = kaa_rpc_build::configure()
            .roles(roles)
            .runtime_path(self.runtime_path)
            .default_stubs(self.default_stubs);
        for (path, derive) in self.derive {
            config = config.derive(path, derive);
        }
        for (path, derive) in self.no_derive {
            config = config.no_derive(path, derive);
        }
        for (path, attribute) in self.type_attribute {
            config = config.type_attribute(path, attribute);
        }
        for (path, attribute) in self.field_attribute {
            config = config.field_attribute(path, attribute);
        }
        for (path, rust) in self.extern_type {
            config = config.extern_type(path, rust);
        }
        for path in self.hash_map {
            config = config.hash_map(path);
        }
        config
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((path, value)) if !path.is_empty() && !value.is_empty() => {
            Ok((path.to_owned(), value.to_owned()))
        }
        _ => Err("expected a path, `=` and a value".to_owned()),
    }
}
