//! Both sides call each other, with one caller and with many, with small and large messages.

use std::time::Duration;

use kaa_rpc_runtime::{CallError, Outcome};

use kaa_rpc_test_support::texts::*;
use kaa_rpc_test_support::waiting::*;

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_call_each_other() {
    let pair = Pair::new().await;
    assert_eq!(within("the reply to ECHO", call_method::<ECHO>(&pair.peer, "hi")).await, Ok("hi".to_owned()));
    assert_eq!(
        within("the reply to CALL_BACK", call_method::<CALL_BACK>(&pair.peer, "hi")).await,
        Ok("hi from the caller".to_owned())
    );
    let client_peer = pair.client_peer().await;
    assert_eq!(
        within("the reply to ECHO", call_method::<ECHO>(&client_peer, "hello")).await,
        Ok("hello".to_owned())
    );
    let report = within("the server to shut down", pair.server.shutdown(Duration::from_secs(5))).await;
    assert_eq!((report.connections, report.aborted), (1, 0));
    assert_eq!(
        disconnected(within("the reply to ECHO", call_method::<ECHO>(&pair.peer, "hi")).await),
        Outcome::NotSent
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_callers_share_a_connection() {
    let pair = Pair::new().await;
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..600 {
        let peer = pair.peer.clone();
        callers.spawn(async move {
            for round in 0..20 {
                let text = format!("{caller}/{round}");
                assert_eq!(call_method::<ECHO>(&peer, text.clone()).await, Ok(text));
            }
        });
    }
    within("all callers", callers.join_all()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn megabyte_is_echoed() {
    let pair = Pair::new().await;
    let text = "x".repeat(1 << 20);
    for _ in 0..4 {
        assert_eq!(
            within("the reply to ECHO", call_method::<ECHO>(&pair.peer, text.clone())).await,
            Ok(text.clone())
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_method_error_has_its_name() {
    let pair = Pair::new().await;
    let error = within("the reply to UNKNOWN", call_method::<UNKNOWN>(&pair.peer, "")).await.unwrap_err();
    assert_eq!(error, CallError::UnknownMethod { method: "test.Texts.method".to_owned() });
    pair.assert_responds().await;
}
