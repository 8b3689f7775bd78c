//! Compares this project with other implementations: server and client are separate processes on a unix socket, rounds are
//! interleaved, and the results are medians. `compare` runs all; `count` is for callgrind.

mod streams;
mod tarpc_echo;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use bytes::Bytes;
use kaa_rpc_instructions::echo;

const IMPLEMENTATIONS: [&str; 2] = ["kaa", "tarpc"];
const CALLERS: [usize; 3] = [1, 64, 1024];

/// The measurement of one client.
#[derive(Debug, Clone, Copy)]
struct Sample {
    calls_per_second: f64,
    client_cpu: f64,
    server_cpu: f64,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["server", implementation, socket] => runtime()?.block_on(serve(implementation, socket)),
        ["client", implementation, socket, callers, size, milliseconds] => runtime()?.block_on(client(
            implementation,
            socket,
            callers.parse()?,
            size.parse()?,
            Duration::from_millis(milliseconds.parse()?),
        )),
        ["count", implementation, callers, calls] => tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?
            .block_on(count(implementation, callers.parse()?, calls.parse()?)),
        ["take", implementation, socket, count] => {
            runtime()?.block_on(streams::take(implementation, socket, count.parse()?))
        }
        ["streams"] => streams::compare(5, 20_000_000),
        ["streams", rounds, items] => streams::compare(rounds.parse()?, items.parse()?),
        ["compare"] => compare(5, Duration::from_millis(1000), 32),
        ["compare", rounds, milliseconds, size] => {
            compare(rounds.parse()?, Duration::from_millis(milliseconds.parse()?), size.parse()?)
        }
        _ => bail!(
            "usage: compare [ROUNDS MILLISECONDS BYTES] | streams [ROUNDS ITEMS] | count IMPLEMENTATION CALLERS CALLS"
        ),
    }
}

impl Caller for echo::Caller {
    async fn echo(&self, data: Bytes) -> Result<Bytes> {
        self.echo(data).await
    }
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Runtime::new()?)
}

async fn serve(implementation: &str, socket: &str) -> Result<()> {
    match implementation {
        "kaa" => {
            let _server = echo::serve(socket).await?;
            std::future::pending().await
        }
        "raw" => streams::serve_raw(socket).await,
        "tarpc" => tarpc_echo::serve(socket).await,
        other => bail!("unknown implementation {other}"),
    }
}

async fn client(
    implementation: &str,
    socket: &str,
    callers: usize,
    size: usize,
    time: Duration,
) -> Result<()> {
    while !std::path::Path::new(socket).exists() {
        tokio::task::yield_now().await;
    }
    match implementation {
        "kaa" => {
            let caller = echo::connect(socket).await?;
            drive(caller, callers, size, time).await
        }
        "tarpc" => {
            let caller = tarpc_echo::connect(socket).await?;
            drive(caller, callers, size, time).await
        }
        other => bail!("unknown implementation {other}"),
    }
}

/// A client of an implementation.
pub trait Caller: Clone + Send + Sync + 'static {
    fn echo(&self, data: Bytes) -> impl Future<Output = Result<Bytes>> + Send;
}

/// Calls from many tasks for this time; prints calls, seconds and CPU seconds of this process.
async fn drive(caller: impl Caller, callers: usize, size: usize, time: Duration) -> Result<()> {
    let data = Bytes::from(vec![7; size]);
    // Warm up: connections, allocators, branch predictors.
    run(&caller, callers, &data, Instant::now() + time / 5).await?;
    let (cpu, start) = (own_cpu(), Instant::now());
    let calls = run(&caller, callers, &data, start + time).await?;
    println!("{calls} {} {}", start.elapsed().as_secs_f64(), own_cpu() - cpu);
    Ok(())
}

async fn run(caller: &impl Caller, callers: usize, data: &Bytes, until: Instant) -> Result<u64> {
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let (caller, data) = (caller.clone(), data.clone());
            tokio::spawn(async move {
                let mut calls = 0_u64;
                while calls % 16 != 0 || Instant::now() < until {
                    let answer = caller.echo(data.clone()).await?;
                    anyhow::ensure!(answer.len() == data.len(), "an answer of {} bytes", answer.len());
                    calls += 1;
                }
                Ok::<u64, anyhow::Error>(calls)
            })
        })
        .collect();
    let mut calls = 0;
    for task in tasks {
        calls += task.await??;
    }
    Ok(calls)
}

/// A fixed number of calls with both sides in one thread, for callgrind: run it with two numbers and divide the
/// difference.
async fn count(implementation: &str, callers: usize, calls: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let socket = folder.path().join("socket").display().to_string();
    let data = Bytes::from(vec![7; 32]);
    match implementation {
        "kaa" => {
            let _server = echo::serve(&socket).await?;
            repeat(echo::connect(&socket).await?, callers, calls, &data).await
        }
        "tarpc" => {
            let server = tokio::spawn({
                let socket = socket.clone();
                async move { tarpc_echo::serve(&socket).await }
            });
            tokio::task::yield_now().await;
            let result = repeat(tarpc_echo::connect(&socket).await?, callers, calls, &data).await;
            server.abort();
            result
        }
        other => bail!("unknown implementation {other}"),
    }
}

async fn repeat(caller: impl Caller, callers: usize, calls: usize, data: &Bytes) -> Result<()> {
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let (caller, data) = (caller.clone(), data.clone());
            tokio::spawn(async move {
                for _ in 0..calls {
                    caller.echo(data.clone()).await?;
                }
                Ok::<(), anyhow::Error>(())
            })
        })
        .collect();
    for task in tasks {
        task.await??;
    }
    Ok(())
}

fn compare(rounds: usize, time: Duration, size: usize) -> Result<()> {
    println!("{size}-byte echo over a unix socket, {rounds} rounds of {time:?} each, medians");
    println!(
        "{:>8} {:>14} {:>12} {:>10} {:>10} {:>8}",
        "callers", "implementation", "calls/s", "client µs", "server µs", "ratio"
    );
    for callers in CALLERS {
        let mut samples: Vec<Vec<Sample>> = IMPLEMENTATIONS.iter().map(|_| Vec::new()).collect();
        for _ in 0..rounds {
            for (implementation, samples) in IMPLEMENTATIONS.iter().zip(&mut samples) {
                samples.push(measure(implementation, callers, size, time)?);
            }
        }
        let medians: Vec<Sample> = samples.into_iter().map(median).collect();
        let slowest = medians.last().map_or(1.0, |sample| sample.calls_per_second);
        for (implementation, sample) in IMPLEMENTATIONS.iter().zip(&medians) {
            println!(
                "{callers:>8} {implementation:>14} {:>12.0} {:>10.2} {:>10.2} {:>8.2}",
                sample.calls_per_second,
                sample.client_cpu * 1e6,
                sample.server_cpu * 1e6,
                sample.calls_per_second / slowest
            );
        }
    }
    Ok(())
}

fn median(mut samples: Vec<Sample>) -> Sample {
    samples.sort_by(|a, b| a.calls_per_second.total_cmp(&b.calls_per_second));
    samples[samples.len() / 2]
}

fn measure(implementation: &str, callers: usize, size: usize, time: Duration) -> Result<Sample> {
    let milliseconds = time.as_millis().to_string();
    measure_with(implementation, |socket| {
        ["client", implementation, socket, &callers.to_string(), &size.to_string(), &milliseconds]
            .map(str::to_owned)
            .to_vec()
    })
}

/// Runs a server, and a client with these arguments.
fn measure_with(implementation: &str, arguments: impl FnOnce(&str) -> Vec<String>) -> Result<Sample> {
    let folder = tempfile::tempdir()?;
    let socket = folder.path().join("socket").display().to_string();
    let program = std::env::current_exe()?;
    let server = Server(
        Command::new(&program).args(["server", implementation, &socket]).stdin(Stdio::null()).spawn()?,
    );
    let output = Command::new(&program).args(arguments(&socket)).stderr(Stdio::inherit()).output()?;
    anyhow::ensure!(output.status.success(), "the client of {implementation} failed");
    // Includes the warm-up, a fifth of the time, and the start of the process.
    let server_cpu = process_cpu(server.0.id())? / 1.2;
    let line = String::from_utf8(output.stdout)?;
    let numbers: Vec<f64> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let [calls, seconds, client_cpu] = numbers[..] else {
        bail!("the client of {implementation} printed: {line}")
    };
    Ok(Sample {
        calls_per_second: calls / seconds,
        client_cpu: client_cpu / calls,
        server_cpu: server_cpu / calls,
    })
}

/// A server process that is killed when this is dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn own_cpu() -> f64 {
    process_cpu(std::process::id()).unwrap_or_default()
}

/// User and system time of a process, in seconds (scheduler statistics of its threads).
fn process_cpu(process: u32) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/schedstat"))?;
    let threads = std::fs::read_dir(format!("/proc/{process}/task"))?;
    let mut nanoseconds = 0_f64;
    for thread in threads {
        let text = std::fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
        nanoseconds +=
            text.split_whitespace().next().and_then(|word| word.parse::<f64>().ok()).unwrap_or_default();
    }
    anyhow::ensure!(!text.is_empty(), "no schedstat");
    Ok(nanoseconds / 1e9)
}
