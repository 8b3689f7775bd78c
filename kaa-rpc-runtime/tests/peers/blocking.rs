//! Programs without async call and serve as others do; the thread that works for them never waits for them.

use std::sync::Arc;
use std::time::Duration;

use kaa_rpc_runtime::codegen::*;
use kaa_rpc_runtime::{
    CallError, Client, ClientEvent, ClientStatus, CloseReason, Server, ServerEvent, blocking,
};

use crate::support::*;

const GRACE: Duration = Duration::from_secs(10);

/// A server and a client of it, whose handlers may block, and what the server's do.
fn pair() -> (blocking::Server, blocking::Client, Arc<World>, Place) {
    let (place, at_server, at_client) = (Place::new(), World::new(), World::new());
    let service =
        Service::shared(&DESCRIPTOR, Arc::clone(&at_server), |world, call| serve::<ClientProxy>(world, call));
    let server = Server::builder()
        .secret(secret())
        .register(service.blocking())
        .listen_blocking(place.address().as_str())
        .unwrap();
    let service = Service::shared(&DESCRIPTOR, at_client, |world, call| serve::<ServerProxy>(world, call));
    let client = Client::builder()
        .secret(secret())
        .register(service.blocking())
        .connect_blocking(place.address().as_str())
        .unwrap();
    client.ready().unwrap();
    (server, client, at_server, place)
}

#[test]
fn calls_go_both_ways_without_async() {
    let (server, client, _world, _place) = pair();
    assert_eq!(ask::<ECHO>(&client.peer(), "there").wait(), Ok("there".to_owned()));
    let back = server.peers().next().unwrap();
    assert_eq!(ask::<ECHO>(&back, "and back").wait(), Ok("and back".to_owned()));
    tell::<NOTE>(&client.peer(), "oneway").wait().unwrap();
    let fault = ask::<FAULT>(&client.peer(), "no").wait();
    assert_eq!(fault, Err(CallError::Fault("no".to_owned())));
    let late = ask::<WAIT>(&client.peer(), "x").timeout(Duration::from_millis(30)).wait();
    assert!(matches!(late, Err(CallError::DeadlineExceeded { .. })));
}

/// On one thread for both ends, this could not be.
#[test]
fn a_handler_that_may_block_calls_its_caller_back() {
    let (_server, client, _world, _place) = pair();
    assert_eq!(ask::<ASK_BLOCKING>(&client.peer(), "nested").wait(), Ok("nested".to_owned()));
}

#[test]
fn a_blocked_handler_holds_up_nobody_else() {
    let (_server, client, world, _place) = pair();
    let held: Vec<_> = (0..3).map(|_| client.peer()).collect();
    std::thread::scope(|scope| {
        for peer in held {
            scope.spawn(move || ask::<HOLD>(&peer, "held").wait().unwrap());
        }
        blocking::wait(world.until(|counts| counts.started == 3)).unwrap();
        assert_eq!(ask::<ECHO>(&client.peer(), "free").wait(), Ok("free".to_owned()));
        world.gate.add_permits(3);
    });
}

#[test]
fn events_peers_and_ends_are_waited_for() {
    let (server, client, _world, _place) = pair();
    let mut events = client.events();
    assert!(matches!(events.next(), Some(ClientEvent::Connecting { attempt: 1 })));
    assert!(matches!(events.next(), Some(ClientEvent::Connected(_))));
    assert!(matches!(server.events().next(), Some(ServerEvent::Connected(_))));
    assert_eq!(server.connections(), 1);
    assert_eq!(client.status(), ClientStatus::Connected);
    assert_eq!(server.shutdown(GRACE).aborted, 0);
    assert!(matches!(client.closed(), CloseReason::ClosedByPeer { .. }));
    let error = ask::<ECHO>(&client.peer(), "x").wait().unwrap_err();
    assert!(matches!(error, CallError::Disconnected { .. }));
    assert_eq!(client.shutdown(GRACE).connections, 0);
    assert!(server.peers().next().is_none());
}

#[test]
#[should_panic(expected = "runtime")]
fn waiting_within_async_is_told_at_once() {
    let (_server, client, _world, _place) = pair();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let _never = runtime.block_on(async { ask::<ECHO>(&client.peer(), "x").wait() });
}
