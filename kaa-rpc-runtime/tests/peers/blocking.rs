//! Programs without async call and serve like others. The runtime's thread never waits for them.

use kaa_rpc_test_support::assert_matches;
use std::sync::Arc;
use std::time::Duration;

use kaa_rpc_runtime::codegen::*;
use kaa_rpc_runtime::{
    CallError, Client, ClientEvent, ClientStatus, CloseReason, Server, ServerEvent, blocking,
};

use kaa_rpc_test_support::secret;
use kaa_rpc_test_support::sockets::SocketDirectory;
use kaa_rpc_test_support::texts::*;

const GRACE: Duration = Duration::from_secs(10);

/// A server and a client of it, whose handlers may block, and the state of the server's handlers.
fn pair() -> (blocking::Server, blocking::Client, Arc<ServiceState>, SocketDirectory) {
    let (socket, server_state, client_state) =
        (SocketDirectory::new(), ServiceState::new(), ServiceState::new());
    let service = Service::shared(&DESCRIPTOR, Arc::clone(&server_state), |state, call| {
        serve::<ClientProxy>(state, call)
    });
    let server = Server::builder()
        .secret(secret())
        .register(service.blocking())
        .listen_blocking(socket.address().as_str())
        .unwrap();
    let service = Service::shared(&DESCRIPTOR, client_state, |state, call| serve::<ServerProxy>(state, call));
    let client = Client::builder()
        .secret(secret())
        .register(service.blocking())
        .connect_blocking(socket.address().as_str())
        .unwrap();
    client.ready().unwrap();
    (server, client, server_state, socket)
}

#[test]
fn blocking_calls_work_in_both_directions() {
    let (server, client, _state, _socket) = pair();
    assert_eq!(call_method::<ECHO>(&client.peer(), "hi").wait(), Ok("hi".to_owned()));
    let client_peer = server.peers().next().unwrap();
    assert_eq!(call_method::<ECHO>(&client_peer, "hello").wait(), Ok("hello".to_owned()));
    call_oneway::<NOTE>(&client.peer(), "oneway").wait().unwrap();
    let fault = call_method::<FAULT>(&client.peer(), "no").wait();
    assert_eq!(fault, Err(CallError::Fault("no".to_owned())));
    let late = call_method::<WAIT>(&client.peer(), "x").timeout(Duration::from_millis(30)).wait();
    assert!(matches!(late, Err(CallError::DeadlineExceeded { .. })), "{late:?}");
}

/// If both ends shared one thread, this would deadlock.
#[test]
fn blocking_handler_calls_its_caller() {
    let (_server, client, _state, _socket) = pair();
    assert_eq!(call_method::<CALL_BACK_BLOCKING>(&client.peer(), "nested").wait(), Ok("nested".to_owned()));
}

#[test]
fn blocked_handlers_do_not_delay_other_calls() {
    let (_server, client, state, _socket) = pair();
    let held: Vec<_> = (0..3).map(|_| client.peer()).collect();
    std::thread::scope(|scope| {
        for peer in held {
            scope.spawn(move || call_method::<BLOCK_THREAD>(&peer, "held").wait().unwrap());
        }
        blocking::wait(state.until_started(3)).unwrap();
        assert_eq!(call_method::<ECHO>(&client.peer(), "free").wait(), Ok("free".to_owned()));
        state.gate.add_permits(3);
    });
}

#[test]
fn blocking_waits_cover_events_peers_and_shutdown() {
    let (server, client, _state, _socket) = pair();
    let mut events = client.events();
    let event = events.next();
    assert!(matches!(event, Some(ClientEvent::Connecting { attempt: 1 })), "{event:?}");
    let event = events.next();
    assert!(matches!(event, Some(ClientEvent::Connected(_))), "{event:?}");
    let event = server.events().next();
    assert!(matches!(event, Some(ServerEvent::Connected(_))), "{event:?}");
    assert_eq!(server.connections(), 1);
    assert_eq!(client.status(), ClientStatus::Connected);
    assert_eq!(server.shutdown(GRACE).aborted, 0);
    let reason = client.closed();
    assert!(matches!(reason, CloseReason::ClosedByPeer { .. }), "{reason:?}");
    let error = call_method::<ECHO>(&client.peer(), "x").wait().unwrap_err();
    assert!(matches!(error, CallError::Disconnected { .. }), "{error:?}");
    assert_eq!(client.shutdown(GRACE).connections, 0);
    assert_matches!(server.peers().next(), None);
}

#[test]
#[should_panic(expected = "runtime")]
fn blocking_wait_in_async_panics() {
    let (_server, client, _state, _socket) = pair();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let _never = runtime.block_on(async { call_method::<ECHO>(&client.peer(), "x").wait() });
}
