//! `agents-demo`: a controller and three agents as real processes, some of which are lost on the way.
//!
//! Invariants: a scene is over when everything was heard that it is about, and fails if that takes too long; the demo
//! ends with 0 only if all was as it should be; no process and no file of it is left.

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

/// Longest that one scene may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A process and a part of what it says; with `END`, that it ends.
type Line = (&'static str, String);

const END: &str = "(ended)";

/// Plays the whole demo.
pub(crate) fn run() -> Result<(), Fault> {
    let mut stage = Stage::new()?;
    let photos: Vec<u8> =
        (0..2_u32 << 20).flat_map(|number| number.wrapping_mul(0x9E37_79B1).to_le_bytes()).collect();
    let checksum: String = Sha256::digest(&photos).iter().map(|byte| format!("{byte:02x}")).collect();
    stage.file("photos.bin", &photos)?;
    stage.file("tape.bin", &[7; 4 * 32 * 1024])?;
    let calm = "Nothing to be seen.\n".repeat(9000);
    stage.file("logbook.txt", format!("{calm}Day 9001: storm.\n{calm}Land!").as_bytes())?;

    stage.scene(
        "A controller listens, over TLS and with a new secret. Three agents come; the sloth is a slow one.",
    )?;
    stage.start("controller", &["controller", "tls:127.0.0.1:0", "fleet.secret"])?;
    let listening = stage.hear(&[("controller", "listening on ")])?;
    let address = listening.trim_start_matches("listening on ").to_owned();
    for agent in ["ant", "bee"] {
        stage.start(agent, &["agent", agent, &address, "fleet.secret"])?;
    }
    let sloth = ["agent", "sloth", &address, "fleet.secret", "600000"];
    stage.start("sloth", &sloth)?;
    let all_here =
        [("controller", "ant is here"), ("controller", "bee is here"), ("controller", "sloth is here")];
    let all_registered = [("ant", "registered"), ("bee", "registered"), ("sloth", "registered")];
    stage.hear(&[all_here, all_registered].concat())?;

    stage.scene("Files are streamed to agents, while progress and output are streamed back.")?;
    stage.tell("checksum photos.bin ant")?;
    stage.tell("search storm logbook.txt bee")?;
    stage.hear(&[
        ("controller", &format!("job 1 | {checksum}")),
        ("controller", "job 1 done"),
        ("controller", "job 2 | Day 9001: storm."),
        ("controller", "job 2 done"),
    ])?;

    stage.scene("A job can fail, for a reason that the contract declares.")?;
    stage.tell("search storm photos.bin")?;
    stage.hear(&[("controller", "job 3 failed: line 1 is not text")])?;

    stage.scene("An agent is killed in the middle of a job, which goes to another.")?;
    stage.tell("checksum tape.bin sloth")?;
    stage.hear(&[("controller", "job 4: 25 %")])?;
    stage.kill("sloth")?;
    stage.hear(&[
        ("sloth", END),
        ("controller", "job 4 is lost with sloth"),
        ("controller", "sloth is gone"),
        ("controller", "job 4 is given to "),
        ("controller", "job 4 done"),
    ])?;

    stage.scene("It is started again, and has a job again, which is cancelled: the agent is told.")?;
    stage.start("sloth", &sloth)?;
    stage.hear(&[("controller", "sloth is here"), ("sloth", "registered")])?;
    stage.tell("checksum tape.bin sloth")?;
    stage.hear(&[("controller", "job 5: 25 %")])?;
    stage.tell("cancel 5")?;
    stage.hear(&[("controller", "job 5 cancelled"), ("sloth", "job 5 is given up after 32768 bytes")])?;

    stage.scene(
        "The controller ends, and starts again at the same address. The agents come back by themselves.",
    )?;
    stage.close("controller");
    stage.hear(&[
        ("controller", END),
        ("ant", "the controller is lost"),
        ("bee", "the controller is lost"),
        ("sloth", "the controller is lost"),
    ])?;
    stage.start("controller", &["controller", &address, "fleet.secret"])?;
    stage.hear(&[all_here, all_registered].concat())?;
    stage.tell("checksum photos.bin bee")?;
    stage.hear(&[("controller", &format!("job 1 | {checksum}")), ("controller", "job 1 done")])?;

    stage.scene("That is all: the agents are dismissed, and the controller ends.")?;
    stage.tell("dismiss")?;
    stage.close("controller");
    stage.hear(&["controller", "ant", "bee", "sloth"].map(|name| (name, END)))?;
    stage.leave()
}

/// A process that does not outlive its owner.
struct Process {
    child: Child,
    input: Option<ChildStdin>,
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail if it has ended already, which is as good.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// Where everything happens.
struct Stage {
    processes: BTreeMap<&'static str, Process>,
    sender: Sender<Line>,
    heard: Receiver<Line>,
    folder: TempDir,
}

impl Stage {
    fn new() -> io::Result<Self> {
        let (sender, heard) = channel();
        let folder = tempfile::Builder::new().prefix("agents-").tempdir()?;
        Ok(Self { processes: BTreeMap::new(), sender, heard, folder })
    }

    fn file(&self, name: &str, content: &[u8]) -> io::Result<()> {
        fs::write(self.folder.path().join(name), content)
    }

    fn scene(&self, what: &str) -> io::Result<()> {
        writeln!(io::stdout(), "\n{what}")
    }

    /// Starts a process, and listens to it.
    fn start(&mut self, name: &'static str, arguments: &[&str]) -> io::Result<()> {
        writeln!(io::stdout(), "{name:>12} $ {}", arguments.join(" "))?;
        let (output, writer) = io::pipe()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(arguments).current_dir(self.folder.path()).stdin(Stdio::piped());
        let mut child = command.stdout(writer.try_clone()?).stderr(writer).spawn()?;
        // The process alone has the writing end from here on, so that the pipe ends with it.
        drop(command);
        self.processes.insert(name, Process { input: child.stdin.take(), child });
        let sender = self.sender.clone();
        thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            for line in lines.chain([END.to_owned()]) {
                let _over = sender.send((name, line));
            }
        });
        Ok(())
    }

    /// Gives the controller a command.
    fn tell(&mut self, command: &str) -> io::Result<()> {
        writeln!(io::stdout(), "{:>12} < {command}", "controller")?;
        let input = self.processes.get_mut("controller").and_then(|process| process.input.as_mut());
        writeln!(input.ok_or(io::ErrorKind::NotFound)?, "{command}")
    }

    /// Ends the input of a process.
    fn close(&mut self, name: &str) {
        self.processes.get_mut(name).map(|process| process.input.take());
    }

    /// Ends a process at once.
    fn kill(&mut self, name: &str) -> io::Result<()> {
        let process = self.processes.get_mut(name).ok_or(io::ErrorKind::NotFound)?;
        writeln!(io::stdout(), "{name:>12} $ kill -9 {}", process.child.id())?;
        process.child.kill()
    }

    /// Shows what is said until all of this was heard, in any order; gives what was awaited first.
    fn hear(&mut self, awaited: &[(&str, &str)]) -> Result<String, Fault> {
        let mut missing = awaited.to_vec();
        let mut first = String::new();
        let deadline = Instant::now() + PATIENCE;
        while !missing.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            let silence = |_timeout| Fault::new(format!("this never came: {missing:?}"));
            let (name, line) = self.heard.recv_timeout(left).map_err(silence)?;
            writeln!(io::stdout(), "{name:>12} | {line}")?;
            let fits = |(who, text): &(&str, &str)| *who == name && line.contains(text);
            match missing.iter().position(fits) {
                Some(0) => first.clone_from(&line),
                // Who has ended too early will not say what is still awaited.
                None if line == END => return Err(Fault::new(format!("{name} ended before {missing:?}"))),
                _ => {}
            }
            missing.iter().position(fits).map(|position| missing.remove(position));
        }
        Ok(first)
    }

    /// All have ended: looks at how, and cleans up.
    fn leave(self) -> Result<(), Fault> {
        for (name, mut process) in self.processes {
            let status = process.child.wait()?;
            if !status.success() {
                return Err(Fault::new(format!("{name} ended with {status}")));
            }
        }
        self.folder.close()?;
        Ok(writeln!(io::stdout(), "\nEverything went as it should. All processes have ended.")?)
    }
}
