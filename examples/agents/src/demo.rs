//! `agents-demo`: a controller and three agents as real processes. It kills and restarts some of them.
//!
//! Invariants: a step ends when all expected lines were printed, and fails if that takes too long; the demo exits with 0
//! only if every step succeeded; it leaves no processes and no files.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use kaa_rpc_runtime::Fault;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// How long one step may take.
const STEP_LIMIT: Duration = Duration::from_secs(60);

/// A process and a line that it prints, or [`END`].
type Line = (&'static str, String);

/// Stands for the end of a process.
const END: &str = "(ended)";

/// Runs the whole demo.
pub(crate) fn run() -> Result<(), Fault> {
    let mut demo = Demo::new()?;
    let photos: Vec<u8> =
        (0..2_u32 << 20).flat_map(|number| number.wrapping_mul(0x9E37_79B1).to_le_bytes()).collect();
    let checksum: String = Sha256::digest(&photos).iter().map(|byte| format!("{byte:02x}")).collect();
    demo.file("photos.bin", &photos)?;
    demo.file("tape.bin", &[7; 4 * 32 * 1024])?;
    let quiet = "Nothing to be seen.\n".repeat(9000);
    demo.file("logbook.txt", format!("{quiet}Day 9001: storm.\n{quiet}Land!").as_bytes())?;

    demo.step("A controller listens over TLS, with a new secret. Three agents connect; the sloth is slow.")?;
    demo.start("controller", &["controller", "tls:127.0.0.1:0", "fleet.secret"])?;
    let listening = demo.expect(&[("controller", "listening on ")])?;
    let address = listening.trim_start_matches("listening on ").to_owned();
    for agent in ["ant", "bee"] {
        demo.start(agent, &["agent", agent, &address, "fleet.secret"])?;
    }
    let sloth = ["agent", "sloth", &address, "fleet.secret", "600000"];
    demo.start("sloth", &sloth)?;
    let all_registered = [
        ("controller", "ant has registered"),
        ("controller", "bee has registered"),
        ("controller", "sloth has registered"),
        ("ant", "registered"),
        ("bee", "registered"),
        ("sloth", "registered"),
    ];
    demo.expect(&all_registered)?;

    demo.step("Files are streamed to agents, while progress and output are streamed back.")?;
    demo.command("checksum photos.bin ant")?;
    demo.command("search storm logbook.txt bee")?;
    demo.expect(&[
        ("controller", &format!("job 1 | {checksum}")),
        ("controller", "job 1 done"),
        ("controller", "job 2 | Day 9001: storm."),
        ("controller", "job 2 done"),
    ])?;

    demo.step("A job can fail with an error that the schema declares.")?;
    demo.command("search storm photos.bin")?;
    demo.expect(&[("controller", "job 3 failed: line 1 is not text")])?;

    demo.step("An agent is killed during a job. The job runs on another agent.")?;
    demo.command("checksum tape.bin sloth")?;
    demo.expect(&[("controller", "job 4: 25 %")])?;
    demo.kill("sloth")?;
    demo.expect(&[
        ("sloth", END),
        ("controller", "job 4 has lost sloth"),
        ("controller", "sloth has disconnected"),
        ("controller", "job 4 runs on "),
        ("controller", "job 4 done"),
    ])?;

    demo.step("The agent is started again, and its next job is cancelled. The agent notices.")?;
    demo.start("sloth", &sloth)?;
    demo.expect(&[("controller", "sloth has registered"), ("sloth", "registered")])?;
    demo.command("checksum tape.bin sloth")?;
    demo.expect(&[("controller", "job 5: 25 %")])?;
    demo.command("cancel 5")?;
    demo.expect(&[("controller", "job 5 cancelled"), ("sloth", "job 5 was cancelled after 32768 bytes")])?;

    demo.step("The controller stops, and starts again at the same address. The agents reconnect.")?;
    demo.close_input("controller");
    demo.expect(&[
        ("controller", END),
        ("ant", "lost the controller"),
        ("bee", "lost the controller"),
        ("sloth", "lost the controller"),
    ])?;
    demo.start("controller", &["controller", &address, "fleet.secret"])?;
    demo.expect(&all_registered)?;
    demo.command("checksum photos.bin bee")?;
    demo.expect(&[("controller", &format!("job 1 | {checksum}")), ("controller", "job 1 done")])?;

    demo.step("The agents are dismissed, and the controller stops.")?;
    demo.command("dismiss")?;
    demo.close_input("controller");
    demo.expect(&["controller", "ant", "bee", "sloth"].map(|name| (name, END)))?;
    demo.finish()
}

/// A process that is killed when this is dropped.
struct Process {
    child: Child,
    input: Option<ChildStdin>,
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail if the process has already ended.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// The processes of the demo, and the lines that they print.
struct Demo {
    processes: BTreeMap<&'static str, Process>,
    sender: Sender<Line>,
    lines: Receiver<Line>,
    directory: TempDir,
}

impl Demo {
    fn new() -> io::Result<Self> {
        let (sender, lines) = channel();
        let directory = tempfile::Builder::new().prefix("agents-").tempdir()?;
        Ok(Self { processes: BTreeMap::new(), sender, lines, directory })
    }

    fn file(&self, name: &str, content: &[u8]) -> io::Result<()> {
        fs::write(self.directory.path().join(name), content)
    }

    /// Starts a step by printing its description.
    fn step(&self, description: &str) -> io::Result<()> {
        writeln!(io::stdout(), "\n{description}")
    }

    /// Starts a process, and reads its output.
    fn start(&mut self, name: &'static str, arguments: &[&str]) -> io::Result<()> {
        writeln!(io::stdout(), "{name:>12} $ {}", arguments.join(" "))?;
        let (output, writer) = io::pipe()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(arguments).current_dir(self.directory.path()).stdin(Stdio::piped());
        let mut child = command.stdout(writer.try_clone()?).stderr(writer).spawn()?;
        // The command holds the pipe's writing end too. Once it is dropped, the pipe ends with the process.
        drop(command);
        self.processes.insert(name, Process { input: child.stdin.take(), child });
        let sender = self.sender.clone();
        thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            for line in lines.chain([END.to_owned()]) {
                let _demo_has_ended = sender.send((name, line));
            }
        });
        Ok(())
    }

    /// Types a command into the controller.
    fn command(&mut self, command: &str) -> io::Result<()> {
        writeln!(io::stdout(), "{:>12} < {command}", "controller")?;
        let input = self.processes.get_mut("controller").and_then(|process| process.input.as_mut());
        writeln!(input.ok_or(io::ErrorKind::NotFound)?, "{command}")
    }

    /// Closes the input of a process.
    fn close_input(&mut self, name: &str) {
        self.processes.get_mut(name).map(|process| process.input.take());
    }

    /// Kills a process.
    fn kill(&mut self, name: &str) -> io::Result<()> {
        let process = self.processes.get_mut(name).ok_or(io::ErrorKind::NotFound)?;
        writeln!(io::stdout(), "{name:>12} $ kill -9 {}", process.child.id())?;
        process.child.kill()
    }

    /// Prints the lines of all processes until each expected text was in one, in any order. Returns the line with the
    /// first expected text.
    fn expect(&mut self, expected: &[(&str, &str)]) -> Result<String, Fault> {
        let mut missing = expected.to_vec();
        let mut first = String::new();
        let deadline = Instant::now() + STEP_LIMIT;
        while !missing.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout =
                |_timeout| Fault::new(format!("gave up waiting for {missing:?} after {STEP_LIMIT:?}"));
            let (name, line) = self.lines.recv_timeout(left).map_err(timeout)?;
            writeln!(io::stdout(), "{name:>12} | {line}")?;
            let matches = |(process, text): &(&str, &str)| *process == name && line.contains(text);
            match missing.iter().position(matches) {
                Some(0) => first.clone_from(&line),
                // A process that has ended too early will not print the missing lines.
                None if line == END => return Err(Fault::new(format!("{name} ended before {missing:?}"))),
                _ => {}
            }
            missing.iter().position(matches).map(|position| missing.remove(position));
        }
        Ok(first)
    }

    /// Checks how the processes have ended, and removes the files.
    fn finish(self) -> Result<(), Fault> {
        for (name, mut process) in self.processes {
            let status = process.child.wait()?;
            if !status.success() {
                return Err(Fault::new(format!("{name} ended with {status}")));
            }
        }
        self.directory.close()?;
        Ok(writeln!(io::stdout(), "\nThe demo has succeeded. All processes have ended.")?)
    }
}
