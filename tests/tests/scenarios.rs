//! How two programs use each other, one scenario per test.

use std::process::Stdio;

use kaa_rpc_runtime::{Backoff, CallError, Client, CloseReason, ConnectError, Outcome};
use kaa_rpc_tests::api::workshop::*;
use kaa_rpc_tests::fixture::{
    Reports, SocketDirectory, TestResult, client, declared, next_peer, run, server, within,
};
use kaa_rpc_tests::workshop::{Bench, Customer, start};
use tokio::io::{AsyncBufReadExt, BufReader};

#[test]
fn call_returns_its_result() -> TestResult {
    run(async {
        let (_pair, workshop, ..) = start().await?;
        assert_eq!(workshop.add(4, -6).await?, -2);
        Ok(())
    })
}

#[test]
fn handler_on_a_worker_thread_does_not_block_other_calls() -> TestResult {
    run(async {
        let (_pair, workshop, ..) = start().await?;
        let grinding = tokio::spawn(workshop.grind(3));
        // If it blocked the thread of the connection, none of these calls would return.
        for number in 0..50 {
            assert_eq!(workshop.add(number, 1).await?, number + 1);
        }
        assert!(!grinding.is_finished(), "`grind` returned before `open(\"grind\")`");
        workshop.open("grind").await?;
        assert_eq!(within("`grind` to return", grinding).await??, 29_824);
        Ok(())
    })
}

#[test]
fn waiting_handler_does_not_block_other_calls() -> TestResult {
    run(async {
        let (_pair, workshop, ..) = start().await?;
        let waiting = tokio::spawn(workshop.wait_for("gate"));
        assert_eq!(workshop.add(1, 1).await?, 2);
        workshop.open("gate").await?;
        assert_eq!(within("`wait_for` to return", waiting).await??, "gate is open");
        Ok(())
    })
}

#[test]
fn handler_awaits_a_nested_call() -> TestResult {
    run(async {
        let (_pair, workshop, ..) = start().await?;
        assert_eq!(workshop.ask_back("tea").await?, "the caller said: Ada wants no tea");
        Ok(())
    })
}

#[test]
fn unknown_method_is_an_error_at_the_caller() -> TestResult {
    run(async {
        let (pair, workshop, ..) = start().await?;
        let storehouse: StorehouseServerProxy = pair.proxy();
        let error = storehouse.count("nails").await;
        let Err(CallError::UnknownMethod { method }) = &error else {
            return Err(format!("expected an unknown method, got {error:?}").into());
        };
        assert_eq!(method, "workshop.Storehouse.count");
        // The connection still works, and the other direction behaves the same.
        assert_eq!(workshop.add(1, 1).await?, 2);
        let customer: StorehouseClientProxy = pair.peer.proxy();
        assert!(matches!(customer.delivered("wood").await, Err(CallError::UnknownMethod { .. })));
        Ok(())
    })
}

#[test]
fn declared_error_arrives_with_its_fields() -> TestResult {
    run(async {
        let (_pair, workshop, ..) = start().await?;
        assert_eq!(workshop.build(OrderId(4)).await?, "a chair with 4 legs");
        let error = declared(workshop.build(OrderId(13)).await)?;
        assert_eq!(error.to_string(), "order 13 is too hard: the wood is too thin");
        assert_eq!(
            error,
            WorkError::TooHard { order: OrderId(13), reason: "the wood is too thin".to_owned() }
        );
        // As a program matches it.
        match workshop.build(OrderId(99)).await {
            Err(CallError::Declared(WorkError::Broken(what))) => assert_eq!(what, "the saw"),
            other => return Err(format!("expected a broken saw, got {other:?}").into()),
        }
        Ok(())
    })
}

#[test]
fn thread_can_block_on_a_call() -> TestResult {
    run(async {
        let (_pair, workshop, ..) = start().await?;
        let runtime = tokio::runtime::Handle::current();
        let thread = std::thread::spawn(move || runtime.block_on(workshop.add(20, 22)));
        let joined = within("the thread", tokio::task::spawn_blocking(move || thread.join())).await?;
        assert_eq!(joined.map_err(|_panic| "the thread panicked")??, 42);
        Ok(())
    })
}

#[test]
fn server_process_exits_on_request_and_still_replies() -> TestResult {
    run(async {
        let directory = SocketDirectory::new()?;
        let mut process = tokio::process::Command::new(env!("CARGO_BIN_EXE_workshop_server"))
            .arg(directory.address())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let mut output = BufReader::new(process.stdout.take().ok_or("the server has no output")?).lines();
        let line = within("the server process to print a line", output.next_line()).await?;
        assert_eq!(line.as_deref(), Some("listening"));
        let client = client()?.connect(directory.address())?;
        let workshop: WorkshopServerProxy = client.proxy();
        assert_eq!(workshop.add(1, 1).await?, 2);

        let shutdown = tokio::spawn(workshop.shutdown());
        let status = within("the server process to exit", process.wait()).await?;
        assert!(status.success(), "{status}");
        let reason = within("the client to be closed", client.closed()).await;
        assert!(matches!(reason, CloseReason::ClosedByPeer { .. }), "{reason:?}");
        assert!(!directory.socket().exists(), "the socket file was not removed");
        // The server replied before it exited.
        within("the reply to `shutdown`", shutdown).await??;
        let late = workshop.add(1, 1).await;
        assert_eq!(late.map_err(|error| error.outcome()), Err(Outcome::NotSent));
        Ok(())
    })
}

#[test]
fn server_calls_a_client_as_soon_as_it_connects() -> TestResult {
    run(async {
        let directory = SocketDirectory::new()?;
        let server =
            server()?.register(Workshop::server(Bench::default())).listen(directory.address()).await?;
        let (answered, mut answers) = Reports::of("answers of clients");
        let mut peers = server.peers();
        tokio::spawn(async move {
            while let Some(peer) = peers.next().await {
                let customer: WorkshopClientProxy = peer.proxy();
                let _ = customer.on_greeting("welcome").await;
                answered.report(customer.answer("coffee").await);
            }
        });
        let mut clients: Vec<Client> = Vec::new();
        for name in ["Ada", "Bob"] {
            let (reporter, mut greetings) = Reports::of("greetings");
            let customer = Workshop::client(Customer::new(name, reporter));
            clients.push(client()?.register(customer).connect(directory.address())?);
            assert_eq!(greetings.next().await?, "welcome");
            assert_eq!(answers.next().await??, format!("{name} wants no coffee"));
        }
        Ok(())
    })
}

#[test]
fn call_works_awaited_with_callback_and_blocking() -> TestResult {
    run(async {
        let (_pair, workshop, ..) = start().await?;
        let awaited = workshop.my_function(21).await?;

        let (reporter, mut results) = Reports::of("the callback");
        let callback = move |result| reporter.report(result);
        let call = workshop.my_function(21);
        tokio::spawn(async move { callback(call.await) });
        let called_back = results.next().await??;

        let runtime = tokio::runtime::Handle::current();
        let blocking = tokio::task::spawn_blocking(move || runtime.block_on(workshop.my_function(21)));
        let blocking = within("the blocking call", blocking).await??;
        assert_eq!((awaited, called_back, blocking), (42, 42, 42));
        Ok(())
    })
}

#[test]
fn reconnecting_client_waits_for_its_server_to_start() -> TestResult {
    run(async {
        let directory = SocketDirectory::new()?;
        let without_reconnect = client()?.connect(directory.address())?;
        let failure = within("the client to give up", without_reconnect.ready()).await;
        assert!(matches!(failure, Err(ConnectError::Transport(_))), "{failure:?}");

        let (reporter, mut greetings) = Reports::of("greetings");
        let reconnecting = client()?
            .register(Workshop::client(Customer::new("Ada", reporter)))
            .reconnect(Backoff::default())
            .connect(directory.address())?;
        let workshop: WorkshopServerProxy = reconnecting.proxy();
        let early = tokio::spawn(workshop.add(1, 2));
        let server =
            server()?.register(Workshop::server(Bench::default())).listen(directory.address()).await?;
        assert_eq!(within("the early call to return", early).await??, 3);
        within("the client to be connected", reconnecting.ready()).await?;
        let peer = next_peer(&server).await?;
        peer.proxy::<WorkshopClientProxy>().on_greeting("hello").await?;
        assert_eq!(greetings.next().await?, "hello");
        Ok(())
    })
}

#[test]
fn arguments_are_positional_or_named_options() -> TestResult {
    run(async {
        let (_pair, workshop, ..) = start().await?;
        assert_eq!(workshop.paint("door", PaintOptions::default()).await?, "door: 1 x grey");
        let options = PaintOptions::default().coats(3).color("red");
        assert_eq!(workshop.paint("door", options).await?, "door: 3 x red");
        Ok(())
    })
}

#[test]
fn selector_keeps_the_wire_name_of_a_renamed_method() -> TestResult {
    use kaa_rpc_runtime::Method;
    assert_eq!(workshop::server::MyFunction::DESCRIPTOR.name, "do_something");
    run(async {
        let (_pair, workshop, ..) = start().await?;
        assert_eq!(workshop.my_function(-3).await?, -6);
        Ok(())
    })
}
