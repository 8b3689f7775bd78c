//! The demo's processes: started, listened to, and ended.
//!
//! Invariants: a scene is over when everything was heard that it is about, and fails if that takes too long; all
//! processes end with the stage.

use std::fmt;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use kaa_rpc_runtime::Secret;
use kaa_rpc_runtime::secret::SecretError;

use super::paper::Paper;

/// Longest that one scene may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why the demo failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum DemoError {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("cannot make a secret: {0}")]
    Secret(#[from] SecretError),
    #[error("this never came: {missing}; what came is\n{heard}")]
    Silence { missing: String, heard: String },
    #[error("{who} ended otherwise than it should, with {status}")]
    WrongEnd { who: Speaker, status: ExitStatus },
}

/// Whose line it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Speaker {
    Server,
    /// A client, as the server numbers them.
    Client(u32),
    /// A client that the server does not let in.
    Stranger,
}

/// The client that watches is the first to come.
const WATCHER: Speaker = Speaker::Client(1);

impl fmt::Display for Speaker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server => formatter.write_str("server"),
            Self::Client(number) => write!(formatter, "client {number}"),
            Self::Stranger => formatter.write_str("stranger"),
        }
    }
}

/// How a scene's command is to end, and what it says then.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ending {
    Good(&'static str),
    Bad(&'static str),
}

/// What a process says: a line, or nothing more.
type Heard = (Speaker, Option<String>);

/// Where everything happens.
pub(super) struct Stage {
    paper: Paper,
    program: PathBuf,
    sender: Sender<Heard>,
    heard: Receiver<Heard>,
    server: Option<Process>,
    watcher: Option<Process>,
    /// Clients that the server has let in since it started.
    clients: u32,
    folder: tempfile::TempDir,
}

/// A process that does not outlive its owner.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail if it has ended already, which is as good.
        let _ended = self.0.kill().and_then(|()| self.0.wait());
    }
}

impl Stage {
    pub(super) fn new() -> Result<Self, DemoError> {
        let folder = tempfile::Builder::new().prefix("beacon-").tempdir()?;
        let (sender, heard) = channel();
        let paper = Paper::new(folder.path());
        paper.legend()?;
        let program = std::env::current_exe()?;
        Ok(Self { paper, program, sender, heard, server: None, watcher: None, clients: 0, folder })
    }

    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The server starts.
    pub(super) fn open_server(&mut self, what: &str, keeps: &str) -> Result<(), DemoError> {
        self.paper.scene(what)?;
        let database = self.path("beacon.database");
        let server = self.start(Speaker::Server, "beacon.secret", &["--database", &database])?;
        self.server = Some(server);
        self.clients = 0;
        self.hear(vec![said(Speaker::Server, keeps)])
    }

    /// The client that stays starts.
    pub(super) fn open_watcher(&mut self, what: &str, command: &[&str]) -> Result<(), DemoError> {
        self.paper.scene(what)?;
        let (_, watcher) = self.client(command)?;
        self.watcher = Some(watcher);
        self.hear(vec![said(WATCHER, "watching")])
    }

    /// A client comes, does one thing and goes, and the watcher hears of it.
    pub(super) fn scene(
        &mut self,
        what: &str,
        command: &[&str],
        ending: Ending,
        watched: &[&str],
    ) -> Result<(), DemoError> {
        self.paper.scene(what)?;
        let (who, client) = self.client(command)?;
        let (Ending::Good(text) | Ending::Bad(text)) = ending;
        let mut awaited = vec![said(who, text), said(Speaker::Server, &format!("{who} is gone")), over(who)];
        awaited.extend(watched.iter().map(|text| said(WATCHER, text)));
        self.hear(awaited)?;
        end(who, client, matches!(ending, Ending::Good(_)))
    }

    /// A client comes with another secret.
    pub(super) fn stranger(&mut self, what: &str, command: &[&str]) -> Result<(), DemoError> {
        self.paper.scene(what)?;
        Secret::generate()?.write_new_file(self.path("other.secret"))?;
        let client = self.start(Speaker::Stranger, "other.secret", command)?;
        self.hear(vec![
            said(Speaker::Stranger, "authentication failed"),
            said(Speaker::Server, "refused a connection"),
            over(Speaker::Stranger),
        ])?;
        end(Speaker::Stranger, client, false)
    }

    /// A client ends the server, and with it the watcher.
    pub(super) fn close(&mut self, what: &str, command: &[&str], watched: &[&str]) -> Result<(), DemoError> {
        self.paper.scene(what)?;
        let (who, client) = self.client(command)?;
        let mut awaited = vec![over(who), over(Speaker::Server)];
        if self.watcher.is_some() {
            awaited.extend(watched.iter().map(|text| said(WATCHER, text)));
            awaited.push(over(WATCHER));
        }
        self.hear(awaited)?;
        end(who, client, true)?;
        self.watcher.take().map_or(Ok(()), |watcher| end(WATCHER, watcher, true))?;
        self.server.take().map_or(Ok(()), |server| end(Speaker::Server, server, true))
    }

    /// Cleans up.
    pub(super) fn leave(self) -> Result<(), DemoError> {
        let Self { folder, paper, .. } = self;
        folder.close()?;
        Ok(paper.end()?)
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// One more client.
    fn client(&mut self, command: &[&str]) -> Result<(Speaker, Process), DemoError> {
        self.clients += 1;
        let who = Speaker::Client(self.clients);
        Ok((who, self.start(who, "beacon.secret", command)?))
    }

    fn start(&self, speaker: Speaker, secret: &str, arguments: &[&str]) -> Result<Process, DemoError> {
        let role = if speaker == Speaker::Server { "server" } else { "client" };
        self.paper.command(role, arguments)?;
        let (reader, writer) = io::pipe()?;
        let mut command = Command::new(&self.program);
        command.args([role, "--socket", &self.path("beacon.socket"), "--secret", &self.path(secret)]);
        command.args(arguments).stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
        let child = command.spawn()?;
        // The process alone has the writing end from here on, so that the pipe ends with it.
        drop(command);
        let sender = self.sender.clone();
        thread::spawn(move || {
            for line in BufReader::new(reader).lines().map_while(Result::ok) {
                let _over = sender.send((speaker, Some(line)));
            }
            let _over = sender.send((speaker, None));
        });
        Ok(Process(child))
    }

    /// Listens until all of this was heard, and shows it.
    fn hear(&self, mut awaited: Vec<Heard>) -> Result<(), DemoError> {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = Vec::new();
        while !awaited.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok((speaker, heard)) = self.heard.recv_timeout(left) else {
                return Err(silence(&awaited, &lines));
            };
            let fits = |(who, text): &Heard| match (text, &heard) {
                (Some(text), Some(line)) => *who == speaker && line.contains(text),
                (None, None) => *who == speaker,
                _ => false,
            };
            match awaited.iter().position(fits) {
                Some(position) => drop(awaited.remove(position)),
                // Who has ended too early will not say what is still awaited.
                None if heard.is_none() => return Err(silence(&awaited, &lines)),
                None => {}
            }
            lines.extend(heard.map(|line| (speaker, line)));
        }
        Ok(self.paper.conversation(&lines)?)
    }
}

fn said(speaker: Speaker, text: &str) -> Heard {
    (speaker, Some(text.to_owned()))
}

fn over(speaker: Speaker) -> Heard {
    (speaker, None)
}

fn silence(awaited: &[Heard], lines: &[(Speaker, String)]) -> DemoError {
    let missing: Vec<String> = awaited
        .iter()
        .map(|(speaker, text)| match text {
            Some(text) => format!("{speaker} saying {text:?}"),
            None => format!("the end of {speaker}"),
        })
        .collect();
    let heard: Vec<String> = lines.iter().map(|(speaker, line)| format!("{speaker}: {line}")).collect();
    DemoError::Silence { missing: missing.join(", "), heard: heard.join("\n") }
}

/// Waits for a process that has said everything, and looks at how it ended.
fn end(who: Speaker, mut process: Process, well: bool) -> Result<(), DemoError> {
    let status = process.0.wait()?;
    if status.success() == well { Ok(()) } else { Err(DemoError::WrongEnd { who, status }) }
}
