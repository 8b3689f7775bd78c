//! What a method's attributes promise: `#[timeout]`, `#[detached]`, `#[idempotent]`.

use std::ops::RangeInclusive;
use std::time::Duration;

use kaa_rpc_runtime::{Call, CallError, Method, Outcome};

use crate::support::*;

/// The seconds that a call's handler was told it has.
async fn seconds<M>(call: Call<M>) -> Option<u64>
where
    M: Method<Returns = Text, Throws = std::convert::Infallible>,
{
    within(call).await.unwrap().parse().ok()
}

const ABOUT_1000: RangeInclusive<u64> = 900..=1000;
const ABOUT_500: RangeInclusive<u64> = 400..=500;

#[tokio::test]
async fn a_methods_timeout_holds_where_the_caller_says_nothing() {
    let pair = Pair::new().await;
    let left = seconds(ask::<TIMED>(&pair.peer, "")).await.unwrap();
    assert!(ABOUT_1000.contains(&left), "{left}");
    let error = within(ask::<HURRIED>(&pair.peer, "")).await.unwrap_err();
    assert_eq!(error, CallError::DeadlineExceeded { outcome: Outcome::Unknown });
    pair.at_server.until(|counts| counts.dropped == 1).await;
}

#[tokio::test]
async fn a_callers_timeout_replaces_the_methods() {
    let pair = Pair::new().await;
    let left = seconds(ask::<TIMED>(&pair.peer, "").timeout(Duration::from_secs(500))).await.unwrap();
    assert!(ABOUT_500.contains(&left), "{left}");
    assert_eq!(seconds(ask::<TIMED>(&pair.peer, "").no_timeout()).await, None);
}

#[tokio::test]
async fn a_nested_call_has_the_time_of_the_call_it_is_made_for() {
    let pair = Pair::new().await;
    let left = seconds(ask::<ASK_REMAINING>(&pair.peer, "").timeout(Duration::from_secs(500))).await.unwrap();
    assert!(ABOUT_500.contains(&left), "{left}");
    assert_eq!(seconds(ask::<ASK_REMAINING>(&pair.peer, "")).await, None);
}
