//! Interceptors: each sees every call of its direction begin and end, once, and may refuse it before it is run.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use kaa_rpc_runtime::{
    CallEnd, CallError, Direction, Interceptor, KeyId, Metadata, ObservedCall, Outcome, Refusal,
};

use crate::support::raw::{self, Raw};
use crate::support::*;

/// Writes down what it sees, under a name.
#[derive(Clone)]
struct Witness {
    name: &'static str,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Witness {
    fn new() -> Self {
        Self { name: "", seen: Arc::default() }
    }

    fn named(&self, name: &'static str) -> Self {
        Self { name, seen: Arc::clone(&self.seen) }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl Interceptor for Witness {
    fn before(&self, call: &mut ObservedCall) -> Result<(), Refusal> {
        let direction = call.direction().as_str();
        self.seen.lock().unwrap().push(format!("{}{direction} {}", self.name, call.method().id));
        Ok(())
    }

    fn after(&self, call: &ObservedCall, end: CallEnd, _took: Duration) {
        self.seen.lock().unwrap().push(format!("{}{end} {}", self.name, call.method().id));
    }
}

/// Refuses calls whose metadata does not say who calls; tells the handler.
struct Doorkeeper;

impl Interceptor for Doorkeeper {
    fn before(&self, call: &mut ObservedCall) -> Result<(), Refusal> {
        let Some("swordfish") = call.metadata().text("word") else {
            return Err(Refusal::new("say the word"));
        };
        assert!(call.peer_information().is_some_and(|information| information.key_id == KeyId::default()));
        call.metadata_mut().insert("guest", "welcome").unwrap();
        Ok(())
    }
}

/// Says the word.
struct Guest;

impl Interceptor for Guest {
    fn before(&self, call: &mut ObservedCall) -> Result<(), Refusal> {
        assert_eq!(call.direction(), Direction::Outbound);
        call.metadata_mut().insert("word", "swordfish").map_err(|error| Refusal::new(error.to_string()))
    }
}

#[tokio::test]
async fn both_ends_see_every_call_and_how_it_ended() {
    let (at_client, at_server) = (Witness::new(), Witness::new());
    let pair = Pair::with(
        |server| server.intercept_inbound(at_server.clone()),
        |client| client.intercept_outbound(at_client.clone()),
    )
    .await;
    within(ask::<ECHO>(&pair.peer, "x")).await.unwrap();
    within(ask::<FAULT>(&pair.peer, "x")).await.unwrap_err();
    within(ask::<PANIC>(&pair.peer, "as the test wants it")).await.unwrap_err();
    within(ask::<UNBOUND>(&pair.peer, "too long")).await.unwrap_err();
    within(ask::<HURRIED>(&pair.peer, "x")).await.unwrap_err();
    pair.at_server.until(|counts| counts.dropped == 1).await;
    let mut call = ask::<WAIT>(&pair.peer, "x");
    assert!(poll_once(&mut call).await.is_pending());
    pair.at_server.until(|counts| counts.started == 2).await;
    drop(call);
    pair.at_server.until(|counts| counts.dropped == 2).await;
    within(tell::<NOTE>(&pair.peer, "x")).await.unwrap();
    within(ask::<ECHO>(&pair.peer, "x")).await.unwrap();
    let expected = |direction: &str| -> Vec<String> {
        let mut expected = Vec::new();
        for (id, end) in [
            (ECHO, "ok"),
            (FAULT, "fault"),
            (PANIC, "fault"),
            (UNBOUND, "fault"),
            (HURRIED, "deadline_exceeded"),
            (WAIT, "cancelled"),
            (NOTE, "ok"),
            (ECHO, "ok"),
        ] {
            expected.extend([format!("{direction} {id}"), format!("{end} {id}")]);
        }
        expected
    };
    assert_eq!(at_client.seen(), expected("outbound"));
    assert_eq!(at_server.seen(), expected("inbound"));
}

#[tokio::test]
async fn a_refused_call_is_not_run_and_its_caller_is_told_why() {
    let pair = Pair::with(|server| server.intercept_inbound(Doorkeeper), |client| client).await;
    let error = within(ask::<RECORD>(&pair.peer, "x")).await.unwrap_err();
    assert_eq!(error, CallError::Refused("say the word".to_owned()));
    assert_eq!(error.outcome(), Outcome::NotSent);
    assert_eq!(error.to_string(), "the call was refused: say the word");
    assert!(pair.at_server.ledger().is_empty());
    let word = Metadata::new().with("word", "swordfish").unwrap();
    let guest = within(ask::<METADATA>(&pair.peer, "guest").metadata(word)).await;
    assert_eq!(guest, Ok("welcome".to_owned()), "what an interceptor sets reaches the handler");
}

#[tokio::test]
async fn an_outbound_interceptor_sets_metadata_and_may_refuse() {
    let pair =
        Pair::with(|server| server.intercept_inbound(Doorkeeper), |client| client.intercept_outbound(Guest))
            .await;
    within(ask::<RECORD>(&pair.peer, "x")).await.unwrap();
    within(tell::<NOTE>(&pair.peer, "y")).await.unwrap();
    pair.at_server.until_recorded(2).await;
    let pair = Pair::with(|server| server, |client| client.intercept_outbound(Doorkeeper)).await;
    let error = within(ask::<RECORD>(&pair.peer, "x")).await.unwrap_err();
    assert_eq!(error, CallError::Refused("say the word".to_owned()));
    assert!(pair.at_server.ledger().is_empty());
    assert_eq!(pair.peer.statistics().calls_made, 0);
}

#[tokio::test]
async fn interceptors_nest_and_those_before_a_refusal_are_told_it() {
    let witness = Witness::new();
    let pair = Pair::with(
        |server| {
            server
                .intercept_inbound(witness.named("a "))
                .intercept_inbound(witness.named("b "))
                .intercept_inbound(Doorkeeper)
                .intercept_inbound(witness.named("never "))
        },
        |client| client,
    )
    .await;
    within(ask::<ECHO>(&pair.peer, "x")).await.unwrap_err();
    assert_eq!(witness.seen(), ["a inbound 1", "b inbound 1", "b refused 1", "a refused 1"]);
}

#[tokio::test]
async fn a_lost_connection_is_an_end_of_its_calls() {
    let (at_client, at_server) = (Witness::new(), Witness::new());
    let pair = Pair::with(
        |server| server.intercept_inbound(at_server.clone()),
        |client| client.intercept_outbound(at_client.clone()),
    )
    .await;
    let mut call = ask::<WAIT>(&pair.peer, "x");
    assert!(poll_once(&mut call).await.is_pending());
    pair.at_server.until(|counts| counts.started == 1).await;
    pair.back().await.close();
    within(call).await.unwrap_err();
    assert_eq!(at_client.seen(), ["outbound 3", "disconnected 3"]);
    pair.at_server.until(|counts| counts.dropped == 1).await;
    while at_server.seen().len() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(at_server.seen(), ["inbound 3", "disconnected 3"]);
}

/// Panics wherever it is asked.
struct Bomb;

impl Interceptor for Bomb {
    fn before(&self, call: &mut ObservedCall) -> Result<(), Refusal> {
        assert!(call.metadata().value("bomb").is_none(), "an interceptor's panic, as the test wants it");
        Ok(())
    }

    fn after(&self, _call: &ObservedCall, _end: CallEnd, _took: Duration) {
        panic!("an interceptor's panic, as the test wants it");
    }
}

#[tokio::test]
async fn an_interceptors_panic_goes_no_further_than_its_call() {
    let pair = Pair::with(|server| server.intercept_inbound(Bomb), |client| client).await;
    let bomb = Metadata::new().with("bomb", "").unwrap();
    let error = within(ask::<ECHO>(&pair.peer, "x").metadata(bomb)).await.unwrap_err();
    assert!(matches!(error, CallError::Fault(_)), "{error:?}");
    pair.lives().await;
}

#[tokio::test]
async fn those_before_one_that_panics_are_told_an_end() {
    let (at_client, at_server) = (Witness::new(), Witness::new());
    let pair = Pair::with(
        |server| server.intercept_inbound(at_server.clone()).intercept_inbound(Bomb),
        |client| client,
    )
    .await;
    let bomb = Metadata::new().with("bomb", "").unwrap();
    within(ask::<ECHO>(&pair.peer, "x").metadata(bomb.clone())).await.unwrap_err();
    assert_eq!(at_server.seen(), ["inbound 1", "fault 1"]);
    let pair = Pair::with(
        |server| server,
        |client| client.intercept_outbound(at_client.clone()).intercept_outbound(Bomb),
    )
    .await;
    let call = ask::<ECHO>(&pair.peer, "x").metadata(bomb);
    assert!(within(tokio::spawn(call.into_future())).await.unwrap_err().is_panic());
    assert_eq!(at_client.seen(), ["outbound 1", "cancelled 1"]);
}

#[tokio::test]
async fn a_refusal_stands_on_the_wire_as_specified() {
    let (_server, _world, place) = server_with(|server| server.intercept_inbound(Doorkeeper)).await;
    let mut peer = Raw::connect(&place.path()).await;
    peer.send(raw::call(1, ECHO, "x")).await;
    let reply = peer.next(raw::REPLY).await;
    assert_eq!((reply.detail, reply.text()), (raw::REFUSED, "say the word".to_owned()));
}
