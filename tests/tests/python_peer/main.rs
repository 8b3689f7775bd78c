//! A peer in Python, written from the documents alone, works with clients and servers of this project.

mod script;
mod sky;

use std::time::Duration;

use futures_util::StreamExt;
use kaa_rpc_runtime::codegen::ElementEntry;
use kaa_rpc_runtime::{
    AuthenticationError, CallError, Client, CloseReason, ConnectError, Events, Limits, Metadata, Outcome,
    Proxy, Secret,
};
use kaa_rpc_runtime::{Server, ServerEvent, Timestamp};
use kaa_rpc_tests::api::python::*;
use kaa_rpc_tests::fixture::{
    Reports, SocketDirectory, TestResult, address, client, declared, next_peer, run, server, within,
};
use script::{SECRET, Script, python};
use sky::{ObserverClient, Telescope, sighting, sightings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

type Targets = Reports<(Target, Duration)>;

/// Starts an observatory with these limits at a unix socket.
async fn observatory(limits: Limits) -> TestResult<(Server, SocketDirectory, Targets)> {
    let (reporter, targets) = Reports::of("observed targets");
    let directory = SocketDirectory::new()?;
    let service = Observatory::server(Telescope::new(reporter));
    let server = server()?.limits(limits).register(service).listen(directory.address()).await?;
    Ok((server, directory, targets))
}

/// The reason of the next Disconnected event.
async fn next_close_reason(events: &mut Events<ServerEvent>) -> TestResult<CloseReason> {
    loop {
        let event = within("the server's Disconnected event", events.next()).await;
        if let ServerEvent::Disconnected { reason, .. } = event.ok_or("the server's events have ended")? {
            return Ok(reason);
        }
    }
}

/// A target with these values.
fn target(star: u64, name: &str) -> Target {
    Target::new(StarId(star), name, Position { ascension: 1, declination: 2 }, Band::Dark, Label(None))
}

/// The reason of a connection that the Python peer has shut down.
fn shut_down_by_peer() -> CloseReason {
    CloseReason::ClosedByPeer { message: String::new() }
}

#[test]
fn python_matches_the_golden_vectors() -> TestResult {
    run(async {
        if !python().await? {
            return Ok(());
        }
        let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../kaa-rpc-runtime/tests/golden");
        let lines = Script::start("golden.py", &[golden])?.rest().await?;
        let files: Vec<_> =
            lines.iter().filter_map(|line| line.split_once(' ')).map(|(file, _)| file).collect();
        assert_eq!(files, ["handshake", "frames", "structure", "leaf", "rejected"]);
        Ok(())
    })
}

#[test]
fn python_computes_the_generated_ids_and_fingerprint() -> TestResult {
    run(async {
        if !python().await? {
            return Ok(());
        }
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let mut expected = vec![format!("{} {}", Observatory::NAME, hex(&Observatory::FINGERPRINT))];
        let service = <ObservatoryServerProxy as Proxy>::SERVICE;
        for (role, methods) in [("server", service.server_methods), ("client", service.client_methods)] {
            expected.extend(methods.iter().map(|method| format!("{role}/{} {:08x}", method.name, method.id)));
        }
        let mut expect = |line: String, elements: &[ElementEntry]| {
            expected.push(line);
            expected.extend(elements.iter().map(|element| {
                format!("- {} {} {:016x} {}", element.name, element.tag, element.hash, element.has_default)
            }));
        };
        for method in service.table.methods {
            let (id, name) = (method.id, method.name);
            expect(
                format!("{id:08x} {name} {:016x} {:016x}", method.signature, method.throws),
                method.parameters,
            );
        }
        for entry in service.table.types {
            expect(format!("{} {:?}", entry.name, entry.form), entry.elements);
        }
        assert_eq!(Script::start("identify.py", &[])?.rest().await?, expected);
        Ok(())
    })
}

#[test]
fn python_client_authenticates_and_shuts_down() -> TestResult {
    run(async {
        if !python().await? {
            return Ok(());
        }
        let (reporter, _targets) = Reports::of("observed targets");
        let server = server()?.register(Observatory::server(Telescope::new(reporter)));
        let server = server.listen("tcp:127.0.0.1:0").await?;
        // The script may be gone before this test looks: it reads the peers from here on.
        let (mut peers, mut events) = (server.peers(), server.events());
        let mut script = Script::start("authenticate.py", &[&address(&server)?, SECRET])?;
        let peer =
            within("the script to be connected", peers.next()).await.ok_or("the server is shut down")?;
        let session = peer.information().ok_or("there is no information about the peer")?.session;
        // With equal schemas, no peer sends a Schema frame.
        let lines = [&format!("session {session}"), "notes 0", "schema frames 0", "end: shut down"];
        assert_eq!(script.rest().await?, lines);
        assert_eq!(next_close_reason(&mut events).await?, shut_down_by_peer());
        Ok(())
    })
}

#[test]
fn python_client_with_a_wrong_secret_is_refused() -> TestResult {
    run(async {
        if !python().await? {
            return Ok(());
        }
        let (server, directory, _targets) = observatory(Limits::default()).await?;
        let mut events = server.events();
        let mut script =
            Script::start("authenticate.py", &[&directory.address(), "the choir sings at nine o'clock"])?;
        assert_eq!(script.rest().await?, ["rejected: authentication failed"]);
        let event = within("the server's Refused event", events.next()).await;
        assert!(
            matches!(&event, Some(ServerEvent::Refused(refused)) if refused.authentication_failed),
            "{event:?}"
        );
        Ok(())
    })
}

/// A relay changes one bit of the server's last message.
#[test]
fn python_client_rejects_a_false_proof() -> TestResult {
    run(async {
        if !python().await? {
            return Ok(());
        }
        let (_server, directory, _targets) = observatory(Limits::default()).await?;
        let relay_directory = SocketDirectory::new()?;
        let listener = UnixListener::bind(relay_directory.socket())?;
        let mut script = Script::start("authenticate.py", &[&relay_directory.address(), SECRET])?;
        let (mut client, _) = within("the script to connect", listener.accept()).await?;
        let mut server = UnixStream::connect(directory.socket()).await?;
        // HELLO and CHALLENGE, PROOF and ACCEPT: clauses 2.2 and 2.3 of docs/wire.md.
        for last_bit in [0, 1] {
            let message = handshake_message(&mut client).await?;
            server.write_all(&message).await?;
            let mut answer = handshake_message(&mut server).await?;
            *answer.last_mut().ok_or("an empty message")? ^= last_bit;
            client.write_all(&answer).await?;
        }
        assert_eq!(script.rest().await?, ["the server's proof does not match"]);
        Ok(())
    })
}

/// Reads a message of the handshake, as it is on the wire.
async fn handshake_message(stream: &mut UnixStream) -> TestResult<Vec<u8>> {
    let length = within("a handshake message", stream.read_u16()).await?;
    let mut message = vec![0; usize::from(length)];
    stream.read_exact(&mut message).await?;
    message.splice(..0, length.to_be_bytes());
    Ok(message)
}

#[test]
fn nested_calls_work_in_both_directions() -> TestResult {
    run(async {
        if !python().await? {
            return Ok(());
        }
        // Each side allows one call at a time, and nested calls in addition.
        let limits = Limits { max_inbound_calls: 1, ..Limits::default() };
        let (server, directory, mut targets) = observatory(limits).await?;
        let mut script = Script::start("observe.py", &[&directory.address(), SECRET])?;
        let python: ObservatoryClientProxy = next_peer(&server).await?.proxy();

        assert_eq!(script.line().await?, "confirm β Lyrae in Visible 550 at depth 1");
        let observed = Target {
            star: StarId(300),
            name: "β Lyrae".to_owned(),
            position: Position { ascension: 67_805, declination: -120_000 },
            band: Band::Radio(70_000, Some("hydrogen".to_owned())),
            label: Label(Some("NGC".to_owned())),
            filters: Filters::BLUE | Filters::MOON | Filters::from_bits_retain(1 << 15),
            note: Some("faint".to_owned()),
            exposures: 1,
            plates: [(7, vec![b"\x00\xff"[..].into(), b""[..].into()]), (251, Vec::new())].into(),
            scale: -0.25,
            priority: Priority::High,
        };
        assert_eq!(targets.next().await?, (observed, Duration::from_millis(2500)));
        assert_eq!(script.line().await?, "seen {'star': 300, 'at': (0, 0), 'brightness': 0.5, 'seen': True}");

        assert_eq!(script.line().await?, "confirm nothing in Visible 550 at depth 1");
        assert_eq!(script.line().await?, "declared Cloudy {'cover': 80, 'until': 3600}");
        assert_eq!(script.line().await?, "confirm the wall in Visible 550 at depth 1");
        assert_eq!(script.line().await?, "failed: status 2, the remote handler failed: there is a wall");
        assert_eq!(script.line().await?, "declared Below {'0': -120000}");
        let line = script.line().await?;
        assert!(line.starts_with("failed: status 4, "), "a name of 84 bytes was accepted: {line}");

        // A declared error that Python raises is typed in Rust. Python ignores metadata.
        let target = target(1, "nothing");
        let metadata = Metadata::default().with("tier", "red")?;
        let error = declared(python.confirm(target, Band::Dark).metadata(metadata).await)?;
        assert_eq!(error, SkyError::Cloudy { cover: 80, until: 3600 });
        assert_eq!(script.line().await?, "confirm nothing in Dark at depth 0");
        // A handler in Python ends at its deadline, and when the call is cancelled.
        let result = python.sleep().timeout(Duration::from_millis(20)).await;
        assert_eq!(result, Err(CallError::DeadlineExceeded { outcome: Outcome::Unknown }));
        let cancelled = tokio::spawn(python.sleep());
        for line in ["sleeping with a deadline", "woken", "sleeping without a deadline"] {
            assert_eq!(script.line().await?, line);
        }
        cancelled.abort();
        assert_eq!(script.line().await?, "woken");
        script.resume().await?;
        assert_eq!(script.rest().await?, ["end: shut down"]);
        Ok(())
    })
}

#[test]
fn streams_flow_in_both_directions() -> TestResult {
    run(async {
        if !python().await? {
            return Ok(());
        }
        let limits = Limits { stream_window: 1000, ..Limits::default() };
        let (server, directory, _targets) = observatory(limits).await?;
        let mut script = Script::start("flows.py", &[&directory.address(), SECRET])?;
        let python: ObservatoryClientProxy = next_peer(&server).await?.proxy();

        assert_eq!(script.line().await?, "surveyed 2000 True True");
        assert_eq!(script.line().await?, "failed after [0, 1, 2] Cloudy {'cover': 99, 'until': 70000}");
        assert_eq!(script.line().await?, "cancelled: status 7, ");
        assert_eq!(script.line().await?, format!("calibrated {}", 1999 * 2000 / 2));
        let line = script.line().await?;
        assert!(line.starts_with("call failed: "), "a failed stream counted as finished: {line}");
        assert_eq!(script.line().await?, "stopped 3 True");

        let options = WatchOptions::default().count(2000);
        let watched: Vec<_> =
            within("the stream to end", python.watch(StarId(7), options).collect::<Vec<_>>()).await;
        let stars: Option<Vec<_>> =
            watched.into_iter().map(|item| item.ok().map(|sighting| sighting.star.0)).collect();
        assert_eq!(stars, Some((7..2007).collect()));
        assert_eq!(script.line().await?, "waited for credit True");
        script.resume().await?;
        assert_eq!(script.rest().await?, ["end: shut down"]);
        Ok(())
    })
}

#[test]
fn python_client_understands_server_shutdown() -> TestResult {
    run(async {
        if !python().await? {
            return Ok(());
        }
        let (server, directory, _targets) = observatory(Limits::default()).await?;
        let mut events = server.events();
        let mut script = Script::start("stay.py", &[&directory.address(), SECRET])?;
        assert_eq!(script.line().await?, "confirm");
        assert_eq!(script.line().await?, "seen 1");
        let report = server.shutdown(Duration::from_secs(10)).await;
        assert_eq!((report.connections, report.aborted), (1, 0), "{report:?}");
        assert_eq!(script.rest().await?, ["end: goodbye 0", "pinged True"]);
        assert_eq!(next_close_reason(&mut events).await?, CloseReason::ClosedLocally);
        Ok(())
    })
}

#[test]
fn compatible_generations_compare_tables() -> TestResult {
    run(async {
        if !python().await? {
            return Ok(());
        }
        let (server, directory, mut targets) = observatory(Limits::default()).await?;
        let mut events = server.events();
        // A later `Target`, and a method that the server lacks: the peers exchange a summary and a table.
        let mut script = Script::start("generations.py", &[&directory.address(), SECRET, "later"])?;
        let lines = script.rest().await?;
        let expected = [
            "confirm with ['age', 'colour']",
            "observe True",
            "polish status 3, ",
            "schema frames 2",
            "end: shut down",
        ];
        assert_eq!(lines, expected);
        assert_eq!(targets.next().await?.0.star, StarId(1));
        assert_eq!(next_close_reason(&mut events).await?, shut_down_by_peer());
        // Only a further service differs: the peers exchange a summary.
        let mut script = Script::start("generations.py", &[&directory.address(), SECRET, "more"])?;
        let lines = script.rest().await?;
        assert_eq!(lines, ["confirm with []", "observe True", "schema frames 1", "end: shut down"]);
        Ok(())
    })
}

#[test]
fn incompatible_generations_fail_on_both_ends() -> TestResult {
    run(async {
        if !python().await? {
            return Ok(());
        }
        let (server, directory, _targets) = observatory(Limits::default()).await?;
        let mut events = server.events();
        let mut script = Script::start("generations.py", &[&directory.address(), SECRET, "incompatible"])?;
        let lines = script.rest().await?;
        assert_eq!(lines.first().map(String::as_str), Some("observe not sent"));
        assert!(lines.last().is_some_and(|end| end.starts_with("end: sent goodbye 2")), "{lines:?}");
        let reason = next_close_reason(&mut events).await?;
        assert!(matches!(&reason, CloseReason::NotConnected(ConnectError::Schema(_))), "{reason:?}");
        Ok(())
    })
}

#[test]
fn python_server_serves_a_client() -> TestResult {
    run(async {
        if !python().await? {
            return Ok(());
        }
        let directory = SocketDirectory::new()?;
        let mut script = Script::start("serve.py", &[&directory.address(), SECRET])?;
        assert_eq!(script.line().await?, "listening");

        let wrong_secret = Client::builder().secret(Secret::new(*b"the choir sings at nine o'clock")?);
        let wrong_secret = wrong_secret.connect(directory.address())?;
        let rejected = ConnectError::Authentication(AuthenticationError::RejectedByPeer);
        let ready = within("the handshake to fail", wrong_secret.ready()).await;
        assert_eq!(ready.map_err(|error| error.to_string()), Err(rejected.to_string()));
        assert_eq!(script.line().await?, "end: the client's proof does not match");

        let limits = Limits { stream_window: 1000, max_inbound_calls: 1, ..Limits::default() };
        let client = client()?
            .limits(limits)
            .register(Observatory::client(ObserverClient))
            .connect(directory.address())?;
        let observatory: ObservatoryServerProxy = client.proxy();
        for line in ["one", "two", "three"] {
            observatory.note(line).await?;
        }
        let seen = observatory.observe(target(2, "Vega"), Duration::from_millis(500)).await?;
        let at = Timestamp::new(1_700_000_000, 250).ok_or("no such time")?;
        assert_eq!(seen, Sighting { at, ..sighting(2) });
        // A declared error of Python, and one of this client that Python forwards.
        let below = declared(observatory.observe(target(3, "Vega"), Duration::ZERO).await)?;
        assert_eq!(below, SkyError::Below(-7));
        let cloudy = declared(observatory.observe(target(1, "Vega"), Duration::ZERO).await)?;
        assert_eq!(cloudy, SkyError::Cloudy { cover: 1, until: 2 });

        let options = SurveyOptions::default().count(2000);
        let survey = observatory.survey(StarId(100), options);
        let items: Vec<_> = within("the stream to end", survey.collect::<Vec<_>>()).await;
        assert_eq!(items.iter().filter(|item| item.is_ok()).count(), 2000);
        let survey = observatory.survey(StarId(11), SurveyOptions::default());
        let mut items: Vec<_> = within("the stream to fail", survey.collect::<Vec<_>>()).await;
        assert_eq!(declared(items.pop().ok_or("no items")?)?, SkyError::Cloudy { cover: 13, until: 0 });
        assert_eq!(items.len(), 2);
        let sum = observatory.calibrate(sightings(StarId(0), 2000), "all").await?;
        assert_eq!(sum, 1999 * 2000 / 2);
        assert_eq!(script.line().await?, format!("calibrated all {sum} with credit True"));

        client.shutdown(Duration::from_secs(10)).await;
        assert_eq!(script.rest().await?, ["end: goodbye 0"]);
        let reason = within("the client to be closed", client.closed()).await;
        assert_eq!(reason, CloseReason::ClosedLocally);
        Ok(())
    })
}
