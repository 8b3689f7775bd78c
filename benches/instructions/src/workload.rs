//! What is counted: each workload repeats one operation, with the client and the server in one thread.

use anyhow::{Result, bail, ensure};
use bytes::Bytes;
use futures::future::try_join_all;

use crate::echo;

/// The bytes of an echoed payload.
const PAYLOAD: usize = 32;

/// An operation that is repeated, and how often in the shorter and the longer of two runs. What one operation costs is
/// the difference between the runs, divided by the difference between the numbers.
#[derive(Debug, Clone, Copy)]
pub struct Workload {
    pub name: &'static str,
    pub short: u64,
    pub long: u64,
    pub clock: Clock,
}

/// How fast time passes while instructions are counted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Clock {
    Real,
    /// A thousand times slower. A handler or a stream that is busy for a millisecond gives other tasks their turn; under
    /// callgrind, how much it gets done in that time would depend on the machine. Each look at this clock costs a few
    /// hundred instructions more.
    Slow,
}

pub const WORKLOADS: [Workload; 5] = [
    Workload { name: "call, 1 caller", short: 500, long: 4_500, clock: Clock::Real },
    Workload { name: "call, 64 callers", short: 6_400, long: 44_800, clock: Clock::Slow },
    Workload { name: "item of a result stream", short: 100_000, long: 1_100_000, clock: Clock::Slow },
    Workload { name: "item of a stream parameter", short: 100_000, long: 1_100_000, clock: Clock::Slow },
    Workload { name: "connect and first call", short: 10, long: 210, clock: Clock::Real },
];

/// Repeats the operation with this name `count` times.
///
/// # Errors
/// If there is no such workload, or an operation fails.
pub async fn run(name: &str, count: u64) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let socket = folder.path().join("socket").display().to_string();
    let _server = echo::serve(&socket).await?;
    match name {
        "call, 1 caller" => calls(&echo::connect(&socket).await?, 1, count).await,
        "call, 64 callers" => calls(&echo::connect(&socket).await?, 64, count).await,
        "item of a result stream" => sum_is_right(echo::connect(&socket).await?.numbers(count).await?, count),
        "item of a stream parameter" => sum_is_right(echo::connect(&socket).await?.sum(count).await?, count),
        "connect and first call" => {
            for _ in 0..count {
                calls(&echo::connect(&socket).await?, 1, 1).await?;
            }
            Ok(())
        }
        other => bail!("there is no workload {other:?}"),
    }
}

/// Makes `count` calls from `callers` tasks, which share them evenly.
async fn calls(caller: &echo::Caller, callers: u64, count: u64) -> Result<()> {
    let data = Bytes::from(vec![7; PAYLOAD]);
    let tasks = (0..callers).map(|_| {
        let (caller, data) = (caller.clone(), data.clone());
        tokio::spawn(async move {
            for _ in 0..count / callers {
                ensure!(caller.echo(data.clone()).await? == data, "the reply differs from the argument");
            }
            Ok(())
        })
    });
    try_join_all(tasks).await?.into_iter().collect()
}

fn sum_is_right(sum: u64, count: u64) -> Result<()> {
    let expected = (0..count).fold(0, u64::wrapping_add);
    ensure!(sum == expected, "the sum of {count} items is {expected}, not {sum}");
    Ok(())
}
