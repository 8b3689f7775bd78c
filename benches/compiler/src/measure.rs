//! Makes one measurement, and prints a table of several.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use kaa_idl::{DiskSource, FileSource, RenderStyle, compile};

/// Compiles; prints packages, bytes, milliseconds of user time, and peak memory in kilobytes.
pub fn check(source: &dyn FileSource) -> Result<()> {
    let (files, bytes) = crate::size(source)?;
    let before = user_milliseconds()?;
    let compilation = compile(source);
    let milliseconds = user_milliseconds()? - before;
    let peak = status("VmHWM:")?;
    let errors = compilation.render(RenderStyle::Plain);
    ensure!(!compilation.has_errors(), "{}", errors.lines().take(40).collect::<Vec<_>>().join("\n"));
    println!("{files} {bytes} {milliseconds} {peak}");
    Ok(())
}

/// Generates Rust from a folder, and prints the cost.
pub fn generate(folder: &Path, output: &Path) -> Result<()> {
    let before = user_milliseconds()?;
    let compilation = compile(&DiskSource::new([folder]));
    let checked = user_milliseconds()?;
    let errors = compilation.render(RenderStyle::Plain);
    let schema = compilation.schema().with_context(|| errors)?;
    let files = kaa_rpc_build::configure().generate(schema).map_err(|error| anyhow::anyhow!("{error}"))?;
    let generated = user_milliseconds()?;
    let (mut bytes, mut lines) = (0, 0);
    for file in files {
        bytes += file.contents.len();
        lines += file.contents.lines().count();
        crate::write(&[(file.path, file.contents)], output)?;
    }
    println!(
        "{bytes} bytes, {lines} lines of Rust; {} ms of user time to check, {} ms to generate, {} kB of peak memory",
        checked - before,
        generated - checked,
        status("VmHWM:")?,
    );
    Ok(())
}

/// Runs `check KIND SIZE` for each size and prints a row for each, with the ratio to the previous row.
pub fn growth(kind: &str, sizes: &[String]) -> Result<()> {
    let mut before: Option<(f64, f64)> = None;
    for size in sizes {
        let output = Command::new(std::env::current_exe()?).args(["check", kind, size]).output()?;
        ensure!(output.status.success(), "{kind} {size}: {}", String::from_utf8_lossy(&output.stderr));
        let line = String::from_utf8(output.stdout)?;
        let numbers = line.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
        let [files, bytes, milliseconds, peak] = numbers[..] else { anyhow::bail!("{kind}: {line}") };
        let ratio = |now: f64, before: Option<f64>| {
            before.map_or(String::new(), |before| format!("{:.2}", now / before))
        };
        println!(
            "| {kind} {size} | {files} | {:.2} | {:.2} | {} | {:.0} | {} |",
            bytes / 1e6,
            milliseconds / 1e3,
            ratio(milliseconds, before.map(|before| before.0)),
            peak / 1e3,
            ratio(peak, before.map(|before| before.1)),
        );
        before = Some((milliseconds, peak));
    }
    Ok(())
}

/// A value in kilobytes from the status of this process.
fn status(name: &str) -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let line = line.with_context(|| format!("/proc/self/status has no {name}"))?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// The user time of this process so far, in clock ticks of 10 ms.
fn user_milliseconds() -> Result<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit_once(')').context("/proc/self/stat has no process name")?.1;
    let ticks = after_name.split_whitespace().nth(11).context("/proc/self/stat has no user time")?;
    let ticks: u64 = ticks.parse()?;
    Ok(ticks * 10)
}
