//! Both sides call each other, alone and in crowds, with small and large messages.

use std::time::Duration;

use kaa_rpc_runtime::{CallError, Outcome};

use crate::support::*;

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_call_each_other() {
    let pair = Pair::new().await;
    assert_eq!(within(ask::<ECHO>(&pair.peer, "hi")).await, Ok("hi".to_owned()));
    assert_eq!(within(ask::<ASK>(&pair.peer, "hi")).await, Ok("hi, says the caller".to_owned()));
    let back = pair.back().await;
    assert_eq!(within(ask::<ECHO>(&back, "hello")).await, Ok("hello".to_owned()));
    let report = within(pair.server.shutdown(Duration::from_secs(5))).await;
    assert_eq!((report.connections, report.aborted), (1, 0));
    assert_eq!(lost(within(ask::<ECHO>(&pair.peer, "hi")).await), Outcome::NotSent);
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
                assert_eq!(ask::<ECHO>(&peer, text.clone()).await, Ok(text));
            }
        });
    }
    within(callers.join_all()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_megabyte_goes_both_ways() {
    let pair = Pair::new().await;
    let text = "x".repeat(1 << 20);
    for _ in 0..4 {
        assert_eq!(within(ask::<ECHO>(&pair.peer, text.clone())).await, Ok(text.clone()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_method_is_told_by_name() {
    let pair = Pair::new().await;
    let error = within(ask::<NOBODYS>(&pair.peer, "")).await.unwrap_err();
    assert_eq!(error, CallError::UnknownMethod { method: "test.World.method".to_owned() });
    pair.lives().await;
}
