//! Starts a program, and reports its error.
//!
//! Invariant: an error is one line on standard error, with its causes and a hint, if there is one.

use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use kaa_rpc_runtime::secret::SecretError;
use kaa_rpc_runtime::{CallError, CloseReason, ConnectError, SetupError};

use crate::api::beacon::BeaconError;
use crate::arguments::{Arguments, UsageError};
use crate::store::StoreError;

/// How long the end of a program waits for threads that read the terminal or the disk.
const THREAD_LIMIT: Duration = Duration::from_secs(1);

/// The error of a program.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProgramError {
    #[error(transparent)]
    Usage(#[from] UsageError),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error(transparent)]
    Call(#[from] CallError),
    #[error(transparent)]
    Beacon(#[from] CallError<BeaconError>),
    #[error("watching has ended: {0}")]
    Lost(CloseReason),
    #[error("{}: {source}", path.display())]
    Database { path: PathBuf, source: StoreError },
    #[error("cannot read the directory {directory}: {source}")]
    Directory { directory: String, source: io::Error },
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl ProgramError {
    fn hint(&self) -> &'static str {
        match self {
            Self::Usage(_) => " (try --help)",
            Self::Connect(ConnectError::Authentication(_)) => " (is this the server's secret?)",
            Self::Connect(ConnectError::Transport(_)) => " (is beacon-server running?)",
            _ => "",
        }
    }
}

/// Runs a program to its end.
pub(crate) fn run<F: Future<Output = Result<(), ProgramError>>>(
    name: &str,
    help: &str,
    arguments: impl Iterator<Item = OsString>,
    body: impl FnOnce(Arguments) -> F,
) -> ExitCode {
    let result = Arguments::new(arguments).map_err(ProgramError::from).and_then(|mut arguments| {
        if arguments.flag("--help") || arguments.flag("-h") {
            return Ok(writeln!(io::stdout(), "{help}")?);
        }
        let runtime = tokio::runtime::Runtime::new()?;
        let result = runtime.block_on(body(arguments));
        // A thread may still wait for an answer of the user that is not needed any more.
        runtime.shutdown_timeout(THREAD_LIMIT);
        result
    });
    let Err(error) = result else { return ExitCode::SUCCESS };
    // If standard error is closed, only the exit status reports the error.
    let _closed = writeln!(io::stderr(), "{name}: {}{}", with_causes(&error), error.hint());
    if matches!(error, ProgramError::Usage(_)) { ExitCode::from(2) } else { ExitCode::FAILURE }
}

/// An error with its causes, without the causes that its text already contains.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let cause_text = error.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        cause = error.source();
    }
    text
}
