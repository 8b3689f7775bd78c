//! A desk in a process of its own, and visitors of it here.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use kaa_rpc_runtime::{Backoff, Client, ClientBuilder};
use kaa_rpc_tests::api::desk::{Desk, DeskServerProxy, Manner};
use kaa_rpc_tests::desk::{Errands, LIMITS, Patience, Visitor};
use kaa_rpc_tests::fixture::{Place, TestResult, client};
use kaa_rpc_tests::ledger::{Books, Fate, Kind, Ledger, Told};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};

/// Numbers of calls that one process makes.
const NUMBERS: u64 = 10_000_000;

/// The dice's seed for a test: always the same, unless `KAA_SEED` says that it is to be another.
pub(crate) fn seed(of_test: u64) -> u64 {
    let other = std::env::var("KAA_SEED").ok().and_then(|text| text.parse::<u64>().ok());
    of_test + 1000 * other.unwrap_or_default()
}

/// Where processes meet, and their ledgers lie.
pub(crate) struct Office {
    pub(crate) place: Place,
    /// Where servers listen; once one does, where that is.
    pub(crate) address: String,
    /// How old their connections may become, in milliseconds; 0 for as old as they like.
    pub(crate) age: u64,
    pub(crate) processes: u64,
}

impl Office {
    pub(crate) fn new() -> TestResult<Self> {
        let place = Place::new()?;
        Ok(Self { address: place.address(), place, age: 0, processes: 0 })
    }

    /// The ledger of all servers.
    pub(crate) fn server_ledger(&self) -> PathBuf {
        self.place.file("server")
    }

    /// The ledger of all clients.
    pub(crate) fn client_ledger(&self) -> PathBuf {
        self.place.file("client")
    }

    fn numbers(&mut self) -> u64 {
        self.processes += 1;
        self.processes * NUMBERS
    }

    /// Starts a server, and waits until it listens.
    pub(crate) async fn start_server(&mut self) -> TestResult<Process> {
        let mut process = Process::start(
            Command::new(env!("CARGO_BIN_EXE_desk_server"))
                .arg(&self.address)
                .arg(self.server_ledger())
                .args([self.numbers().to_string(), self.age.to_string()]),
        )?;
        let line = process.says().await?;
        self.address = line.strip_prefix("listens at ").ok_or("it does not listen")?.to_owned();
        Ok(process)
    }

    /// Starts a client that does this.
    pub(crate) fn start_client(&mut self, what: &str) -> TestResult<Process> {
        let first = self.numbers().to_string();
        Process::start(
            Command::new(env!("CARGO_BIN_EXE_desk_client"))
                .arg(&self.address)
                .arg(self.client_ledger())
                .args([first.as_str(), what]),
        )
    }

    /// A visitor in this process.
    pub(crate) fn visitor(
        &mut self,
        address: &str,
        build: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> TestResult<Guest> {
        let ledger = Ledger::open(&self.client_ledger(), self.numbers())?;
        let client = client()?.limits(LIMITS).register(Desk::client(Visitor::new(ledger.clone())));
        Ok(Guest { client: build(client).connect(address)?, ledger })
    }

    /// What both sides have written of the calls of clients, and of those of servers; it is true.
    pub(crate) fn check(&self, client: Fate, server: Fate) -> TestResult<(Books, Books)> {
        let forth = Books::read(&self.client_ledger(), &self.server_ledger())?;
        let back = Books::read(&self.server_ledger(), &self.client_ledger())?;
        forth.check(client, server).map_err(|error| format!("calls of clients: {error}"))?;
        back.check(server, client).map_err(|error| format!("calls of servers: {error}"))?;
        Ok((forth, back))
    }
}

/// A client of this process, with its ledger.
pub(crate) struct Guest {
    pub(crate) client: Client,
    pub(crate) ledger: Ledger,
}

impl Guest {
    pub(crate) fn desk(&self) -> DeskServerProxy {
        self.client.proxy()
    }

    pub(crate) fn errands(&self, seed: u64, patience: Patience) -> Errands {
        Errands::new(self.ledger.clone(), seed, patience)
    }

    /// After all that has happened a call is answered. One that is made before a loss is seen may be lost with it.
    pub(crate) async fn is_served(&self) -> TestResult {
        let mut told = Told::Unknown;
        for _ in 0..3 {
            let making = self.ledger.make(Kind::Idempotent)?;
            let looked = self.desk().look(making.number(), Manner::Politely).await;
            told = Told::of(&looked);
            making.told(told)?;
            if told == Told::Ok {
                break;
            }
        }
        assert_eq!(told, Told::Ok);
        Ok(())
    }
}

/// Connects again, and at once.
pub(crate) fn reconnecting(client: ClientBuilder) -> ClientBuilder {
    let backoff = Backoff::default().initial(Duration::from_millis(1)).max(Duration::from_millis(10));
    client.reconnect(backoff)
}

/// A process that ends with the test, whatever becomes of either.
pub(crate) struct Process {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Process {
    fn start(command: &mut Command) -> TestResult<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let output = BufReader::new(child.stdout.take().ok_or("it has no output")?);
        Ok(Self { child, output })
    }

    /// Its next line.
    pub(crate) async fn says(&mut self) -> TestResult<String> {
        let mut line = String::new();
        self.output.read_line(&mut line).await?;
        Ok(line.trim_end().to_owned())
    }

    /// Ends it as `kill -9` does.
    pub(crate) async fn kill(mut self) -> TestResult {
        Ok(self.child.kill().await?)
    }

    /// Tells a server to shut down.
    pub(crate) fn begin_shutdown(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Waits until a server has shut down, which has cut nothing.
    pub(crate) async fn shut_down(mut self) -> TestResult {
        self.begin_shutdown();
        let report = self.says().await?;
        assert!(report.starts_with("cut 0 of"), "{report:?}");
        assert!(self.child.wait().await?.success());
        Ok(())
    }
}
