//! A peer in another language, written from the documents, speaks with clients and servers of this one.

mod script;
mod sky;

use std::time::Duration;

use futures_util::StreamExt;
use kaa_rpc_runtime::codegen::ElementEntry;
use kaa_rpc_runtime::{
    AuthenticationError, CallError, Client, CloseReason, ConnectError, Limits, Metadata, Outcome, Proxy,
    Secret,
};
use kaa_rpc_runtime::{Server, ServerEvent, Timestamp};
use kaa_rpc_tests::api::python::*;
use kaa_rpc_tests::fixture::{Heard, Place, TestResult, address, client, declared, run, server};
use script::{SECRET, Script, python};
use sky::{Telescope, Visitor, sighting, stretch};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

type Targets = Heard<(Target, Duration)>;

/// An observatory with these limits at a unix socket.
async fn observatory(limits: Limits) -> TestResult<(Server, Place, Targets)> {
    let (teller, targets) = Heard::new();
    let place = Place::new()?;
    let service = Observatory::server(Telescope::new(teller));
    let server = server()?.limits(limits).register(service).listen(place.address()).await?;
    Ok((server, place, targets))
}

/// How the next connection ends that does.
async fn next_end(events: &mut kaa_rpc_runtime::Events<ServerEvent>) -> TestResult<CloseReason> {
    loop {
        if let ServerEvent::Disconnected { reason, .. } = events.next().await.ok_or("the server is gone")? {
            return Ok(reason);
        }
    }
}

/// Something to look at.
fn target(star: u64, name: &str) -> Target {
    Target::new(StarId(star), name, Position { ascension: 1, declination: 2 }, Band::Dark, Label(None))
}

/// What an end is called that was said and understood.
fn left() -> CloseReason {
    CloseReason::ClosedByPeer { message: String::new() }
}

#[test]
fn the_golden_vectors_hold() -> TestResult {
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
fn ids_and_fingerprint_are_those_of_the_generated_code() -> TestResult {
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
        let mut tell = |line: String, elements: &[ElementEntry]| {
            expected.push(line);
            expected.extend(elements.iter().map(|element| {
                format!("- {} {} {:016x} {}", element.name, element.tag, element.hash, element.has_default)
            }));
        };
        for method in service.table.methods {
            let (id, name) = (method.id, method.name);
            tell(
                format!("{id:08x} {name} {:016x} {:016x}", method.signature, method.throws),
                method.parameters,
            );
        }
        for entry in service.table.types {
            tell(format!("{} {:?}", entry.name, entry.form), entry.elements);
        }
        assert_eq!(Script::start("identify.py", &[])?.rest().await?, expected);
        Ok(())
    })
}

#[test]
fn a_client_is_authenticated_and_leaves() -> TestResult {
    run(async {
        if !python().await? {
            return Ok(());
        }
        let (teller, _targets) = Heard::new();
        let server =
            server()?.register(Observatory::server(Telescope::new(teller))).listen("tcp:127.0.0.1:0").await?;
        let (mut peers, mut events) = (server.peers(), server.events());
        let mut script = Script::start("authenticate.py", &[&address(&server)?, SECRET])?;
        let session = peers.next().await.and_then(|peer| peer.information()).ok_or("nobody came")?.session;
        // Equal schemas: neither side sends any.
        let said = [&format!("session {session}"), "notes 0", "schema frames 0", "end: left"];
        assert_eq!(script.rest().await?, said);
        assert_eq!(next_end(&mut events).await?, left());
        Ok(())
    })
}

#[test]
fn a_client_without_the_secret_is_refused() -> TestResult {
    run(async {
        if !python().await? {
            return Ok(());
        }
        let (server, place, _targets) = observatory(Limits::default()).await?;
        let mut events = server.events();
        let mut script =
            Script::start("authenticate.py", &[&place.address(), "the choir sings at nine o'clock"])?;
        assert_eq!(script.rest().await?, ["refused: authentication failed"]);
        assert!(
            matches!(events.next().await, Some(ServerEvent::Refused(refused)) if refused.authentication_failed)
        );
        Ok(())
    })
}

/// Somebody on the way, who lets the server's last message through with one bit changed.
#[test]
fn a_client_does_not_take_a_false_proof() -> TestResult {
    run(async {
        if !python().await? {
            return Ok(());
        }
        let (_server, place, _targets) = observatory(Limits::default()).await?;
        let between = Place::new()?;
        let listener = UnixListener::bind(between.socket())?;
        let mut script = Script::start("authenticate.py", &[&between.address(), SECRET])?;
        let (mut client, _) = listener.accept().await?;
        let mut server = UnixStream::connect(place.socket()).await?;
        // HELLO and CHALLENGE, PROOF and ACCEPT: clauses 2.2 and 2.3 of docs/wire.md.
        for last_bit in [0, 1] {
            let message = handshake_message(&mut client).await?;
            server.write_all(&message).await?;
            let mut answer = handshake_message(&mut server).await?;
            *answer.last_mut().ok_or("an empty message")? ^= last_bit;
            client.write_all(&answer).await?;
        }
        assert_eq!(script.rest().await?, ["the server does not know the secret"]);
        Ok(())
    })
}

/// A message of the handshake, as it is on the wire.
async fn handshake_message(stream: &mut UnixStream) -> TestResult<Vec<u8>> {
    let length = stream.read_u16().await?;
    let mut message = vec![0; usize::from(length)];
    stream.read_exact(&mut message).await?;
    message.splice(..0, length.to_be_bytes());
    Ok(message)
}

#[test]
fn calls_are_nested_in_both_directions() -> TestResult {
    run(async {
        if !python().await? {
            return Ok(());
        }
        // One call at a time on either side: only nested ones pass.
        let limits = Limits { max_inbound_calls: 1, ..Limits::default() };
        let (server, place, mut targets) = observatory(limits).await?;
        let mut peers = server.peers();
        let mut script = Script::start("observe.py", &[&place.address(), SECRET])?;
        let visitor: ObservatoryClientProxy = peers.next().await.ok_or("nobody came")?.proxy();

        assert_eq!(script.line().await?, "asked about β Lyrae in Visible 550 at depth 1");
        let asked = Target {
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
        assert_eq!(targets.next().await?, (asked, Duration::from_millis(2500)));
        assert_eq!(script.line().await?, "seen {'star': 300, 'at': (0, 0), 'brightness': 0.5, 'seen': True}");

        assert_eq!(script.line().await?, "asked about nothing in Visible 550 at depth 1");
        assert_eq!(script.line().await?, "declared Cloudy {'cover': 80, 'until': 3600}");
        assert_eq!(script.line().await?, "asked about the wall in Visible 550 at depth 1");
        assert_eq!(script.line().await?, "failed: status 2, the remote handler failed: there is a wall");
        assert_eq!(script.line().await?, "declared Below {'0': -120000}");
        assert!(script.line().await?.starts_with("failed: status 4, "), "a name of 84 bytes was taken");

        // What Python throws is typed here. Metadata is passed over there.
        let target = target(1, "nothing");
        let metadata = Metadata::default().with("tier", "red")?;
        let error = declared(visitor.confirm(target, Band::Dark).metadata(metadata).await)?;
        assert_eq!(error, SkyError::Cloudy { cover: 80, until: 3600 });
        assert_eq!(script.line().await?, "asked about nothing in Dark at depth 0");
        // Its handlers end when their time is over, and when their caller gives up.
        let slept = visitor.sleep().timeout(Duration::from_millis(20)).await;
        assert_eq!(slept, Err(CallError::DeadlineExceeded { outcome: Outcome::Unknown }));
        let given_up = tokio::spawn(visitor.sleep());
        for said in ["asleep for a while", "woken", "asleep for ever"] {
            assert_eq!(script.line().await?, said);
        }
        given_up.abort();
        assert_eq!(script.line().await?, "woken");
        script.go_on().await?;
        assert_eq!(script.rest().await?, ["end: left"]);
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
        let (server, place, _targets) = observatory(limits).await?;
        let mut peers = server.peers();
        let mut script = Script::start("flows.py", &[&place.address(), SECRET])?;
        let visitor: ObservatoryClientProxy = peers.next().await.ok_or("nobody came")?.proxy();

        assert_eq!(script.line().await?, "surveyed 2000 True True");
        assert_eq!(script.line().await?, "broke off [0, 1, 2] Cloudy {'cover': 99, 'until': 70000}");
        assert_eq!(script.line().await?, "given up: status 7, ");
        assert_eq!(script.line().await?, format!("calibrated {}", 1999 * 2000 / 2));
        assert!(script.line().await?.starts_with("refused "), "a torn stream was taken");
        assert_eq!(script.line().await?, "stopped 3 True");

        let watched: Vec<_> = visitor.watch(StarId(7), WatchOptions::default().count(2000)).collect().await;
        let stars: Option<Vec<_>> =
            watched.into_iter().map(|item| item.ok().map(|sighting| sighting.star.0)).collect();
        assert_eq!(stars, Some((7..2007).collect()));
        assert_eq!(script.line().await?, "waited for credit True");
        script.go_on().await?;
        assert_eq!(script.rest().await?, ["end: left"]);
        Ok(())
    })
}

#[test]
fn a_servers_farewell_is_understood() -> TestResult {
    run(async {
        if !python().await? {
            return Ok(());
        }
        let (server, place, _targets) = observatory(Limits::default()).await?;
        let mut events = server.events();
        let mut script = Script::start("stay.py", &[&place.address(), SECRET])?;
        assert_eq!(script.line().await?, "asked");
        assert_eq!(script.line().await?, "seen 1");
        let report = server.shutdown(Duration::from_secs(10)).await;
        assert_eq!((report.connections, report.aborted), (1, 0));
        assert_eq!(script.rest().await?, ["end: goodbye 0", "pinged True"]);
        assert_eq!(next_end(&mut events).await?, CloseReason::ClosedLocally);
        Ok(())
    })
}

#[test]
fn generations_that_fit_each_other_compare_tables() -> TestResult {
    run(async {
        if !python().await? {
            return Ok(());
        }
        let (server, place, mut targets) = observatory(Limits::default()).await?;
        let mut events = server.events();
        // A later `Target`, and a method that the server lacks: a summary and a table.
        let mut script = Script::start("generations.py", &[&place.address(), SECRET, "later"])?;
        let said = script.rest().await?;
        let expected = [
            "asked with ['age', 'colour']",
            "observe True",
            "polish status 3, ",
            "schema frames 2",
            "end: left",
        ];
        assert_eq!(said, expected);
        assert_eq!(targets.next().await?.0.star, StarId(1));
        assert_eq!(next_end(&mut events).await?, left());
        // Another service besides: a summary alone.
        let mut script = Script::start("generations.py", &[&place.address(), SECRET, "more"])?;
        let said = script.rest().await?;
        assert_eq!(said, ["asked with []", "observe True", "schema frames 1", "end: left"]);
        Ok(())
    })
}

#[test]
fn generations_that_contradict_each_other_say_so_on_both_ends() -> TestResult {
    run(async {
        if !python().await? {
            return Ok(());
        }
        let (server, place, _targets) = observatory(Limits::default()).await?;
        let mut events = server.events();
        let mut script = Script::start("generations.py", &[&place.address(), SECRET, "contrary"])?;
        let said = script.rest().await?;
        assert_eq!(said.first().map(String::as_str), Some("observe not sent"));
        assert!(said.last().is_some_and(|end| end.starts_with("end: said goodbye 2")), "{said:?}");
        let reason = next_end(&mut events).await?;
        assert!(matches!(&reason, CloseReason::NotConnected(ConnectError::Schema(_))), "{reason:?}");
        Ok(())
    })
}

#[test]
fn a_server_in_python_serves_a_client() -> TestResult {
    run(async {
        if !python().await? {
            return Ok(());
        }
        let place = Place::new()?;
        let mut script = Script::start("serve.py", &[&place.address(), SECRET])?;
        assert_eq!(script.line().await?, "listening");

        let stranger = Client::builder().secret(Secret::new(*b"the choir sings at nine o'clock")?);
        let stranger = stranger.connect(place.address())?;
        let refused = ConnectError::Authentication(AuthenticationError::RejectedByPeer);
        assert_eq!(stranger.ready().await.map_err(|error| error.to_string()), Err(refused.to_string()));
        assert_eq!(script.line().await?, "end: the client's proof does not fit");

        let limits = Limits { stream_window: 1000, max_inbound_calls: 1, ..Limits::default() };
        let client =
            client()?.limits(limits).register(Observatory::client(Visitor)).connect(place.address())?;
        let observatory: ObservatoryServerProxy = client.proxy();
        for line in ["one", "two", "three"] {
            observatory.note(line).await?;
        }
        let seen = observatory.observe(target(2, "Vega"), Duration::from_millis(500)).await?;
        let at = Timestamp::new(1_700_000_000, 250).ok_or("no such time")?;
        assert_eq!(seen, Sighting { at, ..sighting(2) });
        // Declared in Python, and declared here and passed on by Python.
        let below = declared(observatory.observe(target(3, "Vega"), Duration::ZERO).await)?;
        assert_eq!(below, SkyError::Below(-7));
        let cloudy = declared(observatory.observe(target(1, "Vega"), Duration::ZERO).await)?;
        assert_eq!(cloudy, SkyError::Cloudy { cover: 1, until: 2 });

        let options = SurveyOptions::default().count(2000);
        let items: Vec<_> = observatory.survey(StarId(100), options).collect().await;
        assert_eq!(items.iter().filter(|item| item.is_ok()).count(), 2000);
        let mut items: Vec<_> = observatory.survey(StarId(11), SurveyOptions::default()).collect().await;
        assert_eq!(declared(items.pop().ok_or("no items")?)?, SkyError::Cloudy { cover: 13, until: 0 });
        assert_eq!(items.len(), 2);
        let sum = observatory.calibrate(stretch(StarId(0), 2000), "all").await?;
        assert_eq!(sum, 1999 * 2000 / 2);
        assert_eq!(script.line().await?, format!("calibrated all {sum} with credit True"));

        client.shutdown(Duration::from_secs(10)).await;
        assert_eq!(script.rest().await?, ["end: goodbye 0"]);
        assert_eq!(client.closed().await, CloseReason::ClosedLocally);
        Ok(())
    })
}
