//! The program `controller`: gives jobs to agents, and shows their progress.
//!
//! Invariants: the end of a job is printed once: done, failed, or cancelled; a job whose agent is lost is given to
//! another agent.

use std::collections::BTreeMap;
use std::io::{self, BufRead};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use futures_util::TryStreamExt;
use kaa_rpc_runtime::{
    CallError, Context, Fault, Outgoing, PeerRegistry, Proxy, Secret, Server, ServerEvent,
};
use tokio::fs::File;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio_util::io::ReaderStream;

use crate::api::fleet::{CHUNK, Capabilities, Fleet, FleetClientProxy, FleetServer, JobError, JobId, Task};
use crate::screen::Screen;

pub(crate) const USAGE: &str = "usage: controller ADDRESS SECRET_FILE
  listens at an address such as tls:127.0.0.1:7000 and reads commands from its standard input, one per line:
    checksum FILE [AGENT]       prints the SHA-256 of a file
    search TEXT FILE [AGENT]    prints the lines of a file that contain a word
    cancel JOB                  cancels a job
    dismiss                     stops all agents
  at the end of its input it waits for its jobs, and stops; it creates the secret if the file does not exist";

/// The grace period of the controller's shutdown.
const GRACE: Duration = Duration::from_secs(5);

/// A job that has lost this many agents fails: it may be the cause of their end.
const MAX_LOST_AGENTS: u32 = 3;

/// The connected agents, by name. An agent is removed when its connection closes.
type Agents = PeerRegistry<String, FleetClientProxy>;

#[derive(Clone)]
struct Controller {
    all: Agents,
    checksum: Agents,
    search: Agents,
    /// Notified when an agent registers.
    registered: Arc<Notify>,
    screen: Arc<Screen>,
}

impl FleetServer for Controller {
    async fn register(
        &self,
        cx: Context<FleetClientProxy>,
        name: String,
        capabilities: Capabilities,
    ) -> Result<(), Fault> {
        for (capability, agents) in [
            (Capabilities::empty(), &self.all),
            (Capabilities::CHECKSUM, &self.checksum),
            (Capabilities::SEARCH, &self.search),
        ] {
            if capabilities.contains(capability) {
                agents.insert(name.clone(), &cx.peer);
            }
        }
        self.screen.print(format_args!("{name} has registered"));
        self.registered.notify_waiters();
        let (peer, screen) = (cx.peer.peer().unbound(), Arc::clone(&self.screen));
        tokio::spawn(async move {
            let reason = peer.closed().await;
            screen.print(format_args!("{name} has disconnected: {reason}"));
        });
        Ok(())
    }
}

/// A command of the user.
enum Command {
    Run(Job),
    Cancel(u64),
    Dismiss,
}

/// A job for an agent.
struct Job {
    task: Task,
    file: PathBuf,
    /// The agent that gets the job first, if it is connected.
    preferred_agent: Option<String>,
}

#[tokio::main]
pub(crate) async fn run(address: &str, secret: &str) -> Result<(), Fault> {
    let controller = Controller {
        all: Agents::new(),
        checksum: Agents::new(),
        search: Agents::new(),
        registered: Arc::new(Notify::new()),
        screen: Arc::new(Screen::new()),
    };
    let screen = Arc::clone(&controller.screen);
    let server = Server::builder()
        .secret(Secret::from_file_or_generate(secret)?)
        .register(Fleet::server(controller.clone()))
        .listen(address)
        .await?;
    if let Some(address) = server.address() {
        screen.print(format_args!("listening on {address}"));
    }

    let (mut input, mut has_input) = (lines(), true);
    let mut events = server.events();
    let (mut jobs, mut cancels, mut next_id) = (JoinSet::new(), BTreeMap::new(), 1);
    while has_input || !jobs.is_empty() {
        tokio::select! {
            line = input.recv(), if has_input => match line.as_deref().map(Command::parse) {
                Some(Some(Command::Run(job))) => {
                    let (cancel, cancelled) = oneshot::channel();
                    cancels.retain(|_id, cancel: &mut oneshot::Sender<()>| !cancel.is_closed());
                    cancels.insert(next_id, cancel);
                    jobs.spawn(controller.clone().run_until_cancelled(cancelled, next_id, job));
                    next_id += 1;
                }
                Some(Some(Command::Cancel(id))) => match cancels.remove(&id).map(|cancel| cancel.send(())) {
                    Some(Ok(())) => {}
                    _ => screen.print(format_args!("no job {id} is running")),
                },
                Some(Some(Command::Dismiss)) => {
                    for (name, result) in controller.all.call_all(|agent| agent.dismiss()).await {
                        result.unwrap_or_else(|error| screen.print(format_args!("cannot dismiss {name}: {error}")));
                    }
                }
                Some(None) => screen.print(USAGE),
                None => has_input = false,
            },
            Some(event) = events.next() => if let ServerEvent::Refused(refused) = event {
                screen.print(format_args!("refused a client at {}: {}", refused.address, refused.reason));
            },
            Some(_end) = jobs.join_next() => {}
            interrupted = tokio::signal::ctrl_c() => {
                interrupted?;
                break;
            }
        }
    }
    server.shutdown(GRACE).await;
    screen.print("the controller has stopped");
    Ok(())
}

impl Command {
    fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let run = |task, file: &str, agent: &[&str]| {
            let preferred_agent = match agent {
                [] => None,
                [agent] => Some((*agent).to_owned()),
                _ => return None,
            };
            Some(Self::Run(Job { task, file: file.into(), preferred_agent }))
        };
        match words.as_slice() {
            ["checksum", file, agent @ ..] => run(Task::Checksum, file, agent),
            ["search", text, file, agent @ ..] => run(Task::Search((*text).to_owned()), file, agent),
            ["cancel", id] => id.parse().ok().map(Self::Cancel),
            ["dismiss"] => Some(Self::Dismiss),
            _ => None,
        }
    }
}

impl Controller {
    /// Runs a job until it ends or is cancelled. Dropping the call cancels it at the agent.
    async fn run_until_cancelled(self, cancelled: oneshot::Receiver<()>, id: u64, job: Job) {
        let end = tokio::select! {
            biased;
            Ok(()) = cancelled => "cancelled".to_owned(),
            result = self.run_job(id, job) => match result {
                Ok(()) => "done".to_owned(),
                Err(error) => format!("failed: {error}"),
            },
        };
        self.screen.end_job(id, format_args!("job {id} {end}"));
    }

    /// Gives a job to an agent, and to another one if the connection to the first is lost.
    async fn run_job(&self, id: u64, mut job: Job) -> Result<(), Fault> {
        for _ in 0..MAX_LOST_AGENTS {
            let file = File::open(&job.file).await?;
            let size = file.metadata().await?.len();
            let (name, agent) = self.agent_for(&job.task, job.preferred_agent.take()).await?;
            self.screen.start_job(id, format_args!("job {id} runs on {name}"));
            match self.attempt(&agent, id, &job.task, file, size).await {
                Ok(()) => return Ok(()),
                // The job may have run, and may safely run again. Otherwise, check `error.outcome()` first.
                Err(error @ CallError::Disconnected { .. }) => {
                    self.screen.print(format_args!("job {id} has lost {name}: {error}"));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Fault::new(format!("it has lost {MAX_LOST_AGENTS} agents")))
    }

    /// The preferred agent if it is connected, otherwise any that can run the task, in turn. Waits for an agent.
    async fn agent_for(
        &self,
        task: &Task,
        preferred: Option<String>,
    ) -> Result<(String, FleetClientProxy), Fault> {
        let agents = match task {
            Task::Checksum => &self.checksum,
            Task::Search(_) => &self.search,
            Task::Unknown(_) => return Err(Fault::new("no agent can run this task")),
        };
        let preferred = preferred.and_then(|name| agents.by_key(&name).map(|agent| (name, agent)));
        loop {
            let registered = self.registered.notified();
            if let Some(agent) = preferred.clone().or_else(|| agents.one()) {
                return Ok(agent);
            }
            registered.await;
        }
    }

    /// Streams the file to an agent, and prints its output and progress.
    async fn attempt(
        &self,
        agent: &FleetClientProxy,
        id: u64,
        task: &Task,
        file: File,
        size: u64,
    ) -> Result<(), CallError<JobError>> {
        let chunks = ReaderStream::with_capacity(file, usize::from(CHUNK)).map_err(Fault::from);
        let mut steps = agent.run(JobId(id), task.clone(), Outgoing::fallible(chunks));
        while let Some(step) = steps.next().await {
            let step = step?;
            for line in step.output {
                self.screen.print(format_args!("job {id} | {line}"));
            }
            self.screen.progress(id, step.done, size);
        }
        Ok(())
    }
}

/// The lines of the standard input.
fn lines() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(16);
    // On its own thread: a blocking read of the terminal would keep a runtime from stopping.
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    lines
}
