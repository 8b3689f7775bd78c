//! The program `controller`: gives jobs to agents, and shows how far they come.
//!
//! Invariants: a job says how it ends, once: done, failed, or cancelled; it does not end with its agent, but is given to
//! another.

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

use crate::api::fleet::{Abilities, CHUNK, Fleet, FleetClientProxy, FleetServer, JobError, JobId, Task};
use crate::screen::Screen;

pub(crate) const USAGE: &str = "usage: controller ADDRESS SECRET_FILE
  listens at an address such as tls:127.0.0.1:7000 and does what its standard input says, a command a line:
    checksum FILE [AGENT]       the SHA-256 of a file
    search TEXT FILE [AGENT]    the lines of a file that contain a word
    cancel JOB                  gives a job up
    dismiss                     ends all agents
  at the end of its input it waits for its jobs, and ends; the secret is made if the file does not exist";

/// How long calls may take to end once the controller is to stop.
const GRACE: Duration = Duration::from_secs(5);

/// A job that is lost with so many agents is given to no more of them: it may be what ends them.
const MOST_LOST: u32 = 3;

/// The agents that are connected, by name. They leave by themselves, with their connections.
type Agents = PeerRegistry<String, FleetClientProxy>;

#[derive(Clone)]
struct Controller {
    all: Agents,
    checksum: Agents,
    search: Agents,
    /// Told of each agent that comes.
    arrived: Arc<Notify>,
    screen: Arc<Screen>,
}

impl FleetServer for Controller {
    async fn register(
        &self,
        cx: Context<FleetClientProxy>,
        name: String,
        abilities: Abilities,
    ) -> Result<(), Fault> {
        for (ability, agents) in [
            (Abilities::empty(), &self.all),
            (Abilities::CHECKSUM, &self.checksum),
            (Abilities::SEARCH, &self.search),
        ] {
            if abilities.contains(ability) {
                agents.insert(name.clone(), &cx.peer);
            }
        }
        self.screen.say(format_args!("{name} is here"));
        self.arrived.notify_waiters();
        let (peer, screen) = (cx.peer.peer().unbound(), Arc::clone(&self.screen));
        tokio::spawn(async move {
            let reason = peer.closed().await;
            screen.say(format_args!("{name} is gone: {reason}"));
        });
        Ok(())
    }
}

/// What the person says.
enum Command {
    Run(Order),
    Cancel(u64),
    Dismiss,
}

/// A job to be done.
struct Order {
    task: Task,
    file: PathBuf,
    /// Who is asked first, if it is there.
    agent: Option<String>,
}

#[tokio::main]
pub(crate) async fn run(address: &str, secret: &str) -> Result<(), Fault> {
    let controller = Controller {
        all: Agents::new(),
        checksum: Agents::new(),
        search: Agents::new(),
        arrived: Arc::new(Notify::new()),
        screen: Arc::new(Screen::new()),
    };
    let screen = Arc::clone(&controller.screen);
    let server = Server::builder()
        .secret(Secret::from_file_or_generate(secret)?)
        .register(Fleet::server(controller.clone()))
        .listen(address)
        .await?;
    if let Some(address) = server.address() {
        screen.say(format_args!("listening on {address}"));
    }

    let (mut input, mut has_input) = (lines(), true);
    let mut events = server.events();
    let (mut jobs, mut cancels, mut next_job) = (JoinSet::new(), BTreeMap::new(), 1);
    while has_input || !jobs.is_empty() {
        tokio::select! {
            line = input.recv(), if has_input => match line.as_deref().map(Command::parse) {
                Some(Some(Command::Run(order))) => {
                    let (cancel, cancelled) = oneshot::channel();
                    cancels.retain(|_job, cancel: &mut oneshot::Sender<()>| !cancel.is_closed());
                    cancels.insert(next_job, cancel);
                    jobs.spawn(controller.clone().run_unless(cancelled, next_job, order));
                    next_job += 1;
                }
                Some(Some(Command::Cancel(job))) => match cancels.remove(&job).map(|cancel| cancel.send(())) {
                    Some(Ok(())) => {}
                    _ => screen.say(format_args!("no job {job} is running")),
                },
                Some(Some(Command::Dismiss)) => {
                    for (name, end) in controller.all.call_all(|agent| agent.dismiss()).await {
                        end.unwrap_or_else(|error| screen.say(format_args!("{name} is not dismissed: {error}")));
                    }
                }
                Some(None) => screen.say(USAGE),
                None => has_input = false,
            },
            Some(event) = events.next() => if let ServerEvent::Refused(refused) = event {
                screen.say(format_args!("somebody at {} was refused: {}", refused.address, refused.reason));
            },
            Some(_end) = jobs.join_next() => {}
            interrupted = tokio::signal::ctrl_c() => {
                interrupted?;
                break;
            }
        }
    }
    server.shutdown(GRACE).await;
    screen.say("the controller ends");
    Ok(())
}

impl Command {
    fn parse(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let order = |task, file: &str, agent: &[&str]| match agent {
            [] => Some(Self::Run(Order { task, file: file.into(), agent: None })),
            [agent] => Some(Self::Run(Order { task, file: file.into(), agent: Some((*agent).to_owned()) })),
            _ => None,
        };
        match words.as_slice() {
            ["checksum", file, agent @ ..] => order(Task::Checksum, file, agent),
            ["search", text, file, agent @ ..] => order(Task::Search((*text).to_owned()), file, agent),
            ["cancel", job] => job.parse().ok().map(Self::Cancel),
            ["dismiss"] => Some(Self::Dismiss),
            _ => None,
        }
    }
}

impl Controller {
    /// Does a job until it ends or is cancelled. What is dropped here is cancelled at the agent.
    async fn run_unless(self, cancelled: oneshot::Receiver<()>, job: u64, order: Order) {
        let end = tokio::select! {
            biased;
            Ok(()) = cancelled => "cancelled".to_owned(),
            end = self.run_job(job, order) => match end {
                Ok(()) => "done".to_owned(),
                Err(error) => format!("failed: {error}"),
            },
        };
        self.screen.end(job, format_args!("job {job} {end}"));
    }

    /// Gives a job to an agent, and to another if that one is lost.
    async fn run_job(&self, job: u64, mut order: Order) -> Result<(), Fault> {
        for _ in 0..MOST_LOST {
            let file = File::open(&order.file).await?;
            let size = file.metadata().await?.len();
            let (name, agent) = self.agent_for(&order.task, order.agent.take()).await?;
            self.screen.begin(job, format_args!("job {job} is given to {name}"));
            match self.attempt(&agent, job, &order.task, file, size).await {
                Ok(()) => return Ok(()),
                // It may have been run, which does no harm here. Where it would, look at `error.outcome()` first.
                Err(error @ CallError::Disconnected { .. }) => {
                    self.screen.say(format_args!("job {job} is lost with {name}: {error}"));
                }
                Err(error) => return Err(error.into()),
            }
        }
        Err(Fault::new(format!("it was lost with {MOST_LOST} agents")))
    }

    /// One that can do it: who is wanted, or else each in turn; as soon as there is one.
    async fn agent_for(
        &self,
        task: &Task,
        wanted: Option<String>,
    ) -> Result<(String, FleetClientProxy), Fault> {
        let agents = match task {
            Task::Checksum => &self.checksum,
            Task::Search(_) => &self.search,
            Task::Unknown(_) => return Err(Fault::new("nobody can do this")),
        };
        let wanted = wanted.and_then(|name| agents.by_key(&name).map(|agent| (name, agent)));
        loop {
            let arrived = self.arrived.notified();
            if let Some(agent) = wanted.clone().or_else(|| agents.one()) {
                return Ok(agent);
            }
            arrived.await;
        }
    }

    /// Streams the file to an agent, and shows what comes back.
    async fn attempt(
        &self,
        agent: &FleetClientProxy,
        job: u64,
        task: &Task,
        file: File,
        size: u64,
    ) -> Result<(), CallError<JobError>> {
        let chunks = ReaderStream::with_capacity(file, usize::from(CHUNK)).map_err(Fault::from);
        let mut steps = agent.run(JobId(job), task.clone(), Outgoing::fallible(chunks));
        while let Some(step) = steps.next().await {
            let step = step?;
            for line in step.output {
                self.screen.say(format_args!("job {job} | {line}"));
            }
            self.screen.progress(job, step.done, size);
        }
        Ok(())
    }
}

/// The lines of the standard input.
fn lines() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(16);
    // A thread of its own, for it may wait for the person long after everything else has ended.
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            if sender.blocking_send(line).is_err() {
                break;
            }
        }
    });
    lines
}
