//! A client as a `tower::Service`: it is ready while it is connected, so that a balancer can choose another
//! one.

use std::task::{Context, Poll, Waker};

use kaa_rpc_runtime::tower::{Invocation, ProxyService};
use kaa_rpc_runtime::{Backoff, CallError, Method, Outcome, Proxy};
use tower_service::Service;

use kaa_rpc_test_support::scripted::{ScriptedPeer, frames};
use kaa_rpc_test_support::sockets::SocketDirectory;
use kaa_rpc_test_support::texts::*;
use kaa_rpc_test_support::waiting::*;

type Echo = Invocation<TextCall<ECHO>>;
type Idempotent = Invocation<TextCall<IDEMPOTENT>>;

fn poll_ready(service: &mut ProxyService<ServerProxy>) -> Poll<Result<(), CallError>> {
    <ProxyService<ServerProxy> as Service<Echo>>::poll_ready(service, &mut Context::from_waker(Waker::noop()))
}

async fn ready(service: &mut ProxyService<ServerProxy>) -> Result<(), CallError> {
    let ready =
        std::future::poll_fn(|context| <ProxyService<_> as Service<Echo>>::poll_ready(service, context));
    within("the service to be ready", ready).await
}

#[tokio::test]
async fn service_calls_closures_and_invocations() {
    let mut pair = Pair::new().await;
    let client = std::mem::replace(&mut pair.client, client_of(&pair.socket));
    let mut service = ProxyService::<ServerProxy>::new(client);
    ready(&mut service).await.unwrap();
    let closure = |proxy: ServerProxy| call_method::<ECHO>(proxy.peer(), "closure");
    assert_eq!(within("the call", service.call(closure)).await, Ok("closure".to_owned()));
    let request: Echo = Invocation(TextCall("invocation".to_owned()));
    ready(&mut service).await.unwrap();
    assert_eq!(within("the call", service.call(request.clone())).await, Ok("invocation".to_owned()));
    let mut clone = service.clone();
    drop(service);
    ready(&mut clone).await.unwrap();
    assert_eq!(within("the call", clone.call(request)).await, Ok("invocation".to_owned()));
}

#[tokio::test]
async fn service_is_ready_while_connected() {
    let socket = SocketDirectory::new();
    let listener = socket.listener();
    let client = client_builder(&ServiceState::new()).reconnect(Backoff::default());
    let mut service = ProxyService::<ServerProxy>::new(client.connect(socket.address().as_str()).unwrap());
    let readiness = poll_ready(&mut service);
    assert!(readiness.is_pending(), "ready while connecting: {readiness:?}");
    let mut first = ScriptedPeer::accept(&listener).await;
    ready(&mut service).await.unwrap();
    let request: Idempotent = Invocation(TextCall("lost".to_owned()));
    const { assert!(<TextCall<IDEMPOTENT> as Method>::DESCRIPTOR.idempotent) };
    let call = tokio::spawn(service.call(request));
    first.next(frames::CALL).await;
    drop(first);
    assert_eq!(
        disconnected(within("the call", call).await.unwrap()),
        Outcome::Unknown,
        "the call waited for the next connection"
    );
    let readiness = poll_ready(&mut service);
    assert!(readiness.is_pending(), "ready while reconnecting: {readiness:?}");
    let _second = ScriptedPeer::accept(&listener).await;
    ready(&mut service).await.unwrap();
}

#[tokio::test]
async fn loss_between_ready_and_call_is_not_sent() {
    let socket = SocketDirectory::new();
    let listener = socket.listener();
    let client = client_builder(&ServiceState::new()).reconnect(Backoff::default());
    let mut service = ProxyService::<ServerProxy>::new(client.connect(socket.address().as_str()).unwrap());
    let server = ScriptedPeer::accept(&listener).await;
    ready(&mut service).await.unwrap();
    drop((server, listener));
    eventually("the service to lose readiness", || poll_ready(&mut service), Poll::is_pending).await;
    let request: Echo = Invocation(TextCall("late".to_owned()));
    assert_eq!(disconnected(within("the call", service.call(request)).await), Outcome::NotSent);
}

#[tokio::test]
async fn closed_client_makes_readiness_fail() {
    let socket = SocketDirectory::new();
    let client = client_of(&socket);
    let mut service = ProxyService::<ServerProxy>::new(client);
    let error = ready(&mut service).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent);
}
