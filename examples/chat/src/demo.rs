//! The demo: a server and three clients as processes, and what they type and print.
//!
//! Invariants: after each typed line the demo waits for the lines that it causes, so that every run prints the same; all
//! processes end with the demo.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use kaa_rpc_runtime::Fault;

use crate::print;

/// How long one line may take.
const LINE_LIMIT: Duration = Duration::from_secs(20);

/// Runs the whole demo.
///
/// # Errors
/// A process cannot be started, or prints an unexpected line.
pub fn run() -> Result<(), Fault> {
    let directory = tempfile::tempdir()?;
    let (socket, secret) = (directory.path().join("chat.socket"), directory.path().join("chat.secret"));
    let arguments = [format!("unix:{}", socket.display()), secret.display().to_string()];
    let server = Process::start("server", &arguments)?;
    server.expect_line("listening on")?;
    print("The server listens. Three people enter the room.")?;
    let start = |name| Process::start(name, &arguments);
    let [mut ada, mut ben, mut cleo] = [start("ada")?, start("ben")?, start("cleo")?];

    ada.types("ada")?;
    ada.reads("the room is empty")?;
    ben.types("ben")?;
    ben.reads("in the room: ada")?;
    ada.reads("* ben has entered")?;
    cleo.types("ada")?;
    cleo.reads("ada is taken; choose another name")?;
    cleo.types("cleo")?;
    cleo.reads("in the room: ada, ben")?;
    for other in [&ada, &ben] {
        other.reads("* cleo has entered")?;
    }

    print("They talk. The server sends each line to the others.")?;
    ada.types("is anybody hungry?")?;
    for other in [&ben, &cleo] {
        other.reads("ada: is anybody hungry?")?;
    }
    cleo.types("there is cake")?;
    for other in [&ada, &ben] {
        other.reads("cleo: there is cake")?;
    }
    cleo.types("/who")?;
    cleo.reads("in the room: ada, ben, cleo")?;

    print("One leaves, and the client of another is killed.")?;
    ben.types("/leave")?;
    for other in [&ada, &cleo] {
        other.reads("* ben has left")?;
    }
    ben.expect_end()?;
    print("  cleo is killed")?;
    drop(cleo);
    ada.reads("* cleo has left")?;
    ada.types("/leave")?;
    ada.expect_end()?;
    drop(server);
    Ok(print("The demo has succeeded.")?)
}

/// The server, or the client of a person. It is killed when this is dropped.
struct Process {
    name: &'static str,
    child: Child,
    keyboard: ChildStdin,
    screen: Receiver<String>,
}

impl Process {
    /// Starts this program as the server or as a client.
    fn start(name: &'static str, arguments: &[String]) -> Result<Self, Fault> {
        let role = if name == "server" { "server" } else { "client" };
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(role).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let (Some(keyboard), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Fault::new("the process has no pipes"));
        };
        let (sender, screen) = channel();
        thread::spawn(move || {
            BufReader::new(output).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let process = Self { name, child, keyboard, screen };
        if role == "client" {
            process.expect_line("what is your name?")?;
        }
        Ok(process)
    }

    fn types(&mut self, line: &str) -> Result<(), Fault> {
        print(format_args!("  {:<4} types │ {line}", self.name))?;
        Ok(writeln!(self.keyboard, "{line}")?)
    }

    fn reads(&self, expected: &str) -> Result<(), Fault> {
        self.expect_line(expected)?;
        Ok(print(format_args!("  {:<4} reads │ {expected}", self.name))?)
    }

    /// Waits for the next line, which must start with this text.
    fn expect_line(&self, expected: &str) -> Result<(), Fault> {
        match self.screen.recv_timeout(LINE_LIMIT) {
            Ok(line) if line.starts_with(expected) => Ok(()),
            received => Err(Fault::new(format!("{}: expected {expected:?}, got {received:?}", self.name))),
        }
    }

    /// Waits until the process ends, which must print nothing more and succeed.
    fn expect_end(mut self) -> Result<(), Fault> {
        let line = self.screen.recv_timeout(LINE_LIMIT);
        let status = self.child.wait()?;
        if line.is_err() && status.success() {
            Ok(())
        } else {
            Err(Fault::new(format!("{}: expected the end, got {line:?} and {status}", self.name)))
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail if the process has already ended.
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}
