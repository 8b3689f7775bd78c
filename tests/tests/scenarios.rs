//! What two programs do with each other, one scenario a test.

use std::process::Stdio;

use kaa_rpc_runtime::{Backoff, CallError, Client, CloseReason, ConnectError, Outcome};
use kaa_rpc_tests::api::workshop::*;
use kaa_rpc_tests::fixture::{Heard, Pair, Place, TestResult, client, declared, run, server};
use kaa_rpc_tests::workshop::{Bench, Customer};
use tokio::io::{AsyncBufReadExt, BufReader};

/// A workshop and a customer called Ada.
async fn start() -> TestResult<(Pair, WorkshopServerProxy, Heard<String>)> {
    let (teller, heard) = Heard::new();
    let pair = Pair::over_unix(
        server()?.register(Workshop::server(Bench::default())),
        client()?.register(Workshop::client(Customer::new("Ada", teller))),
    )
    .await?;
    let workshop = pair.proxy();
    Ok((pair, workshop, heard))
}

#[test]
fn call_returns_its_result() -> TestResult {
    run(async {
        let (_pair, workshop, _) = start().await?;
        assert_eq!(workshop.add(4, -6).await?, -2);
        Ok(())
    })
}

#[test]
fn handler_on_a_worker_thread_does_not_block_other_calls() -> TestResult {
    run(async {
        let (_pair, workshop, _) = start().await?;
        let grinding = tokio::spawn(workshop.grind(3));
        // Did it block the thread that serves the connection, none of these would be answered.
        for number in 0..50 {
            assert_eq!(workshop.add(number, 1).await?, number + 1);
        }
        assert!(!grinding.is_finished());
        workshop.open("grind").await?;
        assert_eq!(grinding.await??, 29_824);
        Ok(())
    })
}

#[test]
fn waiting_handler_does_not_block_other_calls() -> TestResult {
    run(async {
        let (_pair, workshop, _) = start().await?;
        let waiting = tokio::spawn(workshop.wait_for("gate"));
        assert_eq!(workshop.add(1, 1).await?, 2);
        workshop.open("gate").await?;
        assert_eq!(waiting.await??, "gate is open");
        Ok(())
    })
}

#[test]
fn handler_awaits_a_nested_call() -> TestResult {
    run(async {
        let (_pair, workshop, _) = start().await?;
        assert_eq!(workshop.ask_back("tea").await?, "the caller said: Ada wants no tea");
        Ok(())
    })
}

#[test]
fn unknown_method_is_an_error_at_the_caller() -> TestResult {
    run(async {
        let (pair, workshop, _) = start().await?;
        let storehouse: StorehouseServerProxy = pair.proxy();
        let error = storehouse.count("nails").await;
        let Err(CallError::UnknownMethod { method }) = &error else {
            return Err(format!("expected an unknown method, got {error:?}").into());
        };
        assert_eq!(method, "workshop.Storehouse.count");
        // The connection is none the worse for it, and the other direction is the same.
        assert_eq!(workshop.add(1, 1).await?, 2);
        let customer: StorehouseClientProxy = pair.peer().await?.proxy();
        assert!(matches!(customer.delivered("wood").await, Err(CallError::UnknownMethod { .. })));
        Ok(())
    })
}

#[test]
fn declared_error_arrives_with_its_fields() -> TestResult {
    run(async {
        let (_pair, workshop, _) = start().await?;
        assert_eq!(workshop.build(OrderId(4)).await?, "a chair with 4 legs");
        let error = declared(workshop.build(OrderId(13)).await)?;
        assert_eq!(error.to_string(), "order 13 is too hard: nobody wants it");
        assert_eq!(error, WorkError::TooHard { order: OrderId(13), reason: "nobody wants it".to_owned() });
        // As a program would write it.
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
        let (_pair, workshop, _) = start().await?;
        let runtime = tokio::runtime::Handle::current();
        let thread = std::thread::spawn(move || runtime.block_on(workshop.add(20, 22)));
        let sum = tokio::task::spawn_blocking(move || thread.join()).await?;
        assert_eq!(sum.map_err(|_panic| "the thread panicked")??, 42);
        Ok(())
    })
}

#[test]
fn server_process_exits_on_request_and_still_replies() -> TestResult {
    run(async {
        let place = Place::new()?;
        let mut process = tokio::process::Command::new(env!("CARGO_BIN_EXE_workshop_server"))
            .arg(place.address())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = process.stdout.take().ok_or("the server has no output")?;
        assert_eq!(BufReader::new(output).lines().next_line().await?.as_deref(), Some("listening"));
        let client = client()?.connect(place.address())?;
        let workshop: WorkshopServerProxy = client.proxy();
        assert_eq!(workshop.add(1, 1).await?, 2);

        let ignored = tokio::spawn(workshop.shutdown());
        assert!(process.wait().await?.success());
        assert!(matches!(client.closed().await, CloseReason::ClosedByPeer { .. }));
        assert!(!place.socket().exists(), "the socket file is left");
        // Nobody waited for it; it came all the same.
        ignored.await??;
        let late = workshop.add(1, 1).await;
        assert_eq!(late.map_err(|error| error.outcome()), Err(Outcome::NotSent));
        Ok(())
    })
}

#[test]
fn server_calls_a_client_as_soon_as_it_connects() -> TestResult {
    run(async {
        let place = Place::new()?;
        let server = server()?.register(Workshop::server(Bench::default())).listen(place.address()).await?;
        let (answered, mut answers) = Heard::new();
        let mut peers = server.peers();
        tokio::spawn(async move {
            while let Some(peer) = peers.next().await {
                let customer: WorkshopClientProxy = peer.proxy();
                let _ = customer.on_greeting("welcome").await;
                answered.tell(customer.answer("coffee").await);
            }
        });
        let mut clients: Vec<Client> = Vec::new();
        for name in ["Ada", "Bob"] {
            let (teller, mut heard) = Heard::new();
            let customer = Workshop::client(Customer::new(name, teller));
            clients.push(client()?.register(customer).connect(place.address())?);
            assert_eq!(heard.next().await?, "welcome");
            assert_eq!(answers.next().await??, format!("{name} wants no coffee"));
        }
        Ok(())
    })
}

#[test]
fn call_works_awaited_with_callback_and_blocking() -> TestResult {
    run(async {
        let (_pair, workshop, _) = start().await?;
        let awaited = workshop.my_function(21).await?;

        let (teller, mut heard) = Heard::new();
        let callback = move |result| teller.tell(result);
        let call = workshop.my_function(21);
        tokio::spawn(async move { callback(call.await) });
        let called_back = heard.next().await??;

        let runtime = tokio::runtime::Handle::current();
        let blocking = tokio::task::spawn_blocking(move || runtime.block_on(workshop.my_function(21)));
        assert_eq!((awaited, called_back, blocking.await??), (42, 42, 42));
        Ok(())
    })
}

#[test]
fn reconnecting_client_waits_for_its_server_to_start() -> TestResult {
    run(async {
        let place = Place::new()?;
        let hasty = client()?.connect(place.address())?;
        assert!(matches!(hasty.ready().await, Err(ConnectError::Transport(_))), "there is a server already");

        let (teller, mut heard) = Heard::new();
        let patient = client()?
            .register(Workshop::client(Customer::new("Ada", teller)))
            .reconnect(Backoff::default())
            .connect(place.address())?;
        let workshop: WorkshopServerProxy = patient.proxy();
        let early = tokio::spawn(workshop.add(1, 2));
        let server = server()?.register(Workshop::server(Bench::default())).listen(place.address()).await?;
        assert_eq!(early.await??, 3);
        patient.ready().await?;
        let peer = server.peers().next().await.ok_or("the client is there")?;
        peer.proxy::<WorkshopClientProxy>().on_greeting("at last").await?;
        assert_eq!(heard.next().await?, "at last");
        Ok(())
    })
}

#[test]
fn arguments_are_positional_or_named_options() -> TestResult {
    run(async {
        let (_pair, workshop, _) = start().await?;
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
        let (_pair, workshop, _) = start().await?;
        assert_eq!(workshop.my_function(-3).await?, -6);
        Ok(())
    })
}
