//! The demo: three servers as processes, one that is killed and comes back, and who has answered meanwhile.
//!
//! Invariants: a call is counted in the phase in which it was made; all processes end with the demo.

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
use crate::balanced::{Again, Balanced, Counts, balanced};
use crate::show;

/// The servers' numbers.
const SERVERS: [u32; 3] = [1, 2, 3];

/// The one that is killed.
const VICTIM: u32 = 2;

/// Who call at the same time, each one call after the other.
const CALLERS: usize = 12;

/// Answers that are waited for, from each server that should give some.
const ENOUGH: u32 = 30;

/// Longest that a phase may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts the servers, calls them, and tells who has answered.
///
/// # Errors
/// A call was lost, or a server that is there has not answered.
pub async fn run() -> Result<(), Fault> {
    let folder = tempfile::tempdir()?;
    let secret = Secret::from_file_or_generate(secret_file(folder.path()))?;
    let (mut processes, mut services) = (BTreeMap::new(), Vec::new());
    for number in SERVERS {
        processes.insert(number, start(number, folder.path()).await?);
        let client = Client::builder()
            .secret(secret.clone())
            .reconnect(Backoff::default().max(Duration::from_millis(500)))
            .connect(address(number, folder.path()))?;
        services.push(ProxyService::new(client));
    }
    let counts = Arc::new(Counts::default());
    let squares = balanced(services, Again::new(Arc::clone(&counts)));

    let board = watch::Sender::new(Board::default());
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        callers.spawn(call(board.clone(), squares.clone()));
    }
    show(format_args!("{CALLERS} callers call 3 servers\n\n{:24}server 1  server 2  server 3", ""))?;
    phase(&board, Phase::Before, &SERVERS).await?;
    if let Some(mut victim) = processes.remove(&VICTIM) {
        let id = victim.id().unwrap_or_default();
        victim.kill().await?; // calls are under way
        show(format_args!("  server {VICTIM} is killed (process {id})"))?;
    }
    let alive: Vec<u32> = processes.keys().copied().collect();
    phase(&board, Phase::Down, &alive).await?;
    processes.insert(VICTIM, start(VICTIM, folder.path()).await?);
    show(format_args!("  server {VICTIM} is started again"))?;
    phase(&board, Phase::After, &SERVERS).await?;
    board.send_modify(|board| board.phase = Phase::Over);
    callers.join_all().await;
    tell(&board.borrow(), &counts)
}

/// What the calls have come to.
#[derive(Default)]
struct Board {
    phase: Phase,
    made: u32,
    /// Answers, by phase and server.
    answers: BTreeMap<(Phase, u32), u32>,
    lost: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    #[default]
    Before,
    Down,
    After,
    Over,
}

impl Board {
    fn answers(&self, phase: Phase, server: u32) -> u32 {
        self.answers.get(&(phase, server)).copied().unwrap_or_default()
    }
}

/// A caller: one call after the other.
async fn call(board: watch::Sender<Board>, squares: Balanced<Square>) {
    loop {
        let (mut number, mut phase) = (0, Phase::Over);
        board.send_modify(|board| {
            board.made += 1;
            (number, phase) = (board.made, board.phase);
        });
        if phase == Phase::Over {
            return;
        }
        let result = squares.clone().oneshot(Invocation(Square { number })).await;
        board.send_modify(|board| match result {
            Ok(answer) if answer.square == u64::from(number).pow(2) => {
                *board.answers.entry((phase, answer.server)).or_default() += 1;
            }
            Ok(answer) => board.lost.push(format!("the square of {number} is not {}", answer.square)),
            Err(error) => board.lost.push(error.to_string()),
        });
    }
}

/// Lets a phase last until each of these servers has answered often enough, and tells how often each has.
async fn phase(board: &watch::Sender<Board>, phase: Phase, servers: &[u32]) -> Result<(), Fault> {
    board.send_modify(|board| board.phase = phase);
    let mut watch = board.subscribe();
    let enough = watch.wait_for(|board| servers.iter().all(|server| board.answers(phase, *server) >= ENOUGH));
    let board = tokio::time::timeout(PATIENCE, enough).await??;
    let counted: String =
        SERVERS.iter().map(|server| format!("{:>8}  ", board.answers(phase, *server))).collect();
    let name = match phase {
        Phase::Before => "before",
        Phase::Down => "while it is down",
        Phase::After | Phase::Over => "afterwards",
    };
    Ok(show(format_args!("{name:<24}{}", counted.trim_end()))?)
}

fn tell(board: &Board, counts: &Counts) -> Result<(), Fault> {
    let not_sent = counts.not_sent.load(Ordering::Relaxed);
    let unknown = counts.unknown.load(Ordering::Relaxed);
    show(format_args!(
        "\nmade again on another server: {not_sent} that were certainly not run, {unknown} that may have been run (square is \
         idempotent)"
    ))?;
    if let Some(lost) = board.lost.first() {
        return Err(Fault::new(format!("{} calls were lost, the first because {lost}", board.lost.len())));
    }
    if board.answers(Phase::Down, VICTIM) > 0 {
        return Err(Fault::new("a dead server has answered"));
    }
    let answered: u32 = board.answers.values().sum();
    Ok(show(format_args!("{answered} calls, none lost; all three servers have answered."))?)
}

/// Starts a server, and waits until it listens.
async fn start(number: u32, folder: &Path) -> Result<Child, Fault> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["server", &number.to_string(), &address(number, folder), &secret_file(folder)]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    let output = child.stdout.take().ok_or_else(|| Fault::new("a process without a pipe"))?;
    match BufReader::new(output).lines().next_line().await? {
        Some(_listens) => Ok(child),
        None => Err(Fault::new(format!("server {number} has ended"))),
    }
}

fn address(number: u32, folder: &Path) -> String {
    format!("unix:{}", folder.join(format!("{number}.socket")).display())
}

fn secret_file(folder: &Path) -> String {
    folder.join("secret").display().to_string()
}
