//! Interceptors: each sees the start and the end of every call of its direction once, and may refuse a call
//! before it is run.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use kaa_rpc_runtime::{
    CallEnd, CallError, Direction, Interceptor, KeyId, Metadata, ObservedCall, Outcome, Refusal,
};

use kaa_rpc_test_support::scripted::frames;
use kaa_rpc_test_support::texts::*;
use kaa_rpc_test_support::waiting::*;

/// Records what it sees, with its name.
#[derive(Clone)]
struct Recorder {
    name: &'static str,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    fn new() -> Self {
        Self { name: "", seen: Arc::default() }
    }

    fn named(&self, name: &'static str) -> Self {
        Self { name, seen: Arc::clone(&self.seen) }
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// Waits until it has seen as many starts and ends: a peer may reply before its interceptors see the end.
    async fn assert_sees(&self, expected: &[impl AsRef<str>]) {
        let count = expected.len();
        eventually("the interceptor to see the calls", || self.seen(), |seen| seen.len() >= count).await;
        assert_eq!(self.seen(), expected.iter().map(AsRef::as_ref).collect::<Vec<_>>());
    }
}

impl Interceptor for Recorder {
    fn before(&self, call: &mut ObservedCall) -> Result<(), Refusal> {
        let direction = call.direction().as_str();
        self.seen.lock().unwrap().push(format!("{}{direction} {}", self.name, call.method().id));
        Ok(())
    }

    fn after(&self, call: &ObservedCall, end: CallEnd, _took: Duration) {
        self.seen.lock().unwrap().push(format!("{}{end} {}", self.name, call.method().id));
    }
}

/// Refuses calls without a password in their metadata, and adds metadata for the handler.
struct RequirePassword;

impl Interceptor for RequirePassword {
    fn before(&self, call: &mut ObservedCall) -> Result<(), Refusal> {
        let Some("swordfish") = call.metadata().text("password") else {
            return Err(Refusal::new("wrong password"));
        };
        let key_id = call.peer_information().map(|information| information.key_id.clone());
        assert_eq!(key_id, Some(KeyId::default()));
        call.metadata_mut().insert("user", "accepted").unwrap();
        Ok(())
    }
}

/// Adds the password.
struct AddPassword;

impl Interceptor for AddPassword {
    fn before(&self, call: &mut ObservedCall) -> Result<(), Refusal> {
        assert_eq!(call.direction(), Direction::Outbound);
        call.metadata_mut().insert("password", "swordfish").map_err(|error| Refusal::new(error.to_string()))
    }
}

#[tokio::test(start_paused = true)]
async fn interceptors_see_start_and_end_of_every_call() {
    let (client_recorder, server_recorder) = (Recorder::new(), Recorder::new());
    let pair = Pair::in_memory(
        |server| server.intercept_inbound(server_recorder.clone()),
        |client| client.intercept_outbound(client_recorder.clone()),
    )
    .await;
    within("the reply to ECHO", call_method::<ECHO>(&pair.peer, "x")).await.unwrap();
    within("the reply to FAULT", call_method::<FAULT>(&pair.peer, "x")).await.unwrap_err();
    within("the reply to PANIC", call_method::<PANIC>(&pair.peer, "a panic that the test expects"))
        .await
        .unwrap_err();
    within("the reply to OVER_BOUND", call_method::<OVER_BOUND>(&pair.peer, "too long")).await.unwrap_err();
    within("the reply to SHORT_TIMEOUT", call_method::<SHORT_TIMEOUT>(&pair.peer, "x")).await.unwrap_err();
    pair.server_state.until_dropped(1).await;
    let mut call = call_method::<WAIT>(&pair.peer, "x");
    start(&mut call).await;
    pair.server_state.until_started(2).await;
    drop(call);
    pair.server_state.until_dropped(2).await;
    within("NOTE to be sent", call_oneway::<NOTE>(&pair.peer, "x")).await.unwrap();
    within("the reply to ECHO", call_method::<ECHO>(&pair.peer, "x")).await.unwrap();
    let expected = |direction: &str| -> Vec<String> {
        let mut expected = Vec::new();
        for (id, end) in [
            (ECHO, "ok"),
            (FAULT, "fault"),
            (PANIC, "fault"),
            (OVER_BOUND, "fault"),
            (SHORT_TIMEOUT, "deadline_exceeded"),
            (WAIT, "cancelled"),
            (NOTE, "ok"),
            (ECHO, "ok"),
        ] {
            expected.extend([format!("{direction} {id}"), format!("{end} {id}")]);
        }
        expected
    };
    client_recorder.assert_sees(&expected("outbound")).await;
    server_recorder.assert_sees(&expected("inbound")).await;
}

#[tokio::test]
async fn refused_call_is_not_run() {
    let pair = Pair::with(|server| server.intercept_inbound(RequirePassword), |client| client).await;
    let error = within("the reply to RECORD", call_method::<RECORD>(&pair.peer, "x")).await.unwrap_err();
    assert_eq!(error, CallError::Refused("wrong password".to_owned()));
    assert_eq!(error.outcome(), Outcome::NotSent);
    assert_eq!(error.to_string(), "the call was refused: wrong password");
    assert_eq!(pair.server_state.records(), [""; 0]);
    let password = Metadata::new().with("password", "swordfish").unwrap();
    let user =
        within("the reply to METADATA", call_method::<METADATA>(&pair.peer, "user").metadata(password)).await;
    assert_eq!(user, Ok("accepted".to_owned()), "the interceptor's metadata reaches the handler");
}

#[tokio::test]
async fn outbound_interceptor_sets_metadata_and_refuses() {
    let pair = Pair::with(
        |server| server.intercept_inbound(RequirePassword),
        |client| client.intercept_outbound(AddPassword),
    )
    .await;
    within("the reply to RECORD", call_method::<RECORD>(&pair.peer, "x")).await.unwrap();
    within("NOTE to be sent", call_oneway::<NOTE>(&pair.peer, "y")).await.unwrap();
    pair.server_state.until_recorded(2).await;
    let pair = Pair::with(|server| server, |client| client.intercept_outbound(RequirePassword)).await;
    let error = within("the reply to RECORD", call_method::<RECORD>(&pair.peer, "x")).await.unwrap_err();
    assert_eq!(error, CallError::Refused("wrong password".to_owned()));
    assert_eq!(pair.server_state.records(), [""; 0]);
    assert_eq!(pair.peer.statistics().calls_made, 0);
}

#[tokio::test]
async fn refusal_ends_earlier_interceptors() {
    let recorder = Recorder::new();
    let pair = Pair::with(
        |server| {
            server
                .intercept_inbound(recorder.named("a "))
                .intercept_inbound(recorder.named("b "))
                .intercept_inbound(RequirePassword)
                .intercept_inbound(recorder.named("never "))
        },
        |client| client,
    )
    .await;
    within("the reply to ECHO", call_method::<ECHO>(&pair.peer, "x")).await.unwrap_err();
    recorder.assert_sees(&["a inbound 1", "b inbound 1", "b refused 1", "a refused 1"]).await;
}

#[tokio::test]
async fn lost_connection_ends_observed_calls() {
    let (client_recorder, server_recorder) = (Recorder::new(), Recorder::new());
    let pair = Pair::with(
        |server| server.intercept_inbound(server_recorder.clone()),
        |client| client.intercept_outbound(client_recorder.clone()),
    )
    .await;
    let mut call = call_method::<WAIT>(&pair.peer, "x");
    start(&mut call).await;
    pair.server_state.until_started(1).await;
    pair.client_peer().await.close();
    within("the call", call).await.unwrap_err();
    client_recorder.assert_sees(&["outbound 3", "disconnected 3"]).await;
    pair.server_state.until_dropped(1).await;
    server_recorder.assert_sees(&["inbound 3", "disconnected 3"]).await;
}

/// Panics at the start of calls with the metadata `panic`, and at the end of all calls.
struct PanickingInterceptor;

impl Interceptor for PanickingInterceptor {
    fn before(&self, call: &mut ObservedCall) -> Result<(), Refusal> {
        assert!(call.metadata().value("panic").is_none(), "a panic that the test expects");
        Ok(())
    }

    fn after(&self, _call: &ObservedCall, _end: CallEnd, _took: Duration) {
        panic!("a panic that the test expects");
    }
}

#[tokio::test]
async fn interceptor_panic_fails_only_its_call() {
    let pair = Pair::with(|server| server.intercept_inbound(PanickingInterceptor), |client| client).await;
    let panicking = Metadata::new().with("panic", "").unwrap();
    let error = within("the reply to ECHO", call_method::<ECHO>(&pair.peer, "x").metadata(panicking))
        .await
        .unwrap_err();
    assert!(matches!(error, CallError::Fault(_)), "{error:?}");
    pair.assert_responds().await;
}

#[tokio::test]
async fn interceptor_panic_ends_earlier_interceptors() {
    let (client_recorder, server_recorder) = (Recorder::new(), Recorder::new());
    let pair = Pair::with(
        |server| server.intercept_inbound(server_recorder.clone()).intercept_inbound(PanickingInterceptor),
        |client| client,
    )
    .await;
    let panicking = Metadata::new().with("panic", "").unwrap();
    within("the reply to ECHO", call_method::<ECHO>(&pair.peer, "x").metadata(panicking.clone()))
        .await
        .unwrap_err();
    server_recorder.assert_sees(&["inbound 1", "fault 1"]).await;
    let pair = Pair::with(
        |server| server,
        |client| client.intercept_outbound(client_recorder.clone()).intercept_outbound(PanickingInterceptor),
    )
    .await;
    let call = call_method::<ECHO>(&pair.peer, "x").metadata(panicking);
    let error = within("the task of the call", tokio::spawn(call.into_future())).await.unwrap_err();
    assert!(error.is_panic(), "{error:?}");
    client_recorder.assert_sees(&["outbound 1", "cancelled 1"]).await;
}

#[tokio::test]
async fn refusal_has_specified_status() {
    let (_server, _state, socket) = server_with(|server| server.intercept_inbound(RequirePassword)).await;
    let mut peer = scripted_client(&socket.path()).await;
    peer.send(frames::call(1, ECHO, "x")).await;
    let reply = peer.next(frames::REPLY).await;
    assert_eq!((reply.detail, reply.text()), (frames::REFUSED, "wrong password".to_owned()));
}
