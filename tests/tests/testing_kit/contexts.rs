//! Handlers that a test calls directly, with a context of `testing`.

use std::time::Duration;

use kaa_rpc_runtime::testing::{self, TestCall};
use kaa_rpc_runtime::{CallError, Context, Failure, Fault, Metadata, Outcome};
use kaa_rpc_tests::api::epg::*;
use kaa_rpc_tests::api::rehearsal::*;

use kaa_rpc_tests::fixture::within_paused;

use crate::fakes::{FakeGuide, FakeScreen};

#[tokio::test(start_paused = true)]
async fn handler_without_callbacks_needs_no_peer() {
    let keywords = FakeGuide::default()
        .get_keywords(testing::context(testing::disconnected_proxy()), KeywordOptions::default().prefix("a"))
        .await;
    assert_eq!(keywords.unwrap(), ["a!"]);
    let disconnected: EpgClientProxy = testing::disconnected_proxy();
    let error = disconnected.on_sync(Vec::new(), 0).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::NotSent);
}

#[tokio::test(start_paused = true)]
async fn context_keeps_the_fake_peer_alive() {
    let (screen, mut syncs) = FakeScreen::new();
    let guide = FakeGuide::default();
    let screen = testing::proxy(Epg::client(screen)).await.unwrap();
    let context = testing::context(screen);
    assert!(context.peer_information().is_some());
    assert_eq!(within_paused("the update", guide.update(context)).await.unwrap(), 1);
    assert_eq!(within_paused("`on_sync`", syncs.recv()).await, Some(1));
}

#[tokio::test(start_paused = true)]
async fn proxy_from_a_context_keeps_the_fake_peer_alive() {
    let (screen, _syncs) = FakeScreen::new();
    let context = testing::context::<EpgClientProxy>(testing::proxy(Epg::client(screen)).await.unwrap());
    let choir: ChoirClientProxy = context.proxy();
    drop(context);
    tokio::time::sleep(Duration::from_secs(60)).await;
    let error = within_paused("the call", choir.ping()).await.unwrap_err();
    assert!(matches!(error, CallError::UnknownMethod { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn remaining_time_starts_at_the_timeout_and_decreases() {
    let call = TestCall::of(testing::disconnected_proxy()).timeout(Duration::from_secs(20));
    let context = call.context();
    assert_eq!(context.remaining_time(), Some(Duration::from_secs(20)));
    tokio::time::advance(Duration::from_secs(15)).await;
    assert_eq!(context.remaining_time(), Some(Duration::from_secs(5)));
    let searched = FakeGuide::default().search(context, SearchOptions::default().limit(4)).await;
    let Err(Failure::Declared(error)) = searched else { panic!("{searched:?}") };
    assert_eq!(error, SearchError::TooMany { found: 5, limit: 4 });
    tokio::time::advance(Duration::from_secs(15)).await;
    assert_eq!(call.context().remaining_time(), Some(Duration::ZERO));
    assert_eq!(testing::context::<EpgClientProxy>(testing::disconnected_proxy()).remaining_time(), None);
    let unlimited = TestCall::<EpgClientProxy>::of(testing::disconnected_proxy()).timeout(Duration::MAX);
    assert_eq!(unlimited.context().remaining_time(), None);
}

#[tokio::test(start_paused = true)]
async fn handler_sees_cancellation() {
    let guide = FakeGuide::default();
    let call = TestCall::of(testing::disconnected_proxy());
    let waiting = guide.get_keywords(call.context(), KeywordOptions::default().prefix("wait"));
    tokio::pin!(waiting);
    let early = tokio::time::timeout(Duration::from_secs(3600), &mut waiting).await;
    assert!(early.is_err(), "the handler returned before the call was cancelled: {early:?}");
    call.cancel();
    assert_eq!(within_paused("the handler to see the cancellation", waiting).await.unwrap(), ["wait!"]);
    assert!(call.context().is_cancelled());
    let searched = guide.search(call.context(), SearchOptions::default()).await;
    assert!(
        matches!(&searched, Err(Failure::Fault(fault)) if fault.message() == "the call is cancelled"),
        "{searched:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn context_has_the_given_metadata() {
    let metadata = Metadata::new().with("singer", "anna").unwrap();
    let call = TestCall::<EpgClientProxy>::of(testing::disconnected_proxy()).metadata(metadata.clone());
    let call = call.timeout(Duration::from_secs(20));
    assert_eq!(call.context().metadata(), &metadata);
    assert_eq!(call.metadata(Metadata::new()).context().remaining_time(), Some(Duration::from_secs(20)));
    assert!(testing::context::<EpgClientProxy>(testing::disconnected_proxy()).metadata().is_empty());
}

/// A singer whose `can_come` never returns.
struct Undecided;

impl ChoirClient for Undecided {
    async fn ping(&self, _cx: Context<ChoirServerProxy>) -> Result<bool, Fault> {
        Ok(true)
    }

    async fn can_come(&self, _cx: Context<ChoirServerProxy>, _span: Span) -> Result<bool, Fault> {
        std::future::pending().await
    }

    async fn on_change(&self, _cx: Context<ChoirServerProxy>, _change: Change) -> Result<(), Fault> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn nested_call_ends_with_the_deadline_of_its_parent() {
    let singer: ChoirClientProxy = testing::proxy(Choir::client(Undecided)).await.unwrap();
    let call = TestCall::of(singer).timeout(Duration::from_secs(30));
    let start = tokio::time::Instant::now();
    let peer = call.context().peer;
    assert_eq!(within_paused("`ping`", peer.ping()).await, Ok(true));
    let span = Span { start: Default::default(), end: Default::default() };
    let error = within_paused("`can_come` to time out", peer.can_come(span)).await.unwrap_err();
    assert!(matches!(error, CallError::DeadlineExceeded { .. }), "{error}");
    assert_eq!(start.elapsed().as_secs(), 30);
}
