//! The processes of the demo: starts them, reads their output, and ends them.
//!
//! Invariants: a step ends when all expected lines were printed, and fails if that takes too long; all processes end
//! with the demo.

use std::fmt;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use kaa_rpc_runtime::Secret;
use kaa_rpc_runtime::secret::SecretError;

use super::output::Output;

/// How long one step may take.
const STEP_LIMIT: Duration = Duration::from_secs(20);

/// The error of a failed step.
#[derive(Debug, thiserror::Error)]
pub(super) enum DemoError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("cannot create a secret: {0}")]
    Secret(#[from] SecretError),
    #[error("gave up waiting for {missing}; received\n{received}")]
    Missing { missing: String, received: String },
    #[error("{process} ended unexpectedly with {status}")]
    UnexpectedStatus { process: ProcessName, status: ExitStatus },
}

/// The process that printed a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ProcessName {
    Server,
    /// A client, with the number that the server gives it.
    Client(u32),
    /// A client that the server refuses.
    RefusedClient,
}

/// The watching client is the first.
const WATCHER: ProcessName = ProcessName::Client(1);

impl fmt::Display for ProcessName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server => formatter.write_str("server"),
            Self::Client(number) => write!(formatter, "client {number}"),
            Self::RefusedClient => formatter.write_str("refused client"),
        }
    }
}

/// The expected end of a command, and a text in its output.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ending {
    Success(&'static str),
    Failure(&'static str),
}

/// A line of a process, or `None` at the end of its output.
type Line = (ProcessName, Option<String>);

/// The processes of the demo.
pub(super) struct Demo {
    output: Output,
    program: PathBuf,
    sender: Sender<Line>,
    lines: Receiver<Line>,
    server: Option<Process>,
    watcher: Option<Process>,
    /// The number of clients that the server has accepted since it started.
    clients: u32,
    directory: tempfile::TempDir,
}

/// A process that is killed when this is dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail if the process has already ended.
        let _ended = self.0.kill().and_then(|()| self.0.wait());
    }
}

impl Demo {
    pub(super) fn new() -> Result<Self, DemoError> {
        let directory = tempfile::Builder::new().prefix("beacon-").tempdir()?;
        let (sender, lines) = channel();
        let output = Output::new(directory.path());
        output.legend()?;
        let program = std::env::current_exe()?;
        Ok(Self { output, program, sender, lines, server: None, watcher: None, clients: 0, directory })
    }

    pub(super) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Starts the server, which prints this text.
    pub(super) fn start_server(&mut self, description: &str, text: &str) -> Result<(), DemoError> {
        self.output.step(description)?;
        let database = self.path("beacon.database");
        let server = self.start(ProcessName::Server, "beacon.secret", &["--database", &database])?;
        self.server = Some(server);
        self.clients = 0;
        self.expect(vec![line(ProcessName::Server, text)])
    }

    /// Starts the watching client, which stays connected.
    pub(super) fn start_watcher(&mut self, description: &str, command: &[&str]) -> Result<(), DemoError> {
        self.output.step(description)?;
        let (_, watcher) = self.start_client(command)?;
        self.watcher = Some(watcher);
        self.expect(vec![line(WATCHER, "watching")])
    }

    /// Runs a client with one command, after which the watching client prints these texts.
    pub(super) fn run_client(
        &mut self,
        description: &str,
        command: &[&str],
        ending: Ending,
        watched: &[&str],
    ) -> Result<(), DemoError> {
        self.output.step(description)?;
        let (name, client) = self.start_client(command)?;
        let (Ending::Success(text) | Ending::Failure(text)) = ending;
        let disconnected = line(ProcessName::Server, &format!("{name} has disconnected"));
        let mut expected = vec![line(name, text), disconnected, end(name)];
        expected.extend(watched.iter().map(|text| line(WATCHER, text)));
        self.expect(expected)?;
        check_status(name, client, matches!(ending, Ending::Success(_)))
    }

    /// Runs a client with a wrong secret.
    pub(super) fn run_refused_client(
        &mut self,
        description: &str,
        command: &[&str],
    ) -> Result<(), DemoError> {
        self.output.step(description)?;
        Secret::generate()?.write_new_file(self.path("other.secret"))?;
        let client = self.start(ProcessName::RefusedClient, "other.secret", command)?;
        self.expect(vec![
            line(ProcessName::RefusedClient, "authentication failed"),
            line(ProcessName::Server, "refused a connection"),
            end(ProcessName::RefusedClient),
        ])?;
        check_status(ProcessName::RefusedClient, client, false)
    }

    /// Runs a client that stops the server. The watching client ends with it.
    pub(super) fn stop_server(
        &mut self,
        description: &str,
        command: &[&str],
        watched: &[&str],
    ) -> Result<(), DemoError> {
        self.output.step(description)?;
        let (name, client) = self.start_client(command)?;
        let mut expected = vec![end(name), end(ProcessName::Server)];
        if self.watcher.is_some() {
            expected.extend(watched.iter().map(|text| line(WATCHER, text)));
            expected.push(end(WATCHER));
        }
        self.expect(expected)?;
        check_status(name, client, true)?;
        self.watcher.take().map_or(Ok(()), |watcher| check_status(WATCHER, watcher, true))?;
        self.server.take().map_or(Ok(()), |server| check_status(ProcessName::Server, server, true))
    }

    /// Removes the files.
    pub(super) fn finish(self) -> Result<(), DemoError> {
        let Self { directory, output, .. } = self;
        directory.close()?;
        Ok(output.end()?)
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    fn start_client(&mut self, command: &[&str]) -> Result<(ProcessName, Process), DemoError> {
        self.clients += 1;
        let name = ProcessName::Client(self.clients);
        Ok((name, self.start(name, "beacon.secret", command)?))
    }

    fn start(&self, name: ProcessName, secret: &str, arguments: &[&str]) -> Result<Process, DemoError> {
        let role = if name == ProcessName::Server { "server" } else { "client" };
        self.output.command(role, arguments)?;
        let (reader, writer) = io::pipe()?;
        let mut command = Command::new(&self.program);
        command.args([role, "--socket", &self.path("beacon.socket"), "--secret", &self.path(secret)]);
        command.args(arguments).stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
        let child = command.spawn()?;
        // The command holds the pipe's writing end too. Once it is dropped, the pipe ends with the process.
        drop(command);
        let sender = self.sender.clone();
        thread::spawn(move || {
            for line in BufReader::new(reader).lines().map_while(Result::ok) {
                let _demo_has_ended = sender.send((name, Some(line)));
            }
            let _demo_has_ended = sender.send((name, None));
        });
        Ok(Process(child))
    }

    /// Waits until all of these lines were printed, in any order, then prints the lines of all processes.
    fn expect(&self, mut expected: Vec<Line>) -> Result<(), DemoError> {
        let deadline = Instant::now() + STEP_LIMIT;
        let mut received = Vec::new();
        while !expected.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok((process, line)) = self.lines.recv_timeout(left) else {
                return Err(missing(&expected, &received));
            };
            let matches = |(name, text): &Line| match (text, &line) {
                (Some(text), Some(line)) => *name == process && line.contains(text),
                (None, None) => *name == process,
                _ => false,
            };
            match expected.iter().position(matches) {
                Some(position) => drop(expected.remove(position)),
                // A process that has ended too early will not print the missing lines.
                None if line.is_none() => return Err(missing(&expected, &received)),
                None => {}
            }
            received.extend(line.map(|line| (process, line)));
        }
        Ok(self.output.lines(&received)?)
    }
}

fn line(process: ProcessName, text: &str) -> Line {
    (process, Some(text.to_owned()))
}

fn end(process: ProcessName) -> Line {
    (process, None)
}

fn missing(expected: &[Line], received: &[(ProcessName, String)]) -> DemoError {
    let missing: Vec<String> = expected
        .iter()
        .map(|(process, text)| match text {
            Some(text) => format!("{text:?} from {process}"),
            None => format!("the end of {process}"),
        })
        .collect();
    let received: Vec<String> = received.iter().map(|(process, line)| format!("{process}: {line}")).collect();
    DemoError::Missing { missing: missing.join(", "), received: received.join("\n") }
}

/// Waits for a process whose output has ended, and checks whether it succeeded or failed as expected.
fn check_status(name: ProcessName, mut process: Process, succeeds: bool) -> Result<(), DemoError> {
    let status = process.0.wait()?;
    if status.success() == succeeds {
        Ok(())
    } else {
        Err(DemoError::UnexpectedStatus { process: name, status })
    }
}
