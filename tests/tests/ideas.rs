//! The ideas that the project is built on, a test for each: addresses, two directions, calls at once, names, errors,
//! reconnection, order.

use std::sync::Arc;
use std::time::Duration;

use kaa_rpc_runtime::{
    AuthenticationError, Backoff, CallError, ClientStatus, CloseReason, ConnectError, Context, Fault, Method,
    Outcome, Peer, RegisterError, Secret, ServerEvent, SetupError,
};
use kaa_rpc_tests::api::workshop::*;
use kaa_rpc_tests::fixture::{
    Heard, Kept, Pair, Place, Teller, TestResult, address, client, declared, run, server,
};
use kaa_rpc_tests::workshop::{Bench, Customer, Shelf};
use tokio::io::AsyncReadExt;

/// A workshop and a customer called Ada.
async fn start() -> TestResult<(Pair, WorkshopServerProxy, Bench, Heard<String>)> {
    let (teller, heard) = Heard::new();
    let bench = Bench::default();
    let pair = Pair::over_unix(
        server()?.register(Workshop::server(bench.clone())),
        client()?.register(Workshop::client(Customer::new("Ada", teller))),
    )
    .await?;
    let workshop = pair.proxy();
    Ok((pair, workshop, bench, heard))
}

#[test]
fn an_address_is_a_socket_file_a_name_a_host_or_a_number() -> TestResult {
    run(async {
        let place = Place::new()?;
        let name = format!("unix:@kaa-rpc-ideas-{}", std::process::id());
        let files_and_numbers =
            [place.address(), name, "tcp:127.0.0.1:0".to_owned(), "tcp:[::1]:0".to_owned()];
        for listen_at in files_and_numbers {
            let server =
                server()?.register(Workshop::server(Bench::default())).listen(listen_at.as_str()).await?;
            let connect_to = address(&server)?;
            assert_eq!(connect_to == listen_at, listen_at.starts_with("unix:"), "{listen_at} {connect_to}");
            let client = client()?.connect(connect_to)?;
            assert_eq!(client.proxy::<WorkshopServerProxy>().add(1, 1).await?, 2, "{listen_at}");
        }
        let server = server()?.register(Workshop::server(Bench::default())).listen("tcp:localhost:0").await?;
        let port = address(&server)?.rsplit(':').next().map(str::to_owned).ok_or("a port")?;
        let by_name = client()?.connect(format!("tcp:localhost:{port}"))?;
        assert_eq!(by_name.proxy::<WorkshopServerProxy>().add(1, 1).await?, 2);

        let error = client()?.connect("localhost").map(|_| ());
        assert!(matches!(error, Err(SetupError::Address(_))), "{error:?}");
        Ok(())
    })
}

#[test]
fn only_connecting_makes_a_client_of_one_and_a_server_of_the_other() -> TestResult {
    run(async {
        let (pair, ..) = start().await?;
        let ends: [Peer; 2] = [pair.client.peer(), pair.peer().await?];
        assert_eq!(ends.each_ref().map(Peer::is_accepted), [false, true]);
        let [there, here] = ends.map(|end| end.information().ok_or("both have proved themselves"));
        let (there, here) = (there?, here?);
        assert_eq!(there.session, here.session);
        assert!(there.same_schema && here.same_schema);
        let to_server: WorkshopServerProxy = pair.client.peer().proxy();
        let to_client: WorkshopClientProxy = pair.peer().await?.proxy();
        assert_eq!(to_server.add(1, 1).await?, 2);
        assert_eq!(to_client.answer("tea").await?, "Ada wants no tea");
        Ok(())
    })
}

#[test]
fn a_server_sees_who_comes_and_goes() -> TestResult {
    run(async {
        let place = Place::new()?;
        let server = server()?.register(Workshop::server(Bench::default())).listen(place.address()).await?;
        let (mut events, mut peers) = (server.events(), server.peers());
        let client = client()?.connect(place.address())?;
        let peer = peers.next().await.ok_or("the server is at work")?;
        assert!(peer.is_connected());
        assert!(matches!(events.next().await, Some(ServerEvent::Connected(_))));
        drop(client);
        assert!(matches!(peer.closed().await, CloseReason::ClosedByPeer { .. }));
        assert!(!peer.is_connected());
        let gone = events.next().await;
        let session = peer.information().map(|information| information.session);
        assert!(
            matches!(&gone, Some(ServerEvent::Disconnected { peer: Some(peer), .. }) if Some(peer.session) == session),
            "{gone:?}"
        );
        Ok(())
    })
}

#[test]
fn calls_can_be_made_at_once_and_leave_after_the_proof() -> TestResult {
    run(async {
        let place = Place::new()?;
        // Somebody who listens there, and proves nothing.
        let listener = tokio::net::UnixListener::bind(place.socket())?;
        let client = client()?.connect(place.address())?;
        assert_eq!(client.status(), ClientStatus::Connecting);
        let workshop: WorkshopServerProxy = client.proxy();
        let call = tokio::spawn(workshop.paint("confidential", PaintOptions::default()));
        let (mut stream, _) = listener.accept().await?;
        let mut received = vec![0; 4096];
        let count = stream.read(&mut received).await?;
        assert!(count > 0, "the client says who it is");
        drop(stream);
        let error = call.await?;
        assert!(
            matches!(&error, Err(CallError::Disconnected { outcome: Outcome::NotSent, .. })),
            "{error:?}"
        );
        assert!(!received.windows(12).any(|bytes| bytes == b"confidential"));
        // With a server that can prove itself, the same call is made before anything else and waits.
        let (pair, ..) = start().await?;
        let place = pair.place.as_ref().ok_or("a unix socket")?;
        let eager = self::client()?.connect(place.address())?;
        assert_eq!(eager.proxy::<WorkshopServerProxy>().add(1, 1).await?, 2);
        Ok(())
    })
}

#[test]
fn a_wrong_secret_is_told_to_both_and_to_every_call() -> TestResult {
    run(async {
        let place = Place::new()?;
        let server = server()?.register(Workshop::server(Bench::default())).listen(place.address()).await?;
        let mut events = server.events();
        let wrong = Secret::generate()?;
        let client = kaa_rpc_runtime::Client::builder()
            .secret(wrong)
            .reconnect(Backoff::default())
            .connect(place.address())?;
        let workshop: WorkshopServerProxy = client.proxy();
        let calls: Vec<_> = (0..3).map(|number| tokio::spawn(workshop.add(number, 1))).collect();
        for call in calls {
            let error = call.await?;
            let Err(CallError::Disconnected { outcome: Outcome::NotSent, reason }) = &error else {
                return Err(format!("expected a call that was not sent, got {error:?}").into());
            };
            assert!(
                matches!(reason, CloseReason::NotConnected(ConnectError::Authentication(_))),
                "{reason:?}"
            );
        }
        let failure = client.ready().await;
        let rejected = AuthenticationError::RejectedByPeer;
        assert!(
            matches!(&failure, Err(ConnectError::Authentication(why)) if *why == rejected),
            "{failure:?}"
        );
        let refused = events.next().await;
        assert!(
            matches!(&refused, Some(ServerEvent::Refused(refused)) if refused.authentication_failed),
            "{refused:?}"
        );
        assert_eq!((server.connections(), server.refused()), (0, 1));
        Ok(())
    })
}

#[test]
fn services_are_registered_early_or_late_and_collide_aloud() -> TestResult {
    run(async {
        let (pair, workshop, ..) = start().await?;
        let storehouse: StorehouseServerProxy = pair.proxy();
        let customer: StorehouseClientProxy = pair.peer().await?.proxy();
        assert!(matches!(storehouse.count("nail").await, Err(CallError::UnknownMethod { .. })));
        assert!(matches!(customer.delivered("wood").await, Err(CallError::UnknownMethod { .. })));
        pair.server.register(Storehouse::server(Shelf))?;
        pair.client.register(Storehouse::client(Shelf))?;
        assert_eq!(storehouse.count("nail").await?, 4);
        assert!(customer.delivered("wood").await?);
        assert_eq!(workshop.add(1, 1).await?, 2);

        let taken = RegisterError::AlreadyRegistered { service: Workshop::NAME };
        assert_eq!(pair.server.register(Workshop::server(Bench::default())), Err(taken.clone()));
        let twice = server()?.register(Workshop::server(Bench::default()));
        let twice = twice.register(Workshop::server(Bench::default())).listen("unix:@never").await;
        assert!(matches!(twice, Err(SetupError::Register(error)) if error == taken));
        let (teller, _heard) = Heard::new();
        let customer = || Workshop::client(Customer::new("Ada", teller.clone()));
        assert_eq!(pair.client.register(customer()), Err(taken.clone()));
        let twice = client()?.register(customer()).register(customer()).connect("unix:@never");
        assert!(matches!(twice, Err(SetupError::Register(error)) if error == taken));
        Ok(())
    })
}

#[test]
fn a_function_can_have_another_name_on_the_wire() -> TestResult {
    let renamed = workshop::server::MyFunction::DESCRIPTOR;
    assert_eq!((renamed.service, renamed.name), ("workshop.Workshop", "do_something"));
    run(async {
        let (_pair, workshop, ..) = start().await?;
        assert_eq!(workshop.my_function(6).await?, 12);
        Ok(())
    })
}

#[test]
fn a_handler_knows_its_caller() -> TestResult {
    run(async {
        let (pair, ada, ..) = start().await?;
        let (teller, _heard) = Heard::new();
        let place = pair.place.as_ref().ok_or("a unix socket")?;
        let second =
            client()?.register(Workshop::client(Customer::new("Bob", teller))).connect(place.address())?;
        let bob: WorkshopServerProxy = second.proxy();
        let (to_ada, to_bob) = tokio::join!(ada.ask_back("tea"), bob.ask_back("tea"));
        assert_eq!(to_ada?, "the caller said: Ada wants no tea");
        assert_eq!(to_bob?, "the caller said: Bob wants no tea");
        Ok(())
    })
}

#[test]
fn handlers_may_all_wait() -> TestResult {
    run(async {
        let (_pair, workshop, ..) = start().await?;
        let gates: Vec<String> = (0..100).map(|number| format!("gate {number}")).collect();
        let waiting: Vec<_> = gates.iter().map(|gate| tokio::spawn(workshop.wait_for(gate))).collect();
        for gate in gates.iter().rev() {
            workshop.open(gate).await?;
        }
        for (gate, waiting) in gates.iter().zip(waiting) {
            assert_eq!(waiting.await??, format!("{gate} is open"));
        }
        Ok(())
    })
}

#[test]
fn a_call_is_a_value_that_is_made_when_it_is_awaited() -> TestResult {
    run(async {
        let (_pair, workshop, bench, _) = start().await?;
        drop(workshop.note("never"));
        let later = workshop.note("second");
        workshop.note("first").await?;
        tokio::spawn(later).await??;
        assert_eq!(workshop.notes().await?, ["first", "second"]);
        assert_eq!(bench.noted(), ["first", "second"]);
        let named = workshop.paint("door", PaintOptions::default().color("blue"));
        assert_eq!(named.timeout(Duration::from_secs(20)).await?, "door: 1 x blue");
        Ok(())
    })
}

#[test]
fn an_error_is_raised_at_the_caller_and_tells_nothing_of_the_inside() -> TestResult {
    run(async {
        let (_pair, workshop, ..) = start().await?;
        assert_eq!(declared(workshop.build(OrderId(99)).await)?, WorkError::Broken("the saw".to_owned()));
        let error = workshop.stumble().await;
        assert_eq!(error, Err(CallError::Fault("somebody left a ladder here".to_owned())));
        // The cause names a file; neither it nor the place in the source is told.
        let told = format!("{error:?}");
        assert!(!told.contains("carpenter") && !told.contains(".rs"), "{told}");
        Ok(())
    })
}

#[test]
fn a_client_reconnects_with_what_it_serves_and_replays_nothing() -> TestResult {
    run(async {
        let place = Place::new()?;
        let (first, second) = (Bench::default(), Bench::default());
        let serve = async |bench: &Bench| -> TestResult<kaa_rpc_runtime::Server> {
            Ok(server()?.register(Workshop::server(bench.clone())).listen(place.address()).await?)
        };
        let before = serve(&first).await?;
        let (teller, mut heard) = Heard::new();
        let client = client()?
            .register(Workshop::client(Customer::new("Ada", teller)))
            .reconnect(Backoff::default().initial(Duration::from_millis(10)))
            .connect(place.address())?;
        let workshop: WorkshopServerProxy = client.proxy();
        workshop.note("before").await?;
        let running = tokio::spawn(workshop.wait_for("never"));
        while first.noted() != ["before", "waits for never"] {
            // The call is on its way; another one comes after it.
            workshop.add(1, 1).await?;
        }
        before.shutdown(Duration::ZERO).await;
        let lost = running.await?;
        let outcome = lost.as_ref().map_err(CallError::outcome);
        assert!(matches!(outcome, Err(Outcome::Unknown)), "{lost:?}");

        let after = serve(&second).await?;
        assert_eq!(workshop.add(1, 1).await?, 2);
        let peer = after.peers().next().await.ok_or("the client is back")?;
        peer.proxy::<WorkshopClientProxy>().on_greeting("again").await?;
        assert_eq!(heard.next().await?, "again");
        assert!(second.noted().is_empty(), "calls were replayed: {:?}", second.noted());
        Ok(())
    })
}

#[test]
fn a_connection_can_be_watched_and_closed() -> TestResult {
    run(async {
        let (pair, workshop, ..) = start().await?;
        pair.client.ready().await?;
        assert_eq!(pair.client.status(), ClientStatus::Connected);
        pair.client.shutdown(Duration::from_secs(10)).await;
        assert!(matches!(pair.client.status(), ClientStatus::Closed(_)), "{:?}", pair.client.status());
        let reason = pair.client.closed().await;
        assert_eq!(pair.client.status(), ClientStatus::Closed(reason));
        let late = workshop.add(1, 1).await;
        assert!(matches!(&late, Err(CallError::Disconnected { outcome: Outcome::NotSent, .. })), "{late:?}");

        let (pair, ..) = start().await?;
        let report = pair.server.shutdown(Duration::from_secs(10)).await;
        assert_eq!((report.connections, report.aborted, report.cancelled_handlers), (1, 0, 0));
        assert!(matches!(pair.client.closed().await, CloseReason::ClosedByPeer { .. }));
        Ok(())
    })
}

/// A service that keeps hold of its callers, and tells when it is gone.
struct Mortal {
    teller: Teller<&'static str>,
    callers: Kept<Vec<StorehouseClientProxy>>,
}

impl Drop for Mortal {
    fn drop(&mut self) {
        self.teller.tell("gone");
    }
}

impl StorehouseServer for Mortal {
    async fn count(&self, cx: Context<StorehouseClientProxy>, _item: String) -> Result<u32, Fault> {
        Ok(u32::try_from(self.callers.with(|callers| {
            callers.push(cx.peer);
            callers.len()
        }))?)
    }
}

#[test]
fn nothing_keeps_a_reference_to_the_other_side() -> TestResult {
    run(async {
        let (teller, mut heard) = Heard::new();
        let service = Storehouse::server_with(move |peer| Mortal {
            teller: teller.clone(),
            callers: Kept::new(vec![peer]),
        });
        let pair = Pair::over_unix(server()?.register(service), client()?).await?;
        let storehouse: StorehouseServerProxy = pair.proxy();
        assert_eq!(storehouse.count("nail").await?, 2);
        drop(pair.client);
        assert_eq!(heard.next().await?, "gone");
        let late = storehouse.count("nail").await;
        let closed =
            CallError::Disconnected { outcome: Outcome::NotSent, reason: CloseReason::ClosedLocally };
        assert_eq!(late, Err(closed));
        Ok(())
    })
}

#[test]
fn handlers_start_in_order_and_finish_as_they_can() -> TestResult {
    run(async {
        let (_pair, workshop, ..) = start().await?;
        let lines: Vec<String> = (0..1000).map(|number| format!("line {number}")).collect();
        for line in &lines {
            workshop.note(line).await?;
        }
        assert_eq!(workshop.notes().await?, lines);

        let (_pair, workshop, bench, _) = start().await?;
        let finished = Arc::new(Kept::<Vec<&str>>::default());
        let (first, second, opened) = tokio::join!(
            async {
                let result = workshop.wait_for("a").await;
                finished.with(|finished| finished.push("a"));
                result
            },
            async {
                let result = workshop.wait_for("b").await;
                finished.with(|finished| finished.push("b"));
                workshop.open("a").await?;
                result
            },
            workshop.open("b"),
        );
        first?;
        second?;
        opened?;
        assert_eq!(bench.noted(), ["waits for a", "waits for b"]);
        assert_eq!(finished.with(|finished| finished.clone()), ["b", "a"]);
        Ok(())
    })
}
