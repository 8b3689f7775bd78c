//! What a call promises: at most once, told truthfully; one end per call; deadlines, cancellation, order, no deadlock.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use kaa_rpc_runtime::transport::Stream;
use kaa_rpc_runtime::{CallError, Limits, Outcome, Peer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::net::{UnixListener, UnixStream};

use crate::support::raw::{self, Raw};
use crate::support::*;

/// Passes on what a client and the server at `to` say, so many bytes of the client's and not one more.
async fn relay(listener: UnixListener, to: std::path::PathBuf, bytes: usize) {
    let (client, _) = within(listener.accept()).await.unwrap();
    let server = UnixStream::connect(to).await.unwrap();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = tokio::spawn(async move { tokio::io::copy(&mut from_server, &mut to_client).await });
    let mut space = vec![0; 4096];
    let mut left = bytes;
    while left > 0 {
        let room = left.min(space.len());
        let Ok(count @ 1..) = from_client.read(&mut space[..room]).await else { break };
        left -= count;
        if to_server.write_all(&space[..count]).await.is_err() {
            break;
        }
    }
    back.abort();
}

/// The connection is cut at every kind of place; what each caller is told is held against what the server has run.
#[tokio::test(flavor = "multi_thread")]
async fn at_most_once_and_truthfully_told_wherever_the_connection_breaks() {
    let (_server, world, place) = server_with(|server| server).await;
    let mut seen = HashSet::new();
    let mut expected = HashSet::new();
    let mut told = [0; 3];
    // The handshake takes about 250 bytes of the client's, each call about 40.
    for bytes in (0..900).step_by(13) {
        let relay_place = Place::new();
        let listener = UnixListener::bind(relay_place.path()).unwrap();
        let relay = tokio::spawn(relay(listener, place.path(), bytes));
        let client = client_builder(&World::new()).connect(relay_place.address().as_str()).unwrap();
        let peer = client.peer();
        let calls = (0..16).map(|index| ask::<RECORD>(&peer, format!("{bytes}/{index}"))).collect();
        for (index, result) in all(calls).await.into_iter().enumerate() {
            let name = format!("{bytes}/{index}");
            match result {
                Ok(answer) => {
                    assert_eq!(answer, name);
                    expected.insert(name);
                    told[0] += 1;
                }
                Err(CallError::Disconnected { outcome: Outcome::NotSent, .. }) => {
                    seen.insert(name);
                    told[1] += 1;
                }
                Err(CallError::Disconnected { outcome: Outcome::Unknown, .. }) => told[2] += 1,
                Err(other) => panic!("{other:?}"),
            }
        }
        drop(client);
        within(relay).await.unwrap();
    }
    let ledger = world.ledger();
    let run: HashSet<String> = ledger.iter().cloned().collect();
    assert_eq!(run.len(), ledger.len(), "a call was run twice");
    assert!(expected.is_subset(&run), "an answered call was not run");
    assert!(seen.is_disjoint(&run), "a call was run that its caller was told was not sent");
    assert!(told.iter().all(|count| *count > 0), "answered, not sent, unknown: {told:?}");
}

/// A transport whose write of frames closes the link, as another thread may at that moment.
struct ClosesAmidWrite {
    io: DuplexStream,
    peer: Arc<OnceLock<Peer>>,
}

impl AsyncRead for ClosesAmidWrite {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl AsyncWrite for ClosesAmidWrite {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, bytes);
        if let Some(peer) = self.peer.get() {
            peer.close();
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }
}

#[tokio::test]
async fn what_is_being_written_as_the_link_closes_may_have_been_sent() {
    let world = World::new();
    let server = server_builder(&world).start().unwrap();
    let (near, far) = tokio::io::duplex(1 << 16);
    server.accept(Stream::from_io(far, "test"));
    let closes = Arc::new(OnceLock::new());
    let near = ClosesAmidWrite { io: near, peer: Arc::clone(&closes) };
    let client = client_builder(&World::new()).connect_stream(Stream::from_io(near, "test")).unwrap();
    within(client.ready()).await.unwrap();
    closes.set(client.peer()).unwrap();
    assert_eq!(lost(within(ask::<RECORD>(&client.peer(), "sent")).await), Outcome::Unknown);
    world.until_recorded(1).await;
}

#[tokio::test]
async fn every_failure_answers_its_own_call() {
    let pair = Pair::new().await;
    let peer = &pair.peer;
    let (fault, panic, unknown, unbound, echo) = tokio::join!(
        ask::<FAULT>(peer, "no such luck"),
        ask::<PANIC>(peer, "boo"),
        ask::<NOBODYS>(peer, ""),
        ask::<UNBOUND>(peer, "longer than four"),
        ask::<ECHO>(peer, "well"),
    );
    assert_eq!(fault, Err(CallError::Fault("no such luck".to_owned())));
    assert_eq!(panic, Err(CallError::Fault("the handler panicked".to_owned())));
    assert!(matches!(unknown, Err(CallError::UnknownMethod { .. })), "{unknown:?}");
    assert!(matches!(&unbound, Err(CallError::Fault(text)) if text.contains("bound of 4")), "{unbound:?}");
    assert_eq!(echo, Ok("well".to_owned()));
}

#[tokio::test]
async fn a_deadline_ends_the_call_here_and_its_handler_there() {
    let pair = Pair::new().await;
    let error = within(ask::<WAIT>(&pair.peer, "").timeout(Duration::from_millis(80))).await.unwrap_err();
    assert_eq!(error, CallError::DeadlineExceeded { outcome: Outcome::Unknown });
    pair.at_server.until(|counts| counts.dropped == 1).await;
    let seconds = within(ask::<REMAINING>(&pair.peer, "").timeout(Duration::from_secs(100))).await.unwrap();
    assert!(["99", "100"].contains(&seconds.as_str()), "{seconds}");
}

/// The peer that handles the call keeps the deadline by its own clock, whatever the caller does.
#[tokio::test]
async fn the_handling_side_keeps_the_deadline_by_itself() {
    let (_server, world, place) = server_with(|server| server).await;
    let mut peer = Raw::connect(&place.path()).await;
    peer.send(raw::call_within(1, WAIT, "", 50_000)).await;
    assert_eq!(peer.next(raw::REPLY).await.detail, raw::DEADLINE_EXCEEDED);
    world.until(|counts| counts.dropped == 1).await;
    peer.send(raw::call_within(2, RECORD, "too late", 0)).await;
    assert_eq!(peer.next(raw::REPLY).await.detail, raw::DEADLINE_EXCEEDED);
    assert!(world.ledger().is_empty());
}

#[tokio::test]
async fn dropping_a_call_drops_its_handler_and_frees_its_place() {
    let limits = Limits { max_inbound_calls: 1, ..Limits::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client).await;
    for round in 1..=3 {
        let mut call = ask::<WAIT>(&pair.peer, "");
        assert!(poll_once(&mut call).await.is_pending());
        pair.at_server.until(|counts| counts.started == round).await;
        drop(call);
        pair.at_server.until(|counts| counts.dropped == round).await;
        pair.lives().await;
    }
}

/// A call made and dropped at once reaches the peer together with its Cancel.
#[tokio::test]
async fn a_cancel_that_comes_with_its_call_is_not_lost() {
    let (_server, world, place) = server_with(|server| server).await;
    let mut peer = Raw::connect(&place.path()).await;
    peer.send([raw::call(1, WAIT, ""), raw::cancel(1), raw::call(2, ECHO, "next")].concat()).await;
    let replies = [peer.next(raw::REPLY).await, peer.next(raw::REPLY).await];
    assert_eq!(replies.map(|reply| (reply.id, reply.detail)), [(1, raw::CANCELLED), (2, raw::OK)]);
    assert_eq!(world.counts().started, 0, "it was cancelled before it began");
}

#[tokio::test]
async fn a_handler_that_watches_for_its_cancellation_may_react() {
    let grace = Duration::from_millis(100);
    let pair = Pair::with(|server| server.cancel_grace(grace), |client| client).await;
    let mut polite = ask::<NOTICE>(&pair.peer, "");
    let mut stubborn = ask::<STUBBORN>(&pair.peer, "");
    assert!(poll_once(&mut polite).await.is_pending());
    assert!(poll_once(&mut stubborn).await.is_pending());
    pair.at_server.until(|counts| counts.started == 2).await;
    drop((polite, stubborn));
    pair.at_server.until(|counts| counts.noticed == 2 && counts.finished == 1).await;
    pair.at_server.until(|counts| counts.dropped == 1).await;
    pair.lives().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn handlers_start_in_the_order_of_the_calls() {
    let limits = Limits { max_inbound_calls: 7, oneway_window: 5, ..Limits::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client).await;
    let peer = &pair.peer;
    let mut calls: Vec<Pin<Box<dyn Future<Output = ()> + Send>>> = Vec::new();
    for index in 0..600 {
        let name = format!("{index:03}");
        if index % 3 == 0 {
            let note = tell::<NOTE>(peer, name);
            calls.push(Box::pin(async move { note.await.unwrap() }));
        } else {
            let call = ask::<RECORD>(peer, name);
            calls.push(Box::pin(async move { assert!(call.await.is_ok()) }));
        }
    }
    all(calls).await;
    pair.at_server.until_recorded(600).await;
    assert!(pair.at_server.ledger().is_sorted());
}

#[tokio::test]
async fn arguments_that_cannot_be_written_leave_the_connection_well() {
    let pair = Pair::new().await;
    let place = Place::new();
    let _listener = UnixListener::bind(place.path()).unwrap();
    let before_connected = client_builder(&World::new()).connect(place.address().as_str()).unwrap();
    for peer in [pair.peer.clone(), before_connected.peer()] {
        for _ in 0..3 {
            let call = kaa_rpc_runtime::Call::new(&peer, Unwritable::Fails);
            assert!(matches!(within(call).await, Err(CallError::Unencodable(_))));
            let call = kaa_rpc_runtime::Call::new(&peer, Unwritable::Panics);
            assert!(tokio::spawn(call).await.unwrap_err().is_panic());
        }
    }
    pair.lives().await;
    let mut queued = ask::<ECHO>(&before_connected.peer(), "queued");
    assert!(poll_once(&mut queued).await.is_pending());
}

#[tokio::test(flavor = "multi_thread")]
async fn nested_calls_pass_where_one_call_at_a_time_is_taken() {
    let limits = Limits { max_inbound_calls: 1, ..Limits::default() };
    let pair = Pair::with(|server| server.limits(limits), |client| client.limits(limits)).await;
    assert_eq!(within(ask::<DESCEND>(&pair.peer, "3")).await, Ok("the bottom".to_owned()), "A→B→A→B");
    assert_eq!(within(ask::<DESCEND>(&pair.peer, "32")).await, Ok("the bottom".to_owned()));
    let peer = &pair.peer;
    let many = (0..20).map(|_| ask::<DESCEND>(peer, "5")).collect();
    assert!(all(many).await.iter().all(Result::is_ok));
}

#[tokio::test]
async fn nesting_without_end_is_refused() {
    let pair = Pair::new().await;
    let error = within(ask::<DESCEND>(&pair.peer, "33")).await.unwrap_err();
    assert!(matches!(&error, CallError::Fault(text) if text.contains("nested too deep")), "{error:?}");
    pair.lives().await;
}

/// Nobody stops reading in order to write: both sides send the other 64 MiB, more than all buffers on the way hold.
#[tokio::test(flavor = "multi_thread")]
async fn two_sides_that_both_write_a_lot_do_not_wait_for_each_other() {
    let pair = Pair::new().await;
    let back = pair.back().await;
    let mut calls = tokio::task::JoinSet::new();
    let megabyte = "x".repeat(1 << 20);
    for _ in 0..64 {
        for peer in [&pair.peer, &back] {
            let call = ask::<RECORD>(peer, megabyte.clone());
            calls.spawn(async move { call.await.map(|answer| answer.len()) });
        }
    }
    for answer in within(calls.join_all()).await {
        match answer {
            Ok(length) => assert_eq!(length, 1 << 20),
            // Where replies pile up, refusals take their place.
            Err(error) => assert!(matches!(error, CallError::ResourceExhausted(_)), "{error:?}"),
        }
    }
    assert_eq!(pair.at_server.ledger().len(), 64);
    assert_eq!(pair.at_client.ledger().len(), 64);
}
