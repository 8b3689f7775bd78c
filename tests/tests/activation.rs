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
fn program_serves_inherited_sockets() -> TestResult {
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
fn invalid_inherited_sockets_are_reported() -> TestResult {
    run(async {
        let sockets =
            || Ok::<_, std::io::Error>((UdpSocket::bind("127.0.0.1:0")?, TcpListener::bind("0.0.0.0:0")?));
        let problem = |text: &str| format!("cannot listen on an inherited socket: {text}");
        let listened = TcpListener::bind("0.0.0.0:0")?;
        let public = Address::from(listened.local_addr()?);
        let both = [
            ("systemd:", problem("there are several, and one of them must be named: \"web\", \"admin\"")),
            ("systemd:db", problem("none is called \"db\"; there are \"web\", \"admin\"")),
            (
                "systemd:web",
                problem(
                    "\"web\" is no unix or TCP stream socket that listens (a socket unit must say ListenStream= and \
                     not Accept=yes)",
                ),
            ),
            (
                "systemd:admin",
                format!(
                    "{public} is not a loopback address, and plain TCP can be read and changed on its way; \
                     a tls: address is for that (feature \"tls\"), or `allow_plaintext()` permits it"
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
                "those that the environment tells of are for process 1 (LISTEN_PID), which is not this one",
            ),
            (
                without,
                "this process was started without any (LISTEN_FDS is not set); systemd does it for a service with a \
                 socket unit",
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
fn connected_socket_is_rejected_as_listener() -> TestResult {
    run(async {
        let (unix, _other_end) = UnixStream::pair()?;
        let (listener, _) = tcp()?;
        let tcp = TcpStream::connect(listener.local_addr()?)?;
        let mut activated = Activated::start(unix, tcp, &BOTH, &["systemd:web", "systemd:admin"])?;
        for name in ["web", "admin"] {
            let expected = format!(
                "cannot listen on an inherited socket: \"{name}\" is no unix or TCP stream socket that listens (a socket \
                 unit must say ListenStream= and not Accept=yes)"
            );
            assert_eq!(activated.says().await?, expected);
        }
        Ok(())
    })
}

#[test]
fn inherited_socket_is_used_once_and_only_to_listen() -> TestResult {
    run(async {
        let place = Place::new()?;
        let (tcp, _) = tcp()?;
        let addresses = ["systemd:admin", "systemd:admin"];
        let mut activated = Activated::start(UnixListener::bind(place.socket())?, tcp, &BOTH, &addresses)?;
        activated.says().await?;
        let said = activated.says().await?;
        assert_eq!(said, "cannot listen on an inherited socket: none is called \"admin\"; there are \"web\"");

        let error = client()?.connect("systemd:web")?.ready().await.err().ok_or("it is connected")?;
        assert_eq!(error.to_string(), "systemd:web is an address to listen at, and nothing to connect to");
        Ok(())
    })
}

#[test]
fn program_can_pass_its_own_listener() -> TestResult {
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
fn listener_and_server_both_restrict_allowed_uids() -> TestResult {
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
