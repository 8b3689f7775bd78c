//! What every user relies on, one test each: addresses, calls in both directions, calls before the handshake, names,
//! errors, reconnection, order.

use std::sync::Arc;
use std::time::Duration;

use kaa_rpc_runtime::{
    AuthenticationError, Backoff, CallError, Client, ClientStatus, CloseReason, ConnectError, Context, Fault,
    Method, Outcome, Peer, RegisterError, Secret, Server, ServerEvent, SetupError,
};
use kaa_rpc_tests::api::workshop::*;
use kaa_rpc_tests::fixture::{
    Locked, Pair, Reporter, Reports, SocketDirectory, TestResult, address, client, declared, next_peer, run,
    server, within,
};
use kaa_rpc_tests::workshop::{Bench, Customer, Shelf, customer, start};
use tokio::io::AsyncReadExt;

#[test]
fn address_can_be_socket_file_abstract_name_host_or_ip() -> TestResult {
    run(async {
        let directory = SocketDirectory::new()?;
        let abstract_name = format!("unix:@kaa-rpc-fundamentals-{}", std::process::id());
        let addresses =
            [directory.address(), abstract_name, "tcp:127.0.0.1:0".to_owned(), "tcp:[::1]:0".to_owned()];
        for listen_at in addresses {
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
fn peers_differ_only_in_who_connected() -> TestResult {
    run(async {
        let (pair, ..) = start().await?;
        let handles: [Peer; 2] = [pair.client.peer(), pair.peer.clone()];
        assert_eq!(handles.each_ref().map(Peer::is_accepted), [false, true]);
        let [at_client, at_server] = handles
            .map(|peer| peer.information().ok_or("there is no information about an authenticated peer"));
        let (at_client, at_server) = (at_client?, at_server?);
        assert_eq!(at_client.session, at_server.session);
        assert!(at_client.same_schema && at_server.same_schema, "{at_client:?} {at_server:?}");
        let to_server: WorkshopServerProxy = pair.client.peer().proxy();
        let to_client: WorkshopClientProxy = pair.peer.proxy();
        assert_eq!(to_server.add(1, 1).await?, 2);
        assert_eq!(to_client.answer("tea").await?, "Ada wants no tea");
        Ok(())
    })
}

#[test]
fn server_reports_connected_and_disconnected_clients() -> TestResult {
    run(async {
        let directory = SocketDirectory::new()?;
        let server =
            server()?.register(Workshop::server(Bench::default())).listen(directory.address()).await?;
        let mut events = server.events();
        let client = client()?.connect(directory.address())?;
        let peer = next_peer(&server).await?;
        assert!(peer.is_connected());
        let connected = within("the server's Connected event", events.next()).await;
        assert!(matches!(connected, Some(ServerEvent::Connected(_))), "{connected:?}");
        // A client that is dropped before it has verified ACCEPT breaks off the handshake and sends no goodbye.
        within("the client to be connected", client.ready()).await?;
        drop(client);
        let reason = within("the connection to close", peer.closed()).await;
        assert!(matches!(reason, CloseReason::ClosedByPeer { .. }), "{reason:?}");
        assert!(!peer.is_connected());
        let disconnected = within("the server's Disconnected event", events.next()).await;
        let session = peer.information().map(|information| information.session);
        assert!(
            matches!(
                &disconnected,
                Some(ServerEvent::Disconnected { peer: Some(peer), .. }) if Some(peer.session) == session
            ),
            "{disconnected:?}"
        );
        Ok(())
    })
}

#[test]
fn calls_made_while_connecting_are_sent_after_authentication() -> TestResult {
    run(async {
        let directory = SocketDirectory::new()?;
        // A listener that does not know the secret.
        let listener = tokio::net::UnixListener::bind(directory.socket())?;
        let client = client()?.connect(directory.address())?;
        assert_eq!(client.status(), ClientStatus::Connecting);
        let workshop: WorkshopServerProxy = client.proxy();
        let call = tokio::spawn(workshop.paint("confidential", PaintOptions::default()));
        let (mut stream, _) = within("the client to connect", listener.accept()).await?;
        let mut received = vec![0; 4096];
        let count = within("the client's HELLO", stream.read(&mut received)).await?;
        assert!(count > 0, "the client closed the connection before HELLO");
        drop(stream);
        let error = within("the call to fail", call).await?;
        assert!(
            matches!(&error, Err(CallError::Disconnected { outcome: Outcome::NotSent, .. })),
            "{error:?}"
        );
        assert!(!received.windows(12).any(|bytes| bytes == b"confidential"), "the arguments were sent");
        // With a server that knows the secret, such a call waits for the handshake and is then sent.
        let (pair, ..) = start().await?;
        let early = self::client()?.connect(pair.address()?)?;
        assert_eq!(early.proxy::<WorkshopServerProxy>().add(1, 1).await?, 2);
        Ok(())
    })
}

#[test]
fn wrong_secret_is_reported_to_both_peers_and_every_call() -> TestResult {
    run(async {
        let directory = SocketDirectory::new()?;
        let server =
            server()?.register(Workshop::server(Bench::default())).listen(directory.address()).await?;
        let mut events = server.events();
        let wrong = Secret::generate()?;
        let client =
            Client::builder().secret(wrong).reconnect(Backoff::default()).connect(directory.address())?;
        let workshop: WorkshopServerProxy = client.proxy();
        let calls: Vec<_> = (0..3).map(|number| tokio::spawn(workshop.add(number, 1))).collect();
        for call in calls {
            let result = within("the call to fail", call).await?;
            let Err(CallError::Disconnected { outcome: Outcome::NotSent, reason }) = &result else {
                return Err(format!("expected a call that was not sent, got {result:?}").into());
            };
            assert!(
                matches!(reason, CloseReason::NotConnected(ConnectError::Authentication(_))),
                "{reason:?}"
            );
        }
        let failure = within("the client to give up", client.ready()).await;
        let rejected = AuthenticationError::RejectedByPeer;
        assert!(
            matches!(&failure, Err(ConnectError::Authentication(cause)) if *cause == rejected),
            "{failure:?}"
        );
        let refused = within("the server's Refused event", events.next()).await;
        assert!(
            matches!(&refused, Some(ServerEvent::Refused(refused)) if refused.authentication_failed),
            "{refused:?}"
        );
        assert_eq!((server.connections(), server.refused()), (0, 1));
        Ok(())
    })
}

#[test]
fn services_register_at_any_time_and_duplicates_are_errors() -> TestResult {
    run(async {
        let (pair, workshop, ..) = start().await?;
        let storehouse: StorehouseServerProxy = pair.proxy();
        let storehouse_client: StorehouseClientProxy = pair.peer.proxy();
        let unregistered = storehouse.count("nail").await;
        assert!(matches!(unregistered, Err(CallError::UnknownMethod { .. })), "{unregistered:?}");
        let unregistered = storehouse_client.delivered("wood").await;
        assert!(matches!(unregistered, Err(CallError::UnknownMethod { .. })), "{unregistered:?}");
        pair.server.register(Storehouse::server(Shelf))?;
        pair.client.register(Storehouse::client(Shelf))?;
        assert_eq!(storehouse.count("nail").await?, 4);
        assert!(storehouse_client.delivered("wood").await?);
        assert_eq!(workshop.add(1, 1).await?, 2);

        let taken = RegisterError::AlreadyRegistered { service: Workshop::NAME };
        assert_eq!(pair.server.register(Workshop::server(Bench::default())), Err(taken.clone()));
        let twice = server()?.register(Workshop::server(Bench::default()));
        let twice = twice.register(Workshop::server(Bench::default())).listen("unix:@never").await;
        assert!(matches!(twice, Err(SetupError::Register(error)) if error == taken));
        assert_eq!(pair.client.register(customer("Ada")), Err(taken.clone()));
        let twice = client()?.register(customer("Ada")).register(customer("Ada")).connect("unix:@never");
        assert!(matches!(twice, Err(SetupError::Register(error)) if error == taken));
        Ok(())
    })
}

#[test]
fn selector_sets_the_wire_name_of_a_method() -> TestResult {
    let renamed = workshop::server::MyFunction::DESCRIPTOR;
    assert_eq!((renamed.service, renamed.name), ("workshop.Workshop", "do_something"));
    run(async {
        let (_pair, workshop, ..) = start().await?;
        assert_eq!(workshop.my_function(6).await?, 12);
        Ok(())
    })
}

#[test]
fn handler_calls_back_its_own_caller() -> TestResult {
    run(async {
        let (pair, ada, ..) = start().await?;
        let second = client()?.register(customer("Bob")).connect(pair.address()?)?;
        let bob: WorkshopServerProxy = second.proxy();
        let (to_ada, to_bob) = tokio::join!(ada.ask_back("tea"), bob.ask_back("tea"));
        assert_eq!(to_ada?, "the caller said: Ada wants no tea");
        assert_eq!(to_bob?, "the caller said: Bob wants no tea");
        Ok(())
    })
}

#[test]
fn hundred_handlers_can_wait_at_once() -> TestResult {
    run(async {
        let (_pair, workshop, ..) = start().await?;
        let gates: Vec<String> = (0..100).map(|number| format!("gate {number}")).collect();
        let waiting: Vec<_> = gates.iter().map(|gate| tokio::spawn(workshop.wait_for(gate))).collect();
        for gate in gates.iter().rev() {
            workshop.open(gate).await?;
        }
        for (gate, waiting) in gates.iter().zip(waiting) {
            let result = within(&format!("the handler at {gate}"), waiting).await?;
            assert_eq!(result?, format!("{gate} is open"));
        }
        Ok(())
    })
}

#[test]
fn call_is_sent_when_first_polled() -> TestResult {
    run(async {
        let (_pair, workshop, bench) = start().await?;
        drop(workshop.note("never"));
        let later = workshop.note("second");
        workshop.note("first").await?;
        within("the call in another task", tokio::spawn(later)).await??;
        assert_eq!(workshop.notes().await?, ["first", "second"]);
        assert_eq!(bench.noted(), ["first", "second"]);
        let named = workshop.paint("door", PaintOptions::default().color("blue"));
        assert_eq!(named.timeout(Duration::from_secs(20)).await?, "door: 1 x blue");
        Ok(())
    })
}

#[test]
fn fault_reaches_the_caller_without_internal_details() -> TestResult {
    run(async {
        let (_pair, workshop, ..) = start().await?;
        assert_eq!(declared(workshop.build(OrderId(99)).await)?, WorkError::Broken("the saw".to_owned()));
        let error = workshop.stumble().await;
        assert_eq!(error, Err(CallError::Fault("somebody left a ladder here".to_owned())));
        // The cause of the fault names a file. The caller receives neither the cause nor a source location.
        let text = format!("{error:?}");
        assert!(!text.contains("carpenter") && !text.contains(".rs"), "{text}");
        Ok(())
    })
}

#[test]
fn reconnected_client_keeps_its_services_and_replays_no_calls() -> TestResult {
    run(async {
        let directory = SocketDirectory::new()?;
        let (first_bench, second_bench) = (Bench::default(), Bench::default());
        let serve = async |bench: &Bench| -> TestResult<Server> {
            Ok(server()?.register(Workshop::server(bench.clone())).listen(directory.address()).await?)
        };
        let first_server = serve(&first_bench).await?;
        let (reporter, mut greetings) = Reports::of("greetings");
        let client = client()?
            .register(Workshop::client(Customer::new("Ada", reporter)))
            .reconnect(Backoff::default().initial(Duration::from_millis(10)))
            .connect(directory.address())?;
        let workshop: WorkshopServerProxy = client.proxy();
        workshop.note("before").await?;
        let running = tokio::spawn(workshop.wait_for("never"));
        within("the handler of `wait_for` to start", async {
            while first_bench.noted() != ["before", "waits for never"] {
                workshop.add(1, 1).await?;
            }
            TestResult::Ok(())
        })
        .await?;
        first_server.shutdown(Duration::ZERO).await;
        let lost = within("the running call to fail", running).await?;
        let outcome = lost.as_ref().map_err(CallError::outcome);
        assert!(matches!(outcome, Err(Outcome::Unknown)), "{lost:?}");

        let second_server = serve(&second_bench).await?;
        assert_eq!(workshop.add(1, 1).await?, 2);
        let peer = next_peer(&second_server).await?;
        peer.proxy::<WorkshopClientProxy>().on_greeting("again").await?;
        assert_eq!(greetings.next().await?, "again");
        let noted = second_bench.noted();
        assert!(noted.is_empty(), "calls were replayed: {noted:?}");
        Ok(())
    })
}

#[test]
fn status_follows_connect_and_shutdown() -> TestResult {
    run(async {
        let (pair, workshop, ..) = start().await?;
        assert_eq!(pair.client.status(), ClientStatus::Connected);
        pair.client.shutdown(Duration::from_secs(10)).await;
        assert!(matches!(pair.client.status(), ClientStatus::Closed(_)), "{:?}", pair.client.status());
        let reason = within("the client to be closed", pair.client.closed()).await;
        assert_eq!(pair.client.status(), ClientStatus::Closed(reason));
        let late = workshop.add(1, 1).await;
        assert!(matches!(&late, Err(CallError::Disconnected { outcome: Outcome::NotSent, .. })), "{late:?}");

        let (pair, ..) = start().await?;
        let report = pair.server.shutdown(Duration::from_secs(10)).await;
        assert_eq!((report.connections, report.aborted, report.cancelled_handlers), (1, 0, 0), "{report:?}");
        let reason = within("the client to be closed", pair.client.closed()).await;
        assert!(matches!(reason, CloseReason::ClosedByPeer { .. }), "{reason:?}");
        Ok(())
    })
}

/// A service that stores proxies of its callers, and reports when it is dropped.
struct CallerStore {
    reporter: Reporter<&'static str>,
    callers: Locked<Vec<StorehouseClientProxy>>,
}

impl Drop for CallerStore {
    fn drop(&mut self) {
        self.reporter.report("dropped");
    }
}

impl StorehouseServer for CallerStore {
    async fn count(&self, cx: Context<StorehouseClientProxy>, _item: String) -> Result<u32, Fault> {
        Ok(u32::try_from(self.callers.with(|callers| {
            callers.push(cx.peer);
            callers.len()
        }))?)
    }
}

#[test]
fn stored_proxies_do_not_keep_a_connection_open() -> TestResult {
    run(async {
        let (reporter, mut reports) = Reports::of("the service");
        let service = Storehouse::server_with(move |peer| CallerStore {
            reporter: reporter.clone(),
            callers: Locked::new(vec![peer]),
        });
        let pair = Pair::over_unix(server()?.register(service), client()?).await?;
        let storehouse: StorehouseServerProxy = pair.proxy();
        assert_eq!(storehouse.count("nail").await?, 2);
        drop(pair.client);
        assert_eq!(reports.next().await?, "dropped");
        let late = storehouse.count("nail").await;
        let closed =
            CallError::Disconnected { outcome: Outcome::NotSent, reason: CloseReason::ClosedLocally };
        assert_eq!(late, Err(closed));
        Ok(())
    })
}

#[test]
fn handlers_start_in_call_order_and_finish_in_any_order() -> TestResult {
    run(async {
        let (_pair, workshop, ..) = start().await?;
        let lines: Vec<String> = (0..1000).map(|number| format!("line {number}")).collect();
        for line in &lines {
            workshop.note(line).await?;
        }
        assert_eq!(workshop.notes().await?, lines);

        let (_pair, workshop, bench) = start().await?;
        let finished = Arc::new(Locked::<Vec<&str>>::default());
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
