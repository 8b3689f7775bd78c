//! The demo: starts three servers as processes, kills and restarts one, and counts the answers of each.
//!
//! Invariants: a call counts for the phase in which it started; all processes end with the demo.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use kaa_rpc_runtime::tower::{Invocation, ProxyService};
use kaa_rpc_runtime::{Backoff, Client, Fault, Secret};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::api::balance::worker::server::Square;
use crate::balanced::{Balanced, RetryCounts, RetryPolicy, balanced};
use crate::print;

/// The numbers of the servers.
const SERVERS: [u32; 3] = [1, 2, 3];

/// The server that is killed.
const KILLED: u32 = 2;

/// The number of concurrent callers. Each makes one call after the other.
const CALLERS: usize = 12;

/// A phase ends when each of its servers has given this many answers.
const ANSWERS_PER_PHASE: u32 = 30;

/// How long a phase may take.
const PHASE_LIMIT: Duration = Duration::from_secs(30);

/// Starts the servers, calls them, and prints the number of answers of each.
///
/// # Errors
/// A call was lost, or a running server has not answered.
pub async fn run() -> Result<(), Fault> {
    let directory = tempfile::tempdir()?;
    let secret = Secret::from_file_or_generate(secret_file(directory.path()))?;
    let (mut processes, mut services) = (BTreeMap::new(), Vec::new());
    for number in SERVERS {
        processes.insert(number, start(number, directory.path()).await?);
        let client = Client::builder()
            .secret(secret.clone())
            .reconnect(Backoff::default().max(Duration::from_millis(500)))
            .connect(address(number, directory.path()))?;
        services.push(ProxyService::new(client));
    }
    let counts = Arc::new(RetryCounts::default());
    let squares = balanced(services, RetryPolicy::new(Arc::clone(&counts)));

    let state = watch::Sender::new(State::default());
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        callers.spawn(call(state.clone(), squares.clone()));
    }
    print(format_args!("{CALLERS} callers use 3 servers\n\n{:24}server 1  server 2  server 3", ""))?;
    run_phase(&state, Phase::Before, &SERVERS).await?;
    if let Some(mut process) = processes.remove(&KILLED) {
        let id = process.id().unwrap_or_default();
        process.kill().await?; // during calls
        print(format_args!("  server {KILLED} is killed (process {id})"))?;
    }
    let running: Vec<u32> = processes.keys().copied().collect();
    run_phase(&state, Phase::Down, &running).await?;
    processes.insert(KILLED, start(KILLED, directory.path()).await?);
    print(format_args!("  server {KILLED} is started again"))?;
    run_phase(&state, Phase::After, &SERVERS).await?;
    state.send_modify(|state| state.phase = Phase::Over);
    callers.join_all().await;
    print_result(&state.borrow(), &counts)
}

/// The results of the calls so far.
#[derive(Default)]
struct State {
    phase: Phase,
    calls: u32,
    /// The number of answers, by phase and server.
    answers: BTreeMap<(Phase, u32), u32>,
    /// The errors of failed calls.
    failures: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    #[default]
    Before,
    Down,
    After,
    Over,
}

impl State {
    fn answers(&self, phase: Phase, server: u32) -> u32 {
        self.answers.get(&(phase, server)).copied().unwrap_or_default()
    }
}

/// A caller, which makes one call after the other.
async fn call(state: watch::Sender<State>, squares: Balanced<Square>) {
    loop {
        let (mut number, mut phase) = (0, Phase::Over);
        state.send_modify(|state| {
            state.calls += 1;
            (number, phase) = (state.calls, state.phase);
        });
        if phase == Phase::Over {
            return;
        }
        let result = squares.clone().oneshot(Invocation(Square { number })).await;
        state.send_modify(|state| match result {
            Ok(answer) if answer.square == u64::from(number).pow(2) => {
                *state.answers.entry((phase, answer.server)).or_default() += 1;
            }
            Ok(answer) => state.failures.push(format!("the square of {number} is not {}", answer.square)),
            Err(error) => state.failures.push(error.to_string()),
        });
    }
}

/// Runs a phase until each of these servers has answered often enough, and prints the answers of each server.
async fn run_phase(state: &watch::Sender<State>, phase: Phase, servers: &[u32]) -> Result<(), Fault> {
    state.send_modify(|state| state.phase = phase);
    let name = match phase {
        Phase::Before => "before",
        Phase::Down => "while it is down",
        Phase::After | Phase::Over => "afterwards",
    };
    let mut updates = state.subscribe();
    let has_enough =
        |state: &State| servers.iter().all(|server| state.answers(phase, *server) >= ANSWERS_PER_PHASE);
    let state =
        tokio::time::timeout(PHASE_LIMIT, updates.wait_for(has_enough)).await.map_err(|_elapsed| {
            Fault::new(format!("gave up waiting for {ANSWERS_PER_PHASE} answers of each server {name}"))
        })??;
    let counts: String =
        SERVERS.iter().map(|server| format!("{:>8}  ", state.answers(phase, *server))).collect();
    Ok(print(format_args!("{name:<24}{}", counts.trim_end()))?)
}

fn print_result(state: &State, counts: &RetryCounts) -> Result<(), Fault> {
    let not_sent = counts.not_sent.load(Ordering::Relaxed);
    let unknown = counts.unknown.load(Ordering::Relaxed);
    print(format_args!(
        "\nretried on another server: {not_sent} calls that certainly did not run, {unknown} calls that may have run \
         (square is idempotent)"
    ))?;
    if let Some(failure) = state.failures.first() {
        return Err(Fault::new(format!("{} calls failed, the first with: {failure}", state.failures.len())));
    }
    if state.answers(Phase::Down, KILLED) > 0 {
        return Err(Fault::new("a killed server has answered"));
    }
    let answers: u32 = state.answers.values().sum();
    Ok(print(format_args!("{answers} calls, none lost; all three servers have answered."))?)
}

/// Starts a server, and waits until it listens.
async fn start(number: u32, directory: &Path) -> Result<Child, Fault> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["server", &number.to_string(), &address(number, directory), &secret_file(directory)]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let output = child.stdout.take().ok_or_else(|| Fault::new("the process has no output"))?;
    match BufReader::new(output).lines().next_line().await? {
        Some(_listening) => Ok(child),
        None => Err(Fault::new(format!("server {number} ended before it listened"))),
    }
}

fn address(number: u32, directory: &Path) -> String {
    format!("unix:{}", directory.join(format!("{number}.socket")).display())
}

fn secret_file(directory: &Path) -> String {
    directory.join("secret").display().to_string()
}
