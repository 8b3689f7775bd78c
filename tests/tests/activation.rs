//! Listening sockets that exist already: inherited as systemd passes them, or created by the program. The
//! tests start `src/bin/activated.rs` with such sockets.

use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Stdio;

use kaa_rpc_runtime::transport::{Address, ListenOptions, Listener, TransportError};
use kaa_rpc_runtime::{Client, ConnectError};
use kaa_rpc_tests::api::workshop::*;
use kaa_rpc_tests::fixture::{SocketDirectory, TestResult, client, run, server, within};
use kaa_rpc_tests::workshop::Bench;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// A program that is started as by systemd, with two sockets at descriptors 3 and 4.
struct Activated {
    process: Child,
    output: Lines<BufReader<ChildStdout>>,
}

/// The environment variables with which systemd describes the sockets.
struct Environment {
    /// `LISTEN_PID`, as a shell word.
    pid: &'static str,
    /// `LISTEN_FDS`.
    count: &'static str,
    /// `LISTEN_FDNAMES`.
    names: &'static str,
}

const BOTH: Environment = Environment { pid: "$$", count: "2", names: "web:admin" };

impl Activated {
    /// `web` and `admin` are the sockets' names.
    fn start(
        web: impl Into<OwnedFd>,
        admin: impl Into<OwnedFd>,
        environment: &Environment,
        addresses: &[&str],
    ) -> TestResult<Self> {
        // A child process can get sockets only as stdin and stderr: a shell moves them, then executes the
        // program.
        let script = format!("LISTEN_PID={} exec \"$0\" \"$@\" 3<&0 4<&2 0</dev/null 2>&1", environment.pid);
        let mut process = Command::new("sh")
            .args(["-c", &script, env!("CARGO_BIN_EXE_activated")])
            .args(addresses)
            .env("LISTEN_FDS", environment.count)
            .env("LISTEN_FDNAMES", environment.names)
            .stdin(Stdio::from(web.into()))
            .stderr(Stdio::from(admin.into()))
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = process.stdout.take().ok_or("no output")?;
        Ok(Self { process, output: BufReader::new(output).lines() })
    }

    /// The next line that it prints.
    async fn line(&mut self) -> TestResult<String> {
        let line = within("the activated program to print a line", self.output.next_line()).await?;
        Ok(line.ok_or("the activated program has ended")?)
    }
}

fn tcp() -> TestResult<(TcpListener, String)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = format!("tcp:{}", listener.local_addr()?);
    Ok((listener, address))
}

#[test]
fn program_serves_inherited_sockets() -> TestResult {
    run(async {
        let directory = SocketDirectory::new()?;
        let (tcp, tcp_address) = tcp()?;
        let unix = UnixListener::bind(directory.socket())?;
        // A client that connects before the program is started is served once it runs.
        let early = client()?.connect(directory.address())?;
        let early_workshop: WorkshopServerProxy = early.proxy();
        let early_call = tokio::spawn(early_workshop.add(1, 1));

        let mut activated = Activated::start(unix, tcp, &BOTH, &["systemd:web", "systemd:"])?;
        assert_eq!(activated.line().await?, directory.address());
        assert_eq!(activated.line().await?, tcp_address, "the only socket that is left");
        assert_eq!(within("the early call to return", early_call).await??, 2);
        let over_tcp: WorkshopServerProxy = client()?.connect(tcp_address)?.into_proxy();
        assert_eq!(over_tcp.add(2, 2).await?, 4);

        over_tcp.shutdown().await?;
        let status = within("the activated program to exit", activated.process.wait()).await?;
        assert!(status.success(), "{status}");
        assert!(directory.socket().exists(), "the program removed a socket file that it did not create");
        Ok(())
    })
}

#[test]
fn invalid_inherited_sockets_are_reported() -> TestResult {
    run(async {
        let sockets =
            || Ok::<_, std::io::Error>((UdpSocket::bind("127.0.0.1:0")?, TcpListener::bind("0.0.0.0:0")?));
        let problem = |text: &str| format!("cannot listen on an inherited socket: {text}");
        let listened = TcpListener::bind("0.0.0.0:0")?;
        let public = Address::from(listened.local_addr()?);
        let both = [
            (
                "systemd:",
                problem("there are several, so the address must name one of them: \"web\", \"admin\""),
            ),
            ("systemd:db", problem("no unused socket is named \"db\"; available: \"web\", \"admin\"")),
            (
                "systemd:web",
                problem(
                    "\"web\" is not a listening unix or TCP stream socket (a socket unit needs ListenStream=, without \
                     Accept=yes)",
                ),
            ),
            (
                "systemd:admin",
                format!(
                    "{public} is not a loopback address, and plain TCP is not encrypted; use a tls: address \
                     (feature \"tls\"), or allow plain TCP with `allow_plaintext()`"
                ),
            ),
        ];
        let mut activated =
            Activated::start(sockets()?.0, listened, &BOTH, &both.each_ref().map(|(address, _)| *address))?;
        for (address, expected) in both {
            assert_eq!(activated.line().await?, expected, "{address}");
        }

        let other_process = Environment { pid: "1", ..BOTH };
        let no_sockets = Environment { count: "", ..BOTH };
        let wrong_count = Environment { count: "3", ..BOTH };
        for (environment, expected) in [
            (
                other_process,
                "the sockets in the environment are for process 1 (LISTEN_PID), which is not this one",
            ),
            (
                no_sockets,
                "this process has none (LISTEN_FDS is not set); systemd passes them to a service that has a socket unit",
            ),
            (wrong_count, "the environment variable LISTEN_FDNAMES is malformed"),
        ] {
            let (web, admin) = sockets()?;
            let mut activated = Activated::start(web, admin, &environment, &["systemd:web"])?;
            assert_eq!(activated.line().await?, problem(expected));
        }
        Ok(())
    })
}

#[test]
fn connected_socket_is_rejected_as_listener() -> TestResult {
    run(async {
        let (unix, _other_end) = UnixStream::pair()?;
        let (listener, _) = tcp()?;
        let tcp = TcpStream::connect(listener.local_addr()?)?;
        let mut activated = Activated::start(unix, tcp, &BOTH, &["systemd:web", "systemd:admin"])?;
        for name in ["web", "admin"] {
            let expected = format!(
                "cannot listen on an inherited socket: \"{name}\" is not a listening unix or TCP stream socket (a socket \
                 unit needs ListenStream=, without Accept=yes)"
            );
            assert_eq!(activated.line().await?, expected);
        }
        Ok(())
    })
}

#[test]
fn inherited_socket_is_used_once_and_only_to_listen() -> TestResult {
    run(async {
        let directory = SocketDirectory::new()?;
        let (tcp, _) = tcp()?;
        let addresses = ["systemd:admin", "systemd:admin"];
        let mut activated =
            Activated::start(UnixListener::bind(directory.socket())?, tcp, &BOTH, &addresses)?;
        activated.line().await?;
        let line = activated.line().await?;
        assert_eq!(
            line,
            "cannot listen on an inherited socket: no unused socket is named \"admin\"; available: \"web\""
        );

        let client = client()?.connect("systemd:web")?;
        let ready = within("the client to give up", client.ready()).await;
        let error = ready.err().ok_or("the client is connected")?;
        assert_eq!(error.to_string(), "systemd:web is only for listening, not for connecting");
        Ok(())
    })
}

#[test]
fn program_can_pass_its_own_listener() -> TestResult {
    run(async {
        let directory = SocketDirectory::new()?;
        let options = ListenOptions::new();
        let workshop = || Workshop::server(Bench::default());
        let (tcp, tcp_address) = tcp()?;
        let unix = Listener::from_std_unix(UnixListener::bind(directory.socket())?, &options)?;
        let over_unix = server()?.register(workshop()).listen_on(unix)?;
        let over_tcp = server()?.register(workshop()).listen_on(Listener::from_std_tcp(tcp, &options)?)?;
        for (server, address) in [(&over_unix, directory.address()), (&over_tcp, tcp_address)] {
            assert_eq!(server.address().map(ToString::to_string).as_ref(), Some(&address));
            let workshop: WorkshopServerProxy = client()?.connect(address)?.into_proxy();
            assert_eq!(workshop.add(1, 1).await?, 2);
        }
        drop((over_unix, over_tcp));
        assert!(directory.socket().exists(), "a server removed a socket file that it did not create");

        let public = TcpListener::bind("[::]:0")?;
        let refused = Listener::from_std_tcp(public.try_clone()?, &options);
        assert!(matches!(refused, Err(TransportError::PlaintextRefused { .. })), "{refused:?}");
        Listener::from_std_tcp(public, &options.allow_plaintext())?;
        Ok(())
    })
}

#[test]
fn listener_and_server_both_restrict_allowed_uids() -> TestResult {
    run(async {
        let ours = rustix::process::getuid().as_raw();
        for (of_listener, of_server, is_accepted) in [
            (vec![ours], vec![ours], true),
            (vec![ours + 1], vec![ours], false),
            (vec![ours], vec![ours + 1], false),
        ] {
            let directory = SocketDirectory::new()?;
            let options = ListenOptions::new().allowed_uids(of_listener);
            let listener = Listener::from_std_unix(UnixListener::bind(directory.socket())?, &options)?;
            let _server = server()?.allowed_uids(of_server).listen_on(listener)?;
            let client: Client = client()?.connect(directory.address())?;
            match within("the handshake to succeed or fail", client.ready()).await {
                Ok(()) => assert!(is_accepted, "the client was accepted"),
                Err(error) => assert!(matches!(error, ConnectError::Io(_)) && !is_accepted, "{error}"),
            }
        }
        Ok(())
    })
}
