//! Where handlers run: in the connection's task, in their own tasks, or on threads that may block. On a
//! runtime with one thread, tasks start in the order of the calls.

use std::sync::Arc;

use kaa_rpc_runtime::codegen::*;
use kaa_rpc_runtime::{Server, ServerBuilder};

use kaa_rpc_test_support::secret;
use kaa_rpc_test_support::sockets::SocketDirectory;
use kaa_rpc_test_support::texts::*;
use kaa_rpc_test_support::waiting::*;

fn server(
    state: &Arc<ServiceState>,
    placement: impl FnOnce(Service<role::Server>) -> Service<role::Server>,
) -> ServerBuilder {
    let service =
        Service::shared(&DESCRIPTOR, Arc::clone(state), |state, call| serve::<ClientProxy>(state, call));
    Server::builder().secret(secret()).register(placement(service))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spawned_handler_does_not_block_connection() {
    let (state, socket) = (ServiceState::new(), SocketDirectory::new());
    let _server = server(&state, Service::spawned).listen(socket.address().as_str()).await.unwrap();
    let client = client_of(&socket);
    let mut held = call_method::<BLOCK_THREAD>(&client.peer(), "computes");
    start(&mut held).await;
    state.until_started(1).await;
    let peer = client.peer();
    let echo = tokio::spawn(async move { call_method::<ECHO>(&peer, "x").await });
    within("the task `echo`", echo).await.unwrap().unwrap();
    state.gate.add_permits(1);
    within("the call `held`", held).await.unwrap();
}

#[tokio::test]
async fn spawned_handlers_start_in_order_on_one_thread() {
    let (state, socket) = (ServiceState::new(), SocketDirectory::new());
    let _server = server(&state, Service::spawned).listen(socket.address().as_str()).await.unwrap();
    let client = client_of(&socket);
    let expected: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    all(expected.iter().map(|number| call_method::<RECORD>(&client.peer(), number)).collect()).await;
    assert_eq!(state.records(), expected);
}

#[tokio::test]
async fn blocking_handler_is_cancelled_at_await() {
    let (state, socket) = (ServiceState::new(), SocketDirectory::new());
    let _server = server(&state, Service::blocking).listen(socket.address().as_str()).await.unwrap();
    let client = client_of(&socket);
    let mut call = call_method::<WAIT>(&client.peer(), "x");
    start(&mut call).await;
    state.until_started(1).await;
    drop(call);
    state.until_dropped(1).await;
    let error =
        within("the reply to PANIC", call_method::<PANIC>(&client.peer(), "a panic that the test expects"))
            .await
            .unwrap_err();
    assert!(matches!(error, kaa_rpc_runtime::CallError::Fault(_)), "{error:?}");
    assert_responds(&client.peer()).await;
}
