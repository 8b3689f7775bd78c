//! The demo as a process, and the decisions of the retry policy.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::convert::Infallible;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use balance::api::balance::worker::server::{Draw, Square};
use balance::balanced::{RetryCounts, RetryPolicy};
use kaa_rpc_runtime::codec::Wire;
use kaa_rpc_runtime::tower::Invocation;
use kaa_rpc_runtime::{CallError, CloseReason, DeclaredError, Method, Outcome};
use tower::BoxError;
use tower::retry::Policy;

#[test]
fn demo_loses_a_server_but_no_call() {
    let output = Command::new(env!("CARGO_BIN_EXE_balance")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let row = |name: &str| -> Vec<u32> {
        let row = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        row.split_whitespace().map(|count| count.parse().unwrap()).collect()
    };
    for name in ["before ", "afterwards "] {
        let row = row(name);
        assert!(row.len() == 3 && row.iter().all(|count| *count > 0), "{text}");
    }
    let down = row("while it is down ");
    assert!(matches!(down[..], [first, 0, third] if first > 0 && third > 0), "{text}");
    assert!(text.contains("none lost; all three servers have answered."), "{text}");
}

/// The error of a call whose connection was lost.
fn loss(outcome: Outcome) -> CallError<Infallible> {
    CallError::Disconnected { outcome, reason: CloseReason::ConnectionLost(None) }
}

/// Whether a call of this method is retried after this error.
fn is_retried<M>(policy: &mut RetryPolicy, method: M, error: CallError<Infallible>) -> bool
where
    M: Method + Clone,
    <M::Throws as Wire>::Value: DeclaredError,
{
    let mut result: Result<(), BoxError> = Err(error.into());
    policy.retry(&mut Invocation(method), &mut result).is_some()
}

#[test]
fn safe_calls_are_retried() {
    let counts = Arc::new(RetryCounts::default());
    let mut policy = RetryPolicy::new(Arc::clone(&counts));
    let square = Square { number: 3 };
    assert!(is_retried(&mut policy, square.clone(), loss(Outcome::NotSent)));
    assert!(is_retried(&mut policy, Draw {}, loss(Outcome::NotSent)));
    assert!(is_retried(&mut policy, square, loss(Outcome::Unknown)));
    assert_eq!(counts.not_sent.load(Ordering::Relaxed), 2);
    assert_eq!(counts.unknown.load(Ordering::Relaxed), 1);
}

#[test]
fn unsafe_calls_are_not_retried_and_retries_are_limited() {
    let mut policy = RetryPolicy::new(Arc::default());
    let square = Square { number: 3 };
    assert!(
        !is_retried(&mut policy, Draw {}, loss(Outcome::Unknown)),
        "`draw` may have run, and is not idempotent"
    );
    let fault = CallError::Fault("no".to_owned());
    assert!(!is_retried(&mut policy, square.clone(), fault), "the handler ran");
    let retries = (0..100).filter(|_| is_retried(&mut policy, square.clone(), loss(Outcome::NotSent)));
    assert_eq!(retries.count(), 3);
}
