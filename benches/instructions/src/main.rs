//! Counts the instructions of calls, stream items and connections under callgrind, and compares them with
//! `figures.txt`. Start it by `benches/instructions/run`, which pins what depends on the processor.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, bail, ensure};
use kaa_rpc_instructions::workload::{self, Clock, WORKLOADS, Workload};

/// How far a figure may be from the committed one, in either direction, as a part of it. A figure that fell by more is
/// committed anew, so that it cannot creep back.
const MARGIN: f64 = 0.03;

fn main() -> Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [] => check(),
        ["bless"] => bless(),
        ["workload", name, count] => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(workload::run(name, count.parse()?))?;
            Ok(ExitCode::SUCCESS)
        }
        _ => bail!("usage: run [bless]"),
    }
}

/// Prints every figure beside the committed one.
fn check() -> Result<ExitCode> {
    let text = std::fs::read_to_string(figures())?;
    let committed = read(&text)?;
    println!("{:<28} {:>10} {:>10} {:>8}", "instructions per", "committed", "measured", "change");
    let mut within = true;
    for workload in WORKLOADS {
        let before =
            *committed.get(workload.name).context("figures.txt lacks a workload; run with `bless`")?;
        let now = measure(workload)?;
        let change = now / before - 1.0;
        within &= change.abs() <= MARGIN;
        println!("{:<28} {before:>10.1} {now:>10.1} {:>+7.2} %", workload.name, change * 100.0);
    }
    if within {
        return Ok(ExitCode::SUCCESS);
    }
    println!(
        "A figure changed by more than {} %. If that is intended, run `benches/instructions/run bless` and commit \
         figures.txt with the reason.",
        MARGIN * 100.0
    );
    Ok(ExitCode::FAILURE)
}

fn bless() -> Result<ExitCode> {
    let mut text = String::new();
    for workload in WORKLOADS {
        writeln!(text, "{:.1} {}", measure(workload)?, workload.name)?;
    }
    print!("{text}");
    std::fs::write(figures(), text)?;
    Ok(ExitCode::SUCCESS)
}

fn figures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("figures.txt")
}

fn read(text: &str) -> Result<BTreeMap<&str, f64>> {
    let line =
        |line| str::split_once(line, ' ').and_then(|(figure, name)| Some((name, figure.parse().ok()?)));
    text.lines().map(|text| line(text).with_context(|| format!("figures.txt: {text:?}"))).collect()
}

/// The instructions of one operation.
fn measure(workload: Workload) -> Result<f64> {
    let instructions = count(workload, workload.long)? - count(workload, workload.short)?;
    Ok(instructions / (workload.long - workload.short) as f64)
}

/// The instructions of a run under callgrind.
fn count(workload: Workload, count: u64) -> Result<f64> {
    let mut command = match workload.clock {
        Clock::Real => Command::new("valgrind"),
        Clock::Slow => {
            let mut command = Command::new("faketime");
            command.args(["-f", "+0 x0.001", "valgrind"]);
            command
        }
    };
    let output = command
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args(["workload", workload.name, &count.to_string()])
        .output()
        .with_context(|| format!("{command:?} failed: valgrind and faketime must be installed"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{}: {text}", workload.name);
    text.lines()
        .find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok())
        .with_context(|| format!("callgrind printed no count: {text}"))
}
