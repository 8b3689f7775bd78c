//! A client as a `tower::Service`: ready while there is a connection, and never in the way of a choice between several.

use std::task::{Context, Poll, Waker};

use kaa_rpc_runtime::tower::{Invocation, ProxyService};
use kaa_rpc_runtime::{Backoff, CallError, Method, Outcome, Proxy};
use tokio::net::UnixListener;
use tower_service::Service;

use crate::support::raw::{self, Raw};
use crate::support::*;

type Echo = Invocation<Ask<ECHO>>;
type Repeatable = Invocation<Ask<REPEATABLE>>;

fn poll_ready(service: &mut ProxyService<ServerProxy>) -> Poll<Result<(), CallError>> {
    <ProxyService<ServerProxy> as Service<Echo>>::poll_ready(service, &mut Context::from_waker(Waker::noop()))
}

async fn ready(service: &mut ProxyService<ServerProxy>) -> Result<(), CallError> {
    within(std::future::poll_fn(|context| <ProxyService<_> as Service<Echo>>::poll_ready(service, context)))
        .await
}

#[tokio::test]
async fn closures_and_invocations_are_called() {
    let mut pair = Pair::new().await;
    let client = std::mem::replace(
        &mut pair.client,
        client_builder(&World::new()).connect(pair.place.address().as_str()).unwrap(),
    );
    let mut service = ProxyService::<ServerProxy>::new(client);
    ready(&mut service).await.unwrap();
    let closure = |proxy: ServerProxy| ask::<ECHO>(proxy.peer(), "closure");
    assert_eq!(within(service.call(closure)).await, Ok("closure".to_owned()));
    let request: Echo = Invocation(Ask("invocation".to_owned()));
    ready(&mut service).await.unwrap();
    assert_eq!(within(service.call(request.clone())).await, Ok("invocation".to_owned()));
    let mut clone = service.clone();
    drop(service);
    ready(&mut clone).await.unwrap();
    assert_eq!(within(clone.call(request)).await, Ok("invocation".to_owned()));
}

#[tokio::test]
async fn it_is_ready_while_there_is_a_connection_and_again_with_the_next() {
    let place = Place::new();
    let listener = UnixListener::bind(place.path()).unwrap();
    let client = client_builder(&World::new()).reconnect(Backoff::default());
    let mut service = ProxyService::<ServerProxy>::new(client.connect(place.address().as_str()).unwrap());
    assert!(poll_ready(&mut service).is_pending(), "it connects");
    let mut first = Raw::accept(&listener).await;
    ready(&mut service).await.unwrap();
    let request: Repeatable = Invocation(Ask("lost".to_owned()));
    const { assert!(<Ask<REPEATABLE> as Method>::DESCRIPTOR.idempotent) };
    let call = tokio::spawn(service.call(request));
    first.next(raw::CALL).await;
    drop(first);
    assert_eq!(
        lost(within(call).await.unwrap()),
        Outcome::Unknown,
        "it does not wait for the next connection"
    );
    assert!(poll_ready(&mut service).is_pending(), "it connects again");
    let _second = Raw::accept(&listener).await;
    ready(&mut service).await.unwrap();
}

#[tokio::test]
async fn between_ready_and_call_a_loss_is_told_as_not_sent() {
    let place = Place::new();
    let listener = UnixListener::bind(place.path()).unwrap();
    let client = client_builder(&World::new()).reconnect(Backoff::default());
    let mut service = ProxyService::<ServerProxy>::new(client.connect(place.address().as_str()).unwrap());
    let server = Raw::accept(&listener).await;
    ready(&mut service).await.unwrap();
    drop((server, listener));
    within(async {
        while poll_ready(&mut service).is_ready() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let request: Echo = Invocation(Ask("late".to_owned()));
    assert_eq!(lost(within(service.call(request)).await), Outcome::NotSent);
}

#[tokio::test]
async fn over_for_good_is_an_error() {
    let place = Place::new();
    let client = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    let mut service = ProxyService::<ServerProxy>::new(client);
    let error = ready(&mut service).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent);
}
