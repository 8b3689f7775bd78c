//! The demo: a server and three people, as processes of their own, and what is typed and read.
//!
//! Invariants: who types waits until it was read where it should be, so that every run reads the same; all processes end
//! with the demo.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use kaa_rpc_runtime::Fault;

use crate::show;

/// Longest that anything may take to be read.
const PATIENCE: Duration = Duration::from_secs(20);

/// Plays the whole demo.
///
/// # Errors
/// A process cannot be started, or something else is read than should be.
pub fn run() -> Result<(), Fault> {
    let folder = tempfile::tempdir()?;
    let (socket, secret) = (folder.path().join("chat.socket"), folder.path().join("chat.secret"));
    let places = [format!("unix:{}", socket.display()), secret.display().to_string()];
    let server = Process::start("server", &places)?;
    server.until("listening on")?;
    show("The server listens. Three people come.")?;
    let [mut ada, mut ben, mut cleo] =
        [Process::start("ada", &places)?, Process::start("ben", &places)?, Process::start("cleo", &places)?];

    ada.types("ada")?;
    ada.reads("nobody else is here")?;
    ben.types("ben")?;
    ben.reads("here already: ada")?;
    ada.reads("* ben has come")?;
    cleo.types("ada")?;
    cleo.reads("ada is taken; what else can we call you?")?;
    cleo.types("cleo")?;
    cleo.reads("here already: ada, ben")?;
    for other in [&ada, &ben] {
        other.reads("* cleo has come")?;
    }

    show("They talk. What one says, the server pushes to the others.")?;
    ada.types("is anybody hungry?")?;
    for other in [&ben, &cleo] {
        other.reads("ada: is anybody hungry?")?;
    }
    cleo.types("there is cake")?;
    for other in [&ada, &ben] {
        other.reads("cleo: there is cake")?;
    }
    cleo.types("/who")?;
    cleo.reads("here: ada, ben, cleo")?;

    show("One leaves, and one is lost.")?;
    ben.types("/leave")?;
    for other in [&ada, &cleo] {
        other.reads("* ben has gone")?;
    }
    ben.ends()?;
    show("  cleo is killed")?;
    drop(cleo);
    ada.reads("* cleo has gone")?;
    ada.types("/leave")?;
    ada.ends()?;
    drop(server);
    Ok(show("Everybody has read what they should.")?)
}

/// The server, or a person with a client. It is killed with its owner.
struct Process {
    name: &'static str,
    child: Child,
    keyboard: ChildStdin,
    screen: Receiver<String>,
}

impl Process {
    /// This program again, in another role.
    fn start(name: &'static str, places: &[String]) -> Result<Self, Fault> {
        let role = if name == "server" { "server" } else { "client" };
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(role).args(places).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let (Some(keyboard), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Fault::new("a process without pipes"));
        };
        let (sender, screen) = channel();
        thread::spawn(move || {
            BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let process = Self { name, child, keyboard, screen };
        if role == "client" {
            process.until("what is your name?")?;
        }
        Ok(process)
    }

    fn types(&mut self, line: &str) -> Result<(), Fault> {
        show(format_args!("  {:<4} types │ {line}", self.name))?;
        Ok(writeln!(self.keyboard, "{line}")?)
    }

    fn reads(&self, expected: &str) -> Result<(), Fault> {
        self.until(expected)?;
        Ok(show(format_args!("  {:<4} reads │ {expected}", self.name))?)
    }

    /// Waits for the next line, which must begin like this.
    fn until(&self, expected: &str) -> Result<(), Fault> {
        match self.screen.recv_timeout(PATIENCE) {
            Ok(line) if line.starts_with(expected) => Ok(()),
            read => Err(Fault::new(format!("{} should read {expected:?}, and has {read:?}", self.name))),
        }
    }

    /// Waits for an end without complaint.
    fn ends(mut self) -> Result<(), Fault> {
        let more = self.screen.recv_timeout(PATIENCE);
        let status = self.child.wait()?;
        if more.is_err() && status.success() {
            Ok(())
        } else {
            Err(Fault::new(format!("{} ends badly", self.name)))
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail if it has ended already, which is as good.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}
