//! Starts stress servers and clients as processes, and clients in this process.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use kaa_rpc_runtime::{Backoff, Client, ClientBuilder};
use kaa_rpc_tests::api::stress::{Stress, StressServerProxy, Work};
use kaa_rpc_tests::fixture::{SocketDirectory, TestResult, client, within};
use kaa_rpc_tests::ledger::{Audit, CallKind, Ledger, ProcessEnd, Reported};
use kaa_rpc_tests::stress::{Caller, Interruptions, LIMITS, RecordingClient};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};

/// Call numbers that are reserved for one process.
const NUMBERS_PER_PROCESS: u64 = 10_000_000;

/// The random seed of a test: the same in every run, unless `KAA_SEED` selects another.
pub(crate) fn seed(of_test: u64) -> u64 {
    let selected = std::env::var("KAA_SEED").ok().and_then(|text| text.parse::<u64>().ok());
    of_test + 1000 * selected.unwrap_or_default()
}

/// The socket, the ledgers and the settings of one test.
pub(crate) struct Harness {
    pub(crate) directory: SocketDirectory,
    /// Where servers are to listen; after the first start, where they listen.
    pub(crate) address: String,
    /// The maximum age of the server's connections in milliseconds; 0 for no maximum.
    pub(crate) max_age_ms: u64,
    pub(crate) processes: u64,
}

impl Harness {
    pub(crate) fn new() -> TestResult<Self> {
        let directory = SocketDirectory::new()?;
        Ok(Self { address: directory.address(), directory, max_age_ms: 0, processes: 0 })
    }

    /// The ledger of all servers.
    fn server_ledger(&self) -> PathBuf {
        self.directory.file("server")
    }

    /// The ledger of all clients.
    fn client_ledger(&self) -> PathBuf {
        self.directory.file("client")
    }

    /// The first call number of a new process.
    fn next_first_number(&mut self) -> u64 {
        self.processes += 1;
        self.processes * NUMBERS_PER_PROCESS
    }

    /// Starts a server process, and waits until it listens.
    pub(crate) async fn start_server(&mut self) -> TestResult<Process> {
        let mut process = Process::start(
            Command::new(env!("CARGO_BIN_EXE_stress_server"))
                .arg(&self.address)
                .arg(self.server_ledger())
                .args([self.next_first_number().to_string(), self.max_age_ms.to_string()]),
        )?;
        let line = process.line().await?;
        let address = line.strip_prefix("listening at ");
        self.address = address.ok_or_else(|| format!("the server does not listen: {line}"))?.to_owned();
        Ok(process)
    }

    /// Starts a client process in this mode.
    pub(crate) fn start_client(&mut self, mode: &str) -> TestResult<Process> {
        let first_number = self.next_first_number().to_string();
        Process::start(
            Command::new(env!("CARGO_BIN_EXE_stress_client"))
                .arg(&self.address)
                .arg(self.client_ledger())
                .args([first_number.as_str(), mode]),
        )
    }

    /// Connects a client in this process.
    pub(crate) fn local_client(
        &mut self,
        address: &str,
        build: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> TestResult<LocalClient> {
        let ledger = Ledger::open(&self.client_ledger(), self.next_first_number())?;
        let client = client()?.limits(LIMITS).register(Stress::client(RecordingClient::new(ledger.clone())));
        Ok(LocalClient { client: build(client).connect(address)?, ledger })
    }

    /// Reads and checks the records of the clients' calls and of the servers' calls.
    pub(crate) fn audit(&self, clients: ProcessEnd, servers: ProcessEnd) -> TestResult<(Audit, Audit)> {
        let client_calls = Audit::read(&self.client_ledger(), &self.server_ledger())?;
        let server_calls = Audit::read(&self.server_ledger(), &self.client_ledger())?;
        client_calls.check(clients, servers).map_err(|error| format!("calls of clients: {error}"))?;
        server_calls.check(servers, clients).map_err(|error| format!("calls of servers: {error}"))?;
        Ok((client_calls, server_calls))
    }
}

/// A client in this process, with its ledger.
pub(crate) struct LocalClient {
    pub(crate) client: Client,
    pub(crate) ledger: Ledger,
}

impl LocalClient {
    pub(crate) fn server(&self) -> StressServerProxy {
        self.client.proxy()
    }

    pub(crate) fn caller(&self, seed: u64, interruptions: Interruptions) -> Caller {
        Caller::new(self.ledger.clone(), seed, interruptions)
    }

    /// After all failures, a call returns. The first calls may fail if the client has not noticed a loss yet.
    pub(crate) async fn assert_served(&self) -> TestResult {
        let mut results = Vec::new();
        for _ in 0..3 {
            let call = self.ledger.start_call(CallKind::Idempotent)?;
            let query = self.server().query(call.number(), Work::Yields);
            let reported = Reported::of(&within("a call after all failures", query).await);
            call.finish(reported)?;
            results.push(reported);
            if reported == Reported::Ok {
                return Ok(());
            }
        }
        Err(format!("no call returned after all failures: {results:?}").into())
    }
}

/// Makes a client reconnect almost at once.
pub(crate) fn reconnecting(client: ClientBuilder) -> ClientBuilder {
    let backoff = Backoff::default().initial(Duration::from_millis(1)).max(Duration::from_millis(10));
    client.reconnect(backoff)
}

/// A process that is killed when this is dropped.
pub(crate) struct Process {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Process {
    fn start(command: &mut Command) -> TestResult<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let output = BufReader::new(child.stdout.take().ok_or("the process has no output")?);
        Ok(Self { child, output })
    }

    /// The next line that it prints.
    async fn line(&mut self) -> TestResult<String> {
        let mut line = String::new();
        within("a line of the server process", self.output.read_line(&mut line)).await?;
        Ok(line.trim_end().to_owned())
    }

    /// Ends it as `kill -9` does.
    pub(crate) async fn kill(mut self) -> TestResult {
        Ok(within("the killed process to end", self.child.kill()).await?)
    }

    /// Shuts a server process down, and waits until it has exited. It must not abort any connection.
    pub(crate) async fn shut_down(mut self) -> TestResult {
        drop(self.child.stdin.take());
        let report = self.line().await?;
        assert!(report.starts_with("aborted 0 of"), "{report:?}");
        let status = within("the server process to exit", self.child.wait()).await?;
        assert!(status.success(), "{status}");
        Ok(())
    }
}
