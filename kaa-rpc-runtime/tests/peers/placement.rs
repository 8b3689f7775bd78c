//! Where handlers run: in place, as tasks, or on threads that may block. Tasks start as the runtime has it: in the order of
//! the calls, where it has one thread.

use std::sync::Arc;

use kaa_rpc_runtime::codegen::*;
use kaa_rpc_runtime::{Server, ServerBuilder};

use crate::support::*;

fn server(
    world: &Arc<World>,
    place: impl FnOnce(Service<role::Server>) -> Service<role::Server>,
) -> ServerBuilder {
    let service =
        Service::shared(&DESCRIPTOR, Arc::clone(world), |world, call| serve::<ClientProxy>(world, call));
    Server::builder().secret(secret()).register(place(service))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spawned_handler_that_computes_holds_its_connection_up_no_longer() {
    let (world, place) = (World::new(), Place::new());
    let _server = server(&world, Service::spawned).listen(place.address().as_str()).await.unwrap();
    let client = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    let mut held = ask::<HOLD>(&client.peer(), "computes");
    assert!(poll_once(&mut held).await.is_pending());
    world.until(|counts| counts.started == 1).await;
    let peer = client.peer();
    let echo = tokio::spawn(async move { ask::<ECHO>(&peer, "x").await });
    within(echo).await.unwrap().unwrap();
    world.gate.add_permits(1);
    within(held).await.unwrap();
}

#[tokio::test]
async fn spawned_handlers_start_in_order_on_one_thread() {
    let (world, place) = (World::new(), Place::new());
    let _server = server(&world, Service::spawned).listen(place.address().as_str()).await.unwrap();
    let client = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    let expected: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    all(expected.iter().map(|number| ask::<RECORD>(&client.peer(), number)).collect()).await;
    assert_eq!(world.ledger(), expected);
}

#[tokio::test]
async fn a_blocking_handler_is_cancelled_where_it_awaits() {
    let (world, place) = (World::new(), Place::new());
    let _server = server(&world, Service::blocking).listen(place.address().as_str()).await.unwrap();
    let client = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    let mut call = ask::<WAIT>(&client.peer(), "x");
    assert!(poll_once(&mut call).await.is_pending());
    world.until(|counts| counts.started == 1).await;
    drop(call);
    world.until(|counts| counts.dropped == 1).await;
    let error = within(ask::<PANIC>(&client.peer(), "as the test wants it")).await.unwrap_err();
    assert!(matches!(error, kaa_rpc_runtime::CallError::Fault(_)));
    lives(&client.peer()).await;
}
