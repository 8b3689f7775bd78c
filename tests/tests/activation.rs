//! Listening sockets that exist already: handed over as systemd does it, or made by the program. The program that is
//! started with them is `src/bin/activated.rs`.

use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Stdio;

use kaa_rpc_runtime::transport::{Address, ListenOptions, Listener, TransportError};
use kaa_rpc_runtime::{Client, ConnectError};
use kaa_rpc_tests::api::workshop::*;
use kaa_rpc_tests::fixture::{Place, TestResult, client, run, server};
use kaa_rpc_tests::workshop::Bench;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// A program that was started as systemd starts one, with two sockets at descriptors 3 and 4.
struct Activated {
    process: Child,
    output: Lines<BufReader<ChildStdout>>,
}

/// What systemd says of the sockets.
struct Told {
    /// A shell's word for the process.
    pid: &'static str,
    count: &'static str,
    names: &'static str,
}

const BOTH: Told = Told { pid: "$$", count: "2", names: "web:admin" };

impl Activated {
    /// `web` and `admin` are the sockets' names.
    fn start(
        web: impl Into<OwnedFd>,
        admin: impl Into<OwnedFd>,
        told: &Told,
        addresses: &[&str],
    ) -> TestResult<Self> {
        // A new process takes sockets where it has stdin and stderr; a shell moves them, and becomes the program.
        let script = format!("LISTEN_PID={} exec \"$0\" \"$@\" 3<&0 4<&2 0</dev/null 2>&1", told.pid);
        let mut process = Command::new("sh")
            .args(["-c", &script, env!("CARGO_BIN_EXE_activated")])
            .args(addresses)
            .env("LISTEN_FDS", told.count)
            .env("LISTEN_FDNAMES", told.names)
            .stdin(Stdio::from(web.into()))
            .stderr(Stdio::from(admin.into()))
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = process.stdout.take().ok_or("no output")?;
        Ok(Self { process, output: BufReader::new(output).lines() })
    }

    async fn says(&mut self) -> TestResult<String> {
        Ok(self.output.next_line().await?.ok_or("it has ended")?)
    }
}

fn tcp() -> TestResult<(TcpListener, String)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = format!("tcp:{}", listener.local_addr()?);
    Ok((listener, address))
}

#[test]
fn a_program_serves_the_sockets_it_is_started_with() -> TestResult {
    run(async {
        let place = Place::new()?;
        let (tcp, tcp_address) = tcp()?;
        let unix = UnixListener::bind(place.socket())?;
        // Whoever comes before the program is served when it is there.
        let early = client()?.connect(place.address())?;
        let early_workshop: WorkshopServerProxy = early.proxy();
        let early_call = tokio::spawn(early_workshop.add(1, 1));

        let mut activated = Activated::start(unix, tcp, &BOTH, &["systemd:web", "systemd:"])?;
        assert_eq!(activated.says().await?, place.address());
        assert_eq!(activated.says().await?, tcp_address, "the only one that is left");
        assert_eq!(early_call.await??, 2);
        let over_tcp: WorkshopServerProxy = client()?.connect(tcp_address)?.into_proxy();
        assert_eq!(over_tcp.add(2, 2).await?, 4);

        over_tcp.shutdown().await?;
        assert!(activated.process.wait().await?.success());
        assert!(place.socket().exists(), "the socket file is not the program's to remove");
        Ok(())
    })
}

#[test]
fn what_is_wrong_with_inherited_sockets_is_told() -> TestResult {
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
            assert_eq!(activated.says().await?, expected, "{address}");
        }

        let for_another = Told { pid: "1", ..BOTH };
        let without = Told { count: "", ..BOTH };
        let miscounted = Told { count: "3", ..BOTH };
        for (told, expected) in [
            (
                for_another,
                "the sockets in the environment are for process 1 (LISTEN_PID), which is not this one",
            ),
            (
                without,
                "this process has none (LISTEN_FDS is not set); systemd passes them to a service that has a socket unit",
            ),
            (miscounted, "the environment variable LISTEN_FDNAMES is malformed"),
        ] {
            let (web, admin) = sockets()?;
            let mut activated = Activated::start(web, admin, &told, &["systemd:web"])?;
            assert_eq!(activated.says().await?, problem(expected));
        }
        Ok(())
    })
}

#[test]
fn a_connected_socket_is_nothing_to_listen_at() -> TestResult {
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
            assert_eq!(activated.says().await?, expected);
        }
        Ok(())
    })
}

#[test]
fn an_inherited_socket_is_taken_once_and_not_connected_to() -> TestResult {
    run(async {
        let place = Place::new()?;
        let (tcp, _) = tcp()?;
        let addresses = ["systemd:admin", "systemd:admin"];
        let mut activated = Activated::start(UnixListener::bind(place.socket())?, tcp, &BOTH, &addresses)?;
        activated.says().await?;
        let said = activated.says().await?;
        assert_eq!(
            said,
            "cannot listen on an inherited socket: no unused socket is named \"admin\"; available: \"web\""
        );

        let error = client()?.connect("systemd:web")?.ready().await.err().ok_or("it is connected")?;
        assert_eq!(error.to_string(), "systemd:web is only for listening, not for connecting");
        Ok(())
    })
}

#[test]
fn a_program_may_listen_by_itself() -> TestResult {
    run(async {
        let place = Place::new()?;
        let options = ListenOptions::new();
        let workshop = || Workshop::server(Bench::default());
        let (tcp, tcp_address) = tcp()?;
        let unix = Listener::from_std_unix(UnixListener::bind(place.socket())?, &options)?;
        let over_unix = server()?.register(workshop()).listen_on(unix)?;
        let over_tcp = server()?.register(workshop()).listen_on(Listener::from_std_tcp(tcp, &options)?)?;
        for (server, address) in [(&over_unix, place.address()), (&over_tcp, tcp_address)] {
            assert_eq!(server.address().map(ToString::to_string).as_ref(), Some(&address));
            let workshop: WorkshopServerProxy = client()?.connect(address)?.into_proxy();
            assert_eq!(workshop.add(1, 1).await?, 2);
        }
        drop((over_unix, over_tcp));
        assert!(place.socket().exists(), "the socket file is whose it was");

        let public = TcpListener::bind("[::]:0")?;
        let refused = Listener::from_std_tcp(public.try_clone()?, &options);
        assert!(matches!(refused, Err(TransportError::PlaintextRefused { .. })), "{refused:?}");
        Listener::from_std_tcp(public, &options.allow_plaintext())?;
        Ok(())
    })
}

#[test]
fn who_may_connect_is_the_listeners_word_and_the_servers() -> TestResult {
    run(async {
        let ours = rustix::process::getuid().as_raw();
        for (of_listener, of_server, is_let_in) in [
            (vec![ours], vec![ours], true),
            (vec![ours + 1], vec![ours], false),
            (vec![ours], vec![ours + 1], false),
        ] {
            let place = Place::new()?;
            let options = ListenOptions::new().allowed_uids(of_listener);
            let listener = Listener::from_std_unix(UnixListener::bind(place.socket())?, &options)?;
            let _server = server()?.allowed_uids(of_server).listen_on(listener)?;
            let client: Client = client()?.connect(place.address())?;
            match client.ready().await {
                Ok(()) => assert!(is_let_in),
                Err(error) => assert!(matches!(error, ConnectError::Io(_)) && !is_let_in, "{error}"),
            }
        }
        Ok(())
    })
}
